import type { Currency } from "../kernel/currency.js";
import type {
  CustomerId,
  OrganizationId,
  PaymentAttemptId,
  ProviderAccountId,
  RefundId,
} from "../kernel/ids.js";
import type { Instant } from "../kernel/instant.js";
import type { Money } from "../kernel/money.js";
import type { Decline, DisputeState, PayoutState, RefundState } from "./core/index.js";

/** An account at a provider as its adapter sees it. */
export interface ProviderAccount {
  readonly organization: OrganizationId;
  readonly id: ProviderAccountId;
  readonly key: string;
  readonly name: string;
  readonly provider: string;
  /** What is no secret, checked by the provider's `checkSettings`. */
  readonly settings: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, string>>;
  /** That it charges in; empty: all. */
  readonly currencies: readonly Currency[];
}

/** A charge as a provider hears of it. The attempt's id is its idempotency key and its reference on every statement. */
export interface NewCharge {
  readonly attempt: PaymentAttemptId;
  readonly amount: Money;
  /** The customer and the method as the provider names them. */
  readonly customerRef: string;
  readonly methodRef: string;
  readonly description: string;
  /** What it is for: an invoice's or top-up's id. */
  readonly target: string;
}

/** What the provider booked for a charge: its fee, and the currency that it settles in. */
export interface SettledAmounts {
  /** The provider's id of the movement. */
  readonly ref: string;
  readonly gross: Money;
  readonly fee: Money;
  /** As the provider gave it; undefined without conversion. */
  readonly rate: string | undefined;
}

/** What a provider says of a charge. */
export type ChargeReply =
  | { readonly kind: "created"; readonly ref: string }
  | { readonly kind: "processing"; readonly ref: string }
  | { readonly kind: "requires_action"; readonly ref: string; readonly url: string | undefined }
  | {
      readonly kind: "succeeded";
      readonly ref: string;
      readonly captured: Money;
      readonly settled: SettledAmounts | undefined;
    }
  | { readonly kind: "declined"; readonly ref: string | undefined; readonly decline: Decline }
  | { readonly kind: "canceled"; readonly ref: string | undefined };

export interface ChargeQuestion {
  readonly attempt: PaymentAttemptId;
  /** Unknown when the reply that would have told it never came. */
  readonly ref: string | undefined;
  readonly customerRef: string;
  /** In real time: charges before it are not this one. */
  readonly sentAt: Instant;
}

export interface NewRefund {
  readonly refund: RefundId;
  /** The charge that is given back of. */
  readonly chargeRef: string;
  readonly amount: Money;
}

export interface RefundReply {
  readonly ref: string;
  readonly state: RefundState;
  readonly failure: string | undefined;
  /** As soon as it is known. */
  readonly settled: SettledAmounts | undefined;
  /** What came back onto its balance when the refund failed after it was made. */
  readonly returned?: SettledAmounts | undefined;
}

export interface RefundQuestion {
  readonly refund: RefundId;
  readonly ref: string | undefined;
  readonly chargeRef: string;
}

/** An object that a webhook hinted at, as it is now. */
export type ProviderObject =
  | {
      readonly kind: "charge";
      readonly attempt: PaymentAttemptId | undefined;
      readonly reply: ChargeReply;
    }
  | {
      readonly kind: "refund";
      readonly refund: RefundId | undefined;
      readonly chargeRef: string;
      readonly amount: Money;
      readonly reply: RefundReply;
    }
  | { readonly kind: "dispute"; readonly dispute: ReportedDispute }
  | { readonly kind: "payout"; readonly payout: ReportedPayout }
  | { readonly kind: "method"; readonly method: ReportedMethod }
  /** Nothing that Weir keeps books of. */
  | { readonly kind: "irrelevant" };

export interface ReportedDispute {
  readonly ref: string;
  readonly chargeRef: string;
  readonly amount: Money;
  /** What the provider took off its balance for it, in the currency that it settles in. */
  readonly held: Money;
  /** What it kept for its trouble so far. */
  readonly fee: Money;
  readonly reason: string;
  readonly state: DisputeState;
  readonly evidenceDueAt: Instant | undefined;
}

export interface ReportedPayout {
  readonly ref: string;
  readonly amount: Money;
  readonly state: PayoutState;
  readonly failure: string | undefined;
  /** 2026-11-30 */
  readonly arrivesOn: string | undefined;
}

