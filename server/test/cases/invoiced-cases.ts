import type { Currency } from "../../src/kernel/currency.js";
import { Decimal } from "../../src/kernel/decimal.js";
import { parseInstant } from "../../src/kernel/instant.js";
import { toDecimal, toMoney } from "../../src/kernel/money.js";
import { utc, windowBoundaries } from "../../src/kernel/time-zone.js";
import { assemble } from "../../src/billing/core/index.js";
import { shareOfDays } from "../../src/billing/core/proration.js";
import { lessPercents } from "../../src/billing/core/rated-portion.js";
import { selectGrants, type CreditGrant } from "../../src/credits/core/index.js";
import { newId } from "../../src/kernel/ids.js";
import { rate } from "../../src/rating/core/index.js";
import type { TaxRate } from "../../src/tax/core/index.js";
import { at, usd } from "../support/billing-contract.js";
import { refuse, type CaseParameters } from "./case-parameters.js";
import { centsOf, MeteredSubscription } from "./metered-subscription.js";
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
    const minimum = prorate(
      given.decimal("charge_minimum"),
      given.decimal("active_days"),
      given.decimal("period_days"),
    );
    return Decimal.max(Decimal.zero, minimum.minus(rate(model, given.quantity).amount));
  },
  minimum_commitment_true_up: (given) => {
    const currency = given.currency() ?? refuse("a commitment names its currency");
    const prorated = (name: string) =>
      prorate(given.decimal(name), given.decimal("days_billed"), given.decimal("days_in_period"));
    const fees = [prorated("subscription_fee"), ...given.decimals("usage_fees")];
    const billed = Decimal.sum(fees.map((fee) => rounded(fee, currency)));
    return Decimal.max(Decimal.zero, prorated("commitment").minus(billed));
  },
  percentage_coupon: (given) => {
    const amount = given.decimal("amount");
    return amount.minus(lessPercents(amount, [given.decimal("percent_off")]));
  },
  tax: (given) => {
    const currency = given.currency() ?? refuse("a tax names its currency");
    const rate = taxOf(given.decimal("tax_percent"));
    const { minor } = toMoney(given.quantity, currency);
    const { totals } = assemble([{ minor, rate }], { promotional: 0n, paid: 0n, balance: 0n });
    return toDecimal({ currency, minor: totals.due });
  },
  progressive_billing_final_invoice: (given) => {
    const unit = { kind: "per_unit", unitAmount: Decimal.one, per: Decimal.one } as const;
    const subscription = new MeteredSubscription(unit, { fee: given.decimal("subscription_fee") });
    return subscription.invoice(
      "period",
      given.decimal("usage_fee"),
      given.decimal("already_progressively_billed"),
    );
  },
};

/** What is due of an amount in dollars when the customer has a grant of credits. */
export function afterCredits(amount: Decimal, credits: Decimal): Decimal {
  const start = at("2026-01-01");
  const grant: CreditGrant = {
    id: newId("crg", start),
    customer: newId("cus", start),
    kind: "promotional",
    currency: usd,
    amount: centsOf(credits),
    remaining: centsOf(credits),
    priority: 0,
    effectiveFrom: start,
    expiresAt: undefined,
    note: undefined,
    createdAt: start,
  };
  const due = centsOf(amount);
  const draws = selectGrants([grant], { due, serviceEnd: at("2026-02-01"), kind: "promotional" });
  const promotional = draws.reduce((sum, draw) => sum + draw.amount, 0n);
  const lines = [{ minor: due, rate: taxOf(Decimal.zero) }];
  const { totals } = assemble(lines, { promotional, paid: 0n, balance: 0n });
  return toDecimal({ currency: usd, minor: totals.due });
}

function taxOf(percent: Decimal): TaxRate {
  return { key: "case", name: "Tax", percent, inclusive: false, treatment: "taxed" };
}

/** The part of an amount that falls to the first so many days of a period. */
function prorate(amount: Decimal, part: Decimal, whole: Decimal): Decimal {
  if (
    !part.isInteger() ||
    !whole.isInteger() ||
    part.isNegative() ||
    part.compare(whole) > 0 ||
    whole.isZero()
  )
    refuse(`${part.toString()} days are no part of ${whole.toString()} whole days`);
  const days = { from: 0, to: Number(part.toBigInt()) };
  return shareOfDays(amount, [days], Number(whole.toBigInt()));
}

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
