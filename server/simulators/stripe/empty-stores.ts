import type { Account } from "./account.js";
import type { ObjectIds } from "./object-ids.js";
import { ObjectStore } from "./objects/object-store.js";

type Stores = Pick<
  Account,
  | "customers"
  | "paymentMethods"
  | "paymentIntents"
  | "setupIntents"
  | "checkoutSessions"
  | "charges"
  | "refunds"
  | "disputes"
  | "payouts"
  | "webhookEndpoints"
>;

const over_statuses = new Set<string | null>([
  "succeeded",
  "canceled",
  "failed",
  "won",
  "lost",
  "warning_closed",
]);

/** The stores of an account that has nothing yet; each says of which of its objects nothing more will happen. */
export function emptyStores(
  ids: ObjectIds,
  objects_max: number,
  onChargeDropped: (id: string) => void,
): Stores {
  const common = { ids, objects_max };
  return {
    customers: new ObjectStore({ ...common, noun: "customer", isSettled: ({ isDeleted }) => isDeleted }),
    paymentMethods: new ObjectStore({
      ...common,
      noun: "PaymentMethod",
      isSettled: ({ wire }) => wire.customer === null,
    }),
    paymentIntents: new ObjectStore({
      ...common,
      noun: "payment_intent",
      isSettled: ({ wire }) => over_statuses.has(wire.status),
    }),
    setupIntents: new ObjectStore({
      ...common,
      noun: "setupintent",
      isSettled: ({ wire }) => over_statuses.has(wire.status),
    }),
    checkoutSessions: new ObjectStore({
      ...common,
      noun: "checkout.session",
      isSettled: ({ wire }) => wire.status !== "open",
    }),
    charges: new ObjectStore({
      ...common,
      noun: "charge",
      isSettled: ({ wire }) => over_statuses.has(wire.status),
      onDrop: ({ wire }) => onChargeDropped(wire.id),
    }),
    refunds: new ObjectStore({
      ...common,
      noun: "refund",
      isSettled: ({ wire }) => over_statuses.has(wire.status),
    }),
    disputes: new ObjectStore({
      ...common,
      noun: "dispute",
      isSettled: ({ wire }) => over_statuses.has(wire.status),
    }),
    payouts: new ObjectStore({
      ...common,
      noun: "payout",
      isSettled: ({ wire }) => wire.status === "paid" || over_statuses.has(wire.status),
    }),
    webhookEndpoints: new ObjectStore({ ...common, noun: "webhook endpoint", isSettled: () => false }),
  };
}
