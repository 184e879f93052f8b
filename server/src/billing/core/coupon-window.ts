import type { Price } from "../../catalog/core/index.js";
import type { Coupon } from "../../catalog/core/index.js";
import type { Decimal } from "../../kernel/decimal.js";
import type { Instant } from "../../kernel/instant.js";
import { addMonths, dateAt } from "../../kernel/local-date.js";
import { couponOf, overlap, type Contract, type OpenSpan } from "./contract.js";
import { billingPeriodAt } from "./next-boundary.js";
import { calendarOf } from "./service-period.js";
import type { Redemption, Subscription } from "./subscription.js";

/** The first instant of the local date so many months later; of the month's last when there is no such day. */
export function plusMonths(subscription: Subscription, at: Instant, months: number): Instant {
  const calendar = calendarOf(subscription);
  return calendar.startOf(addMonths(dateAt(calendar, at), months));
}

/**
 * Where what is served begins that a redeemed coupon takes something off: from the billing period that holds the
 * redemption, for that one, for so many months, or for good.
 */
export function couponWindow(
  subscription: Subscription,
  coupon: Coupon,
  redemption: Redemption,
): OpenSpan | undefined {
  const { startedAt } = subscription;
  const at = redemption.from < startedAt ? startedAt : redemption.from;
  const period = billingPeriodAt(subscription, at);
  if (period === undefined) return undefined;
  const { duration } = coupon;
  const to =
    duration.kind === "once"
      ? period.end
      : duration.kind === "months"
        ? plusMonths(subscription, period.start, duration.months)
        : undefined;
  return overlap({ from: period.start, to }, { from: period.start, to: redemption.to });
}

/** Whether a price is among those that a coupon takes something off: by its key, or by its product's. */
export function isInScope(coupon: Coupon, price: Pick<Price, "key" | "product">): boolean {
  if (coupon.appliesTo === undefined) return true;
  const { prices = [], products = [] } = coupon.appliesTo;
  return prices.includes(price.key) || (price.product !== undefined && products.includes(price.product.key));
}

/** What percentages coupons take off what is served from an instant on, in the order in which they were redeemed. */
export function percentsOff(
  contract: Contract,
  price: Pick<Price, "key" | "product">,
  start: Instant,
): Decimal[] {
  return contract.subscription.coupons.flatMap((redemption) => {
    const coupon = couponOf(contract, redemption);
    if (coupon.off.kind !== "percent" || !isInScope(coupon, price)) return [];
    const window = couponWindow(contract.subscription, coupon, redemption);
    return window !== undefined && holds(window, start) ? [coupon.off.percent] : [];
  });
}

export function holds({ from, to }: OpenSpan, at: Instant): boolean {
  return from <= at && (to === undefined || at < to);
}
