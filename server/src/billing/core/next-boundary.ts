import { dividesInto, type BillingInterval } from "../../kernel/billing-period.js";
import type { Instant } from "../../kernel/instant.js";
import { servicePeriodAt, type Period } from "./service-period.js";
import { addOnsAt, phaseAt, type Subscription } from "./subscription.js";

/** How often a subscription is billed at an instant: the smallest interval of its phase and its add-ons. */
export function gridAt(subscription: Subscription, at: Instant): BillingInterval | undefined {
  const phase = phaseAt(subscription, at);
  if (phase === undefined) return undefined;
  return addOnsAt(subscription, at)
    .map((addOn) => addOn.interval)
    .reduce((least, next) => (dividesInto(next, least) ? next : least), phase.interval);
}

/**
 * The next instant after `after` at which a subscription has something to bill: its start, a boundary of the grid that
 * is in force up to it or from it on, the end of the trial, its end. Undefined after the last. What is due there
 * depends on nothing but the subscription as it is; ask again after a change.
 */
export function nextBoundary(subscription: Subscription, after: Instant): Instant | undefined {
  const { startedAt, trialEnd, endsAt } = subscription;
  if (after < startedAt) return startedAt;
  if (endsAt !== undefined && after >= endsAt) return undefined;
  const others = [trialEnd, endsAt].filter((at): at is Instant => at !== undefined && at > after);
  return Math.min(nextOfGrid(subscription, after), ...others) as Instant;
}

/** The span between two boundaries of the grid that holds an instant, cut to the subscription: what one invoice is for. */
export function billingPeriodAt(subscription: Subscription, at: Instant): Period | undefined {
  if (servicePeriodAt(subscription, "year", at) === undefined) return undefined;
  const end = nextOfGrid(subscription, at);
  // Grids change where phases and add-ons begin and end, so what was the last boundary is found by walking to it.
  let start = subscription.startedAt;
  const interval = gridAt(subscription, at) ?? "year";
  const near = servicePeriodAt(subscription, interval, at)?.start ?? start;
  if (near > start) start = lastBoundaryFrom(subscription, near, at);
  return { start, end: Math.min(end, subscription.endsAt ?? end) as Instant };
}

function lastBoundaryFrom(subscription: Subscription, near: Instant, at: Instant): Instant {
  let start = near;
  for (let next = nextOfGrid(subscription, start); next <= at; next = nextOfGrid(subscription, start)) start = next;
  return start;
}

/** The first boundary after an instant of a grid that is in force up to it or from it on. */
function nextOfGrid(subscription: Subscription, after: Instant): Instant {
  // The grid changes only where something begins or ends; between two such instants it is one interval's.
  const changes = changesOfGrid(subscription).filter((at) => at > after);
  let at = after;
  for (const change of [...changes, undefined]) {
    const interval = gridAt(subscription, at);
    const boundary = interval === undefined ? undefined : endOf(subscription, interval, at);
    if (boundary !== undefined && (change === undefined || boundary <= change)) return boundary;
    if (change === undefined) break;
    const next = gridAt(subscription, change);
    if (next !== undefined && servicePeriodAt(subscription, next, change)?.start === change) return change;
    at = change;
  }
  return subscription.endsAt ?? (Number.POSITIVE_INFINITY as Instant);
}

function endOf(subscription: Subscription, interval: BillingInterval, at: Instant): Instant | undefined {
  return servicePeriodAt(subscription, interval, at)?.end;
}

function changesOfGrid({ schedule, addOns }: Subscription): Instant[] {
  const instants = [...schedule, ...addOns].flatMap(({ from, to }) => [from, ...(to === undefined ? [] : [to])]);
  return [...new Set(instants)].sort((a, b) => a - b);
}
