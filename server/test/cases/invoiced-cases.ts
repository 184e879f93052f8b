import type { Currency } from "../../src/kernel/currency.js";
import { Decimal } from "../../src/kernel/decimal.js";
import { parseInstant } from "../../src/kernel/instant.js";
import { toDecimal, toMoney } from "../../src/kernel/money.js";
import { utc, windowBoundaries } from "../../src/kernel/time-zone.js";
import { chargeTarget, discountOf, prorate } from "../../src/rating/core/index.js";
import { computeTax, type TaxRate } from "../../src/tax/core/index.js";
import { refuse, type CaseParameters } from "./case-parameters.js";
import type { Outcome } from "./priced-cases.js";

/** Cases about fees, commitments, coupons, tax and invoices made before. */
export const invoicedCases: Readonly<Record<string, (given: CaseParameters) => Outcome>> = {
  prorated_flat: (given) => {
    // The only rounding there is: half away from zero.
    if (given.has("rounding")) given.oneOf("rounding", "half_up");
    return prorate(given.decimal("amount"), days(given, "service_period"), days(given, "full_period"));
  },
  prorated_flat_days: (given) =>
    prorate(given.decimal("amount"), given.decimal("days_billed"), given.decimal("days_in_period")),
  minimum_true_up_prorated: (given) => {
    const model = { kind: "per_unit", unitAmount: given.decimal("unit_amount"), per: Decimal.one } as const;
    const terms = { percentOff: undefined, maximum: undefined, isComplete: true };
    const minimum = prorate(
      given.decimal("charge_minimum"),
      given.decimal("active_days"),
      given.decimal("period_days"),
    );
    const without = chargeTarget(model, given.quantity, { ...terms, minimum: undefined });
    return chargeTarget(model, given.quantity, { ...terms, minimum }).minus(without);
  },
  minimum_commitment_true_up: (given) => {
    const currency = given.currency() ?? refuse("a commitment names its currency");
    const prorated = (name: string) =>
      prorate(given.decimal(name), given.decimal("days_billed"), given.decimal("days_in_period"));
    const fees = [prorated("subscription_fee"), ...given.decimals("usage_fees")];
    const billed = Decimal.sum(fees.map((fee) => rounded(fee, currency)));
    return Decimal.max(Decimal.zero, prorated("commitment").minus(billed));
  },
  percentage_coupon: (given) => discountOf(given.decimal("amount"), given.decimal("percent_off")),
  tax: (given) => {
    const currency = given.currency() ?? refuse("a tax names its currency");
    const percent = given.decimal("tax_percent");
    const rate: TaxRate = {
      key: "case",
      name: "Tax",
      percent,
      inclusive: false,
      treatment: "taxed",
    };
    const { total } = computeTax([{ minor: toMoney(given.quantity, currency).minor, rate }]);
    return toDecimal({ currency, minor: total.gross });
  },
  progressive_billing_final_invoice: (given) =>
    given
      .decimal("subscription_fee")
      .plus(given.decimal("usage_fee"))
      .minus(given.decimal("already_progressively_billed")),
};

function rounded(amount: Decimal, currency: Currency): Decimal {
  return toDecimal(toMoney(amount, currency));
}

/** The whole days of a half-open period of dates. */
function days(given: CaseParameters, name: string): Decimal {
  const [from, to] = given.list(name).map((date) => parseInstant(`${String(date)}T00:00:00Z`));
  if (from === undefined || to === undefined || from >= to)
    return refuse(`parameter "${name}" must be two dates, the first before the second`);
  return Decimal.of(windowBoundaries(from, to, "DAY", utc).length - 1);
}
