import fc from "fast-check";
import { expect, test } from "vitest";
import { parseBic, parseIban, printIban } from "./iban.js";

test("an IBAN is taken in any case and with blanks, and printed in groups of four", () => {
  expect(parseIban("de02 1203 0000 0000 2020 51")).toBe("DE02120300000000202051");
  expect(printIban("DE02120300000000202051")).toBe("DE02 1203 0000 0000 2020 51");
  expect(parseIban("GB82 WEST 1234 5698 7654 32")).toBe("GB82WEST12345698765432");
  expect(parseIban("MT84MALT011000012345MTLCAST001S")).toBeDefined();
});

test("one wrong digit, and two that changed places, are seen", () => {
  const iban = "DE02120300000000202051";
  fc.assert(
    fc.property(fc.integer({ min: 2, max: iban.length - 1 }), fc.integer({ min: 1, max: 9 }), (at, by) => {
      const digit = (Number(iban[at]) + by) % 10;
      expect(parseIban(`${iban.slice(0, at)}${digit}${iban.slice(at + 1)}`)).toBeUndefined();
    }),
  );
  expect(parseIban("DE02120300000000202015")).toBeUndefined();
  for (const text of ["", "DE02", "DE0212030000000020205!", "0202120300000000202051"])
    expect(parseIban(text)).toBeUndefined();
});

test("a BIC has 8 or 11 characters, the first six of them letters", () => {
  expect(parseBic("byladem1001")).toBe("BYLADEM1001");
  expect(parseBic("DEUTDEFF")).toBe("DEUTDEFF");
  for (const text of ["", "DEUTDEF", "DEUTDEFF5", "1EUTDEFF"]) expect(parseBic(text)).toBeUndefined();
});
