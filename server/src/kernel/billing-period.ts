import type { Instant } from "./instant.js";
import {
  addDays,
  dateAt,
  dateOf,
  daysInMonth,
  partsOf,
  weekdayOf,
  type LocalCalendar,
  type LocalDate,
} from "./local-date.js";

/** How long a service period lasts. */
export type BillingInterval = "week" | "month" | "quarter" | "year";

/**
 * Where periods begin: months, quarters and years on the original day of the month (the 31st becomes the last day of
 * shorter months), quarters and years in the month and every third or twelfth after it, weeks on the weekday.
 */
export interface BillingAnchor {
  /** 1 to 31 */
  readonly day: number;
  /** 1 to 12; January when left out */
  readonly month?: number;
  /** 1 (Monday, when left out) to 7 */
  readonly weekday?: number;
}

/** Half-open [start, end), at local midnight or the first existing instant of the day. */
export interface BillingPeriod {
  readonly start: Instant;
  readonly end: Instant;
}

const months = { month: 1, quarter: 3, year: 12 } as const;

/** The last boundary of an interval on or before a date. */
export function boundaryOnOrBefore(
  anchor: BillingAnchor,
  interval: BillingInterval,
  date: LocalDate,
): LocalDate {
  if (interval === "week") return addDays(date, -modulo(weekdayOf(date) - (anchor.weekday ?? 1), 7));
  const { year, month } = partsOf(date);
  const index = year * 12 + month;
  const first = index - modulo(index - (anchor.month ?? 1), months[interval]);
  const boundary = anchored(first, anchor.day);
  return boundary <= date ? boundary : anchored(first - months[interval], anchor.day);
}

/** The first boundary of an interval after a date. */
export function boundaryAfter(anchor: BillingAnchor, interval: BillingInterval, date: LocalDate): LocalDate {
  const before = boundaryOnOrBefore(anchor, interval, date);
  if (interval === "week") return addDays(before, 7);
  const { year, month } = partsOf(before);
  return anchored(year * 12 + month + months[interval], anchor.day);
}

/**
 * The billing period that holds `at`. Boundaries are recomputed from the anchor's original day each time, so that
 * a period that began on 28 February goes back to the 31st in March. Every boundary of a quarter or a year is one of a
 * month.
 */
export function periodContaining(
  anchor: BillingAnchor,
  interval: BillingInterval,
  calendar: LocalCalendar,
  at: Instant,
): BillingPeriod {
  const date = dateAt(calendar, at);
  return {
    start: calendar.startOf(boundaryOnOrBefore(anchor, interval, date)),
    end: calendar.startOf(boundaryAfter(anchor, interval, date)),
  };
}

/** @param index year × 12 + month */
function anchored(index: number, day: number): LocalDate {
  const year = Math.floor((index - 1) / 12);
  const month = index - year * 12;
  return dateOf(year, month, Math.min(day, daysInMonth(year, month)));
}

function modulo(value: number, divisor: number): number {
  return ((value % divisor) + divisor) % divisor;
}
