import { expect, test } from "vitest";
import { totalsOf } from "./totals.js";

const of = (amount: string, currency: string, minor = amount.replace(".", "")) => ({
  amount,
  currency,
  minor,
});

test("amounts add up in each currency, with its decimals and no digit lost", () => {
  expect(
    totalsOf([
      of("20.00", "USD"),
      of("0.05", "USD"),
      of("1250", "JPY"),
      of("1.235", "KWD"),
      of("90071992547409.93", "USD"),
      of("-0.005", "KWD", "-5"),
    ]),
  ).toEqual([
    { currency: "JPY", amount: "1250" },
    { currency: "KWD", amount: "1.230" },
    { currency: "USD", amount: "90071992547429.98" },
  ]);
  expect(totalsOf([of("-0.05", "USD", "-5")])).toEqual([{ currency: "USD", amount: "-0.05" }]);
  expect(totalsOf([])).toEqual([]);
});
