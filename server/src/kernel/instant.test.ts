import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FixedClock, systemClock } from "./clock.js";
import {
  day,
  formatInstant,
  hour,
  instantFromMs,
  minute,
  msOf,
  parseInstant,
  second,
  type Instant,
} from "./instant.js";

const at = (text: string) => parseInstant(text)!;
const micros = (min: string, max: string) => fc.maxSafeInteger().map((n) => within(n, at(min), at(max)));
const within = (n: number, min: number, max: number) => (min + (Math.abs(n) % (max - min))) as Instant;

describe("reading RFC 3339", () => {
  test.each([
    ["1970-01-01T00:00:00Z", 0],
    ["1970-01-01T00:00:00.000001Z", 1],
    ["1969-12-31T23:59:59.999999Z", -1],
    ["1970-01-01t01:00:00+01:00", 0],
    ["1969-12-31 18:15:00-05:45", 0],
    ["1970-01-01T00:00:00.1Z", 100_000],
    ["1970-01-01T00:00:00.123456789Z", 123_456],
    ["1970-01-01T00:00:00-00:00", 0],
    ["2016-12-31T23:59:60Z", Date.UTC(2016, 11, 31, 23, 59, 59) * 1000],
    ["2024-02-29T12:00:00Z", Date.UTC(2024, 1, 29, 12) * 1000],
  ])("%s", (text, expected) => {
    expect(parseInstant(text)).toBe(expected);
  });

  test.each([
    "",
    "2026-01-31",
    "2026-01-31T00:00:00",
    "2026-01-31T00:00Z",
    "2026-02-29T00:00:00Z",
    "1900-02-29T00:00:00Z",
    "2026-04-31T00:00:00Z",
    "2026-00-10T00:00:00Z",
    "2026-13-10T00:00:00Z",
    "2026-01-00T00:00:00Z",
    "2026-01-31T24:00:00Z",
    "2026-01-31T00:60:00Z",
    "2026-01-31T00:00:61Z",
    "2026-01-31T00:00:00.Z",
    "2026-01-31T00:00:00.1234567890Z",
    "2026-01-31T00:00:00+0100",
    "2026-01-31T00:00:00+24:00",
    "+002026-01-31T00:00:00Z",
    " 2026-01-31T00:00:00Z",
    "2026-01-31T00:00:00Z\n",
    "9999-12-31T23:59:59-00:01",
    "0000-01-01T00:00:00+00:01",
  ])("%j is none", (text) => {
    expect(parseInstant(text)).toBeUndefined();
  });

  test("it agrees with Date on every date of 400 years", () => {
    for (let date = Date.UTC(1890, 0, 1); date < Date.UTC(2290, 0, 1); date += 86_400_000) {
      const text = new Date(date).toISOString();
      if (parseInstant(text) !== date * 1000) expect.fail(text);
    }
  });

  test("text and back changes nothing from 1700 to 2255, to the microsecond", () => {
    fc.assert(
      fc.property(micros("1700-01-01T00:00:00Z", "2255-01-01T00:00:00Z"), (instant) => {
        expect(parseInstant(formatInstant(instant))).toBe(instant);
      }),
      { numRuns: 1000 },
    );
  });

  test("text with a character put in, left out or changed is read as the grammar says", () => {
    const grammar =
      /^(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;
    const texts = fc.constantFrom(
      "2026-01-31T23:59:60.123456789+05:45",
      "2024-02-29t00:00:00Z",
      "1999-12-31 12:30:45.5-11:00",
    );
    const character = fc.oneof(
      fc.constantFrom(..."0123456789TtZz+-:. \0\n٣".split("")),
      fc.string({ maxLength: 1, unit: "binary" }),
    );
    fc.assert(
      fc.property(texts, fc.nat(40), fc.nat(2), character, (text, index, removed, added) => {
        const changed = text.slice(0, index) + added + text.slice(index + removed);
        const [, year, month, date, hours, minutes, seconds] = (grammar.exec(changed) ?? []).map(Number);
        const isValid =
          year !== undefined &&
          month! >= 1 &&
          month! <= 12 &&
          date! >= 1 &&
          date! <= new Date(Date.UTC(2000 + (year % 400), month!, 0)).getUTCDate() &&
          hours! <= 23 &&
          minutes! <= 59 &&
          seconds! <= 60;
        expect(parseInstant(changed) !== undefined).toBe(isValid);
      }),
      { numRuns: 3000 },
    );
  });

  test("an offset moves the same wall clock", () => {
    fc.assert(
      fc.property(fc.integer({ min: -23 * 60 - 59, max: 23 * 60 + 59 }), (offset) => {
        const size = Math.abs(offset);
        const two = (n: number) => String(n).padStart(2, "0");
        const text = `${offset < 0 ? "-" : "+"}${two(Math.floor(size / 60))}:${two(size % 60)}`;
        expect(parseInstant(`2026-03-01T12:34:56.789${text}`)).toBe(
          at("2026-03-01T12:34:56.789Z") - offset * minute,
        );
      }),
    );
  });

  test("the far ends of the calendar have an instant, so that a refusal can name it", () => {
    expect(formatInstant(at("9999-12-31T23:59:59Z"))).toBe("9999-12-31T23:59:59Z");
    expect(formatInstant(at("0000-01-01T00:00:00Z"))).toBe("0000-01-01T00:00:00Z");
    expect(formatInstant(at("0099-12-31T23:59:59Z"))).toBe("0099-12-31T23:59:59Z");
  });
});

test("an instant is written with no more fraction than it has", () => {
  expect(formatInstant(at("2026-01-31T00:00:00.000Z"))).toBe("2026-01-31T00:00:00Z");
  expect(formatInstant(at("2026-01-31T00:00:00.120Z"))).toBe("2026-01-31T00:00:00.12Z");
  expect(formatInstant(at("1969-12-31T23:59:59.5Z"))).toBe("1969-12-31T23:59:59.5Z");
});

test("milliseconds are rounded down, before 1970 too", () => {
  expect(msOf(instantFromMs(1234))).toBe(1234);
  expect(msOf(1_999 as Instant)).toBe(1);
  expect(msOf(-1 as Instant)).toBe(-1);
});

test("durations are microseconds", () => {
  expect([second, minute, hour, day]).toEqual([1e6, 60e6, 3600e6, 86_400e6]);
});

test("a fixed clock stands still until it is moved", () => {
  const clock = new FixedClock(at("2026-01-31T00:00:00Z"));
  expect(clock.now()).toBe(clock.now());
  clock.advance(day);
  expect(formatInstant(clock.now())).toBe("2026-02-01T00:00:00Z");
  clock.set(at("2020-01-01T00:00:00Z"));
  expect(formatInstant(clock.now())).toBe("2020-01-01T00:00:00Z");
  expect(Math.abs(msOf(systemClock.now()) - Date.now())).toBeLessThan(1000);
});
