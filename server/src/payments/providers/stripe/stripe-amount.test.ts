import { expect, test } from "vitest";
import type { Currency } from "../../../kernel/currency.js";
import { fromStripeAmount, stripeAmountFault, toStripeAmount } from "./stripe-amount.js";

const money = (minor: bigint, currency: string) => ({ minor, currency: currency as Currency });

test.each([
  ["USD", 1999n, 1999],
  ["JPY", 500n, 500],
  ["KWD", 1250n, 1250],
  // Counted in hundredths that must be zero.
  ["ISK", 5n, 500],
  ["UGX", 7n, 700],
  // Five iraimbilanja are an ariary: ISO 4217 has two decimals, Stripe none.
  ["MGA", 300n, 3],
])("%s: %s minor units are %s of Stripe's", (currency, minor, stripe) => {
  expect(toStripeAmount(money(minor, currency))).toBe(stripe);
  expect(fromStripeAmount(stripe, currency.toLowerCase())).toEqual(money(minor, currency));
});

test.each([
  ["KWD", 1255n, "last digit of zero"],
  ["MGA", 350n, "larger units"],
  ["USD", 100_000_000n, "eight digits"],
])("%s %s is refused", (currency, minor, words) => {
  expect(stripeAmountFault(money(minor, currency))).toContain(words);
  expect(() => toStripeAmount(money(minor, currency))).toThrow(words);
});

test("a currency that is none is refused", () => {
  expect(() => fromStripeAmount(1, "xyz")).toThrow("which is none");
});
