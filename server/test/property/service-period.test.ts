import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  calendarOf,
  coveredPart,
  cutToPeriod,
  localDaysIn,
  periodsOf,
  servicePeriodAt,
  subscriptionStart,
  type PeriodTerms,
} from "../../src/billing/core/index.js";
import { day, formatInstant, hour, parseInstant, type Instant } from "../../src/kernel/instant.js";
import { dateAt } from "../../src/kernel/local-date.js";
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
  "Pacific/Kwajalein", // had no 21 August 1993
  "Pacific/Kiritimati", // 14 hours ahead; had no 31 December 1994
  "Etc/GMT+12", // 12 hours behind
  "Africa/Casablanca",
  "UTC",
];
/** Zones in which a boundary may fall on a date that never was. */
const skips = new Set<string>(["Pacific/Apia", "Pacific/Kwajalein", "Pacific/Kiritimati"]);
const zones = zoneNames.map((name) => parseTimeZone(name)!);
const at = (text: string) => parseInstant(text)!;

const intervals = ["week", "month", "quarter", "year"] as const;

const instant = fc
  .integer({ min: at("1990-01-01T00:00:00Z") / 1_000_000, max: at("2032-12-31T00:00:00Z") / 1_000_000 })
  .map((seconds) => (seconds * 1_000_000) as Instant);
const interval = fc.constantFrom(...intervals);
const anchor = fc.record({
  day: fc.integer({ min: 1, max: 31 }),
  month: fc.integer({ min: 1, max: 12 }),
  weekday: fc.integer({ min: 1, max: 7 }),
});
const zone = fc.constantFrom(...zones);
const terms: fc.Arbitrary<PeriodTerms> = fc
  .record({ start: instant, anchor, timeZone: zone })
  .map(({ start, ...rest }) => ({ ...rest, startedAt: subscriptionStart(start, rest.timeZone) }));

/** The same, with customers who move up to three times, each at the beginning of a period. */
const moving: fc.Arbitrary<PeriodTerms> = fc
  .record({
    terms,
    moves: fc.array(fc.record({ after: fc.integer({ min: 0, max: 20 }), zone }), { maxLength: 3 }),
  })
  .map(({ terms: given, moves }) => {
    let moved = given;
    let from = given.startedAt;
    for (const { after, zone: timeZone } of moves) {
      for (let count = 0; count <= after; count += 1) from = servicePeriodAt(moved, "month", from)!.end;
      moved = { ...moved, zoneChanges: [...(moved.zoneChanges ?? []), { from, timeZone }] };
    }
    return moved;
  });

// Zones lie up to 26 hours apart: who moves from the easternmost to the westernmost has a week of 8 days and 2 hours.
const longest = { week: 8 * day + 2 * hour, month: 33 * day, quarter: 94 * day, year: 368 * day };
const shortest = { week: 5 * day, month: 26 * day, quarter: 88 * day, year: 363 * day };