export interface ReportedMethod {
  readonly ref: string;
  readonly customerRef: string | undefined;
  readonly kind: "card" | "bank_debit" | "bank_transfer" | "other";
  readonly brand: string | undefined;
  readonly last4: string | undefined;
  /** 2028-04: the last month it is good in. */
  readonly expires: string | undefined;
}

export interface ProviderEvent {
  readonly id: string;
  readonly type: string;
  readonly objectType: string;
  readonly objectId: string;
  readonly happenedAt: Instant;
}

export type WebhookReading =
  | { readonly ok: true; readonly event: ProviderEvent }
  | { readonly ok: false; readonly reason: string };

/**
 * A provider of payments: one folder in `providers/`. Calls go out once; whether a call may be repeated is the caller's to
 * know, so an adapter never retries by itself. Every call fails with
 * - ProviderUnanswered when it is not known what came of it,
 * - ProviderBusy when nothing came of it and it may be repeated after a while,
 * - ProviderRefusal when nothing came of it and nothing will.
 */
export interface PaymentProvider {
  /** stripe */
  readonly name: string;
  readonly title: string;
  /** How long the same key gives the same answer; beyond it nothing is sent again. */
  readonly keyWindow_ms: number;
  readonly fields: ProviderFields;
  /** Whether these settings and secrets reach the provider's test mode: of one that an organization in live mode may not use. */
  isTest(account: Pick<ProviderAccount, "settings" | "secrets">): boolean;
  /** Faults by field, before an account is stored. */
  checkAccount(
    account: Pick<ProviderAccount, "settings" | "secrets">,
  ): readonly { field: string; message: string }[];
  /** Why an amount cannot be charged, in its words; undefined when it can. */
  amountFault(amount: Money): string | undefined;

  /** Makes a customer known; the same customer again gives the same reference within the key window. */
  createCustomer(
    account: ProviderAccount,
    customer: { id: CustomerId; name: string; email: string | undefined },
  ): Promise<string>;
  /** Attaches a method that the provider's page or library made. */
  attachMethod(account: ProviderAccount, customerRef: string, methodRef: string): Promise<ReportedMethod>;
  detachMethod(account: ProviderAccount, methodRef: string): Promise<void>;
  /** The provider's page on which a customer enters a card; it tells us by webhook. */
  setupPage(
    account: ProviderAccount,
    setup: { customerRef: string; returnUrl: string },
  ): Promise<{ ref: string; url: string }>;

  /** Makes a charge known without taking money. The same attempt again gives the same charge. */
  create(account: ProviderAccount, charge: NewCharge): Promise<ChargeReply>;
  /** Takes the money. The same attempt again takes nothing more. */
  confirm(account: ProviderAccount, charge: NewCharge & { readonly ref: string }): Promise<ChargeReply>;
  /** What became of a charge; "not_found" only when every charge that could be it was seen. */
  lookUp(account: ProviderAccount, question: ChargeQuestion): Promise<ChargeReply | "not_found">;
  /** Sees to it that a charge that took nothing takes nothing; gives what became of it. */
  cancel(account: ProviderAccount, charge: { attempt: PaymentAttemptId; ref: string }): Promise<ChargeReply>;

  /** The same refund again gives nothing more back. */
  refund(account: ProviderAccount, refund: NewRefund): Promise<RefundReply>;
  lookUpRefund(account: ProviderAccount, question: RefundQuestion): Promise<RefundReply | "not_found">;
  submitEvidence(
    account: ProviderAccount,
    dispute: { ref: string; evidence: Readonly<Record<string, string>>; submit: boolean },
  ): Promise<ReportedDispute>;
  acceptDispute(account: ProviderAccount, ref: string): Promise<ReportedDispute>;

  /** Checks signature and time over the raw bytes. */
  readWebhook(
    account: ProviderAccount,
    headers: Readonly<Record<string, string | string[] | undefined>>,
    body: Uint8Array,
    now: Instant,
  ): WebhookReading;
  /** The object as it is now. */
  fetch(account: ProviderAccount, object: { type: string; id: string }): Promise<ProviderObject>;
  /** Events since a cursor (an event's id), oldest first, at most a page; from a time when there is none. */
  eventsAfter(
    account: ProviderAccount,
    from: { cursor: string | undefined; since: Instant },
  ): Promise<{ events: readonly ProviderEvent[]; cursor: string | undefined; hasMore: boolean }>;
}

/** What an account of a provider is made of, for forms and checks. */
export interface ProviderFields {
  readonly settings: readonly ProviderField[];
  readonly secrets: readonly ProviderField[];
}

export interface ProviderField {
  readonly name: string;
  readonly description: string;
  readonly isRequired: boolean;
}
