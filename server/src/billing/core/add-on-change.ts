import { smallestInterval, type AddOnVersion } from "../../catalog/core/index.js";
import type { Decimal } from "../../kernel/decimal.js";
import type { SubscribedAddOnId } from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";
import { err, ok } from "../../kernel/result.js";
import type { Changed } from "./change-refusal.js";
import type { Subscription } from "./subscription.js";
import { isQuantity, outside } from "./subscription-change.js";

export const add_ons_max = 200;

/** Puts an add-on on top from an instant on, for good or until another. */
export function attachAddOn(
  subscription: Subscription,
  change: {
    readonly id: SubscribedAddOnId;
    readonly addOn: Pick<AddOnVersion, "id" | "key" | "interval" | "prices">;
    readonly quantity: Decimal;
    readonly from: Instant;
    readonly to?: Instant | undefined;
  },
  invoicedUntil: Instant | undefined,
): Changed {
  const { id, addOn, quantity, from, to } = change;
  const refused = outside(subscription, from, invoicedUntil);
  if (refused !== undefined) return err(refused);
  if (to !== undefined && to <= from) return err({ kind: "before_start", at: to, startedAt: from });
  if (!isQuantity(quantity) || quantity.isZero())
    return err({ kind: "bad_quantity", priceKey: addOn.key, quantity: quantity.toString() });
  if (subscription.addOns.length >= add_ons_max)
    return err({ kind: "too_many", what: "add-ons", max: add_ons_max });
  const interval = smallestInterval([addOn.interval, ...addOn.prices.map((price) => price.interval)]);
  const attached = { id, addOnVersion: addOn.id, from, to, quantity, interval };
  return ok({ ...subscription, addOns: [...subscription.addOns, attached] });
}

/** Takes an add-on off from an instant on; at its beginning it never was. */
export function detachAddOn(
  subscription: Subscription,
  change: { readonly id: string; readonly at: Instant },
  invoicedUntil: Instant | undefined,
): Changed {
  const { id, at } = change;
  const found = subscription.addOns.find((one) => one.id === id);
  if (found === undefined)
    return err({ kind: "unknown_add_on", addOn: id, known: subscription.addOns.map((one) => one.id) });
  if (found.to !== undefined && found.to <= at) return err({ kind: "after_end", at, endsAt: found.to });
  if (invoicedUntil !== undefined && at < invoicedUntil)
    return err({ kind: "already_invoiced", at, from: invoicedUntil });
  const addOns = subscription.addOns.flatMap((one) =>
    one !== found ? [one] : at <= one.from ? [] : [{ ...one, to: at }],
  );
  return ok({ ...subscription, addOns });
}
