import { expect, test } from "vitest";
import { checkStripeAccount, stripeCallsPerSecond } from "./stripe-fields.js";

const live = { secretKey: "sk_live_abcd1234" };
const sandbox = { secretKey: "rk_test_abcd1234" };

test.each([
  [{ settings: {}, secrets: live }, 80],
  [{ settings: {}, secrets: sandbox }, 20],
  [{ settings: { callsPerSecond: "400" }, secrets: live }, 400],
  [{ settings: { apiBase: "http://127.0.0.1:12111" }, secrets: sandbox }, undefined],
])("an account of %j takes %s calls a second", (account, expected) => {
  expect(stripeCallsPerSecond(account)).toBe(expected);
});

test.each(["0", "1.5", "10001", "many", ""])("%j calls a second are refused", (callsPerSecond) => {
  expect(checkStripeAccount({ settings: { callsPerSecond }, secrets: live })).toEqual([
    { field: "settings.callsPerSecond", message: "is a whole number from 1 to 10000" },
  ]);
});

test("a live key is sent nowhere else", () => {
  const settings = { apiBase: "http://127.0.0.1:12111" };
  expect(checkStripeAccount({ settings, secrets: live })).toEqual([
    { field: "settings.apiBase", message: "another address than Stripe's takes test keys only" },
  ]);
  expect(checkStripeAccount({ settings, secrets: sandbox })).toEqual([]);
});
