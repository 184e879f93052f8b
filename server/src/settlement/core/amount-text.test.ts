import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { majorUnits } from "../../../test/support/settlement/camt-file.js";
import { parseCurrency } from "../../kernel/currency.js";
import { readMinorUnits, readMoney } from "./amount-text.js";

const minor = (text: string, code: string) => {
  const read = readMinorUnits(text, parseCurrency(code)!);
  return read.ok ? read.value : read.error;
};

test.each([
  ["12.5", "EUR", 1_250n],
  ["12.50", "EUR", 1_250n],
  ["12.500", "EUR", 1_250n],
  ["-0.01", "EUR", -1n],
  ["+3", "EUR", 300n],
  ["-0", "EUR", 0n],
  [".5", "EUR", 50n],
  ["1250", "JPY", 1_250n],
  ["1250.00", "JPY", 1_250n],
  ["1.234", "KWD", 1_234n],
  ["12,50", "EUR", 1_250n],
  ["999999999999999.99", "EUR", 99_999_999_999_999_999n],
  ["123456789012345678", "JPY", 123_456_789_012_345_678n],
])("%s %s is %s minor units", (text, code, expected) => {
  expect(minor(text, code)).toBe(expected);
});

describe("no amount:", () => {
  test.each([
    ["1,234", "EUR", /separators that can mean/],
    ["1,234", "KWD", /separators that can mean/],
    ["1,50", "JPY", /separators that can mean/],
    ["1,234.56", "EUR", /separators that can mean/],
    ["1.234,56", "EUR", /separators that can mean/],
    ["1'234.56", "EUR", /separators that can mean/],
    ["1 234.56", "EUR", /separators that can mean/],
    ["12,5", "EUR", /separators that can mean/],
    ["1.23E+03", "EUR", /scientific notation/],
    ["1e3", "EUR", /scientific notation/],
    ["12.345", "EUR", /more digits than EUR has: 2/],
    ["1.5", "JPY", /more digits than JPY has: 0/],
    ["", "EUR", /no amount/],
    ["  ", "EUR", /no amount/],
    ["-", "EUR", /no amount/],
    [".", "EUR", /separators|no amount/],
    ["12.50 EUR", "EUR", /no amount/],
    ["€12.50", "EUR", /no amount/],
    ["(12.50)", "EUR", /no amount/],
    ["1".repeat(40), "EUR", /larger than any amount/],
    ["99999999999999999.99", "EUR", /larger than any amount/],
    ["NaN", "EUR", /no amount/],
  ])("%j in %s", (text, code, detail) => {
    expect(minor(text, code)).toMatchObject({
      detail: expect.stringMatching(detail),
      advice: expect.stringMatching(/./),
    });
  });

  test("in a currency that is none", () => {
    expect(readMoney("1", "EUX")).toMatchObject({
      ok: false,
      error: { advice: expect.stringMatching(/ISO 4217/) },
    });
    expect(readMoney("1", "eur")).toMatchObject({ ok: true, value: { currency: "EUR", minor: 100n } });
  });
});

test("every amount of every exponent is read as it is written", () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: 1n - 10n ** 18n, max: 10n ** 18n - 1n }),
      fc.constantFrom("EUR", "JPY", "KWD"),
      (value, code) => {
        expect(minor(majorUnits(value, code), code)).toBe(value);
      },
    ),
    { numRuns: 1_000 },
  );
});