describe("billing periods", () => {
  test("consecutive periods tile time: no gap, no overlap, also while customers move", () => {
    fc.assert(
      fc.property(moving, interval, (given, each) => {
        let period = servicePeriodAt(given, each, given.startedAt)!;
        expect(period.start).toBeLessThanOrEqual(given.startedAt);
        expect(period.end).toBeGreaterThan(given.startedAt);
        for (let count = 0; count < 27; count += 1) {
          const next = servicePeriodAt(given, each, period.end)!;
          expect(next.start).toBe(period.end);
          expect(next.end - next.start).toBeGreaterThanOrEqual(shortest[each]);
          expect(next.end - next.start).toBeLessThanOrEqual(longest[each]);
          expect(servicePeriodAt(given, each, (period.end - 1) as Instant) ?? period).toEqual(period);
          period = next;
        }
      }),
      { numRuns: 150 },
    );
  });

  test("every instant of the subscription falls into exactly the period that contains it", () => {
    fc.assert(
      fc.property(moving, interval, instant, (given, each, moment) => {
        const period = servicePeriodAt(given, each, moment);
        if (moment < given.startedAt) return period === undefined;
        return period !== undefined && period.start <= moment && moment < period.end;
      }),
      { numRuns: 500 },
    );
  });

  test("nested intervals share boundaries: each quarter is three months, each year four quarters", () => {
    fc.assert(
      fc.property(moving, instant, (given, moment) => {
        const from = Math.max(moment, given.startedAt) as Instant;
        const year = servicePeriodAt(given, "year", from)!;
        for (const [each, count] of [
          ["month", 12],
          ["quarter", 4],
        ] as const) {
          let period = servicePeriodAt(given, each, from)!;
          while (period.start > year.start && period.start > given.startedAt)
            period = servicePeriodAt(given, each, (period.start - 1) as Instant)!;
          if (year.start < given.startedAt) return;
          expect(period.start).toBe(year.start);
          for (let index = 1; index < count; index += 1) period = servicePeriodAt(given, each, period.end)!;
          expect(period.end).toBe(year.end);
        }
      }),
      { numRuns: 200 },
    );
  });

  test("periods begin on the anchor's original day in the customer's zone, on the last day of months without it", () => {
    fc.assert(
      fc.property(terms, instant, interval, (given, moment, each) => {
        const period = servicePeriodAt(given, each, moment);
        if (period === undefined || skips.has(given.timeZone)) return;
        const end = toZoned(period.end, given.timeZone);
        expect(end.startOfDay().equals(end)).toBe(true);
        if (each === "week") {
          expect(end.dayOfWeek).toBe(given.anchor.weekday);
          return;
        }
        expect(end.day).toBe(Math.min(given.anchor.day, end.daysInMonth));
        if (each === "year") expect(end.month).toBe(given.anchor.month);
        if (each === "quarter") expect((end.month - given.anchor.month! + 12) % 3).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  test("periodsOf gives the periods one by one that servicePeriodAt gives, and coveredPart cuts them to the subscription", () => {
    fc.assert(
      fc.property(
        moving,
        interval,
        fc.integer({ min: -100, max: 900 }),
        fc.integer({ min: 0, max: 900 }),
        fc.option(fc.integer({ min: 1, max: 900 }), { nil: undefined }),
        (given, each, offset, length, lasts) => {
          const endsAt =
            lasts === undefined
              ? undefined
              : subscriptionStart((given.startedAt + lasts * day + 13 * hour) as Instant, given.timeZone);
          const ending = { ...given, endsAt };
          const from = (given.startedAt + offset * day) as Instant;
          const to = (from + length * day) as Instant;
          const begin = Math.max(from, given.startedAt) as Instant;
          const end = Math.min(to, endsAt ?? to) as Instant;
          const found = periodsOf(ending, each, from, to);
          expect(found.length > 0).toBe(begin < end);
          const parts = found.map((period) => coveredPart(ending, period)!);
          found.forEach((period, index) => {
            expect(servicePeriodAt(given, each, period.start) ?? period).toEqual(period);
            if (index > 0) expect(parts[index - 1]!.end).toBe(parts[index]!.start);
          });
          if (begin >= end) return;
          expect(found[0]!.start <= begin && begin < found[0]!.end).toBe(true);
          expect(found.at(-1)!.start < end && end <= found.at(-1)!.end).toBe(true);
        },
      ),
      { numRuns: 200 },
    );
  });

  test("the local days of a period's parts add up to the period's", () => {
    fc.assert(
      fc.property(
        moving,
        interval,
        instant,
        fc.double({ min: 0, max: 1, noNaN: true }),
        (given, each, moment, share) => {
          const period = servicePeriodAt(given, each, moment);
          if (period === undefined) return;
          const inside = (period.start + Math.floor(share * (period.end - period.start))) as Instant;
          const calendar = calendarOf(given);
          const cut = calendar.startOf(dateAt(calendar, inside));
          const parts = [
            { start: period.start, end: cut },
            { start: cut, end: period.end },
          ].map((part) => localDaysIn(given, part));
          expect(parts[0]! + parts[1]!).toBe(localDaysIn(given, period));
          expect(localDaysIn(given, period)).toBeGreaterThanOrEqual(
            { week: 7, month: 28, quarter: 89, year: 365 }[each],
          );
          expect(localDaysIn(given, period)).toBeLessThanOrEqual(
            { week: 7, month: 31, quarter: 92, year: 366 }[each],
          );
        },
      ),
      { numRuns: 300 },
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
  ])("%s, anchored on %i: %s is in [%s, %s)", (name, dayOfMonth, moment, start, end) => {
    const given = {
      startedAt: at("2005-01-01T00:00:00Z"),
      anchor: { day: dayOfMonth },
      timeZone: parseTimeZone(name)!,
    };
    const period = servicePeriodAt(given, "month", at(moment))!;
    expect([formatInstant(period.start), formatInstant(period.end)]).toEqual([start, end]);
  });

  test("the first period begins with the local day of the subscription and ends at the anchor", () => {
    const timeZone = parseTimeZone("Pacific/Auckland")!;
    const startedAt = subscriptionStart(at("2026-01-20T03:00:00Z"), timeZone);
    const given = { startedAt, anchor: { day: 31 }, timeZone };
    const period = coveredPart(given, servicePeriodAt(given, "month", startedAt)!)!;
    expect(formatInstant(period.start)).toBe("2026-01-19T11:00:00Z");
    expect(formatInstant(period.end)).toBe("2026-01-30T11:00:00Z");
  });

  test.each(["Pacific/Auckland", "Pacific/Kiritimati", "Etc/GMT+12", "Pacific/Chatham", "Pacific/Apia"])(
    "a monthly customer in %s gets twelve periods a year, one for each of its local months",
    (name) => {
      const timeZone = parseTimeZone(name)!;
      for (const anchorDay of [1, 15, 29, 31]) {
        const startedAt = subscriptionStart(at("2010-01-15T12:00:00Z"), timeZone);
        const given = { startedAt, anchor: { day: anchorDay }, timeZone };
        const months = periodsOf(given, "month", startedAt, at("2030-01-15T12:00:00Z")).map((period) =>
          toZoned(period.end, timeZone).toPlainDate().subtract({ days: 1 }).toPlainYearMonth().toString(),
        );
        // Apia's 31st of December 2011 follows its 29th: the month still ends once.
        expect(new Set(months).size).toBe(months.length);
        expect(months.length).toBeGreaterThanOrEqual(240);
        expect(months.length).toBeLessThanOrEqual(241);
      }
    },
  );

  test("a customer who moves around half the world gets no period more and none less", () => {
    const timeZone = parseTimeZone("Pacific/Auckland")!;
    const startedAt = subscriptionStart(at("2026-01-01T00:00:00Z"), timeZone);
    const stays = { startedAt, anchor: { day: 1 }, timeZone };
    const from = servicePeriodAt(stays, "month", at("2026-03-15T00:00:00Z"))!.end;
    const moves = { ...stays, zoneChanges: [{ from, timeZone: parseTimeZone("Pacific/Honolulu")! }] };
    const ends = (given: PeriodTerms) =>
      periodsOf(given, "month", startedAt, at("2026-06-15T00:00:00Z")).map(({ end }) => formatInstant(end));
    expect(ends(stays).slice(1, 5)).toEqual([
      "2026-02-28T11:00:00Z",
      "2026-03-31T11:00:00Z",
      "2026-04-30T12:00:00Z",
      "2026-05-31T12:00:00Z",
    ]);
    // April begins where Auckland has it and ends where Honolulu has it: 30 days and 23 hours, one invoice, no credit.
    expect(ends(moves).slice(1, 5)).toEqual([
      "2026-02-28T11:00:00Z",
      "2026-03-31T11:00:00Z",
      "2026-05-01T10:00:00Z",
      "2026-06-01T10:00:00Z",
    ]);
    expect(localDaysIn(moves, servicePeriodAt(moves, "month", at("2026-04-15T00:00:00Z"))!)).toBe(30);
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
          let period = servicePeriodAt(given, "month", given.startedAt)!;
          for (let count = 0; count < 10; count += 1) {
            const cut = cutToPeriod([{ subject: "s", from, to }], period);
            covered += cut.reduce((sum, span) => sum + (span.to - span.from), 0);
            period = servicePeriodAt(given, "month", period.end)!;
          }
          return covered === to - from;
        },
      ),
      { numRuns: 60 },
    );
  });
});
