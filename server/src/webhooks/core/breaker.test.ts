import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { day, hour, minute, parseInstant, second, type Instant } from "../../kernel/instant.js";
import { allowance, closed_breaker, halfOpened, onAttemptEnded, phaseOf, type Breaker } from "./breaker.js";
import { afterAttempt, failing_max, type EndpointHealth } from "./endpoint-health.js";

const start = parseInstant("2026-03-01T12:00:00Z") as Instant;
const later = (by: number) => (start + by) as Instant;
const fail = (breaker: Breaker, times: number, now = start) => {
  let next = breaker;
  for (let time = 0; time < times; time += 1) next = onAttemptEnded(next, false, now);
  return next;
};

describe("the breaker", () => {
  test("stays closed for four failures in a row, and opens with the fifth for a minute", () => {
    const four = fail(closed_breaker, 4);
    expect(phaseOf(four, start)).toBe("closed");
    const five = onAttemptEnded(four, false, start);
    expect(five).toEqual({ failures: 5, openings: 1, until: later(minute) });
    expect(phaseOf(five, later(minute - 1))).toBe("open");
    expect(phaseOf(five, later(minute))).toBe("half_open");
  });

  test("a success in between begins the count anew", () => {
    expect(phaseOf(fail(onAttemptEnded(fail(closed_breaker, 4), true, start), 4), start)).toBe("closed");
  });

  test("half open, a failure opens it for twice as long, up to an hour; a success closes it", () => {
    let breaker = fail(closed_breaker, 5);
    const waits: number[] = [];
    for (let opening = 0; opening < 9; opening += 1) {
      const now = breaker.until as Instant;
      breaker = onAttemptEnded(breaker, false, now);
      waits.push((breaker.until as Instant) - now);
    }
    expect(waits).toEqual([2, 4, 8, 16, 32, 60, 60, 60, 60].map((minutes) => minutes * minute));
    expect(onAttemptEnded(breaker, true, breaker.until as Instant)).toEqual(closed_breaker);
  });

  test("open, what was in flight changes nothing, unless it arrives", () => {
    const open = fail(closed_breaker, 5);
    expect(onAttemptEnded(open, false, later(second)).until).toBe(open.until);
    expect(onAttemptEnded(open, true, later(second))).toEqual(closed_breaker);
  });

  test("lets through all when closed, nothing when open, one at a time when half open; what people ask for always", () => {
    const open = fail(closed_breaker, 5);
    const of = (breaker: Breaker, now: Instant, inFlight: number) =>
      allowance(breaker, { now, inFlight, room: 5 });
    expect(of(closed_breaker, start, 2)).toEqual({ waiting: 5, byHand: 5 });
    expect(of(open, start, 0)).toEqual({ waiting: 0, byHand: 5 });
    expect(of(open, later(minute), 0)).toEqual({ waiting: 1, byHand: 5 });
    expect(of(open, later(minute), 1)).toEqual({ waiting: 0, byHand: 5 });
    expect(allowance(open, { now: later(minute), inFlight: 0, room: 0 })).toEqual({ waiting: 0, byHand: 0 });
  });

  test("half opened by hand it is tried at once; closed it stays closed", () => {
    const open = fail(closed_breaker, 5);
    expect(phaseOf(halfOpened(open, later(second)), later(second))).toBe("half_open");
    expect(halfOpened(closed_breaker, start)).toEqual(closed_breaker);
  });

  test("whatever happens: closed by each success, and never open for more than an hour", () =>
    fc.assert(
      fc.property(
        fc.array(fc.record({ ok: fc.boolean(), after: fc.integer({ min: 0, max: 2 * hour }) })),
        (steps) => {
          let breaker = closed_breaker;
          let now = start;
          for (const { ok, after } of steps) {
            now = (now + after) as Instant;
            breaker = onAttemptEnded(breaker, ok, now);
            expect((breaker.until ?? now) - now).toBeLessThanOrEqual(hour);
            if (ok) expect(breaker).toEqual(closed_breaker);
          }
        },
      ),
    ));
});

describe("an endpoint's health", () => {
  const healthy: EndpointHealth = { breaker: closed_breaker, failingSince: undefined };

  test("410 disables it at once", () => {
    expect(afterAttempt(healthy, 410, start).disable).toBe("gone");
  });

  test("five days of failures only disable it; a success begins the five days anew", () => {
    const first = afterAttempt(healthy, 500, start);
    expect(first).toMatchObject({ health: { failingSince: start }, disable: undefined });
    expect(afterAttempt(first.health, undefined, later(failing_max - 1)).disable).toBeUndefined();
    expect(afterAttempt(first.health, undefined, later(failing_max))).toMatchObject({ disable: "failing" });
    const mended = afterAttempt(first.health, 200, later(4 * day)).health;
    expect(mended).toEqual(healthy);
    expect(afterAttempt(mended, 500, later(6 * day)).disable).toBeUndefined();
  });
});
