import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { gapsAround } from "./index.js";

describe("gaps in a series of files", () => {
  test("files in any order: what is missing at the end is what was not there", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 30 }), { minLength: 1 }), (numbers) => {
        const there: bigint[] = [];
        const open = new Set<string>();
        for (const number of numbers.map(BigInt)) {
          const before = there.filter((each) => each < number);
          const after = there.filter((each) => each > number);
          const previous = before.reduce<bigint | undefined>(
            (most, each) => (most === undefined || each > most ? each : most),
            undefined,
          );
          const next = after.reduce<bigint | undefined>(
            (least, each) => (least === undefined || each < least ? each : least),
            undefined,
          );
          const { ended, begun } = gapsAround(number, { previous, next });
          if (ended !== undefined) expect(open.delete(`${ended.from}-${ended.to}`)).toBe(true);
          for (const { from, to } of begun) open.add(`${from}-${to}`);
          there.push(number);
        }
        const missing = [...open].flatMap((gap) => {
          const [from = 0, to = 0] = gap.split("-").map(Number);
          return Array.from({ length: to - from + 1 }, (_, index) => from + index);
        });
        const least = Math.min(...numbers);
        const most = Math.max(...numbers);
        const expected = Array.from({ length: most - least + 1 }, (_, index) => least + index).filter(
          (each) => !numbers.includes(each),
        );
        expect(missing.sort((a, b) => a - b)).toEqual(expected);
      }),
    );
  });
});
