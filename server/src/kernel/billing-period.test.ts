import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { periodContaining, type BillingAnchor, type BillingInterval } from "./billing-period.js";
import { day, formatInstant, parseInstant, type Instant } from "./instant.js";
import { calendarIn } from "./local-date.js";
import { parseTimeZone, toZoned } from "./time-zone.js";

const at = (text: string) => parseInstant(text)!;
const zone = (name: string) => parseTimeZone(name)!;
const period = (anchorDay: number, name: string, instant: string) => {
  const { start, end } = periodContaining({ day: anchorDay }, "month", calendarIn(zone(name)), at(instant));
  return [formatInstant(start), formatInstant(end)];
};

describe("monthly periods", () => {
  test("anchored on the 31st: the last day of short months, and the 31st again after February", () => {
    expect(period(31, "UTC", "2026-02-10T00:00:00Z")).toEqual([
      "2026-01-31T00:00:00Z",
      "2026-02-28T00:00:00Z",
    ]);
    expect(period(31, "UTC", "2026-03-01T00:00:00Z")).toEqual([
      "2026-02-28T00:00:00Z",
      "2026-03-31T00:00:00Z",
    ]);
    expect(period(31, "UTC", "2026-03-31T00:00:00Z")).toEqual([
      "2026-03-31T00:00:00Z",
      "2026-04-30T00:00:00Z",
    ]);
    expect(period(31, "UTC", "2028-02-29T00:00:00Z")).toEqual([
      "2028-02-29T00:00:00Z",
      "2028-03-31T00:00:00Z",
    ]);
  });

  test("begin and end at local midnight, across a change of the clocks", () => {
    expect(period(1, "Europe/Berlin", "2026-03-15T00:00:00Z")).toEqual([
      "2026-02-28T23:00:00Z",
      "2026-03-31T22:00:00Z",
    ]);
    expect(period(15, "Asia/Kathmandu", "2026-03-20T00:00:00Z")).toEqual([
      "2026-03-14T18:15:00Z",
      "2026-04-14T18:15:00Z",
    ]);
  });

  test("begin at the first instant there is where midnight does not exist", () => {
    expect(period(4, "America/Sao_Paulo", "2018-11-04T03:00:00Z")[0]).toBe("2018-11-04T03:00:00Z");
    expect(period(4, "America/Sao_Paulo", "2018-11-04T02:59:59Z")[1]).toBe("2018-11-04T03:00:00Z");
  });

  test("the last instant of the year belongs to December", () => {
    expect(period(1, "UTC", "2026-12-31T23:59:59.999999Z")).toEqual([
      "2026-12-01T00:00:00Z",
      "2027-01-01T00:00:00Z",
    ]);
  });

  test("an hour that clocks repeat over midnight belongs to the period that began", () => {
    // St. John's, 7 November 2010: from 00:01 back to 23:01.
    expect(period(7, "America/St_Johns", "2010-11-07T03:00:00Z")[0]).toBe("2010-11-07T02:30:00Z");
    expect(period(7, "America/St_Johns", "2010-11-07T02:29:59Z")[1]).toBe("2010-11-07T02:30:00Z");
  });

  const given = fc.record({
    anchorDay: fc.integer({ min: 1, max: 31 }),
    name: fc.constantFrom(
      "UTC",
      "Europe/Berlin",
      "America/Sao_Paulo",
      "America/St_Johns",
      "Pacific/Apia",
      "Asia/Kathmandu",
    ),
    instant: fc
      .integer({ min: at("2005-01-01T00:00:00Z") / 1e6, max: at("2032-01-01T00:00:00Z") / 1e6 })
      .map((seconds) => (seconds * 1e6) as Instant),
  });

  test("hold their instant and tile time, each anchored on the original day", () => {
    fc.assert(
      fc.property(given, ({ anchorDay, name, instant }) => {
        const find = (moment: Instant) =>
          periodContaining({ day: anchorDay }, "month", calendarIn(zone(name)), moment);
        const found = find(instant);
        expect(found.start).toBeLessThanOrEqual(instant);
        expect(found.end).toBeGreaterThan(instant);
        expect(found.end - found.start).toBeGreaterThan(26 * day);
        expect(found.end - found.start).toBeLessThan(33 * day);
        expect(find(found.start)).toEqual(found);
        expect(find((found.end - 1) as Instant)).toEqual(found);
        expect(find(found.end).start).toBe(found.end);
        expect(find((found.start - 1) as Instant).end).toBe(found.start);
        const local = toZoned(found.start, zone(name));
        expect(local.day).toBe(Math.min(anchorDay, local.daysInMonth));
      }),
      { numRuns: 300 },
    );
  });
});

describe("weeks, quarters and years", () => {
  const spans = (
    anchor: BillingAnchor,
    interval: BillingInterval,
    name: string,
    from: string,
    count: number,
  ) => {
    const calendar = calendarIn(zone(name));
    const starts: string[] = [];
    for (let moment = at(from); starts.length < count; ) {
      const found = periodContaining(anchor, interval, calendar, moment);
      starts.push(formatInstant(found.start));
      moment = found.end;
    }
    return starts;
  };

  test("weeks begin on the anchor's weekday, Monday when left out", () => {
    expect(spans({ day: 1 }, "week", "UTC", "2026-01-01T00:00:00Z", 3)).toEqual([
      "2025-12-29T00:00:00Z",
      "2026-01-05T00:00:00Z",
      "2026-01-12T00:00:00Z",
    ]);
    expect(spans({ day: 1, weekday: 4 }, "week", "Europe/Berlin", "2026-03-26T12:00:00Z", 2)).toEqual([
      "2026-03-25T23:00:00Z",
      "2026-04-01T22:00:00Z",
    ]);
  });

  test("quarters begin in every third month from the anchor's, on the 31st or the month's last day", () => {
    expect(spans({ day: 31, month: 2 }, "quarter", "UTC", "2026-01-01T00:00:00Z", 5)).toEqual([
      "2025-11-30T00:00:00Z",
      "2026-02-28T00:00:00Z",
      "2026-05-31T00:00:00Z",
      "2026-08-31T00:00:00Z",
      "2026-11-30T00:00:00Z",
    ]);
  });

  test("years anchored on 29 February begin on the 28th of common years, and on the 29th again", () => {
    expect(spans({ day: 29, month: 2 }, "year", "Asia/Kolkata", "2024-03-01T00:00:00Z", 5)).toEqual([
      "2024-02-28T18:30:00Z",
      "2025-02-27T18:30:00Z",
      "2026-02-27T18:30:00Z",
      "2027-02-27T18:30:00Z",
      "2028-02-28T18:30:00Z",
    ]);
  });

  test("a week that would begin on the Friday that Samoa skipped begins with the Saturday", () => {
    expect(spans({ day: 1, weekday: 5 }, "week", "Pacific/Apia", "2011-12-25T00:00:00Z", 3)).toEqual([
      "2011-12-23T10:00:00Z",
      "2011-12-30T10:00:00Z",
      "2012-01-05T10:00:00Z",
    ]);
  });

  test("a month that would begin on the day that Samoa skipped begins with the next", () => {
    expect(period(30, "Pacific/Apia", "2011-12-30T10:00:00Z")).toEqual([
      "2011-12-30T10:00:00Z",
      "2012-01-29T10:00:00Z",
    ]);
    expect(period(30, "Pacific/Apia", "2011-12-30T09:59:59Z")[1]).toBe("2011-12-30T10:00:00Z");
  });
});
