import type { Instant } from "../../kernel/instant.js";
import { dateAt } from "../../kernel/local-date.js";
import type { TimeZone } from "../../kernel/time-zone.js";
import { periodEnd } from "./effective-at.js";
import { calendarOf, timeZoneAt } from "./service-period.js";
import type { Subscription } from "./subscription.js";

/**
 * The subscription in another zone from the next billing period on. What is scheduled for later keeps its date, and so
 * moves to that date's beginning in the new zone.
 */
export function changeZone(subscription: Subscription, timeZone: TimeZone, now: Instant): Subscription {
  const from = periodEnd(subscription, now);
  const earlier = subscription.zoneChanges.filter((change) => change.from < from);
  const settled: Subscription = { ...subscription, zoneChanges: earlier };
  const zoneChanges = timeZoneAt(settled, from) === timeZone ? earlier : [...earlier, { from, timeZone }];
  const changed: Subscription = { ...subscription, zoneChanges };
  const before = calendarOf(subscription);
  const after = calendarOf(changed);
  const moved = (at: Instant): Instant => (at <= from ? at : after.startOf(dateAt(before, at)));
  const movedEnd = (at: Instant | undefined) => (at === undefined ? undefined : moved(at));
  return {
    ...changed,
    trialEnd: movedEnd(subscription.trialEnd),
    endsAt: movedEnd(subscription.endsAt),
    schedule: subscription.schedule.map((one) => ({ ...one, from: moved(one.from), to: movedEnd(one.to) })),
    quantities: subscription.quantities.map((one) => ({ ...one, at: moved(one.at) })),
    addOns: subscription.addOns.map((one) => ({ ...one, from: moved(one.from), to: movedEnd(one.to) })),
    coupons: subscription.coupons.map((one) => ({ ...one, from: moved(one.from), to: movedEnd(one.to) })),
  };
}
