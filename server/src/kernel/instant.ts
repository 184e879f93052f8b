import type { Brand } from "./brand.js";

/**
 * A point in time: whole microseconds since 1970-01-01T00:00:00Z, exact as a JS number from 1684 to 2255. Beyond, whole
 * seconds are still exact and fractions are not, so that a far date can be compared and named in a refusal.
 */
export type Instant = Brand<number, "Instant">;

/** Durations, in microseconds. */
export const second = 1_000_000;
export const minute = 60 * second;
export const hour = 60 * minute;
export const day = 24 * hour;

export function instantFromMs(ms: number): Instant {
  return Math.round(ms * 1000) as Instant;
}

/** Milliseconds, rounded down. */
export function msOf(instant: Instant): number {
  return Math.floor(instant / 1000);
}

// RFC 3339 has four digits for the year.
const first_instant = daysBefore(0, 1) * day;
const end_instant = daysBefore(10_000, 1) * day;

/** Parses RFC 3339 with an offset or Z and up to 9 fraction digits (cut to microseconds); a leap second is :59. */
export function parseInstant(text: string): Instant | undefined {
  // By character codes: once per event, and a regular expression with its captures takes four times as long.
  const year = digitsAt(text, 0, 4);
  const month = digitsAt(text, 5, 2);
  const date = digitsAt(text, 8, 2);
  const hours = digitsAt(text, 11, 2);
  const minutes = digitsAt(text, 14, 2);
  const seconds = digitsAt(text, 17, 2);
  if (text.charCodeAt(4) !== 0x2d || text.charCodeAt(7) !== 0x2d) return undefined;
  const separator = text.charCodeAt(10);
  if (separator !== 0x54 && separator !== 0x74 && separator !== 0x20) return undefined; // T, t or a space
  if (text.charCodeAt(13) !== 0x3a || text.charCodeAt(16) !== 0x3a) return undefined;
  // A part that is not digits is NaN, which is in no range.
  if (!(month >= 1 && month <= 12 && date >= 1 && date <= daysIn(year, month))) return undefined;
  if (!(hours <= 23 && minutes <= 59 && seconds <= 60)) return undefined;

  let at = 19;
  let fraction = 0;
  if (text.charCodeAt(at) === 0x2e) {
    const begin = at + 1;
    let unit = 100_000;
    for (at = begin; isDigit(text.charCodeAt(at)); at += 1) {
      if (unit >= 1) fraction += (text.charCodeAt(at) - 0x30) * unit;
      unit /= 10;
    }
    if (at === begin || at > begin + 9) return undefined;
  }
  const offset = offsetAt(text, at);
  if (offset === undefined) return undefined;
  const clock = hours * hour + minutes * minute + Math.min(seconds, 59) * second + fraction;
  const instant = (daysBefore(year, month) + date - 1) * day + clock - offset;
  return instant >= first_instant && instant < end_instant ? (instant as Instant) : undefined;
}

/** The offset from UTC that ends the text, in microseconds. */
function offsetAt(text: string, at: number): number | undefined {
  const sign = text.charCodeAt(at);
  if (sign === 0x5a || sign === 0x7a) return text.length === at + 1 ? 0 : undefined;
  if ((sign !== 0x2b && sign !== 0x2d) || text.charCodeAt(at + 3) !== 0x3a || text.length !== at + 6)
    return undefined;
  const hours = digitsAt(text, at + 1, 2);
  const minutes = digitsAt(text, at + 4, 2);
  if (!(hours <= 23 && minutes <= 59)) return undefined;
  return (hours * hour + minutes * minute) * (sign === 0x2d ? -1 : 1);
}

/** The number that `count` digits make, or NaN. */
function digitsAt(text: string, start: number, count: number): number {
  let value = 0;
  for (let at = start; at < start + count; at += 1) {
    const code = text.charCodeAt(at);
    if (!isDigit(code)) return Number.NaN;
    value = value * 10 + code - 0x30;
  }
  return value;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

/** Days from 1970 to the first of a month, in the proleptic Gregorian calendar. */
function daysBefore(year: number, month: number): number {
  // Years that begin in March put the leap day last; 719,468 days lie between 0000-03-01 and 1970-01-01.
  const shifted = month > 2 ? year : year - 1;
  const leapDays = Math.floor(shifted / 4) - Math.floor(shifted / 100) + Math.floor(shifted / 400);
  return 365 * shifted + leapDays + Math.floor((153 * ((month + 9) % 12) + 2) / 5) - 719_468;
}

function daysIn(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** RFC 3339 in UTC, with a fraction only when there is one: 2026-01-31T00:00:00Z, 2026-01-31T00:00:00.123456Z. */
export function formatInstant(instant: Instant): string {
  const micros = ((instant % second) + second) % second;
  const whole = new Date((instant - micros) / 1000).toISOString().slice(0, 19);
  const fraction = micros === 0 ? "" : `.${String(micros).padStart(6, "0").replace(/0+$/, "")}`;
  return `${whole}${fraction}Z`;
}
