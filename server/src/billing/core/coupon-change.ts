import type { Coupon } from "../../catalog/core/index.js";
import type { CouponId } from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";
import { addMonths, dateAt } from "../../kernel/local-date.js";
import { err, ok } from "../../kernel/result.js";
import type { Changed } from "./change-refusal.js";
import { periodEnd } from "./effective-at.js";
import { billingPeriodAt } from "./next-boundary.js";
import { calendarOf } from "./service-period.js";
import type { Subscription } from "./subscription.js";
import { outside } from "./subscription-change.js";

export const coupons_max = 100;

/**
 * Redeems a coupon for whole billing periods: from the one that holds `at` on, for that one, for so many months, or
 * for good. A short first period counts as a month.
 */
export function redeemCoupon(
  subscription: Subscription,
  coupon: Pick<Coupon, "id" | "duration">,
  at: Instant,
  invoicedUntil: Instant | undefined,
): Changed {
  const from = billingPeriodAt(subscription, at)?.start ?? at;
  const refused = outside(subscription, from, invoicedUntil);
  if (refused !== undefined) return err(refused);
  const to = endOf(subscription, coupon, from);
  const other = subscription.coupons.find(
    (one) =>
      one.coupon === coupon.id &&
      (to === undefined || one.from < to) &&
      (one.to === undefined || from < one.to),
  );
  if (other !== undefined) return err({ kind: "coupon_redeemed", from: other.from, to: other.to });
  if (subscription.coupons.length >= coupons_max)
    return err({ kind: "too_many", what: "coupons", max: coupons_max });
  return ok({ ...subscription, coupons: [...subscription.coupons, { coupon: coupon.id, from, to }] });
}

/** Takes a coupon off from the next billing period on; one that has not begun was never redeemed. */
export function removeCoupon(subscription: Subscription, coupon: CouponId, now: Instant): Changed {
  const until = periodEnd(subscription, now);
  const found = subscription.coupons.find(
    (one) => one.coupon === coupon && (one.to === undefined || one.to > now),
  );
  if (found === undefined) return err({ kind: "coupon_not_redeemed" });
  const coupons = subscription.coupons.flatMap((one) => {
    if (one !== found) return [one];
    if (one.from >= until || now < subscription.startedAt) return [];
    return [{ ...one, to: one.to !== undefined && one.to < until ? one.to : until }];
  });
  return ok({ ...subscription, coupons });
}

function endOf(
  subscription: Subscription,
  coupon: Pick<Coupon, "duration">,
  from: Instant,
): Instant | undefined {
  const { duration } = coupon;
  if (duration.kind === "forever") return undefined;
  const first = periodEnd(subscription, from);
  if (duration.kind === "once") return first;
  const calendar = calendarOf(subscription);
  const limit = calendar.startOf(addMonths(dateAt(calendar, from), duration.months));
  const running: Subscription = { ...subscription, endsAt: undefined };
  const last = billingPeriodAt(running, limit)?.start ?? first;
  return last > from ? last : first;
}
