import fc from "fast-check";
import { expect, test } from "vitest";
import type { Currency } from "../../../kernel/currency.js";
import { compareLines, comparison_lines, type LineSum } from "./index.js";

const eur = "EUR" as Currency;
const jpy = "JPY" as Currency;

test("what each says of a line stands side by side, and the difference is what the file has beyond our books", () => {
  const books: LineSum[] = [
    { line: "charges", currency: eur, count: 3, minor: 3000n },
    { line: "payouts", currency: eur, count: 1, minor: -2500n },
  ];
  const reported: LineSum[] = [
    { line: "charges", currency: eur, count: 2, minor: 2000n },
    { line: "fees", currency: eur, count: 2, minor: -60n },
    { line: "payouts", currency: eur, count: 1, minor: -2500n },
  ];
  const bank: LineSum[] = [{ line: "payouts", currency: eur, count: 1, minor: -2490n }];
  expect(compareLines(books, reported, bank)).toEqual([
    {
      line: "charges",
      currency: eur,
      books: { count: 3, minor: 3000n },
      reported: { count: 2, minor: 2000n },
      bank: undefined,
      difference: -1000n,
    },
    {
      line: "fees",
      currency: eur,
      books: { count: 0, minor: 0n },
      reported: { count: 2, minor: -60n },
      bank: undefined,
      difference: -60n,
    },
    {
      line: "payouts",
      currency: eur,
      books: { count: 1, minor: -2500n },
      reported: { count: 1, minor: -2500n },
      bank: { count: 1, minor: -2490n },
      difference: 0n,
    },
  ]);
});

test("nothing is left out and nothing counted twice, whatever the three say", () => {
  const sums = fc.array(
    fc.record({
      line: fc.constantFrom(...comparison_lines),
      currency: fc.constantFrom(eur, jpy),
      count: fc.nat(9),
      minor: fc.bigInt(-99n, 99n),
    }),
  );
  const total = (all: readonly { minor: bigint }[]) => all.reduce((sum, { minor }) => sum + minor, 0n);
  fc.assert(
    fc.property(sums, sums, (books, reported) => {
      const lines = compareLines(books, reported, []);
      expect(total(lines.map((line) => line.books))).toBe(total(books));
      expect(total(lines.map((line) => line.reported))).toBe(total(reported));
      expect(lines.reduce((sum, line) => sum + line.difference, 0n)).toBe(total(reported) - total(books));
      expect(new Set(lines.map(({ line, currency }) => `${line} ${currency}`)).size).toBe(lines.length);
    }),
  );
});
