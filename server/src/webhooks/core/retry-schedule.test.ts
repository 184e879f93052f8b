import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { day, hour, minute, parseInstant, second, type Instant } from "../../kernel/instant.js";
import { outcomeOf, type AttemptResult } from "./delivery-outcome.js";
import { nextAttempt, parseRetryAfter, retry_after_max, waits } from "./retry-schedule.js";

const now = parseInstant("2026-03-01T12:00:00Z") as Instant;
const middle = 0.5;
const reply = (status: number | undefined, retryAfter?: string): AttemptResult => ({
  at: now,
  duration_ms: 3,
  status,
  error: undefined,
  response: undefined,
  retryAfter,
});

describe("the schedule", () => {
  test("waits 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h: ten attempts over three days", () => {
    const found: number[] = [];
    for (let failures = 1; ; failures += 1) {
      const at = nextAttempt(failures, { now, random: middle });
      if (at === undefined) break;
      found.push(at - now);
    }
    expect(found).toEqual([
      5 * second,
      5 * minute,
      30 * minute,
      ...[2, 5, 10, 14, 20, 24].map((hours) => hours * hour),
    ]);
    const sum = found.reduce((all, wait) => all + wait, 0);
    expect(sum).toBeGreaterThan(3 * day);
    expect(sum).toBeLessThan(3.5 * day);
  });

  test("chance moves each wait by at most a tenth, and does move it", () =>
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (failures, random) => {
          const wait = nextAttempt(failures, { now, random })! - now;
          expect(wait).toBeGreaterThanOrEqual(waits[failures - 1]! * 0.9 - 1);
          expect(wait).toBeLessThanOrEqual(waits[failures - 1]! * 1.1 + 1);
          expect(nextAttempt(failures, { now, random: 0 })).not.toBe(
            nextAttempt(failures, { now, random: 1 }),
          );
        },
      ),
    ));
});

describe("Retry-After", () => {
  test.each([
    ["120", 120 * second],
    ["0", 0],
    ["Sun, 01 Mar 2026 12:10:00 GMT", 10 * minute],
    ["Sun, 01 Mar 2026 11:00:00 GMT", 0],
    ["soon", undefined],
    ["-5", undefined],
    ["1.5", undefined],
    ["2026-03-01T12:10:00Z", undefined],
    ["", undefined],
    [undefined, undefined],
  ])("%s", (text, expected) => {
    expect(parseRetryAfter(text, now)).toBe(expected);
  });

  test("makes a wait longer, up to a day, and never shorter", () => {
    const at = (failures: number, retryAfter: number) =>
      nextAttempt(failures, { now, random: middle, retryAfter })! - now;
    expect(at(1, 90 * second)).toBe(90 * second);
    expect(at(2, 90 * second)).toBe(5 * minute);
    expect(at(1, 400 * day)).toBe(retry_after_max);
  });

  test("does not lengthen the schedule beyond its last attempt", () => {
    expect(nextAttempt(10, { now, random: middle, retryAfter: hour })).toBeUndefined();
  });
});

describe("what becomes of a delivery", () => {
  const outcome = (failures: number, result: AttemptResult) =>
    outcomeOf(failures, result, { now, random: middle });

  test.each([200, 201, 202, 204, 299])("%i: it has arrived", (status) => {
    expect(outcome(3, reply(status))).toEqual({ state: "succeeded", failures: 3, nextAttemptAt: undefined });
  });

  test.each([undefined, 100, 199, 300, 301, 302, 304, 307, 308, 400, 401, 404, 409, 429, 500, 503])(
    "%s: it is tried again",
    (status) => {
      expect(outcome(0, reply(status))).toEqual({
        state: "pending",
        failures: 1,
        nextAttemptAt: now + 5 * second,
      });
    },
  );

  test("410: it is not tried again", () => {
    expect(outcome(0, reply(410, "5"))).toEqual({ state: "failed", failures: 1, nextAttemptAt: undefined });
  });

  test("503 with Retry-After: as asked", () => {
    expect(outcome(0, reply(503, "60")).nextAttemptAt).toBe(now + minute);
  });

  test("the tenth failure is the last", () => {
    expect(outcome(8, reply(500)).state).toBe("pending");
    expect(outcome(9, reply(500))).toEqual({ state: "failed", failures: 10, nextAttemptAt: undefined });
  });
});
