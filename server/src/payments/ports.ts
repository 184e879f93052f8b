import type { Sql } from "../engines/postgres/index.js";
import type { Currency } from "../kernel/currency.js";
import type {
  CustomerId,
  InvoiceId,
  OrganizationId,
  PaymentId,
  ProviderAccountId,
  SubscriptionId,
  TopUpId,
} from "../kernel/ids.js";
import type { Instant } from "../kernel/instant.js";
import type { Money } from "../kernel/money.js";
import type { JsonValue } from "../kernel/json.js";
import type { TimeZone } from "../kernel/time-zone.js";
import type { MailContent } from "../mail/index.js";
import type { EventType } from "../webhooks/index.js";
import type { PaymentAttempt } from "./store/attempts.js";

/** Who pays, as this domain asks in its transactions. */
export interface PayingCustomer {
  readonly id: CustomerId;
  readonly key: string;
  readonly name: string;
  readonly email: string | undefined;
  readonly currency: Currency | undefined;
  readonly timeZone: TimeZone;
  readonly locale: string | undefined;
}

/** An invoice, as far as it is paid. */
export interface PaidInvoice {
  readonly id: InvoiceId;
  readonly number: string;
  readonly customer: CustomerId;
  readonly subscriptions: readonly SubscriptionId[];
}

export interface BillingPort {
  /** By id or key. @throws Refusal 404 */
  customer(sql: Sql, idOrKey: string): Promise<PayingCustomer>;
  /** A finalized one by id or number. @throws Refusal 404, 409 for a draft */
  invoice(sql: Sql, idOrNumber: string): Promise<PaidInvoice>;
  /** What dunning ends with. Again changes nothing. */
  cancelSubscription(organization: OrganizationId, subscription: SubscriptionId, key: string): Promise<void>;
}

/** Something that a person has to look at. */
export interface PaymentException {
  readonly kind:
    | "unknown_outcome"
    | "late_capture"
    | "amount_differs"
    | "contradiction"
    | "charge_failed_for_good"
    | "refund_failed"
    | "payout_failed"
    | "unmatched";
  /** Once per kind. */
  readonly key: string;
  readonly detail: string;
  readonly reference: string;
  readonly amount: Money | undefined;
}

export interface ExceptionsPort {
  open(sql: Sql, organization: OrganizationId, exception: PaymentException, at: Instant): Promise<void>;
}

/** Something that happened, for webhooks and mail. */
export interface PaymentNotice {
  readonly type: EventType;
  /** Once. */
  readonly key: string;
  readonly data: Readonly<Record<string, JsonValue>>;
}

export interface NoticesPort {
  publish(sql: Sql, organization: OrganizationId, notices: readonly PaymentNotice[]): Promise<void>;
}

/** Whose account a customer's transfer came from. */
export interface PayersPort {
  /** @param sourceId  of the payment @returns undefined when the bank's statement does not say it, or is not at hand */
  find(
    organization: OrganizationId,
    sourceId: string,
  ): Promise<{ readonly name: string | undefined; readonly iban: string } | undefined>;
}

/** Prepaid credit that is paid for through Weir. */
export interface TopUpPort {
  /** Makes the grant of a top-up; the money is posted by the payment. */
  grantToppedUp(
    sql: Sql,
    organization: OrganizationId,
    paid: { topUp: TopUpId; payment: PaymentId; customer: CustomerId; amount: Money; at: Instant },
  ): Promise<void>;
  /** An attempt of a top-up has ended without money. @returns whether the customer is to be asked for another method */
  attemptEnded(
    sql: Sql,
    organization: OrganizationId,
    attempt: PaymentAttempt,
  ): Promise<{ readonly asksForMethod: boolean }>;
  /** The customer has another default method: what was stopped goes on. */
  methodChanged(sql: Sql, organization: OrganizationId, customer: CustomerId): Promise<void>;
  /** Money is collected of the customer by itself again. */
  collectionResumed(sql: Sql, organization: OrganizationId, customer: CustomerId): Promise<void>;
  /** What of a payment's credit is left to be refunded; undefined when no credit came of it. */
  refundableOf(sql: Sql, payment: PaymentId): Promise<bigint | undefined>;
  /** Takes back credit that is refunded; the refund posts it. @throws Refusal 409 for more than is left of it */
  takeBack(sql: Sql, organization: OrganizationId, taken: TakenBack): Promise<void>;
  /** The refund did not arrive: the credit is there again. */
  giveBack(sql: Sql, organization: OrganizationId, taken: TakenBack): Promise<void>;
}

/** Credit of a payment that is refunded, in minor units. */
export interface TakenBack {
  readonly payment: PaymentId;
  readonly amount: bigint;
  readonly reason: string;
}

/** A mail to a customer about its payments. */
export interface PaymentMail {
  readonly content: Exclude<MailContent, { kind: "invoice" | "test" }>;
  /** A recipient is told it once. */
  readonly key: string;
  readonly customer: PayingCustomer;
  readonly invoice: InvoiceId | undefined;
}

export interface MailPort {
  /** Whether the organization wants its customers told of their payments by mail. */
  tellsOfPayments(sql: Sql, organization: OrganizationId): Promise<boolean>;
  /** Queues it in the caller's transaction, where the organization wants that and the customer has an address. */
  tell(sql: Sql, organization: OrganizationId, mail: PaymentMail): Promise<void>;
  /** Where a customer enters another card, good for a month; undefined when there is no such page that a mail may name. */
  cardLinkOf(
    organization: OrganizationId,
    customer: CustomerId,
    account: ProviderAccountId,
  ): string | undefined;
}
