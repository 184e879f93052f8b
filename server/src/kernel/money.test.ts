import { describe, expect, test } from "vitest";
import { exponentOf, parseCurrency } from "./currency.js";
import { Decimal } from "./decimal.js";
import { addMoney, formatMoney, minorOfText, moneyJson, toDecimal, toMoney } from "./money.js";

const currency = (code: string) => parseCurrency(code)!;
const eur = currency("EUR");

describe("currencies", () => {
  test.each([
    ["EUR", 2],
    ["USD", 2],
    ["JPY", 0],
    ["KRW", 0],
    ["ISK", 0],
    ["KWD", 3],
    ["TND", 3],
    ["CLF", 4],
    ["XCG", 2],
  ])("%s has %i digits after the point", (code, digits) => {
    expect(exponentOf(currency(code))).toBe(digits);
  });

  test("a code is read in any case, and one that is not in use is none", () => {
    expect(parseCurrency("eur")).toBe("EUR");
    for (const code of ["", "EU", "EURO", "XXX", "DEM", "constructor"])
      expect(parseCurrency(code)).toBeUndefined();
  });
});

describe("amounts", () => {
  test.each([
    ["0.005", "EUR", 1n],
    ["-0.005", "EUR", -1n],
    ["0.0049999999999999", "EUR", 0n],
    ["0.5", "JPY", 1n],
    ["1.2345", "KWD", 1235n],
    ["19.99", "USD", 1999n],
    ["12345678901234567890.125", "USD", 1234567890123456789013n],
  ])("%s %s is %i minor units", (amount, code, minor) => {
    expect(toMoney(Decimal.of(amount), currency(code)).minor).toBe(minor);
  });

  test("are shown with all digits of their currency", () => {
    expect(formatMoney({ currency: eur, minor: 1250n })).toBe("12.50 EUR");
    expect(formatMoney({ currency: eur, minor: -5n })).toBe("-0.05 EUR");
    expect(formatMoney({ currency: currency("JPY"), minor: 1250n })).toBe("1250 JPY");
    expect(toDecimal({ currency: eur, minor: 1250n }).toString()).toBe("12.5");
  });

  test("add up within a currency only", () => {
    expect(addMoney({ currency: eur, minor: 1n }, { currency: eur, minor: 2n }).minor).toBe(3n);
    expect(() => addMoney({ currency: eur, minor: 1n }, { currency: currency("USD"), minor: 2n })).toThrow(
      "EUR and USD",
    );
  });
});

describe("amounts as text", () => {
  test.each([
    ["100.00", "EUR", 10_000n],
    ["100", "JPY", 100n],
    ["1.235", "KWD", 1_235n],
    ["-0.5", "EUR", -50n],
    ["1.001", "EUR", 'EUR has 2 decimals, "1.001" has more'],
    ["1.0", "JPY", 1n],
    ["abc", "EUR", '"abc" is not a decimal number such as "100.00"'],
    ["10000000000000000.01", "EUR", "at most 1000000000000000000 minor units"],
    ["-10000000000000000.01", "EUR", "at most 1000000000000000000 minor units"],
  ])("%s %s", (text, code, minor) => {
    expect(minorOfText(text, currency(code))).toBe(minor);
  });

  test("for JSON they are text, with the currency's decimals", () => {
    expect(moneyJson({ currency: eur, minor: -5n })).toEqual({
      currency: "EUR",
      minor: "-5",
      amount: "-0.05",
    });
  });
});
