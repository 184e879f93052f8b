import { Temporal } from "temporal-polyfill";
import type { Brand } from "./brand.js";
import { day, hour, minute, type Instant } from "./instant.js";

/** An IANA time zone that this runtime knows, such as "Europe/Berlin". */
export type TimeZone = Brand<string, "TimeZone">;
export type WindowSize = "MINUTE" | "HOUR" | "DAY" | "MONTH";

export const utc = "UTC" as TimeZone;
const windows_max = 100_000;
const names_remembered_max = 2000;
const known = new Map<string, TimeZone | undefined>();
const epoch = Temporal.Instant.fromEpochNanoseconds(0n);

/** The zone in its canonical case, or undefined when there is none of this name. Offsets (+05:30) are no zones. */
export function parseTimeZone(text: string): TimeZone | undefined {
  if (known.has(text)) return known.get(text);
  if (known.size > names_remembered_max) known.clear();
  let zone: TimeZone | undefined;
  if (text.length <= 64 && /^[A-Za-z]/.test(text)) {
    try {
      // Not what Intl resolves it to, which would turn Asia/Kolkata into Asia/Calcutta.
      zone = epoch.toZonedDateTimeISO(text).timeZoneId as TimeZone;
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
 * last one's end. Days and months begin at the first existing instant of the local date. Hours are local hours, so
 * they begin at half past in Kolkata; where a change of offset shifts them by less than an hour (Lord Howe), the hour
 * that it cuts short ends there. A boundary does not depend on the range that is asked for.
 * @throws RangeError when there would be more than 100,000 windows, or `from` is not before `to`
 */
export function windowBoundaries(from: Instant, to: Instant, size: WindowSize, zone: TimeZone): Instant[] {
  if (from >= to) throw new RangeError("from must be before to");
  // The longest that windows get, so that a hopeless range is refused before any work.
  const longest = { MINUTE: minute, HOUR: hour, DAY: 26 * hour, MONTH: 32 * day }[size];
  if ((to - from) / longest > windows_max) throw tooMany(size);
  const boundaries =
    size === "MINUTE" || size === "HOUR"
      ? clockWindows(from, to, longest, zone)
      : dateWindows(from, to, size, zone);
  if (boundaries.length > windows_max + 1) throw tooMany(size);
  return boundaries;
}

/** Plain arithmetic between two changes of offset; a change begins a window unless it shifts by whole windows. */
function clockWindows(from: Instant, to: Instant, width: number, zone: TimeZone): Instant[] {
  const shift = (instant: Instant) => modulo(offsetOf(instant, zone), width);
  const offset = shift(from);
  let last = (from - modulo(from + offset, width)) as Instant;
  if (shift(last) !== offset) last = previousChange(from, zone) ?? last;
  const boundaries = [last];
  while (last < to) {
    const change = nextChange(last, zone);
    const end = change !== undefined && change < to ? change : to;
    let next = (last - modulo(last + shift(last), width) + width) as Instant;
    for (; next < end; next = (next + width) as Instant) boundaries.push(next);
    const isCut = change !== undefined && change < next && shift(change) !== shift((change - 1) as Instant);
    last = isCut ? change : next;
    boundaries.push(last);
  }
  return boundaries;
}

function dateWindows(from: Instant, to: Instant, size: "DAY" | "MONTH", zone: TimeZone): Instant[] {
  let date = toZoned(from, zone).toPlainDate();
  if (size === "MONTH") date = date.with({ day: 1 });
  const step = size === "DAY" ? { days: 1 } : { months: 1 };
  const boundaries = [startOfDate(date, zone)];
  for (let last = boundaries[0] ?? from; last < to; ) {
    date = date.add(step);
    const next = startOfDate(date, zone);
    // Clocks that went back over midnight (St. John's) were on the earlier date again: that is the later window.
    if (next <= from) boundaries.length = 0;
    // A date that a zone skipped (Samoa, 30 December 2011) has no window.
    if (next > last || boundaries.length === 0) boundaries.push(next);
    last = next;
  }
  return boundaries;
}

function offsetOf(instant: Instant, zone: TimeZone): number {
  return Math.round(toZoned(instant, zone).offsetNanoseconds / 1000);
}

/** The next change of offset after `instant`. */
function nextChange(instant: Instant, zone: TimeZone): Instant | undefined {
  const change = toZoned(instant, zone).getTimeZoneTransition("next");
  return change === null ? undefined : fromZoned(change);
}

/** The last change of offset at or before `instant`. */
function previousChange(instant: Instant, zone: TimeZone): Instant | undefined {
  const change = toZoned((instant + 1) as Instant, zone).getTimeZoneTransition("previous");
  return change === null ? undefined : fromZoned(change);
}

function modulo(value: number, divisor: number): number {
  return ((value % divisor) + divisor) % divisor;
}

function tooMany(size: WindowSize): RangeError {
  return new RangeError(`more than ${windows_max} windows of one ${size.toLowerCase()}`);
}
