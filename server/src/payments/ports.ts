import type { Sql } from "../engines/postgres/index.js";
import type { Currency } from "../kernel/currency.js";
import type { CustomerId, InvoiceId, OrganizationId, SubscriptionId } from "../kernel/ids.js";
import type { Instant } from "../kernel/instant.js";
import type { Money } from "../kernel/money.js";
import type { JsonValue } from "../kernel/json.js";
import type { TimeZone } from "../kernel/time-zone.js";
import type { EventType } from "../webhooks/index.js";

/** Who pays, as this domain asks in its transactions. */
export interface PayingCustomer {
  readonly id: CustomerId;
  readonly key: string;
  readonly name: string;
  readonly email: string | undefined;
  readonly currency: Currency | undefined;
  readonly timeZone: TimeZone;
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

/** Prepaid credit that was paid for through Weir. */
export interface TopUpPort {
  /** Makes the grant of a top-up; the money is posted by the payment. */
  grantToppedUp(
    sql: Sql,
    organization: OrganizationId,
    grant: { customer: CustomerId; amount: Money; reference: string; at: Instant },
  ): Promise<void>;
}
