import { Decimal } from "../../kernel/decimal.js";

/** Quantities have at most 18 decimals and prices 12; the boundary between two coins has at most 5 (CLF, UYW). */
const product_decimals_max = 30;

/**
 * Division by a fixed positive number such that rounding the quotient to a currency gives the coin that the exact
 * fraction rounds to.
 *
 * When 1/per ends (per has only the factors 2 and 5), quotients are exact. Otherwise they are rounded, to a scale
 * that cannot change the coin: a sum with 30 decimals over an integer per, if not exactly on the boundary between two
 * coins, is at least 1/(per × 10^30) away from it, and the rounding moves it by less; a sum exactly on a boundary is
 * exact here too. The scale depends on `per` and on the price's own decimals: with one that followed the quantity's
 * digits, 1 and 1.000 would come to different amounts, and a little more could cost a little less.
 */
export class Division {
  /** 1/per when it ends; quotients are then exact. */
  readonly reciprocal: Decimal | undefined;
  /** Digits after the point of a quotient that never ends. */
  readonly scale: number;
  readonly #per: Decimal;

  private constructor(per: Decimal, decimals: number) {
    const { unscaled: whole, scale } = canonical(per);
    const digits = decimalsOfReciprocal(whole);
    this.#per = per;
    this.scale = Math.max(product_decimals_max, decimals) + whole.toString().length + 1;
    this.reciprocal =
      digits === undefined
        ? undefined
        : Decimal.fromUnscaled(10n ** BigInt(digits) / whole, digits).times(Decimal.fromUnscaled(1n, -scale));
  }

  /**
   * @param per       above zero
   * @param decimals  how many decimals numerators have at most, where that is more than 30
   * @throws RangeError unless `per` is above zero
   */
  static by(per: Decimal, decimals = 0): Division {
    if (per.isNegative() || per.isZero()) throw new RangeError(`"per" is above zero, not ${per.toString()}`);
    return new Division(per, decimals);
  }

  quotient(numerator: Decimal): Decimal {
    if (this.reciprocal !== undefined) return numerator.times(this.reciprocal);
    return numerator.dividedBy(this.#per, this.scale, "half-away");
  }

  /** Quotients of the parts that add up to the quotient of their sum, digit for digit (cumulative rounding). */
  shares(parts: readonly Decimal[]): Decimal[] {
    let sum = Decimal.zero;
    let before = Decimal.zero;
    return parts.map((part) => {
      sum = sum.plus(part);
      const cumulative = this.quotient(sum);
      const share = cumulative.minus(before);
      before = cumulative;
      return share;
    });
  }
}

/** Decimals of a number however many zeros it is written with, so that 0.5 and 0.50 give the same digits. */
export function decimalsOf(value: Decimal): number {
  return canonical(value).scale;
}

function canonical(value: Decimal): Decimal {
  // A product has no trailing zeros.
  return value.times(Decimal.one);
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
