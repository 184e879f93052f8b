import type { Instant } from "../../kernel/instant.js";
import { addDays, dateAt } from "../../kernel/local-date.js";
import { billingPeriodAt } from "./next-boundary.js";
import { calendarOf, type PeriodTerms } from "./service-period.js";
import type { Subscription } from "./subscription.js";

/** When a change is to take effect: today, at the end of the billing period, or on the local day of an instant. */
export type When =
  | { readonly kind: "now" }
  | { readonly kind: "period_end" }
  | { readonly kind: "at"; readonly at: Instant };

/** The first instant of the local day from which something is to hold. Before the subscription, its start. */
export function effectiveFrom(subscription: Subscription, when: When, now: Instant): Instant {
  switch (when.kind) {
    case "now":
      return startOfDay(subscription, latest(now, subscription.startedAt));
    case "at":
      return startOfDay(subscription, when.at);
    case "period_end":
      return periodEnd(subscription, now);
  }
}

/** The first instant after the last local day for which something holds: the day of termination is included. */
export function effectiveUntil(subscription: Subscription, when: When, now: Instant): Instant {
  switch (when.kind) {
    case "now":
      return now < subscription.startedAt ? subscription.startedAt : startOfNextDay(subscription, now);
    case "at":
      return when.at < subscription.startedAt
        ? subscription.startedAt
        : startOfNextDay(subscription, when.at);
    case "period_end":
      return periodEnd(subscription, now);
  }
}

/** The end of the billing period that holds `now`; of the first before the start, of the last after the end. */
export function periodEnd(subscription: Subscription, now: Instant): Instant {
  // A cancellation cuts the period; what is asked for is where it would have ended.
  const running: Subscription = { ...subscription, endsAt: undefined };
  const at = latest(now, subscription.startedAt);
  return billingPeriodAt(running, at)?.end ?? at;
}

export function startOfDay(terms: PeriodTerms, at: Instant): Instant {
  const calendar = calendarOf(terms);
  return calendar.startOf(dateAt(calendar, at));
}

function startOfNextDay(terms: PeriodTerms, at: Instant): Instant {
  const calendar = calendarOf(terms);
  return calendar.startOf(addDays(dateAt(calendar, at), 1));
}

function latest(one: Instant, other: Instant): Instant {
  return one > other ? one : other;
}
