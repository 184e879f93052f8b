import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  cutToPeriod,
  servicePeriodAt,
  subscriptionStart,
  type PeriodTerms,
} from "../../src/billing/core/index.js";
import { day, formatInstant, hour, parseInstant, type Instant } from "../../src/kernel/instant.js";
import { parseTimeZone, toZoned } from "../../src/kernel/time-zone.js";

const zoneNames = [
  "Pacific/Auckland",
  "Asia/Kolkata",
  "Pacific/Honolulu",
  "Europe/Berlin",
  "America/New_York",
  "America/Sao_Paulo", // until 2019 its clocks skipped midnight
  "Asia/Kathmandu",
  "Australia/Lord_Howe", // half an hour of daylight saving time
  "America/St_Johns", // until 2011 its clocks went back over midnight
  "Pacific/Apia", // had no 30 December 2011
  "Africa/Casablanca",
  "UTC",
];
const zones = zoneNames.map((name) => parseTimeZone(name)!);
const at = (text: string) => parseInstant(text)!;

const instant = fc
  .integer({ min: at("2005-01-01T00:00:00Z") / 1_000_000, max: at("2032-12-31T00:00:00Z") / 1_000_000 })
  .map((seconds) => (seconds * 1_000_000) as Instant);
const terms: fc.Arbitrary<PeriodTerms> = fc
  .record({ start: instant, anchorDay: fc.integer({ min: 1, max: 31 }), timeZone: fc.constantFrom(...zones) })
  .map(({ start, ...rest }) => ({ ...rest, startedAt: subscriptionStart(start, rest.timeZone) }));

describe("billing periods", () => {
  test("consecutive periods tile time from the subscription on: no gap, no overlap", () => {
    fc.assert(
      fc.property(terms, (given) => {
        let period = servicePeriodAt(given, given.startedAt)!;
        expect(period.start).toBe(given.startedAt);
        for (let count = 0; count < 27; count += 1) {
          const next = servicePeriodAt(given, period.end)!;
          expect(next.start).toBe(period.end);
          expect(next.end).toBeGreaterThan(next.start);
          expect(next.end - next.start).toBeGreaterThan(26 * day);
          expect(next.end - next.start).toBeLessThan(34 * day);
          expect(servicePeriodAt(given, (period.end - 1) as Instant)).toEqual(period);
          period = next;
        }
      }),
      { numRuns: 60 },
    );
  });

  test("every instant since the subscription falls into exactly the period that contains it", () => {
    fc.assert(
      fc.property(terms, instant, (given, moment) => {
        const period = servicePeriodAt(given, moment);
        if (moment < given.startedAt) return period === undefined;
        return period !== undefined && period.start <= moment && moment < period.end;
      }),
      { numRuns: 500 },
    );
  });

  test("periods begin on the anchor's day in the customer's zone, on the last day of months without it", () => {
    fc.assert(
      fc.property(terms, instant, (given, moment) => {
        const period = servicePeriodAt(given, moment);
        if (period === undefined || given.timeZone === "Pacific/Apia") return true;
        const end = toZoned(period.end, given.timeZone);
        return end.day === Math.min(given.anchorDay, end.daysInMonth) && end.startOfDay().equals(end);
      }),
    );
  });

  test.each([
    ["Pacific/Auckland", 1, "2026-04-10T00:00:00Z", "2026-03-31T11:00:00Z", "2026-04-30T12:00:00Z"],
    ["Pacific/Auckland", 1, "2026-09-30T10:59:59Z", "2026-08-31T12:00:00Z", "2026-09-30T11:00:00Z"],
    ["Asia/Kolkata", 31, "2026-02-28T18:29:59Z", "2026-02-27T18:30:00Z", "2026-03-30T18:30:00Z"],
    ["Asia/Kolkata", 31, "2024-02-29T00:00:00Z", "2024-02-28T18:30:00Z", "2024-03-30T18:30:00Z"],
    ["Pacific/Honolulu", 31, "2026-01-31T09:59:59Z", "2025-12-31T10:00:00Z", "2026-01-31T10:00:00Z"],
    ["Europe/Berlin", 1, "2026-03-29T01:00:00Z", "2026-02-28T23:00:00Z", "2026-03-31T22:00:00Z"],
    ["America/St_Johns", 1, "2009-11-01T02:45:00Z", "2009-11-01T02:30:00Z", "2009-12-01T03:30:00Z"],
  ])("%s, anchored on %i: %s is in [%s, %s)", (zone, anchorDay, moment, start, end) => {
    const given = { startedAt: at("2005-01-01T00:00:00Z"), anchorDay, timeZone: parseTimeZone(zone)! };
    const period = servicePeriodAt(given, at(moment))!;
    expect([formatInstant(period.start), formatInstant(period.end)]).toEqual([start, end]);
  });

  test("the first period begins with the local day of the subscription and ends at the anchor", () => {
    const timeZone = parseTimeZone("Pacific/Auckland")!;
    const startedAt = subscriptionStart(at("2026-01-20T03:00:00Z"), timeZone);
    const period = servicePeriodAt({ startedAt, anchorDay: 31, timeZone }, startedAt)!;
    expect(formatInstant(period.start)).toBe("2026-01-19T11:00:00Z");
    expect(formatInstant(period.end)).toBe("2026-01-30T11:00:00Z");
  });
});

describe("subjects", () => {
  test("the parts of a span in consecutive periods add up to the span", () => {
    fc.assert(
      fc.property(
        terms,
        fc.integer({ min: 0, max: 100 * 24 }),
        fc.integer({ min: 1, max: 100 * 24 }),
        (given, offset, length) => {
          const from = (given.startedAt + offset * hour) as Instant;
          const to = (from + length * hour) as Instant;
          let covered = 0;
          let period = servicePeriodAt(given, given.startedAt)!;
          for (let count = 0; count < 10; count += 1) {
            const cut = cutToPeriod([{ subject: "s", from, to }], period);
            covered += cut.reduce((sum, span) => sum + (span.to - span.from), 0);
            period = servicePeriodAt(given, period.end)!;
          }
          return covered === to - from;
        },
      ),
      { numRuns: 60 },
    );
  });
});
