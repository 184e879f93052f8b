import type { Instant } from "../../kernel/instant.js";
import { addMonths, calendarIn, dateAt, dateOf, partsOf, startOfLocalDate } from "../../kernel/local-date.js";
import type { TimeZone } from "../../kernel/time-zone.js";

/** The calendar month somewhere that holds an instant: [start, end). */
export function calendarMonthAt(
  at: Instant,
  zone: TimeZone,
): { readonly start: Instant; readonly end: Instant } {
  const { year, month } = partsOf(dateAt(calendarIn(zone), at));
  const first = dateOf(year, month, 1);
  return { start: startOfLocalDate(first, zone), end: startOfLocalDate(addMonths(first, 1), zone) };
}
