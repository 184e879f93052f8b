import type Stripe from "stripe";
import type { Agenda } from "./agenda.js";
import type { WebhookEndpointRecord } from "./objects/webhook-endpoints.js";
import type { WebhookSender } from "./webhooks/webhook-sender.js";
import type { EventLog } from "./webhooks/event-log.js";
import type { Ledger } from "./ledger.js";
import type { ObjectIds } from "./object-ids.js";
import type { ObjectStore, StoredObject } from "./objects/object-store.js";
import type { TestInstrument } from "./objects/test-instrument.js";
import type { SimulatorSettings } from "./settings.js";
import type { Thin } from "./thin.js";

export type CustomerWire = Thin<Stripe.Customer>;
export type PaymentMethodWire = Thin<Stripe.PaymentMethod>;
export type PaymentIntentWire = Thin<Stripe.PaymentIntent>;
export type SetupIntentWire = Thin<Stripe.SetupIntent>;
export type CheckoutSessionWire = Thin<Stripe.Checkout.Session>;
export type ChargeWire = Thin<Stripe.Charge>;
export type RefundWire = Thin<Stripe.Refund>;
export type DisputeWire = Thin<Stripe.Dispute>;
export type PayoutWire = Thin<Stripe.Payout>;

export interface CustomerRecord extends StoredObject {
  readonly wire: CustomerWire;
  isDeleted: boolean;
}

export interface PaymentMethodRecord extends StoredObject {
  readonly wire: PaymentMethodWire;
  readonly instrument: TestInstrument;
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

export interface SetupIntentRecord extends StoredObject {
  readonly wire: SetupIntentWire;
  returnUrl: string | undefined;
}

export interface CheckoutSessionRecord extends StoredObject {
  readonly wire: CheckoutSessionWire;
}

export interface ChargeRecord extends StoredObject {
  readonly wire: ChargeWire;
  readonly instrument: TestInstrument;
}

export interface RefundRecord extends StoredObject {
  readonly wire: RefundWire;
  /** What it took from the balance, negative. */
  readonly settled: { readonly amount: number; readonly currency: string };
}

export interface DisputeRecord extends StoredObject {
  readonly wire: DisputeWire;
}

export interface PayoutRecord extends StoredObject {
  readonly wire: PayoutWire;
}

/** All that the account of a simulator consists of. The functions in objects/ act on it. */
export interface Account {
  readonly settings: SimulatorSettings;
  readonly ids: ObjectIds;
  readonly agenda: Agenda;
  readonly ledger: Ledger;
  readonly events: EventLog;
  readonly customers: ObjectStore<CustomerRecord>;
  readonly paymentMethods: ObjectStore<PaymentMethodRecord>;
  readonly paymentIntents: ObjectStore<PaymentIntentRecord>;
  readonly setupIntents: ObjectStore<SetupIntentRecord>;
  readonly checkoutSessions: ObjectStore<CheckoutSessionRecord>;
  readonly charges: ObjectStore<ChargeRecord>;
  readonly refunds: ObjectStore<RefundRecord>;
  readonly disputes: ObjectStore<DisputeRecord>;
  readonly payouts: ObjectStore<PayoutRecord>;
  readonly webhookEndpoints: ObjectStore<WebhookEndpointRecord>;
  readonly webhooks: WebhookSender;
  /** Rates as decimal text, by "from/to". */
  readonly exchangeRates: Map<string, string>;
  /** Where the pages of the simulator are, without a slash at the end. */
  pagesUrl: string;
  /** Milliseconds since 1970; never goes back. */
  now_ms(): number;
}
