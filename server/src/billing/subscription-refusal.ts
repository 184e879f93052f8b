import { formatInstant, type Instant } from "../kernel/instant.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import {
  quantity_correction_days_max,
  type Changed,
  type ChangeRefusal,
  type Subscription,
} from "./core/index.js";

/** @throws Refusal that says why the subscription does not change, and what to do */
export function mustChange(changed: Changed): Subscription {
  if (changed.ok) return changed.value;
  throw changeRefused(changed.error);
}

function changeRefused(refusal: ChangeRefusal): Refusal {
  switch (refusal.kind) {
    case "already_invoiced":
      return refuse(
        "already-invoiced",
        409,
        "That time is invoiced already",
        `Finalized invoices cover the subscription up to ${text(refusal.from)}, so nothing changes at ${text(refusal.at)}. It is possible from ${text(refusal.from)} on. Licensed quantities can be corrected up to ${quantity_correction_days_max} days back: the next invoice takes the difference.`,
        { from: text(refusal.from) },
      );
    case "before_start":
      return refuse(
        "not-subscribed-then",
        409,
        "That is before it begins",
        `${text(refusal.at)} is not after ${text(refusal.startedAt)}, where it begins.`,
        { startedAt: text(refusal.startedAt) },
      );
    case "after_end":
      return refuse(
        "subscription-ended",
        409,
        "It has ended by then",
        `It ends at ${text(refusal.endsAt)}; ${text(refusal.at)} is not before that. Take the cancellation back while it has not taken effect, or create a new subscription.`,
        { endsAt: text(refusal.endsAt) },
      );
    case "too_far":
      return refuse(
        "invalid-subscription",
        400,
        "The start is too far away",
        `A subscription starts between ${text(refusal.earliest)} and ${text(refusal.latest)}, not at ${text(refusal.at)}.`,
      );
    case "not_canceled":
      return refuse("not-canceled", 409, "There is no cancellation", "The subscription is not canceled.");
    case "unknown_price":
      return refuse(
        "price-not-found",
        404,
        "No such price",
        `There is no price "${refusal.priceKey}" for this. There are: ${listed(refusal.known)}.`,
        { known: refusal.known },
      );
    case "bad_quantity":
      return refuse(
        "invalid-quantity",
        400,
        "The quantity is not valid",
        `${refusal.quantity} of "${refusal.priceKey}": give 0 to 10^12 with at most 12 decimals, an add-on more than 0.`,
      );
    case "unknown_add_on":
      return refuse(
        "add-on-not-attached",
        404,
        "The add-on is not on the subscription",
        `There is no "${refusal.addOn}" on it. There are: ${listed(refusal.known)}.`,
      );
    case "coupon_redeemed":
      return refuse(
        "coupon-redeemed",
        409,
        "The coupon is redeemed already",
        `It counts from ${text(refusal.from)} ${refusal.to === undefined ? "for good" : `to ${text(refusal.to)}`}.`,
      );
    case "coupon_not_redeemed":
      return refuse(
        "coupon-not-redeemed",
        404,
        "The coupon is not redeemed",
        "The subscription has no such coupon now or later.",
      );
    case "currency":
      return refuse(
        "currency-mismatch",
        409,
        "Not every price is sold in that currency",
        `In ${refusal.currency} there is no amount for: ${listed(refusal.missing)}. Add it to the plan, or override these prices.`,
        { missing: refusal.missing },
      );
    case "too_many":
      return refuse(
        "too-many",
        409,
        `Too many ${refusal.what}`,
        `A subscription has at most ${refusal.max} ${refusal.what}. Create a new subscription and end this one.`,
      );
  }
}

function refuse(
  slug: string,
  status: number,
  title: string,
  detail: string,
  details: Readonly<Record<string, unknown>> = {},
): Refusal {
  return new Refusal(makeProblem(slug, status, title, detail, details));
}

function text(at: Instant): string {
  return formatInstant(at);
}

function listed(keys: readonly string[]): string {
  return keys.length === 0 ? "none" : keys.slice(0, 20).join(", ");
}
