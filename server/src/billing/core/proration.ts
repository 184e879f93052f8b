import { Decimal } from "../../kernel/decimal.js";
import { countDays, type DayRange } from "./day-range.js";

// Amounts have at most 12 decimals and periods at most 366 days: what is exactly half a coin stays so, and what is not
// is at least 1/(2 × 366 × 10^12) away from it, so that 20 decimals round to the coin that the fraction itself would.
const decimals_min = 20;

/**
 * The part of an amount that falls to some days of a period. Shares of ranges that tile the period add up to the amount,
 * digit for digit, since each is what has accrued up to its end less what had up to its beginning.
 *
 * @param ofDays  the period's days, above zero
 */
export function shareOfDays(amount: Decimal, ranges: readonly DayRange[], ofDays: number): Decimal {
  if (countDays(ranges) === ofDays) return amount;
  return Decimal.sum(
    ranges.map(({ from, to }) => accrued(amount, to, ofDays).minus(accrued(amount, from, ofDays))),
  );
}

function accrued(amount: Decimal, days: number, ofDays: number): Decimal {
  if (days === 0) return Decimal.zero;
  if (days === ofDays) return amount;
  const scale = Math.max(decimals_min, amount.scale + 8);
  return amount.times(Decimal.of(days)).dividedBy(Decimal.of(ofDays), scale, "half-away");
}
