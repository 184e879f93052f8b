import { Decimal } from "../../kernel/decimal.js";
import { percent_share } from "./fault.js";
import type { AnyPriceModel } from "./price-model.js";
import { isProgressive, rate } from "./rate.js";
import type { Usage } from "./usage.js";

/** What changes an amount after it was rated, in this order. */
export interface ChargeTerms {
  readonly percentOff: Decimal | undefined;
  readonly minimum: Decimal | undefined;
  readonly maximum: Decimal | undefined;
  /** Whether the usage is the whole period's: until then nothing is due that more usage could lower, nor a minimum. */
  readonly isComplete: boolean;
}

/** The percentage of an amount that a discount takes off. */
export function discountOf(amount: Decimal, percentOff: Decimal): Decimal {
  return amount.times(percentOff).times(percent_share);
}

/**
 * What a price must come to in all for the usage so far: rated, then discounted, then lifted to the minimum and cut
 * to the maximum. What is billed is this less what was billed before, so that parts add up to the whole. Not rounded.
 */
export function chargeTarget(model: AnyPriceModel, usage: Usage | Decimal, terms: ChargeTerms): Decimal {
  if (!terms.isComplete && !isProgressive(model)) return Decimal.zero;
  const { amount } = rate(model, usage);
  const net = terms.percentOff === undefined ? amount : amount.minus(discountOf(amount, terms.percentOff));
  const least = terms.isComplete && terms.minimum !== undefined ? Decimal.max(net, terms.minimum) : net;
  return terms.maximum === undefined ? least : Decimal.min(least, terms.maximum);
}
