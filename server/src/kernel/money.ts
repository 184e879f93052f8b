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

/** The same for JSON: { currency, minor, amount }, in text; amount is in major units. */
export function moneyJson(money: Money): { currency: string; minor: string; amount: string } {
  const { currency, minor } = money;
  return { currency, minor: minor.toString(), amount: toDecimal(money).toFixed(exponentOf(currency)) };
}

/** In minor units: far above any invoice, far below what sums could not hold. */
const amount_minor_max = 10n ** 18n;

/** Whole minor units of an amount in major units, or what is wrong with it: it is never rounded. */
export function minorOfText(text: string, currency: Currency): bigint | string {
  const amount = Decimal.parse(text);
  if (amount === undefined) return `"${text.slice(0, 100)}" is not a decimal number such as "100.00"`;
  const exponent = exponentOf(currency);
  const { minor } = toMoney(amount, currency);
  if (!Decimal.fromUnscaled(minor, exponent).equals(amount)) {
    return `${currency} has ${exponent} decimals, "${text.slice(0, 100)}" has more`;
  }
  const size = minor < 0n ? -minor : minor;
  return size <= amount_minor_max ? minor : `at most ${amount_minor_max} minor units`;
}
