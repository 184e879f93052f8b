import { exponentOf } from "./currency.js";

/** A rate as decimal text: what one unit of the first currency is in the second. Amounts are in minor units. */
export interface Exchange {
  readonly currency: string;
  readonly rate: string | undefined;
  /** Rounds half away from zero. */
  convert(amount: number): number;
}

const rate_pattern = /^(\d{1,9})(?:\.(\d{1,9}))?$/;

/** @throws RangeError when the text is no positive decimal with at most 9 digits before and after its point */
export function exchangeAt(from: string, to: string, rate: string): Exchange {
  const match = rate_pattern.exec(rate);
  const fraction = match?.[2] ?? "";
  const digits = BigInt(`${match?.[1] ?? ""}${fraction}` || "0");
  if (match === null || digits === 0n)
    throw new RangeError(
      `"${rate}" is no exchange rate from ${from} to ${to}: give a positive decimal as text`,
    );
  const shift = exponentOf(to) - exponentOf(from) - fraction.length;
  const numerator = digits * 10n ** BigInt(Math.max(shift, 0));
  const denominator = 10n ** BigInt(Math.max(-shift, 0));
  return {
    currency: to,
    rate,
    convert: (amount) => Number(divideHalfAway(BigInt(amount) * numerator, denominator)),
  };
}

/** What is settled in the currency that it was charged in. */
export function noExchange(currency: string): Exchange {
  return { currency, rate: undefined, convert: (amount) => amount };
}

export function divideHalfAway(dividend: bigint, divisor: bigint): bigint {
  const magnitude = dividend < 0n ? -dividend : dividend;
  const rounded = (2n * magnitude + divisor) / (2n * divisor);
  return dividend < 0n ? -rounded : rounded;
}
