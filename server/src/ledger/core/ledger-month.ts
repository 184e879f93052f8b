import type { Brand } from "../../kernel/brand.js";
import type { Instant } from "../../kernel/instant.js";
import {
  calendarIn,
  dateAt,
  dateOf,
  partsOf,
  startOfLocalDate,
  type LocalDate,
} from "../../kernel/local-date.js";
import type { TimeZone } from "../../kernel/time-zone.js";

/** A calendar month as "2026-10": sorts by time as text. */
export type LedgerMonth = Brand<string, "LedgerMonth">;

/** The month, or undefined when the text is none: 2026-10 */
export function parseMonth(text: string): LedgerMonth | undefined {
  return /^\d{4}-(0[1-9]|1[0-2])$/.test(text) ? (text as LedgerMonth) : undefined;
}

/** The month of a date. */
export function monthOf(date: LocalDate): LedgerMonth {
  const { year, month } = partsOf(date);
  return `${String(year).padStart(4, "0")}-${String(month).padStart(2, "0")}` as LedgerMonth;
}

/** The month that an instant lies in, somewhere. */
export function monthAt(at: Instant, zone: TimeZone): LedgerMonth {
  return monthOf(dateAt(calendarIn(zone), at));
}

/** Months later; earlier below zero. */
export function addMonths(month: LedgerMonth, count: number): LedgerMonth {
  const [year = 0, number = 1] = month.split("-").map(Number);
  return monthOf(dateOf(year, number + count, 1));
}

export function firstDateOf(month: LedgerMonth): LocalDate {
  const [year = 0, number = 1] = month.split("-").map(Number);
  return dateOf(year, number, 1);
}

/** From the first instant of the month's first day to that of the next month's. */
export function spanOf(
  month: LedgerMonth,
  zone: TimeZone,
): { readonly start: Instant; readonly end: Instant } {
  return {
    start: startOfLocalDate(firstDateOf(month), zone),
    end: startOfLocalDate(firstDateOf(addMonths(month, 1)), zone),
  };
}

/** Why a month cannot be closed. */
export type CloseRefusal =
  | { readonly kind: "not_over"; readonly end: Instant }
  | { readonly kind: "earlier_open"; readonly month: LedgerMonth };

/**
 * Whether a month that is open may be closed: it is over, and every month before it that has or had postings is closed.
 *
 * @param books.lastClosed    the last month that is closed
 * @param books.firstPosting  when the first posting counts
 */
export function refuseClosing(
  month: LedgerMonth,
  books: { readonly lastClosed: LedgerMonth | undefined; readonly firstPosting: Instant | undefined },
  zone: TimeZone,
  now: Instant,
): CloseRefusal | undefined {
  const { end } = spanOf(month, zone);
  if (end > now) return { kind: "not_over", end };
  const { lastClosed, firstPosting } = books;
  const first =
    lastClosed !== undefined
      ? addMonths(lastClosed, 1)
      : firstPosting !== undefined
        ? monthAt(firstPosting, zone)
        : month;
  return first < month ? { kind: "earlier_open", month: first } : undefined;
}
