import { smallestInterval, type PlanVersion } from "../../catalog/core/index.js";
import type { Instant } from "../../kernel/instant.js";
import { addDays, addMonths, dateAt } from "../../kernel/local-date.js";
import { calendarOf, type PeriodTerms } from "./service-period.js";
import type { SchedulePhase, Subscription } from "./subscription.js";

/** What a schedule is made from; a plan version has more. */
export type ScheduledPlan = Pick<PlanVersion, "id" | "interval" | "phases" | "prices">;

/**
 * A plan's phases as dates, from an instant on. Lengths are counted in local days or months from `countedFrom`, which
 * is the end of the trial when there is one, so that a ramp's cheap months are months that are paid.
 */
export function planPhases(
  terms: PeriodTerms,
  plan: ScheduledPlan,
  from: Instant,
  options: { readonly countedFrom?: Instant; readonly overrides?: SchedulePhase["overrides"] } = {},
): SchedulePhase[] {
  const { countedFrom = from, overrides = {} } = options;
  const named = { planVersion: plan.id, overrides };
  if (plan.phases.length === 0)
    return [{ ...named, from, to: undefined, phase: undefined, interval: gridOf(plan, undefined) }];
  const calendar = calendarOf(terms);
  const phases: SchedulePhase[] = [];
  let begins = from;
  let counted = dateAt(calendar, countedFrom);
  for (const { key, lasts } of plan.phases) {
    if (lasts !== undefined)
      counted = lasts.unit === "day" ? addDays(counted, lasts.count) : addMonths(counted, lasts.count);
    const to = lasts === undefined ? undefined : calendar.startOf(counted);
    // A day that the zone skipped is no phase.
    if (to !== undefined && to <= begins) continue;
    phases.push({ ...named, from: begins, to, phase: key, interval: gridOf(plan, key) });
    if (to === undefined) break;
    begins = to;
  }
  return phases;
}

/** The smallest interval of the prices that are in a phase; the plan's without any. */
function gridOf(plan: ScheduledPlan, phase: string | undefined) {
  const prices = pricesIn(plan, phase);
  return smallestInterval(prices.length === 0 ? [plan.interval] : prices.map((price) => price.interval));
}

/** What of a schedule lies before an instant. */
export function cutSchedule(schedule: readonly SchedulePhase[], at: Instant): SchedulePhase[] {
  return schedule
    .filter((phase) => phase.from < at)
    .map((phase) => (phase.to === undefined || phase.to > at ? { ...phase, to: at } : phase));
}

/** The schedule up to the subscription's end: tiles [startedAt, endsAt). */
export function phasesOf(subscription: Pick<Subscription, "schedule" | "endsAt">): readonly SchedulePhase[] {
  const { schedule, endsAt } = subscription;
  return endsAt === undefined ? schedule : cutSchedule(schedule, endsAt);
}

/** The prices of a plan version that are in a phase of it. */
export function pricesIn<P extends { readonly phases: readonly string[] | undefined }>(
  plan: { readonly prices: readonly P[] },
  phase: string | undefined,
): readonly P[] {
  return plan.prices.filter(
    (price) => price.phases === undefined || (phase !== undefined && price.phases.includes(phase)),
  );
}
