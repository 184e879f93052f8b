import { smallestInterval, type BillingInterval } from "../../catalog/core/index.js";
import type { Instant } from "../../kernel/instant.js";
import { servicePeriodAt, type Period } from "./service-period.js";
import { addOnsAt, phaseAt, type Subscription } from "./subscription.js";

/** How often a subscription is billed at an instant: the smallest interval of its phase and its add-ons. */
export function gridAt(subscription: Subscription, at: Instant): BillingInterval | undefined {
  const phase = phaseAt(subscription, at);
  if (phase === undefined) return undefined;
  return smallestInterval([phase.interval, ...addOnsAt(subscription, at).map((addOn) => addOn.interval)]);
}

/**
 * The next instant after `after` at which a subscription has something to bill: its start, a boundary of the grid that
 * is in force up to it or from it on, the end of the trial, its end. Undefined after the last. What is due there
 * depends on nothing but the subscription as it is: ask again after a change.
 */
export function nextBoundary(subscription: Subscription, after: Instant): Instant | undefined {
  const { startedAt, trialEnd, endsAt } = subscription;
  if (after < startedAt) return startedAt;
  if (endsAt !== undefined && after >= endsAt) return undefined;
  const candidates = [trialEnd, endsAt, nextOfGrid(subscription, after)];
  const later = candidates.filter((at): at is Instant => at !== undefined && at > after);
  return later.length === 0 ? undefined : (Math.min(...later) as Instant);
}

/**
 * The span between two boundaries of the grid that holds an instant, cut to the subscription: what one invoice is
 * for. Undefined before the subscription and from its end on. The spans tile it; the end of a trial cuts none.
 */
export function billingPeriodAt(subscription: Subscription, at: Instant): Period | undefined {
  if (gridAt(subscription, at) === undefined) return undefined;
  const end = nextOfGrid(subscription, at) ?? subscription.endsAt;
  if (end === undefined) return undefined;
  return {
    start: lastOfGrid(subscription, at),
    end: Math.min(end, subscription.endsAt ?? end) as Instant,
  };
}

/** The first boundary after an instant of a grid that is in force up to it or from it on. */
function nextOfGrid(subscription: Subscription, after: Instant): Instant | undefined {
  // The grid changes only where something begins or ends; between two such instants it is one interval's.
  let at = after;
  for (const change of [...changesOfGrid(subscription), undefined]) {
    if (change !== undefined && change <= after) continue;
    const period = gridPeriodAt(subscription, at);
    if (period !== undefined && (change === undefined || period.end <= change)) return period.end;
    if (change === undefined) return undefined;
    if (gridPeriodAt(subscription, change)?.start === change) return change;
    at = change;
  }
  return undefined;
}

/** The last boundary at or before an instant of a grid that is in force up to it or from it on; at least the start. */
function lastOfGrid(subscription: Subscription, at: Instant): Instant {
  let until = at;
  for (const change of changesOfGrid(subscription).reverse()) {
    if (change > until) continue;
    const start = gridPeriodAt(subscription, until)?.start;
    if (start !== undefined && start >= change) return start;
    const before = (change - 1) as Instant;
    if (gridPeriodAt(subscription, before)?.end === change) return change;
    until = before;
  }
  return subscription.startedAt;
}

function gridPeriodAt(subscription: Subscription, at: Instant): Period | undefined {
  const interval = gridAt(subscription, at);
  return interval === undefined ? undefined : servicePeriodAt(subscription, interval, at);
}

function changesOfGrid({ schedule, addOns }: Subscription): Instant[] {
  const instants = new Set<Instant>();
  for (const { from, to } of [...schedule, ...addOns]) {
    instants.add(from);
    if (to !== undefined) instants.add(to);
  }
  return [...instants].sort((a, b) => a - b);
}
