import { expect, test } from "vitest";
import { maskCardNumbers, masked } from "./masked.js";

test("the last four characters are kept", () => {
  expect(masked("4111111111111111")).toBe("****1111");
  expect(masked("111")).toBe("****");
});

test.each([
  ["paid with 4111111111111111.", "paid with ****1111."],
  ["4111 1111 1111 1111", "****1111"],
  ["5555-5555-5555-4444 thanks", "****4444 thanks"],
  // The check digit is wrong; a reference; too long for a card number; an amount.
  ["4111111111111112", "4111111111111112"],
  ["invoice 2026-0001", "invoice 2026-0001"],
  ["25555556232001234567890", "25555556232001234567890"],
  ["", ""],
])("%j rests as %j", (text, expected) => {
  expect(maskCardNumbers(text)).toBe(expected);
});
