import { exponentOf, type Currency } from "./currency.js";
import { Decimal } from "./decimal.js";

/** An amount in whole minor units (cents) of its currency. */
export interface Money {
  readonly currency: Currency;
  readonly minor: bigint;
}

/** Rounds to the currency's exponent, half away from zero: 0.005 EUR → 0.01, -0.005 EUR → -0.01. */
export function toMoney(amount: Decimal, currency: Currency): Money {
  const exponent = exponentOf(currency);
  const rounded = amount.round(exponent, "half-away");
  return { currency, minor: rounded.times(Decimal.fromUnscaled(1n, -exponent)).toBigInt() };
}

export function toDecimal(money: Money): Decimal {
  return Decimal.fromUnscaled(money.minor, exponentOf(money.currency));
}

/** @throws RangeError when the currencies differ */
export function addMoney(first: Money, second: Money): Money {
  if (first.currency !== second.currency)
    throw new RangeError(`${first.currency} and ${second.currency} do not add up`);
  return { currency: first.currency, minor: first.minor + second.minor };
}

/** "12.50 EUR", "1250 JPY". */
export function formatMoney(money: Money): string {
  return `${toDecimal(money).toFixed(exponentOf(money.currency))} ${money.currency}`;
}
