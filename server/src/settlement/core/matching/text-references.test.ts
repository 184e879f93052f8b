import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { referencesInText } from "./index.js";

describe("references in a payer's text", () => {
  test.each([
    ["Invoice INV-000123, thanks", ["INV-000123"]],
    ["RF18 5390 0754 7034", ["RF18539007547034", "RF1853900754", "RF185390", "RF18", "5390", "0754", "7034"]],
    ["rf18539007547034", ["RF18539007547034", "rf18539007547034"]],
    ["Payout po_1Nabc/2026", ["po_1Nabc/2026"]],
    ["no numbers here", []],
    ["", []],
  ])("%s", (text, expected) => {
    expect(referencesInText(text).sort()).toEqual([...expected].sort());
  });

  test("are limited in number and length, whatever is written", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 4000 }), (text) => {
        const found = referencesInText(text);
        expect(found.length).toBeLessThanOrEqual(24);
        expect(new Set(found).size).toBe(found.length);
      }),
    );
  });
});
