import { expect, test } from "vitest";
import { readPrice } from "./price-text.js";

test("an amount per unit, and per thousand", () => {
  expect(readPrice("tokens llm 0.002")).toEqual({
    key: "tokens",
    meter: "llm",
    model: { perUnit: { unitAmount: "0.002" } },
  });
  expect(readPrice("tokens llm 2 per 1000").model).toEqual({ perUnit: { unitAmount: "2", per: "1000" } });
});

test("tiers, with a flat amount, the last one open", () => {
  expect(readPrice("tokens llm graduated 1000:0 5000:0.5:10 inf:0.3 per 1000000")).toEqual({
    key: "tokens",
    meter: "llm",
    model: {
      graduated: {
        per: "1000000",
        tiers: [
          { upTo: "1000", unitAmount: "0" },
          { upTo: "5000", unitAmount: "0.5", flatAmount: "10" },
          { unitAmount: "0.3" },
        ],
      },
    },
  });
});

test("a fee has no meter", () => {
  expect(readPrice("support flat 250")).toEqual({ key: "support", model: { flat: "250" } });
});

test.each([
  ["support flat", "KEY flat AMOUNT"],
  ["support flat much", "after flat comes one amount"],
  ["support flat 250 per 2", "after flat comes one amount"],
  ["tokens", "KEY METER AMOUNT"],
  ["tokens llm cheap", "neither an amount nor graduated"],
  ["tokens llm 1 2", "neither an amount nor graduated"],
  ["tokens llm graduated", "graduated needs tiers"],
  ["tokens llm graduated a:1", 'the tier "a:1"'],
  ["tokens llm 1 per many", "after per comes one number"],
])("%s is refused: %s", (text, why) => {
  expect(() => readPrice(text)).toThrow(why);
});
