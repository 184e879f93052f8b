import { exponentOf, parseCurrency, type Currency } from "../../kernel/currency.js";
import type { Money } from "../../kernel/money.js";
import { err, ok, type Result } from "../../kernel/result.js";

/** Why a text is no amount, without "record 7, column gross". */
export interface TextFault {
  readonly detail: string;
  readonly advice: string;
}

/** Of minor units: what a 64-bit integer holds for certain. */
const digits_max = 18;
/** Numbers below this are exact in floating point, so they may be added up digit by digit. */
const exact_digits = 15;

const zero = 0x30;
const nine = 0x39;

/**
 * The minor units of an amount in major ones: "12.5" EUR → 1250n, "100" JPY → 100n, "1.234" KWD → 1234n. Digits after the point that
 * the currency does not have must be zeros. A comma is taken for the point only where it can be nothing else: "12,50" EUR.
 */
export function readMinorUnits(text: string, currency: Currency): Result<bigint, TextFault> {
  const exponent = exponentOf(currency);
  const length = text.length;
  let at = 0;
  const negative = text.charCodeAt(0) === 0x2d;
  if (negative || text.charCodeAt(0) === 0x2b) at = 1;
  const begin = at;
  let value = 0;
  while (at < length && isDigit(text.charCodeAt(at))) {
    value = value * 10 + text.charCodeAt(at) - zero;
    at += 1;
  }
  const whole = at - begin;
  let fraction = 0;
  if (at < length) {
    const separator = text.charCodeAt(at);
    const isComma = separator === 0x2c;
    if (separator !== 0x2e && !isComma) return err(faultOf(text, currency));
    at += 1;
    const first = at;
    for (; at < length && isDigit(text.charCodeAt(at)); at += 1) {
      if (at - first < exponent) value = value * 10 + text.charCodeAt(at) - zero;
      else if (text.charCodeAt(at) !== zero) return err(faultOf(text, currency));
    }
    fraction = at - first;
    // "1,234" may be one and a bit or a thousand and more; so may every comma of a currency without a point.
    if (isComma && (fraction !== exponent || exponent === 3 || exponent === 0))
      return err(faultOf(text, currency));
  }
  if (at < length || whole + fraction === 0 || whole + exponent > digits_max || fraction > digits_max)
    return err(faultOf(text, currency));
  if (whole + exponent > exact_digits) return ok(exactly(text.slice(begin), exponent, negative));
  for (let missing = exponent - fraction; missing > 0; missing -= 1) value *= 10;
  return ok(BigInt(negative ? -value : value));
}

/** An amount with its currency's code. */
export function readMoney(text: string, code: string): Result<Money, TextFault> {
  const currency = readCurrency(code);
  if (!currency.ok) return currency;
  const minor = readMinorUnits(text, currency.value);
  return minor.ok ? ok({ currency: currency.value, minor: minor.value }) : minor;
}

const known = new Map<string, Currency>();

export function readCurrency(code: string): Result<Currency, TextFault> {
  const remembered = known.get(code);
  if (remembered !== undefined) return ok(remembered);
  const currency = parseCurrency(code);
  if (currency === undefined) {
    return err({
      detail: `${quoted(code)} is no currency in use`,
      advice: "Use a code of ISO 4217, such as EUR",
    });
  }
  // A code has few ways of being written (eur, EUR), and only codes in use are kept.
  known.set(code, currency);
  return ok(currency);
}

function isDigit(code: number): boolean {
  return code >= zero && code <= nine;
}

function exactly(unsigned: string, exponent: number, negative: boolean): bigint {
  const [whole = "", fraction = ""] = unsigned.split(/[.,]/);
  const minor = BigInt(`${whole}${fraction.slice(0, exponent).padEnd(exponent, "0")}`);
  return negative ? -minor : minor;
}

function faultOf(text: string, currency: Currency): TextFault {
  const shown = quoted(text);
  if (text.trim() === "")
    return { detail: "there is no amount", advice: "Have the sender fill in every amount" };
  if (/^[+-]?[\d.,]+e[+-]?\d+$/i.test(text)) {
    return {
      detail: `${shown} is in scientific notation: a spreadsheet has shortened it`,
      advice: "Import the file as the sender made it, without opening it in a spreadsheet",
    };
  }
  if (/^[+-]?\d{15,}(\.\d*)?$/.test(text)) {
    return {
      detail: `${shown} is larger than any amount: it has more than ${digits_max} digits with those after the point`,
      advice: "Import the file as the sender made it",
    };
  }
  if (/^[+-]?\d+\.\d+$/.test(text)) {
    return {
      detail: `${shown} has more digits than ${currency} has: ${exponentOf(currency)} after the point`,
      advice: "Ask the sender for amounts in whole minor units",
    };
  }
  if (/^[+-]?[\d.,'’ \u00a0\u202f]+$/.test(text)) {
    return {
      detail: `${shown} has separators that can mean several amounts`,
      advice: "Write amounts with a point before the decimals and nothing between the thousands: 1234.56",
    };
  }
  return {
    detail: `${shown} is no amount`,
    advice: "Write amounts as digits with a point before the decimals: 1234.56",
  };
}

/** At most 40 characters of what the file said, in quotes. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}
