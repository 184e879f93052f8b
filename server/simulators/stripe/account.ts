import type Stripe from "stripe";
import type { Agenda } from "./agenda.js";
import type { EventLog } from "./webhooks/event-log.js";
import type { Ledger } from "./ledger.js";
import type { ObjectIds } from "./object-ids.js";
import { ObjectStore, type StoredObject } from "./objects/object-store.js";
import type { TestCard } from "./objects/test-card.js";
import type { SimulatorSettings } from "./settings.js";
import type { Thin } from "./thin.js";

export type CustomerWire = Thin<Stripe.Customer>;
export type PaymentMethodWire = Thin<Stripe.PaymentMethod>;
export type PaymentIntentWire = Thin<Stripe.PaymentIntent>;
export type ChargeWire = Thin<Stripe.Charge>;

export interface CustomerRecord extends StoredObject {
  readonly wire: CustomerWire;
  isDeleted: boolean;
}

export interface PaymentMethodRecord extends StoredObject {
  readonly wire: PaymentMethodWire;
  readonly card: TestCard;
  /** Its owner agreed, authenticated, to charges while away. */
  isSetUp: boolean;
  /** Detached, or used for a payment without a customer: it cannot be attached any more. */
  isSpent: boolean;
}

export interface PaymentIntentRecord extends StoredObject {
  readonly wire: PaymentIntentWire;
  isOffSession: boolean;
  returnUrl: string | undefined;
  /** When its last change is in the search index. */
  searchable_ms: number;
}

export interface ChargeRecord extends StoredObject {
  readonly wire: ChargeWire;
  readonly card: TestCard;
}

/** All that the account of a simulator consists of. The functions in objects/ act on it. */
export interface Account {
  readonly settings: SimulatorSettings;
  readonly ids: ObjectIds;
  readonly random: () => number;
  readonly agenda: Agenda;
  readonly ledger: Ledger;
  readonly events: EventLog;
  readonly customers: ObjectStore<CustomerRecord>;
  readonly paymentMethods: ObjectStore<PaymentMethodRecord>;
  readonly paymentIntents: ObjectStore<PaymentIntentRecord>;
  readonly charges: ObjectStore<ChargeRecord>;
  /** Where the pages of the simulator are, without a slash at the end. */
  pagesUrl: string;
  /** Milliseconds since 1970; never goes back. */
  now_ms(): number;
}

/** As Stripe gives times. */
export function seconds(at_ms: number): number {
  return Math.floor(at_ms / 1_000);
}

/** The stores of an account without objects. */
export function emptyStores(
  ids: ObjectIds,
  objects_max: number,
): Pick<Account, "customers" | "paymentMethods" | "paymentIntents" | "charges"> {
  const common = { ids, objects_max };
  return {
    customers: new ObjectStore({ ...common, noun: "customer", isSettled: (customer) => customer.isDeleted }),
    paymentMethods: new ObjectStore({
      ...common,
      noun: "PaymentMethod",
      isSettled: (method) => method.wire.customer === null,
    }),
    paymentIntents: new ObjectStore({
      ...common,
      noun: "payment_intent",
      isSettled: ({ wire }) => wire.status === "succeeded" || wire.status === "canceled",
    }),
    charges: new ObjectStore({
      ...common,
      noun: "charge",
      isSettled: ({ wire }) => wire.status !== "pending",
    }),
  };
}
