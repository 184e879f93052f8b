import type { BillingAnchor, BillingInterval } from "../../kernel/billing-period.js";
import type { Currency } from "../../kernel/currency.js";
import type { Decimal } from "../../kernel/decimal.js";
import type {
  AddOnVersionId,
  CouponId,
  CustomerId,
  PlanVersionId,
  SubscribedAddOnId,
  SubscriptionId,
} from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";
import type { TimeZone } from "../../kernel/time-zone.js";
import type { AnyPriceModel } from "../../rating/core/index.js";
import type { PeriodTerms, ZoneChange } from "./service-period.js";

/**
 * A customer on plans over time: a value that changes only by the functions beside it, each of which gives another one
 * that differs from an instant on and is the same before it. All instants in it are first instants of local days.
 */
export interface Subscription extends PeriodTerms {
  readonly id: SubscriptionId;
  readonly customer: CustomerId;
  /** Who pays: the customer itself without a payer of its own. */
  readonly payer: CustomerId;
  readonly currency: Currency;
  readonly anchor: BillingAnchor;
  /** The payer's zone when it began; see `timeZoneAt`. */
  readonly timeZone: TimeZone;
  readonly zoneChanges: readonly ZoneChange[];
  readonly startedAt: Instant;
  /** Until then nothing is charged for the plan: neither fees nor usage. */
  readonly trialEnd: Instant | undefined;
  /** Where it ends by cancellation, now or in the future; the day of termination is included. */
  readonly endsAt: Instant | undefined;
  /** When it was canceled. */
  readonly canceledAt: Instant | undefined;
  /** Tiles time from `startedAt` on, in order; the last phase is open. `phasesOf` cuts it to `endsAt`. */
  readonly schedule: readonly SchedulePhase[];
  /** By price and time. */
  readonly quantities: readonly QuantityChange[];
  readonly addOns: readonly SubscribedAddOn[];
  readonly coupons: readonly Redemption[];
  readonly createdAt: Instant;
}

export interface SchedulePhase {
  readonly from: Instant;
  readonly to: Instant | undefined;
  readonly planVersion: PlanVersionId;
  /** The key of the plan's phase; undefined for a plan without. */
  readonly phase: string | undefined;
  /** The smallest interval of the prices that are in it: how often it is billed. */
  readonly interval: BillingInterval;
  /** Models that stand in for the plan's, by price key. */
  readonly overrides: Readonly<Record<string, AnyPriceModel>>;
}

/** A licensed quantity from an instant on, until the next change of the same price. */
export interface QuantityChange {
  readonly priceKey: string;
  readonly at: Instant;
  readonly quantity: Decimal;
}

export interface SubscribedAddOn {
  readonly id: SubscribedAddOnId;
  readonly addOnVersion: AddOnVersionId;
  readonly from: Instant;
  readonly to: Instant | undefined;
  readonly quantity: Decimal;
  /** The smallest interval of its prices. */
  readonly interval: BillingInterval;
}

/** A coupon that counts for what is served in [from, to). */
export interface Redemption {
  readonly coupon: CouponId;
  readonly from: Instant;
  readonly to: Instant | undefined;
}

/** The phase that an instant falls into; undefined before the start and from the end on. */
export function phaseAt(subscription: Subscription, at: Instant): SchedulePhase | undefined {
  if (subscription.endsAt !== undefined && at >= subscription.endsAt) return undefined;
  return subscription.schedule.find((phase) => phase.from <= at && (phase.to === undefined || at < phase.to));
}

/** The licensed quantity of a price at an instant; undefined before it was ever given. */
export function quantityAt(
  subscription: Pick<Subscription, "quantities">,
  priceKey: string,
  at: Instant,
): Decimal | undefined {
  let found: QuantityChange | undefined;
  for (const change of subscription.quantities)
    if (change.priceKey === priceKey && change.at <= at && (found === undefined || change.at > found.at))
      found = change;
  return found?.quantity;
}

export function addOnsAt(subscription: Subscription, at: Instant): readonly SubscribedAddOn[] {
  if (subscription.endsAt !== undefined && at >= subscription.endsAt) return [];
  return subscription.addOns.filter((addOn) => addOn.from <= at && (addOn.to === undefined || at < addOn.to));
}

export type SubscriptionStatus = "scheduled" | "trialing" | "active" | "canceled" | "ended";

/** `canceled` still runs, and is to end. */
export function statusAt(
  subscription: Pick<Subscription, "startedAt" | "trialEnd" | "endsAt">,
  now: Instant,
): SubscriptionStatus {
  const { startedAt, trialEnd, endsAt } = subscription;
  if (endsAt !== undefined && now >= endsAt) return "ended";
  if (now < startedAt) return "scheduled";
  if (endsAt !== undefined) return "canceled";
  return trialEnd !== undefined && now < trialEnd ? "trialing" : "active";
}
