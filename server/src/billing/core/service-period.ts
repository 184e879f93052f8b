import { periodContaining, type BillingAnchor, type BillingInterval } from "../../kernel/billing-period.js";
import type { Instant } from "../../kernel/instant.js";
import {
  calendarIn,
  dateAt,
  startOfLocalDate,
  type LocalCalendar,
  type LocalDate,
} from "../../kernel/local-date.js";
import type { TimeZone } from "../../kernel/time-zone.js";

/** A half-open span of time: `start` belongs to it, `end` to the next. */
export interface Period {
  readonly start: Instant;
  readonly end: Instant;
}

/** Another zone from a boundary on, which itself still lies where the zone before has it. */
export interface ZoneChange {
  readonly from: Instant;
  readonly timeZone: TimeZone;
}

/** What decides a subscription's periods. */
export interface PeriodTerms {
  /** The first instant of a local day. */
  readonly startedAt: Instant;
  /** Where it ends, for good; never when left out. */
  readonly endsAt?: Instant | undefined;
  readonly anchor: BillingAnchor;
  /** The zone it began in. */
  readonly timeZone: TimeZone;
  /** In order of time. */
  readonly zoneChanges?: readonly ZoneChange[];
}

/** Subscriptions begin with their local day, so that a customer's first usage of the day is theirs. */
export function subscriptionStart(at: Instant, timeZone: TimeZone): Instant {
  return startOfLocalDate(dateAt(calendarIn(timeZone), at), timeZone);
}

/** The zone in force at an instant. */
export function timeZoneAt(terms: PeriodTerms, at: Instant): TimeZone {
  return terms.zoneChanges?.findLast((change) => change.from <= at)?.timeZone ?? terms.timeZone;
}

/**
 * The dates of a subscription, changes of zone included. A boundary is a date first: one that comes after a change lies
 * where the new zone has it, so that a period in which the customer moved is some hours longer or shorter, and no
 * period is born or lost.
 */
export function calendarOf(terms: PeriodTerms): LocalCalendar {
  let calendar = calendarIn(terms.timeZone);
  for (const change of terms.zoneChanges ?? []) calendar = changedAt(calendar, change);
  return calendar;
}

function changedAt(before: LocalCalendar, { from, timeZone }: ZoneChange): LocalCalendar {
  const last = dateAt(before, from);
  return {
    startOf(date: LocalDate): Instant {
      if (date <= last) return before.startOf(date);
      const start = startOfLocalDate(date, timeZone);
      // From the westernmost zone to the easternmost, the next date has begun before this one did.
      return start < from ? from : start;
    },
  };
}

/**
 * The full period of an interval that holds an instant: from anchor to anchor, also where the subscription covers
 * only part of it. Undefined before the subscription and from its end on.
 */
export function servicePeriodAt(
  terms: PeriodTerms,
  interval: BillingInterval,
  at: Instant,
): Period | undefined {
  if (at < terms.startedAt || (terms.endsAt !== undefined && at >= terms.endsAt)) return undefined;
  return periodContaining(terms.anchor, interval, calendarOf(terms), at);
}

/** A hundred years of weeks. */
const periods_max = 5200;

/**
 * The full periods of an interval that share an instant with [from, to) and with the subscription, in order of time.
 * @throws RangeError for more than 5,200
 */
export function periodsOf(
  terms: PeriodTerms,
  interval: BillingInterval,
  from: Instant,
  to: Instant,
): readonly Period[] {
  const begin = Math.max(from, terms.startedAt) as Instant;
  const end = Math.min(to, terms.endsAt ?? to) as Instant;
  const calendar = calendarOf(terms);
  const periods: Period[] = [];
  for (let at = begin; at < end; ) {
    if (periods.length === periods_max) throw new RangeError(`more than ${periods_max} periods`);
    const period = periodContaining(terms.anchor, interval, calendar, at);
    periods.push(period);
    at = period.end;
  }
  return periods;
}

/** The part of a period that the subscription covers: the first and the last may be short. Undefined when it covers none. */
export function coveredPart(terms: PeriodTerms, period: Period): Period | undefined {
  const start = Math.max(period.start, terms.startedAt) as Instant;
  const end = Math.min(period.end, terms.endsAt ?? period.end) as Instant;
  return start < end ? { start, end } : undefined;
}

/** How many local dates lie in [from, to), both of which begin one: what flat fees are prorated by. */
export function localDaysIn(terms: PeriodTerms, { start, end }: Period): number {
  const calendar = calendarOf(terms);
  return dateAt(calendar, end) - dateAt(calendar, start);
}
