import type { AddOnVersion, Coupon, PlanVersion } from "../../catalog/core/index.js";
import type { AddOnVersionId, CouponId, PlanVersionId } from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";
import type { Redemption, SchedulePhase, SubscribedAddOn, Subscription } from "./subscription.js";

/** A subscription with all that it names: what its charges follow from, besides usage. */
export interface Contract {
  readonly subscription: Subscription;
  readonly planVersions: ReadonlyMap<PlanVersionId, PlanVersion>;
  readonly addOnVersions: ReadonlyMap<AddOnVersionId, AddOnVersion>;
  readonly coupons: ReadonlyMap<CouponId, Coupon>;
}

/** Half-open; without an end it is open. */
export interface OpenSpan {
  readonly from: Instant;
  readonly to: Instant | undefined;
}

/** What anything is charged for: from the end of the trial, or the start, to the end of the subscription. */
export function chargedSpan({ startedAt, trialEnd, endsAt }: Subscription): OpenSpan | undefined {
  const from = trialEnd !== undefined && trialEnd > startedAt ? trialEnd : startedAt;
  return endsAt !== undefined && endsAt <= from ? undefined : { from, to: endsAt };
}

/** What two spans share. */
export function overlap(one: OpenSpan, other: OpenSpan): OpenSpan | undefined {
  const from = one.from > other.from ? one.from : other.from;
  const to = one.to === undefined || (other.to !== undefined && other.to < one.to) ? other.to : one.to;
  return to !== undefined && to <= from ? undefined : { from, to };
}

/** @throws RangeError when the version was not loaded with the contract */
export function planOf(contract: Contract, { planVersion }: Pick<SchedulePhase, "planVersion">): PlanVersion {
  return contract.planVersions.get(planVersion) ?? missing("plan version", planVersion);
}

/** @throws RangeError when the version was not loaded with the contract */
export function addOnOf(contract: Contract, { addOnVersion }: SubscribedAddOn): AddOnVersion {
  return contract.addOnVersions.get(addOnVersion) ?? missing("add-on version", addOnVersion);
}

/** @throws RangeError when the coupon was not loaded with the contract */
export function couponOf(contract: Contract, { coupon }: Redemption): Coupon {
  return contract.coupons.get(coupon) ?? missing("coupon", coupon);
}

function missing(what: string, id: string): never {
  throw new RangeError(`${what} ${id} of the subscription is not loaded`);
}
