import { expect, test } from "vitest";
import { parseCurrency } from "../../kernel/currency.js";
import { numericCodeOf, readNumericCurrency, rescale } from "./numeric-currency.js";

const currency = (code: string) => parseCurrency(code)!;

test.each([
  ["840", "USD"],
  ["978", "EUR"],
  ["392", "JPY"],
  ["414", "KWD"],
  ["036", "AUD"],
  ["532", "XCG"],
])("%s is %s", (digits, code) => {
  expect(readNumericCurrency(digits)).toEqual({ ok: true, value: code });
  expect(numericCodeOf(currency(code))).toBe(digits);
});

test.each(["999", "000", "84", "USD", ""])("%j is no currency", (digits) => {
  expect(readNumericCurrency(digits)).toMatchObject({ ok: false });
});

test("every number names one currency", () => {
  const numbers = new Set<string>();
  for (let number = 0; number < 1_000; number += 1) {
    const digits = number.toString().padStart(3, "0");
    const read = readNumericCurrency(digits);
    if (!read.ok) continue;
    numbers.add(digits);
    expect(numericCodeOf(read.value)).toBe(digits);
  }
  expect(numbers.size).toBe(158);
});

test("minor units with another exponent than the currency's are carried over, or refused where they do not fit", () => {
  expect(rescale(500n, 0, currency("JPY"))).toEqual({ ok: true, value: 500n });
  expect(rescale(50_000n, 2, currency("JPY"))).toEqual({ ok: true, value: 500n });
  expect(rescale(125n, 1, currency("EUR"))).toEqual({ ok: true, value: 1_250n });
  expect(rescale(50_001n, 2, currency("JPY"))).toMatchObject({ ok: false });
});
