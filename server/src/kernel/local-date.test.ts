import fc from "fast-check";
import { expect, test } from "vitest";
import { dateOf, daysInMonth, partsOf, type LocalDate } from "./local-date.js";

const day_ms = 86_400_000;
/** As far as JavaScript's Date reaches, 271,821 BC to AD 275,760. */
const days = fc.integer({ min: -100_000_000, max: 100_000_000 });

test("dates are those of JavaScript's Date, leap days and years before Christ included", () => {
  fc.assert(
    fc.property(days, (date) => {
      const utc = new Date(date * day_ms);
      const parts = { year: utc.getUTCFullYear(), month: utc.getUTCMonth() + 1, day: utc.getUTCDate() };
      expect(partsOf(date as LocalDate)).toEqual(parts);
      expect(dateOf(parts.year, parts.month, parts.day)).toBe(date);
    }),
  );
});

test("every day of four hundred years has its own date, and follows the day before", () => {
  let date = dateOf(1900, 1, 1);
  for (let year = 1900; year < 2300; year += 1)
    for (let month = 1; month <= 12; month += 1) {
      expect(daysInMonth(year, month)).toBe(new Date(Date.UTC(year, month, 0)).getUTCDate());
      for (let day = 1; day <= daysInMonth(year, month); day += 1) {
        const parts = partsOf(date);
        if (
          parts.year !== year ||
          parts.month !== month ||
          parts.day !== day ||
          dateOf(year, month, day) !== date
        )
          expect({ date, parts }).toEqual({ date: dateOf(year, month, day), parts: { year, month, day } });
        date = (date + 1) as LocalDate;
      }
    }
  expect(date).toBe(dateOf(2300, 1, 1));
});

test("months and days outside their range are counted on: day 0 is the last of the month before", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1600, max: 2400 }),
      fc.integer({ min: -40, max: 40 }),
      fc.integer({ min: -400, max: 400 }),
      (year, month, day) => {
        expect(dateOf(year, month, day)).toBe(Date.UTC(year, month - 1, day) / day_ms);
      },
    ),
  );
  expect(daysInMonth(2024, 2)).toBe(29);
  expect(daysInMonth(2023, 14)).toBe(29);
  expect(daysInMonth(2100, 2)).toBe(28);
});
