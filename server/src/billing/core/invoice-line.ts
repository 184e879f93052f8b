import type { Price } from "../../catalog/core/index.js";
import type { Currency } from "../../kernel/currency.js";
import type { Decimal } from "../../kernel/decimal.js";
import type { MeterVersionId } from "../../kernel/ids.js";
import { toMoney, type Money } from "../../kernel/money.js";
import { rate, type RatedTier } from "../../rating/core/index.js";
import type { BilledSpan } from "./subject-span.js";

/** What was measured for a price: all that its line depends on besides the price. */
export interface MeteredInput {
  readonly meterVersion: MeterVersionId;
  readonly subjects: readonly BilledSpan[];
  readonly quantity: Decimal;
  /** How many events were measured into the quantity. */
  readonly events: number;
}

/** A line with the inputs it was computed from, so that it can be computed again. */
export interface RatedLine extends MeteredInput {
  readonly price: Price;
  readonly tiers: readonly RatedTier[];
  /** Exact, in major units. */
  readonly amount: Decimal;
  /** `amount` rounded once, half away from zero, by the currency's exponent. */
  readonly money: Money;
}

export function rateLine(price: Price, input: MeteredInput, currency: Currency): RatedLine {
  const { amount, tiers } = rate(price.model, input.quantity);
  return { price, ...input, tiers, amount, money: toMoney(amount, currency) };
}

export interface Totals {
  /** The sum of the rounded lines. */
  readonly subtotal: Money;
  /** What is due: never below zero. */
  readonly total: Money;
}

export function totalOf(lines: readonly { readonly money: Money }[], currency: Currency): Totals {
  const minor = lines.reduce((sum, line) => sum + line.money.minor, 0n);
  return { subtotal: { currency, minor }, total: { currency, minor: minor < 0n ? 0n : minor } };
}

/** Where a recomputation differs from what is recorded. */
export interface Difference {
  readonly field: "quantity" | "events" | "amount" | "amount_minor" | "tiers";
  readonly recorded: string;
  readonly recomputed: string;
}

type Comparable = Pick<RatedLine, "quantity" | "events" | "tiers" | "amount" | "money">;

/** Every difference between a recorded line and the same line computed again; an empty list says it is reproduced. */
export function compareLines(recorded: Comparable, recomputed: Comparable): Difference[] {
  const texts = [comparableText(recorded), comparableText(recomputed)] as const;
  const fields: Difference["field"][] = ["quantity", "events", "amount", "amount_minor", "tiers"];
  return fields
    .map((field) => ({ field, recorded: texts[0][field], recomputed: texts[1][field] }))
    .filter((difference) => difference.recorded !== difference.recomputed);
}

function comparableText(line: Comparable): Record<Difference["field"], string> {
  return {
    quantity: line.quantity.toString(),
    events: String(line.events),
    amount: line.amount.toString(),
    amount_minor: line.money.minor.toString(),
    tiers: JSON.stringify(
      line.tiers.map((tier) =>
        [tier.from, tier.upTo ?? "", tier.quantity, tier.unitAmount, tier.flatAmount, tier.amount].map(
          String,
        ),
      ),
    ),
  };
}
