import { Decimal } from "../../kernel/decimal.js";
import { day, type Instant } from "../../kernel/instant.js";
import { err, ok, type Result } from "../../kernel/result.js";
import type { Changed, ChangeRefusal } from "./change-refusal.js";
import { cutSchedule, planPhases, pricesIn, type ScheduledPlan } from "./schedule.js";
import {
  phaseAt,
  quantityAt,
  type QuantityChange,
  type SchedulePhase,
  type Subscription,
} from "./subscription.js";

// Each function takes the instant from which the change holds, the first of a local day (`effectiveFrom`,
// `effectiveUntil`), and up to where finalized invoices have closed the subscription's time. What was before that
// instant is never touched.

export const schedule_phases_max = 200;
export const quantity_changes_max = 10_000;
/**
 * How far back a quantity may be changed over invoiced time: the charge of its period stays the same charge, so that
 * its target is computed anew and the next invoice takes the difference. A plan, an add-on or an end would make other
 * charges out of a period that is closed.
 */
export const quantity_correction_days_max = 35;

export interface PlanChange {
  readonly at: Instant;
  readonly plan: ScheduledPlan;
  readonly overrides?: SchedulePhase["overrides"];
  /** Licensed quantities by price key; what is left out stays as it is under the same key, or is 1. */
  readonly quantities?: Readonly<Record<string, Decimal>>;
}

/** Upgrade or downgrade: the schedule is cut at an instant and goes on with another plan's phases. */
export function changePlan(
  subscription: Subscription,
  change: PlanChange,
  invoicedUntil: Instant | undefined,
): Changed {
  const { at, plan, overrides = {}, quantities = {} } = change;
  const refused = outside(subscription, at, invoicedUntil);
  if (refused !== undefined) return err(refused);
  const { trialEnd } = subscription;
  const countedFrom = trialEnd !== undefined && trialEnd > at ? trialEnd : at;
  const schedule = [
    ...cutSchedule(subscription.schedule, at),
    ...planPhases(subscription, plan, at, { countedFrom, overrides }),
  ];
  if (schedule.length > schedule_phases_max)
    return err({ kind: "too_many", what: "phases", max: schedule_phases_max });
  const licensed = startQuantities(plan, at, quantities, subscription);
  if (!licensed.ok) return licensed;
  // What was scheduled for later belonged to the plan that is left.
  const kept = subscription.quantities.filter((one) => one.at < at);
  return ok({ ...subscription, schedule, quantities: inOrder([...kept, ...licensed.value]) });
}

/** The quantities that a plan's licensed prices begin with. */
export function startQuantities(
  plan: ScheduledPlan,
  at: Instant,
  given: Readonly<Record<string, Decimal>>,
  before?: Pick<Subscription, "quantities">,
): Result<QuantityChange[], ChangeRefusal> {
  const known = plan.prices.filter((price) => price.charge === "licensed").map((price) => price.key);
  for (const [priceKey, quantity] of Object.entries(given)) {
    if (!known.includes(priceKey)) return err({ kind: "unknown_price", priceKey, known });
    if (!isQuantity(quantity)) return err({ kind: "bad_quantity", priceKey, quantity: quantity.toString() });
  }
  const value = known.map((priceKey) => {
    const quantity =
      (Object.hasOwn(given, priceKey) ? given[priceKey] : undefined) ??
      (before === undefined ? undefined : quantityAt(before, priceKey, at));
    return { priceKey, at, quantity: quantity ?? Decimal.one };
  });
  return ok(value);
}

/**
 * Another licensed quantity from an instant on, until the next change of plan. Allowed over invoiced time for 35 days.
 * @param plan  the one in force then
 */
export function changeQuantity(
  subscription: Subscription,
  change: { readonly at: Instant; readonly priceKey: string; readonly quantity: Decimal },
  plan: ScheduledPlan,
  limits: { readonly invoicedUntil: Instant | undefined; readonly now: Instant },
): Changed {
  const { at, priceKey, quantity } = change;
  const correctable = (limits.now - quantity_correction_days_max * day) as Instant;
  const { invoicedUntil } = limits;
  const closed = invoicedUntil === undefined || invoicedUntil < correctable ? invoicedUntil : correctable;
  const refused = outside(subscription, at, closed);
  if (refused !== undefined) return err(refused);
  const phase = phaseAt(subscription, at);
  const known = pricesIn(plan, phase?.phase)
    .filter((price) => price.charge === "licensed")
    .map((price) => price.key);
  if (!known.includes(priceKey)) return err({ kind: "unknown_price", priceKey, known });
  if (!isQuantity(quantity)) return err({ kind: "bad_quantity", priceKey, quantity: quantity.toString() });
  const nextPlan = subscription.schedule.find(
    (one) => one.from > at && one.planVersion !== phase?.planVersion,
  );
  const kept = subscription.quantities.filter(
    (one) => one.priceKey !== priceKey || one.at < at || (nextPlan !== undefined && one.at >= nextPlan.from),
  );
  if (kept.length >= quantity_changes_max)
    return err({ kind: "too_many", what: "quantity changes", max: quantity_changes_max });
  return ok({ ...subscription, quantities: inOrder([...kept, { priceKey, at, quantity }]) });
}

/** Ends the subscription at an instant, the first that is not in it any more; again, at another one. */
export function cancel(
  subscription: Subscription,
  change: { readonly endsAt: Instant },
  limits: { readonly invoicedUntil: Instant | undefined; readonly now: Instant },
): Changed {
  const { endsAt } = change;
  const { invoicedUntil, now } = limits;
  if (subscription.endsAt !== undefined && subscription.endsAt <= now)
    return err({ kind: "after_end", at: endsAt, endsAt: subscription.endsAt });
  if (invoicedUntil !== undefined && endsAt < invoicedUntil)
    return err({ kind: "already_invoiced", at: endsAt, from: invoicedUntil });
  return ok({ ...subscription, endsAt, canceledAt: now });
}

/** Takes a cancellation back that has not taken effect. */
export function uncancel(subscription: Subscription, now: Instant): Changed {
  const { endsAt } = subscription;
  if (endsAt === undefined) return err({ kind: "not_canceled" });
  if (endsAt <= now) return err({ kind: "after_end", at: now, endsAt });
  return ok({ ...subscription, endsAt: undefined, canceledAt: undefined });
}

/** Why nothing can begin or end at an instant; undefined when it can. */
export function outside(
  subscription: Subscription,
  at: Instant,
  invoicedUntil: Instant | undefined,
): ChangeRefusal | undefined {
  const { startedAt, endsAt } = subscription;
  if (at < startedAt) return { kind: "before_start", at, startedAt };
  if (endsAt !== undefined && at >= endsAt) return { kind: "after_end", at, endsAt };
  if (invoicedUntil !== undefined && at < invoicedUntil)
    return { kind: "already_invoiced", at, from: invoicedUntil };
  return undefined;
}

const quantity_max = Decimal.of("1000000000000");

/** From 0 to 10^12, with at most 12 decimals. */
export function isQuantity(quantity: Decimal): boolean {
  return (
    !quantity.isNegative() &&
    quantity.compare(quantity_max) <= 0 &&
    quantity.round(12, "down").equals(quantity)
  );
}

function inOrder(quantities: QuantityChange[]): QuantityChange[] {
  return quantities.sort((a, b) =>
    a.priceKey === b.priceKey ? a.at - b.at : a.priceKey < b.priceKey ? -1 : 1,
  );
}
