import fc from "fast-check";
import { expect, test } from "vitest";
import { creditorReferenceOf, plain, readCreditorReference } from "./creditor-reference.js";

test("known references are read, and a wrong digit is seen", () => {
  expect(readCreditorReference("RF18 5390 0754 7034")).toBe("539007547034");
  expect(readCreditorReference("rf18539007547034")).toBe("539007547034");
  expect(readCreditorReference("RF19539007547034")).toBeUndefined();
  expect(readCreditorReference("RF18")).toBeUndefined();
  expect(readCreditorReference("DE89370400440532013000")).toBeUndefined();
});

test("an invoice's number comes back, whatever its punctuation; one mistyped character never does", () => {
  const number = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9./-]{0,19}[0-9]$/);
  fc.assert(
    fc.property(number, fc.nat(), fc.constantFrom(..."0123456789ABCXYZ".split("")), (text, at, other) => {
      const reference = creditorReferenceOf(text) ?? "";
      expect(readCreditorReference(reference)).toBe(plain(text));
      const index = 4 + (at % (reference.length - 4));
      const wrong = `${reference.slice(0, index)}${other}${reference.slice(index + 1)}`;
      if (wrong !== reference) expect(readCreditorReference(wrong)).not.toBe(plain(text));
    }),
  );
  expect(creditorReferenceOf("X".repeat(22))).toBeUndefined();
});
