import type { Currency } from "../../src/kernel/currency.js";
import type { Decimal } from "../../src/kernel/decimal.js";
import { toDecimal, toMoney } from "../../src/kernel/money.js";
import { CaseParameters, decimalOf, Inexpressible, refuse } from "./case-parameters.js";
import { invoicedCases } from "./invoiced-cases.js";
import { MeteredCases } from "./metered-cases.js";
import { pricedCase, type Outcome } from "./priced-cases.js";
import type { RatingCase } from "./rating-case.js";

export type CaseResult =
  | { readonly kind: "passed"; readonly case: RatingCase }
  | { readonly kind: "failed"; readonly case: RatingCase; readonly expected: string; readonly actual: string }
  | { readonly kind: "skipped"; readonly case: RatingCase; readonly reason: string };

// Upstream rounds these two to cents without naming a currency.
const rounded_to_cents = new Set(["120", "122"]);

/** Runs cases through Weir's own rating and metering, one after another. */
export async function runCases(cases: readonly RatingCase[]): Promise<CaseResult[]> {
  const metered = new MeteredCases();
  try {
    const results: CaseResult[] = [];
    for (const one of cases) results.push(await runCase(one, metered));
    return results;
  } finally {
    await metered.close();
  }
}

async function runCase(one: RatingCase, metered: MeteredCases): Promise<CaseResult> {
  try {
    const given = new CaseParameters(one);
    const currency = given.currency();
    const outcome = await evaluate(one.model, given, metered);
    given.requireAllAsked();
    const round = roundingOf(one, currency);
    const actual = [outcome].flat().map((amount) => round(amount).toString());
    const expected = [one.expected].flat().map((amount) => round(decimalOf(amount, "expected")).toString());
    return actual.join() === expected.join()
      ? { kind: "passed", case: one }
      : { kind: "failed", case: one, expected: expected.join(", "), actual: actual.join(", ") };
  } catch (error) {
    if (error instanceof Inexpressible) return { kind: "skipped", case: one, reason: error.message };
    const actual = `an error: ${error instanceof Error ? error.message : String(error)}`;
    return { kind: "failed", case: one, expected: [one.expected].flat().join(", "), actual };
  }
}

async function evaluate(model: string, given: CaseParameters, metered: MeteredCases): Promise<Outcome> {
  if (model.startsWith("agg_")) return metered.evaluate(model, given);
  const evaluation = Object.hasOwn(invoicedCases, model) ? invoicedCases[model] : pricedCase(model);
  return evaluation?.(given) ?? refuse(`there is no model "${model}"`);
}

function roundingOf({ id }: RatingCase, currency: Currency | undefined): (amount: Decimal) => Decimal {
  if (currency !== undefined) return (amount) => toDecimal(toMoney(amount, currency));
  return rounded_to_cents.has(id) ? (amount) => amount.round(2, "half-away") : (amount) => amount;
}

/** What `npm run cases` prints: failures with both amounts, what could not be expressed and why, and the count. */
export function reportOf(results: readonly CaseResult[]): string {
  const lines = results.flatMap((result) => {
    const { id, model } = result.case;
    const note = result.case.note === undefined ? "" : ` (${result.case.note})`;
    switch (result.kind) {
      case "passed":
        return [];
      case "failed":
        return [`FAILED  ${id} ${model}: expected ${result.expected}, got ${result.actual}${note}`];
      case "skipped":
        return [`skipped ${id} ${model}: ${result.reason}`];
      default:
        return result satisfies never;
    }
  });
  const count = (kind: CaseResult["kind"]) => results.filter((result) => result.kind === kind).length;
  return [...lines, `${count("passed")} passed, ${count("failed")} failed, ${count("skipped")} skipped`].join(
    "\n",
  );
}
