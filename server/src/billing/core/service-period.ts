import { periodContaining } from "../../kernel/billing-period.js";
import { startOfLocalDay, type TimeZone } from "../../kernel/time-zone.js";
import type { Instant } from "../../kernel/instant.js";

/** A half-open span of time: `start` belongs to it, `end` to the next. */
export interface Period {
  readonly start: Instant;
  readonly end: Instant;
}

/** What decides a subscription's periods. */
export interface PeriodTerms {
  /** The first instant of a local day. */
  readonly startedAt: Instant;
  /** Day of the month that periods begin on, 1 to 31; months without it begin on their last day. */
  readonly anchorDay: number;
  readonly timeZone: TimeZone;
}

/** Subscriptions begin with their local day, so that a customer's first usage of the day is theirs. */
export function subscriptionStart(at: Instant, timeZone: TimeZone): Instant {
  return startOfLocalDay(at, timeZone);
}

/**
 * The billing period that an instant falls into, or undefined before the subscription. The first period begins with the
 * subscription and ends at the anchor, so it may be short; all others run from anchor to anchor. Consecutive
 * periods leave no gap and share no instant.
 */
export function servicePeriodAt(terms: PeriodTerms, at: Instant): Period | undefined {
  if (at < terms.startedAt) return undefined;
  let { start, end } = anchoredPeriod(terms, at);
  // Clocks that go back over midnight repeat the end of the day before: an instant of the repeated hour has the old
  // date but lies behind the new day's first instant (St. John's, 1 November 2009, 00:01).
  if (at >= end) ({ start, end } = anchoredPeriod(terms, end));
  return { start: start < terms.startedAt ? terms.startedAt : start, end };
}

function anchoredPeriod(terms: PeriodTerms, at: Instant): Period {
  return periodContaining({ day: terms.anchorDay }, "month", terms.timeZone, at);
}
