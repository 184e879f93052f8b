import { Decimal } from "../../kernel/decimal.js";

/** Quantities have at most 18 decimals and prices 12; the boundary between two coins has at most 5 (CLF, UYW). */
const product_decimals_max = 30;

/**
 * Divides each of `parts` by `per` such that the quotients add up to the quotient of the sum.
 *
 * When 1/per ends (per has only the factors 2 and 5), each quotient is exact. Otherwise cumulative sums are
 * rounded, to a scale that cannot change the coin the sum rounds to: a sum with 30 decimals over an integer per,
 * if not exactly on the boundary between two coins, is at least 1/(per × 10^30) away from it, and the rounding moves
 * it by less; a sum exactly on a boundary is exact here too. The scale depends on `per` alone: with one that followed
 * the quantity's digits, 1 and 1.000 would come to different amounts, and a little more could cost a little less.
 *
 * @param per  a positive whole number
 */
export function sharesOf(parts: readonly Decimal[], per: Decimal): Decimal[] {
  if (per.equals(Decimal.one)) return [...parts];
  const decimals = Math.max(...parts.map((part) => part.scale));
  const reciprocal = decimalsOfReciprocal(per.toBigInt());
  const scale =
    reciprocal === undefined
      ? Math.max(decimals, product_decimals_max) + per.toString().length + 1
      : decimals + reciprocal;
  let sum = Decimal.zero;
  let before = Decimal.zero;
  return parts.map((part) => {
    sum = sum.plus(part);
    const cumulative = sum.dividedBy(per, scale, "half-away");
    const share = cumulative.minus(before);
    before = cumulative;
    return share;
  });
}

/** How many decimals 1/per has, or undefined when it never ends. */
function decimalsOfReciprocal(per: bigint): number | undefined {
  let rest = per;
  let twos = 0;
  let fives = 0;
  for (; rest % 2n === 0n; twos += 1) rest /= 2n;
  for (; rest % 5n === 0n; fives += 1) rest /= 5n;
  return rest === 1n ? Math.max(twos, fives) : undefined;
}
