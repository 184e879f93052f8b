import { Temporal } from "temporal-polyfill";
import type { Brand } from "./brand.js";
import { hour, minute, type Instant } from "./instant.js";

/** An IANA time zone that this runtime knows, such as "Europe/Berlin". */
export type TimeZone = Brand<string, "TimeZone">;
export type WindowSize = "MINUTE" | "HOUR" | "DAY" | "MONTH";

export const utc = "UTC" as TimeZone;
const windows_max = 100_000;
const known = new Map<string, TimeZone | undefined>();

/** The zone, or undefined when there is none of this name. Offsets such as +05:30 are no zones. */
export function parseTimeZone(text: string): TimeZone | undefined {
  if (known.has(text)) return known.get(text);
  if (known.size > 2000) known.clear();
  let zone: TimeZone | undefined;
  if (text.length <= 64 && /^[A-Za-z]/.test(text)) {
    try {
      const { timeZone } = new Intl.DateTimeFormat("en", { timeZone: text }).resolvedOptions();
      zone = (timeZone === "UTC" || /^[+-]/.test(timeZone) ? timeZone : text) as TimeZone;
    } catch {
      zone = undefined;
    }
  }
  known.set(text, zone);
  return zone;
}

export function toZoned(instant: Instant, zone: TimeZone): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochNanoseconds(BigInt(instant) * 1000n).toZonedDateTimeISO(zone);
}

export function fromZoned(zoned: Temporal.ZonedDateTime): Instant {
  return Number(zoned.epochNanoseconds / 1000n) as Instant;
}

/** The first existing instant of the local day that holds `instant`: not always midnight. */
export function startOfLocalDay(instant: Instant, zone: TimeZone): Instant {
  return fromZoned(toZoned(instant, zone).startOfDay());
}

/** The first existing instant of a local date. */
export function startOfDate(date: Temporal.PlainDate, zone: TimeZone): Instant {
  return fromZoned(date.toZonedDateTime({ timeZone: zone }));
}

/**
 * The boundaries of the windows that cover [from, to): the starts, the first of them at or before `from`, then the
 * last one's end. Days and months begin at the first existing instant of the local date; hours are local hours
 * wherever the zone's offset is a whole number of them, and follow its half hours and quarters elsewhere.
 * @throws RangeError when there would be more than 100,000 windows, or `from` is not before `to`
 */
export function windowBoundaries(from: Instant, to: Instant, size: WindowSize, zone: TimeZone): Instant[] {
  if (from >= to) throw new RangeError("from must be before to");
  return size === "MINUTE" || size === "HOUR" ? clockWindows(from, to, size, zone) : dateWindows(from, to, size, zone);
}

function clockWindows(from: Instant, to: Instant, size: "MINUTE" | "HOUR", zone: TimeZone): Instant[] {
  const width = size === "MINUTE" ? minute : hour;
  if ((to - from) / width > windows_max) throw tooMany(size);
  const boundaries = [startOfClockWindow(from, width, zone)];
  for (let last = boundaries[0] ?? from; last < to; ) {
    let next = (last + width) as Instant;
    if (width === hour) {
      // A change of offset by half an hour (Lord Howe) shifts the hours that follow it.
      const aligned = startOfClockWindow(next, width, zone);
      if (aligned > last && aligned < next) next = aligned;
    }
    boundaries.push(next);
    last = next;
  }
  return boundaries;
}

function startOfClockWindow(instant: Instant, width: number, zone: TimeZone): Instant {
  const offset = Math.round(toZoned(instant, zone).offsetNanoseconds / 1000);
  const local = instant + offset;
  return (local - (((local % width) + width) % width) - offset) as Instant;
}

function dateWindows(from: Instant, to: Instant, size: "DAY" | "MONTH", zone: TimeZone): Instant[] {
  let date = toZoned(from, zone).toPlainDate();
  if (size === "MONTH") date = date.with({ day: 1 });
  const step = size === "DAY" ? { days: 1 } : { months: 1 };
  const boundaries = [startOfDate(date, zone)];
  for (let last = boundaries[0] ?? from; last < to; ) {
    if (boundaries.length > windows_max) throw tooMany(size);
    date = date.add(step);
    const next = startOfDate(date, zone);
    // A date that a zone skipped (Samoa, 30 December 2011) has no window.
    if (next > last) boundaries.push(next);
    last = next;
  }
  return boundaries;
}

function tooMany(size: WindowSize): RangeError {
  return new RangeError(`more than ${windows_max} windows of one ${size.toLowerCase()}`);
}
