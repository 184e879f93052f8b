import { day, parseInstant, type Instant } from "../../kernel/instant.js";
import { dateOf, daysInMonth, type LocalDate } from "../../kernel/local-date.js";

// No settlement is of another time; a year beyond is a damaged one.
const first_year = 1970;
const last_year = 2199;

const date_characters = 10;

/** "2026-01-31", also with an offset behind it as XML's dates may have: "2026-01-31+01:00". */
export function readDate(text: string): LocalDate | undefined {
  if (text.charCodeAt(4) !== 0x2d || text.charCodeAt(7) !== 0x2d) return undefined;
  if (text.length > date_characters && !/^(Z|[+-]\d\d:\d\d)$/.test(text.slice(date_characters)))
    return undefined;
  return calendarDate(digits(text, 0, 4), digits(text, 5, 7), digits(text, 8, date_characters));
}

/** A date that exists and can be a settlement's, or undefined. */
export function calendarDate(year: number, month: number, dayOfMonth: number): LocalDate | undefined {
  const exists =
    year >= first_year &&
    year <= last_year &&
    month >= 1 &&
    month <= 12 &&
    dayOfMonth >= 1 &&
    dayOfMonth <= daysInMonth(year, month);
  return exists ? dateOf(year, month, dayOfMonth) : undefined;
}

/** Midnight UTC. */
export function startOf(date: LocalDate): Instant {
  return (date * day) as Instant;
}

/** RFC 3339, also without an offset: that is taken as UTC. */
export function readTime(text: string): Instant | undefined {
  const time = parseInstant(text) ?? parseInstant(`${text}Z`);
  return time === undefined || time < first_time || time >= end_time ? undefined : time;
}

const first_time = startOf(dateOf(first_year, 1, 1));
const end_time = startOf(dateOf(last_year + 1, 1, 1));

/** The number that only digits make, or NaN. */
export function digits(text: string, start: number, end: number): number {
  let value = 0;
  for (let at = start; at < end; at += 1) {
    const code = text.charCodeAt(at);
    if (!(code >= 0x30 && code <= 0x39)) return Number.NaN;
    value = value * 10 + code - 0x30;
  }
  return value;
}
