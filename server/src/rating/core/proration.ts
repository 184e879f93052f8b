import type { Decimal } from "../../kernel/decimal.js";
import { Division } from "./division.js";

/**
 * The part of an amount for a part of a period, in whole local days, both ends included. It carries so many digits
 * that rounding it to a currency gives the coin of the exact fraction; a whole period costs the whole amount.
 *
 * @param days    zero to `ofDays`
 * @param ofDays  days of the whole period
 * @throws RangeError when `days` is outside the period
 */
export function prorate(amount: Decimal, days: Decimal, ofDays: Decimal): Decimal {
  if (days.isNegative() || days.compare(ofDays) > 0)
    throw new RangeError(`${days.toString()} days are no part of a period of ${ofDays.toString()}`);
  const numerator = amount.times(days);
  return Division.by(ofDays, numerator.scale).quotient(numerator);
}
