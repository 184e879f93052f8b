import { describe, expect, test } from "vitest";
import { hour, parseInstant, type Instant } from "../../kernel/instant.js";
import { decideLook, type LookedAt } from "./look-decision.js";

const now = parseInstant("2028-03-01T00:00:00Z")!;
const found: LookedAt = {
  available: 5_000n,
  lowAt: 2_000n,
  isLow: false,
  topUp: { threshold: 1_000n, amount: 10_000n, monthlyMax: undefined },
  isStopped: false,
  open: undefined,
  thisMonth: 0n,
  lastDay: 0,
  now,
};
const waiting = { retryAt: (now + hour) as Instant, isAutomatic: true };

describe("low", () => {
  test.each([
    [2_000n, false, "none"],
    [1_999n, false, "crossed"],
    [1_999n, true, "none"],
    [-1n, true, "none"],
    [2_000n, true, "recovered"],
  ] as const)("at 20.00: %d, told before: %s, is %s", (available, isLow, low) => {
    expect(decideLook({ ...found, available, isLow }).low).toBe(low);
  });
  test("ends when nobody wants to be told any more", () => {
    const untold = { ...found, available: 0n, lowAt: undefined };
    expect(decideLook({ ...untold, isLow: true }).low).toBe("recovered");
    expect(decideLook(untold).low).toBe("none");
  });
});

describe("a top-up", () => {
  test("begins below the threshold, and not at it", () => {
    expect(decideLook({ ...found, available: 1_000n }).topUp).toBe("none");
    expect(decideLook({ ...found, available: 999n }).topUp).toBe("begin");
    expect(decideLook({ ...found, available: -5_000n }).topUp).toBe("begin");
    expect(decideLook({ ...found, available: -5_000n, topUp: undefined }).topUp).toBe("none");
  });
  test("waits for one that is open, and for a person when it was stopped", () => {
    const low = { ...found, available: 0n };
    expect(decideLook({ ...low, open: { retryAt: undefined, isAutomatic: true } }).topUp).toBe("none");
    expect(decideLook({ ...low, open: { retryAt: undefined, isAutomatic: false } }).topUp).toBe("none");
    expect(decideLook({ ...low, isStopped: true }).topUp).toBe("none");
  });
  test("is tried again when its time has come, unless it is not needed any more", () => {
    const low = { ...found, available: 0n };
    expect(decideLook({ ...low, open: waiting }).topUp).toBe("none");
    const due = { ...waiting, retryAt: now };
    expect(decideLook({ ...low, open: due }).topUp).toBe("retry");
    expect(decideLook({ ...found, open: due }).topUp).toBe("give_up");
    expect(decideLook({ ...low, topUp: undefined, open: due }).topUp).toBe("give_up");
    expect(decideLook({ ...low, isStopped: true, open: due }).topUp).toBe("give_up");
  });
  test("takes no more in a month than it may, to the cent", () => {
    const limited = { threshold: 1_000n, amount: 10_000n, monthlyMax: 30_000n };
    const low = { ...found, available: 0n, topUp: limited };
    expect(decideLook({ ...low, thisMonth: 20_000n }).topUp).toBe("begin");
    expect(decideLook({ ...low, thisMonth: 20_001n }).topUp).toBe("over_monthly_max");
  });
  test("is one of at most 24 a day", () => {
    expect(decideLook({ ...found, available: 0n, lastDay: 23 }).topUp).toBe("begin");
    expect(decideLook({ ...found, available: 0n, lastDay: 24 }).topUp).toBe("too_many");
  });
});
