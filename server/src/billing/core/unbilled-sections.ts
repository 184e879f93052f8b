import type { Instant } from "../../kernel/instant.js";
import { dueSection, scheduledAfter, type SectionOrder } from "./due-section.js";
import { billingPeriodAt, nextBoundary } from "./next-boundary.js";
import type { Subscription } from "./subscription.js";

/** Boundaries whose run is late that are looked at: three years of months. */
const boundaries_max = 36;

/**
 * What a subscription has to bill that no run has come to: the periods that have ended since, and the one that runs at an
 * instant. What is due when charging begins is part of the first period.
 *
 * @param doneUntil  the boundaries up to here have had their turn; undefined before the first
 */
export function unbilledSections(
  subscription: Subscription,
  doneUntil: Instant | undefined,
  now: Instant,
): SectionOrder[] {
  const sections: SectionOrder[] = [];
  let boundary = nextBoundary(subscription, doneUntil ?? scheduledAfter(subscription));
  for (let count = 0; count < boundaries_max && boundary !== undefined && boundary <= now; count += 1) {
    const section = dueSection(subscription, boundary);
    if (section?.kind === "period") sections.push(section);
    boundary = nextBoundary(subscription, boundary);
  }
  const running = billingPeriodAt(subscription, now);
  return running === undefined ? sections : [...sections, { kind: "period", period: running }];
}
