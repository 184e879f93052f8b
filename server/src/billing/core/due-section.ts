import type { Instant } from "../../kernel/instant.js";
import { chargedSpan } from "./contract.js";
import { billingPeriodAt } from "./next-boundary.js";
import type { SectionKind } from "./section.js";
import type { Period } from "./service-period.js";
import type { Subscription } from "./subscription.js";

/** Which section of a subscription: there is one of each kind and period. */
export interface SectionOrder {
  readonly kind: SectionKind;
  /** Of a period section the billing period; of the others an instant: both ends are the same. */
  readonly period: Period;
}

/** In which order sections that end at one instant follow one another. */
export const section_ranks: Readonly<Record<SectionKind, number>> = {
  start: 0,
  threshold: 1,
  period: 2,
  closing: 3,
};

/**
 * What a subscription has to bill at one of its boundaries: the billing period that ends there, or what is due when
 * charging begins. Undefined where neither is, as at the start of a trial.
 */
export function dueSection(subscription: Subscription, boundary: Instant): SectionOrder | undefined {
  const ending = billingPeriodAt(subscription, (boundary - 1) as Instant);
  if (ending?.end === boundary) return { kind: "period", period: ending };
  if (chargedSpan(subscription)?.from !== boundary) return undefined;
  return { kind: "start", period: { start: boundary, end: boundary } };
}

/**
 * After which instant a subscription's boundaries are billed by themselves. One that began before Weir knew of it is
 * billed from its present period on; what was before is billed when somebody asks for it.
 */
export function scheduledAfter(subscription: Subscription): Instant {
  const { startedAt, endsAt, createdAt } = subscription;
  const present = billingPeriodAt(subscription, createdAt);
  if (present !== undefined && present.start > startedAt) return present.start;
  if (present === undefined && endsAt !== undefined && endsAt <= createdAt) return endsAt;
  return (startedAt - 1) as Instant;
}

/** A section's period by the subscription as it is now: a cancellation may have ended it before the section's end. */
export function currentPeriod(subscription: Subscription, { kind, period }: SectionOrder): Period {
  if (kind !== "period") return period;
  const now = billingPeriodAt(subscription, period.start);
  return now?.start === period.start && now.end < period.end ? now : period;
}
