import type { Temporal } from "temporal-polyfill";
import type { Instant } from "./instant.js";
import { startOfDate, toZoned, type TimeZone } from "./time-zone.js";

/** The original day of the month that periods begin on; the 31st becomes the last day of shorter months. */
export interface BillingAnchor {
  readonly day: number;
  readonly month?: number;
}

/** Half-open [start, end), at local midnight or the first existing instant of the day. */
export interface BillingPeriod {
  readonly start: Instant;
  readonly end: Instant;
}

/**
 * The billing period that holds `at`. Boundaries are recomputed from the anchor's original day each time, so that
 * a period that began on 28 February goes back to the 31st in March.
 */
export function periodContaining(
  anchor: BillingAnchor,
  interval: "month",
  zone: TimeZone,
  at: Instant,
): BillingPeriod {
  const months = { month: 1 }[interval];
  const local = toZoned(at, zone).toPlainDate();
  let first = anchored(local.toPlainYearMonth(), anchor.day);
  if (startOfDate(first, zone) > at) {
    first = anchored(local.toPlainYearMonth().subtract({ months }), anchor.day);
  }
  let next = anchored(first.toPlainYearMonth().add({ months }), anchor.day);
  if (startOfDate(next, zone) <= at) {
    // Clocks went back over this midnight (St. John's until 2011), so the old date is on them again.
    first = next;
    next = anchored(first.toPlainYearMonth().add({ months }), anchor.day);
  }
  return { start: startOfDate(first, zone), end: startOfDate(next, zone) };
}

function anchored(month: Temporal.PlainYearMonth, day: number): Temporal.PlainDate {
  return month.toPlainDate({ day: Math.min(day, month.daysInMonth) });
}
