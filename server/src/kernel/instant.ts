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
const first_instant = Date.UTC(2000, 0, 1) * 1000 - 5 * 146_097 * day;
const end_instant = Date.UTC(10_000, 0, 1) * 1000;
const rfc3339 =
  /^(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:([Zz])|([+-])(\d{2}):(\d{2}))$/;

/** Parses RFC 3339 with an offset or Z and up to 9 fraction digits (cut to microseconds); a leap second is :59. */
export function parseInstant(text: string): Instant | undefined {
  const match = rfc3339.exec(text);
  if (match === null) return undefined;
  const year = Number(match[1]);
  const month = Number(match[2]);
  const dayOfMonth = Number(match[3]);
  const hours = Number(match[4]);
  const minutes = Number(match[5]);
  const seconds = Math.min(Number(match[6]), 59);
  if (month < 1 || month > 12 || dayOfMonth < 1 || hours > 23 || minutes > 59 || Number(match[6]) > 60)
    return undefined;
  if (dayOfMonth > daysIn(year, month)) return undefined;
  let ms = Date.UTC(year, month - 1, dayOfMonth, hours, minutes, seconds);
  if (year < 100) {
    const date = new Date(ms);
    date.setUTCFullYear(year);
    ms = date.getTime();
  }
  const fraction = match[7];
  const micros = fraction === undefined ? 0 : Number(fraction.slice(0, 6).padEnd(6, "0"));
  let offset = 0;
  if (match[9] !== undefined) {
    const offsetHours = Number(match[10]);
    const offsetMinutes = Number(match[11]);
    if (offsetHours > 23 || offsetMinutes > 59) return undefined;
    offset = (offsetHours * 60 + offsetMinutes) * minute * (match[9] === "-" ? -1 : 1);
  }
  const instant = ms * 1000 + micros - offset;
  return instant >= first_instant && instant < end_instant ? (instant as Instant) : undefined;
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
