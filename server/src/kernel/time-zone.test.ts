import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { day, formatInstant, hour, minute, parseInstant, type Instant } from "./instant.js";
import { parseTimeZone, startOfLocalDay, toZoned, windowBoundaries, type WindowSize } from "./time-zone.js";

const at = (text: string) => parseInstant(text)!;
const zone = (name: string) => parseTimeZone(name)!;
const windows = (from: string, to: string, size: WindowSize, name: string) =>
  windowBoundaries(at(from), at(to), size, zone(name)).map(formatInstant);

describe("naming a time zone", () => {
  test.each([
    ["Europe/Berlin", "Europe/Berlin"],
    ["europe/berlin", "Europe/Berlin"],
    ["ASIA/KATHMANDU", "Asia/Kathmandu"],
    ["Asia/Kolkata", "Asia/Kolkata"],
    ["america/port-au-prince", "America/Port-au-Prince"],
    ["utc", "UTC"],
    ["Etc/GMT+5", "Etc/GMT+5"],
  ])("%s is %s", (text, name) => {
    expect(parseTimeZone(text)).toBe(name);
    expect(parseTimeZone(text)).toBe(name);
  });

  test.each([
    "",
    "Mars/Olympus",
    "+05:30",
    "-08",
    "Europe",
    "Europe/Berlin ",
    "2026-01-01T00:00[Europe/Berlin]",
    "x".repeat(65),
  ])("%j is none", (text) => {
    expect(parseTimeZone(text)).toBeUndefined();
  });
});

describe("the start of a local day", () => {
  test.each([
    ["Kathmandu is 5 h 45 min ahead", "2026-03-01T12:00:00Z", "Asia/Kathmandu", "2026-02-28T18:15:00Z"],
    ["Kolkata is 5 h 30 min ahead", "2026-03-01T18:29:59Z", "Asia/Kolkata", "2026-02-28T18:30:00Z"],
    [
      "São Paulo had no midnight on 4 November 2018",
      "2018-11-04T12:00:00Z",
      "America/Sao_Paulo",
      "2018-11-04T03:00:00Z",
    ],
    [
      "Berlin had 25 hours on 26 October 2025",
      "2025-10-26T22:59:59Z",
      "Europe/Berlin",
      "2025-10-25T22:00:00Z",
    ],
  ])("%s", (_, instant, name, start) => {
    expect(formatInstant(startOfLocalDay(at(instant), zone(name)))).toBe(start);
  });

  test("São Paulo's day without a midnight began at one o'clock", () => {
    const start = startOfLocalDay(at("2018-11-04T12:00:00Z"), zone("America/Sao_Paulo"));
    expect(toZoned(start, zone("America/Sao_Paulo")).toPlainTime().toString()).toBe("01:00:00");
  });
});

describe("windows of days and months", () => {
  test("Berlin's days of 23 and 25 hours", () => {
    expect(windows("2026-03-28T12:00:00Z", "2026-03-30T00:00:00Z", "DAY", "Europe/Berlin")).toEqual([
      "2026-03-27T23:00:00Z",
      "2026-03-28T23:00:00Z",
      "2026-03-29T22:00:00Z",
      "2026-03-30T22:00:00Z",
    ]);
    expect(windows("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", "DAY", "Europe/Berlin")).toEqual([
      "2026-10-24T22:00:00Z",
      "2026-10-25T23:00:00Z",
    ]);
  });

  test("the date that Samoa skipped has no window", () => {
    expect(windows("2011-12-29T12:00:00Z", "2011-12-31T00:00:00Z", "DAY", "Pacific/Apia")).toEqual([
      "2011-12-29T10:00:00Z",
      "2011-12-30T10:00:00Z",
      "2011-12-31T10:00:00Z",
    ]);
  });

  test("where clocks went back over midnight, the repeated hour belongs to the later day", () => {
    // St. John's, 7 November 2010: from 00:01 back to 23:01.
    expect(windows("2010-11-07T03:00:00Z", "2010-11-07T04:00:00Z", "DAY", "America/St_Johns")).toEqual([
      "2010-11-07T02:30:00Z",
      "2010-11-08T03:30:00Z",
    ]);
  });

  test("months in New York", () => {
    expect(windows("2026-02-01T05:00:00Z", "2026-04-01T04:00:00Z", "MONTH", "America/New_York")).toEqual([
      "2026-02-01T05:00:00Z",
      "2026-03-01T05:00:00Z",
      "2026-04-01T04:00:00Z",
    ]);
  });
});

describe("windows of hours and minutes", () => {
  test("Kolkata's hours begin at half past, Kathmandu's at a quarter past", () => {
    expect(windows("2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z", "HOUR", "Asia/Kolkata")).toEqual([
      "2025-12-31T23:30:00Z",
      "2026-01-01T00:30:00Z",
      "2026-01-01T01:30:00Z",
    ]);
    expect(windows("2026-01-01T00:15:00Z", "2026-01-01T00:16:00Z", "HOUR", "Asia/Kathmandu")).toEqual([
      "2026-01-01T00:15:00Z",
      "2026-01-01T01:15:00Z",
    ]);
  });

  test("Lord Howe's change of half an hour cuts an hour short", () => {
    // 5 April 2026, 02:00 goes back to 01:30.
    const expected = [
      "2026-04-04T14:00:00Z",
      "2026-04-04T15:00:00Z",
      "2026-04-04T15:30:00Z",
      "2026-04-04T16:30:00Z",
    ];
    expect(windows("2026-04-04T14:00:00Z", "2026-04-04T16:30:00Z", "HOUR", "Australia/Lord_Howe")).toEqual(
      expected,
    );
    // 4 October 2026, 02:00 goes on to 02:30.
    expect(windows("2026-10-03T14:30:00Z", "2026-10-03T17:00:00Z", "HOUR", "Australia/Lord_Howe")).toEqual([
      "2026-10-03T14:30:00Z",
      "2026-10-03T15:30:00Z",
      "2026-10-03T16:00:00Z",
      "2026-10-03T17:00:00Z",
    ]);
  });

  test("minutes", () => {
    expect(windows("2026-01-01T00:00:30Z", "2026-01-01T00:02:00Z", "MINUTE", "UTC")).toEqual([
      "2026-01-01T00:00:00Z",
      "2026-01-01T00:01:00Z",
      "2026-01-01T00:02:00Z",
    ]);
  });
});

