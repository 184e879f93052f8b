import fc from "fast-check";
import { expect, test } from "vitest";
import { dateOf } from "../../kernel/local-date.js";
import { daysThrough, earnedBy, partThrough, takeBack, type StraightLine } from "./index.js";

const line = (total: bigint, days: number, recognizedDays = 0): StraightLine => ({
  firstDay: dateOf(2026, 10, 15),
  days,
  total,
  recognizedDays,
  recognized: earnedBy(total, recognizedDays, days),
});

test("a year's 1,200.00 from 15 October: October has 17 of 365 days, November 30", () => {
  const year = line(120_000n, 365);
  expect(partThrough(year, dateOf(2026, 10, 31))).toEqual({ amount: 5_589n, fromDay: 0, toDay: 17 });
  const october = { ...year, recognized: 5_589n, recognizedDays: 17 };
  expect(partThrough(october, dateOf(2026, 11, 30))).toEqual({ amount: 9_863n, fromDay: 17, toDay: 47 });
  expect(partThrough(october, dateOf(2026, 10, 31))).toBeUndefined();
});

test("no day has passed before the first, and none comes after the last", () => {
  expect(daysThrough(line(1n, 30), dateOf(2026, 10, 14))).toBe(0);
  expect(daysThrough(line(1n, 30), dateOf(2026, 10, 15))).toBe(1);
  expect(daysThrough(line(1n, 30), dateOf(2027, 1, 1))).toBe(30);
});

test("half a cent is rounded away from zero, on both sides of it", () => {
  expect([earnedBy(1n, 1, 2), earnedBy(-1n, 1, 2), earnedBy(1n, 1, 3), earnedBy(-2n, 1, 3)]).toEqual([
    1n,
    -1n,
    0n,
    -1n,
  ]);
});

const amounts = fc.bigInt(-(10n ** 25n), 10n ** 25n).filter((total) => total !== 0n);

test("parts add up to the total, whatever they are cut into, and none goes the other way", () => {
  fc.assert(
    fc.property(
      amounts,
      fc.integer({ min: 1, max: 1100 }),
      fc.array(fc.integer({ min: 0, max: 1200 })),
      (total, days, cuts) => {
        let state = line(total, days);
        let sum = 0n;
        for (const day of [...cuts.sort((a, b) => a - b), 2000]) {
          const part = partThrough(state, (state.firstDay + day) as typeof state.firstDay);
          if (part === undefined) continue;
          expect(part.amount === 0n || part.amount > 0n === total > 0n).toBe(true);
          sum += part.amount;
          state = { ...state, recognized: state.recognized + part.amount, recognizedDays: part.toDay };
        }
        expect(sum).toBe(total);
      },
    ),
  );
});

test("what is taken back comes from days that are recognised and days that are not, as they are", () => {
  expect(takeBack(line(10_000n, 100, 50), 3_000n)).toEqual({
    fromRevenue: 1_500n,
    fromDeferred: 1_500n,
    recognized: 3_500n,
  });
  expect(takeBack(line(-10_000n, 100, 25), -10_000n)).toEqual({
    fromRevenue: -2_500n,
    fromDeferred: -7_500n,
    recognized: 0n,
  });
  expect(() => takeBack(line(10_000n, 100), 10_001n)).toThrow("10001 of 10000");
  expect(() => takeBack(line(10_000n, 100), -1n)).toThrow("cannot be taken back");
  expect(() => takeBack(line(-10_000n, 100), 1n)).toThrow("cannot be taken back");
});

test("after something was taken back, the rest is as if it had never been more", () => {
  const cases = fc.tuple(amounts, fc.integer({ min: 1, max: 1100 }), fc.nat(), fc.nat());
  fc.assert(
    fc.property(cases, ([total, days, share, passed]) => {
      const before = line(total, days, passed % (days + 1));
      const amount = (total * BigInt(share % 1001)) / 1000n;
      const { fromRevenue, fromDeferred, recognized } = takeBack(before, amount);
      expect(fromRevenue + fromDeferred).toBe(amount);
      expect(recognized).toBe(line(total - amount, days, before.recognizedDays).recognized);
      expect(recognized + fromRevenue).toBe(before.recognized);
    }),
  );
});
