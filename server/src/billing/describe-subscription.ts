import { formatInstant, type Instant } from "../kernel/instant.js";
import type { JsonValue } from "../kernel/json.js";
import { priceModelToJson } from "../rating/core/index.js";
import type { Subscription } from "./core/index.js";

/** A subscription as the audit log keeps it: ids, dates and quantities, nothing personal. */
export function describeSubscription(subscription: Subscription): JsonValue {
  const { customer, payer, currency, anchor, timeZone, startedAt, trialEnd, endsAt } = subscription;
  return {
    customer,
    payer,
    currency,
    anchor: { ...anchor },
    timeZone,
    startedAt: formatInstant(startedAt),
    trialEnd: textOrNull(trialEnd),
    endsAt: textOrNull(endsAt),
    schedule: subscription.schedule.map(({ from, to, planVersion, phase, overrides }) => ({
      from: formatInstant(from),
      to: textOrNull(to),
      planVersion,
      phase: phase ?? null,
      overrides: Object.fromEntries(
        Object.entries(overrides).map(([key, model]) => [key, asJson(priceModelToJson(model))]),
      ),
    })),
    // The latest are what a change is about; the rest is in the store.
    quantities: subscription.quantities.slice(-50).map(({ priceKey, at, quantity }) => ({
      price: priceKey,
      at: formatInstant(at),
      quantity: quantity.toString(),
    })),
    addOns: subscription.addOns.map(({ id, addOnVersion, from, to, quantity }) => ({
      id,
      addOnVersion,
      from: formatInstant(from),
      to: textOrNull(to),
      quantity: quantity.toString(),
    })),
    coupons: subscription.coupons.map(({ coupon, from, to }) => ({
      coupon,
      from: formatInstant(from),
      to: textOrNull(to),
    })),
    zoneChanges: subscription.zoneChanges.map((change) => ({
      from: formatInstant(change.from),
      timeZone: change.timeZone,
    })),
  };
}

function asJson(value: unknown): JsonValue {
  return JSON.parse(JSON.stringify(value)) as JsonValue;
}

function textOrNull(at: Instant | undefined): string | null {
  return at === undefined ? null : formatInstant(at);
}