test("more than 100,000 windows are refused, at once", () => {
  const began = performance.now();
  expect(() => windows("0001-01-01T00:00:00Z", "9999-01-01T00:00:00Z", "DAY", "UTC")).toThrow(
    /more than 100000 windows of one day/,
  );
  expect(() => windows("2020-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "MINUTE", "UTC")).toThrow(RangeError);
  expect(performance.now() - began).toBeLessThan(2_000);
  expect(windowBoundaries(0 as Instant, (100_000 * minute) as Instant, "MINUTE", zone("UTC"))).toHaveLength(
    100_001,
  );
  expect(() =>
    windowBoundaries(0 as Instant, (100_000 * minute + 1) as Instant, "MINUTE", zone("UTC")),
  ).toThrow(RangeError);
});

test("an empty range has no windows", () => {
  expect(() => windows("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "DAY", "UTC")).toThrow(
    "from must be before to",
  );
});

describe("laws of windows", () => {
  const zones = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Sao_Paulo",
    "America/St_Johns",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Africa/Casablanca",
    "Asia/Pyongyang", // half an hour back in 2015 and forth in 2018
    "America/Caracas", // half an hour back in 2007 and forth in 2016
    "Africa/Monrovia", // 44 min 30 s in 1972
  ].map(zone);
  // Half of the ranges begin near a change of offset, where the mistakes are.
  const near = fc
    .record({
      zone: fc.constantFrom(...zones),
      from: fc.integer({ min: at("1971-06-01T00:00:00Z") / 1e6, max: at("2030-01-01T00:00:00Z") / 1e6 }),
      isNear: fc.boolean(),
      by: fc.integer({ min: -3 * 3600, max: 3 * 3600 }),
    })
    .map(({ zone: name, from, isNear, by }) => {
      const change = isNear ? toZoned((from * 1e6) as Instant, name).getTimeZoneTransition("next") : null;
      const start = change === null ? from : change.epochMilliseconds / 1000 + by;
      return { zone: name, from: (start * 1e6) as Instant };
    });
  const size = fc.constantFrom<WindowSize>("MINUTE", "HOUR", "DAY", "MONTH");
  const width = { MINUTE: minute, HOUR: hour, DAY: day, MONTH: 30 * day };
  const length = fc.double({ min: 0.01, max: 5, noNaN: true });

  test("they cover the range, rise, and none is outside it", () => {
    fc.assert(
      fc.property(near, size, length, (given, unit, count) => {
        const to = (given.from + Math.ceil(count * width[unit])) as Instant;
        const found = windowBoundaries(given.from, to, unit, given.zone);
        expect(found.length).toBeGreaterThan(1);
        expect(found[0]).toBeLessThanOrEqual(given.from);
        expect(found[1]).toBeGreaterThan(given.from);
        expect(found.at(-2)).toBeLessThan(to);
        expect(found.at(-1)).toBeGreaterThanOrEqual(to);
        for (let index = 1; index < found.length; index += 1) {
          expect(found[index]).toBeGreaterThan(found[index - 1]!);
          const longest = { MINUTE: minute, HOUR: hour, DAY: 26 * hour, MONTH: 32 * day }[unit];
          expect(found[index]! - found[index - 1]!).toBeLessThanOrEqual(longest);
        }
      }),
      { numRuns: 500 },
    );
  });

  test("a boundary does not depend on the range that is asked for", () => {
    fc.assert(
      fc.property(near, size, length, length, (given, unit, before, after) => {
        const end = (given.from + Math.ceil(after * width[unit])) as Instant;
        const start = (given.from - Math.ceil(before * width[unit])) as Instant;
        const inner = windowBoundaries(given.from, end, unit, given.zone);
        const outer = windowBoundaries(start, (end + width[unit]) as Instant, unit, given.zone);
        const first = outer.indexOf(inner[0]!);
        expect(outer.slice(first, first + inner.length)).toEqual(inner);
      }),
      { numRuns: 500 },
    );
  });

  test("a window begins on the clock's hour or minute, or where the clock was changed", () => {
    fc.assert(
      fc.property(near, fc.constantFrom("HOUR", "MINUTE"), (given, unit) => {
        const to = (given.from + 3 * width[unit]) as Instant;
        for (const boundary of windowBoundaries(given.from, to, unit, given.zone)) {
          const local = toZoned(boundary, given.zone);
          const before = toZoned((boundary - 1) as Instant, given.zone);
          const isRound =
            local.second === 0 && local.microsecond === 0 && (unit === "MINUTE" || local.minute === 0);
          expect(isRound || local.offset !== before.offset).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });
});
