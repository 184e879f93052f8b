import type { Currency } from "../kernel/currency.js";
import type {
  CustomerId,
  DisputeId,
  OrganizationId,
  PaymentAttemptId,
  PaymentId,
  ProviderAccountId,
  RefundId,
} from "../kernel/ids.js";
import type { Instant } from "../kernel/instant.js";
import type { Money } from "../kernel/money.js";
import type { CardScheme } from "../settlement/index.js";
import type { OutgoingFiles } from "./outgoing.js";
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
  /** The acquirer reference number, of a card transaction that a scheme's file told of. */
  readonly arn?: string | undefined;
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
  readonly payment: PaymentId;
  /** The charge that is given back of; undefined for money that was not charged. */
  readonly chargeRef: string | undefined;
  readonly amount: Money;
  /** Who gets it, where refunds go to an account. */
  readonly payee: Payee | undefined;
  /** For whoever gets it, such as the invoices' numbers: never our own reason. */
  readonly description: string;
}

/** Whose account money goes to. */
export interface Payee {
  readonly name: string;
  readonly iban: string;
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
  readonly chargeRef: string | undefined;
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

/** A dispute as our books have it. */
export interface KnownDispute extends ReportedDispute {
  readonly id: DisputeId;
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
 * A provider of payments: one folder in `providers/`. What it can do are its abilities; whoever needs one that it lacks is
 * refused with the provider's own reason (`abilityOf`). Calls go out once; whether a call may be repeated is the caller's to
 * know, so an adapter never retries by itself. Every call fails with
 * - ProviderUnanswered when it is not known what came of it,
 * - ProviderBusy when nothing came of it and it may be repeated after a while,
 * - ProviderRefusal when nothing came of it and nothing will.
 */
export interface PaymentProvider extends Abilities {
  /** stripe */
  readonly name: string;
  readonly title: string;
  /**
   * Whether asking it leaves this machine. Then calls are limited, and repeated until their outcome is known; one that is told of
   * by files only knows nothing more when it is asked again.
   */
  readonly isRemote: boolean;
  /** How many calls a second it takes of an account; the gate's own limit where it does not say. */
  callsPerSecond?(account: Pick<ProviderAccount, "settings" | "secrets">): number | undefined;
  /** How long the same key gives the same answer; beyond it nothing is sent again. */
  readonly keyWindow_ms: number;
  readonly fields: ProviderFields;
  /** How its settlement files are read. */
  readonly files: FilesOfProvider;
  /** Why it lacks an ability, where that says what to do instead. */
  readonly without: Readonly<Partial<Record<AbilityName, string>>>;
  /** Whether these settings and secrets reach the provider's test mode: of one that an organization in live mode may not use. */
  isTest(account: Pick<ProviderAccount, "settings" | "secrets">): boolean;
  /** Faults by field, before an account is stored. */
  checkAccount(
    account: Pick<ProviderAccount, "settings" | "secrets">,
  ): readonly { field: string; message: string }[];
  /** What a decline's code means for trying again; left out where there are no codes. */
  declineFor?(code: string): Decline;
}

/** What a provider may be able to do. */
export interface Abilities {
  readonly charging?: Charging;
  readonly methods?: MethodKeeping;
  readonly setupPages?: SetupPages;
  readonly refunds?: RefundSending;
  readonly disputes?: DisputeAnswering;
  readonly transfers?: TransferReceiving;
  readonly webhooks?: EventTelling;
  readonly outgoing?: OutgoingFiles;
}
export type AbilityName = keyof Abilities;

/** The provider takes money. */
export interface Charging {
  /** Why an amount cannot be charged, in its words; undefined when it can. */
  amountFault(amount: Money): string | undefined;
  /** Makes a charge known without taking money. The same attempt again gives the same charge. */
  create(account: ProviderAccount, charge: NewCharge): Promise<ChargeReply>;
  /** Takes the money. The same attempt again takes nothing more. */
  confirm(account: ProviderAccount, charge: NewCharge & { readonly ref: string }): Promise<ChargeReply>;
  /** What became of a charge; "not_found" only when every charge that could be it was seen. */
  lookUp(account: ProviderAccount, question: ChargeQuestion): Promise<ChargeReply | "not_found">;
  /** Sees to it that a charge that took nothing takes nothing; gives what became of it. */
  cancel(account: ProviderAccount, charge: { attempt: PaymentAttemptId; ref: string }): Promise<ChargeReply>;
}

/** The provider keeps what customers pay with. */
export interface MethodKeeping {
  /**
   * Makes a customer known; the same customer again gives the same reference within the key window. Left out where the provider
   * knows none: our own id is the reference.
   */
  createCustomer?(
    account: ProviderAccount,
    customer: { id: CustomerId; name: string; email: string | undefined },
  ): Promise<string>;
  /** Attaches a method that the provider's page or library made. */
  attachMethod(account: ProviderAccount, customerRef: string, method: GivenMethod): Promise<ReportedMethod>;
  detachMethod(account: ProviderAccount, methodRef: string): Promise<void>;
}

/** A method by the provider's token; what is said of it counts where the provider cannot be asked. */
export interface GivenMethod extends Pick<Partial<ReportedMethod>, "brand" | "last4" | "expires"> {
  readonly ref: string;
}

/** The provider has pages on which customers enter a card; it tells us by webhook. */
export interface SetupPages {
  setupPage(
    account: ProviderAccount,
    setup: { customerRef: string; returnUrl: string },
  ): Promise<{ ref: string; url: string }>;
}

/** The provider gives money back. */
export interface RefundSending {
  /**
   * `charge`: it gives back of its own charges, and what it did not charge goes back elsewhere; `account`: it pays to an account,
   * which has to be known.
   */
  readonly to: "charge" | "account";
  /** Why an amount cannot go back, in its words; left out where all that came in can. */
  amountFault?(amount: Money): string | undefined;
  /** The same refund again gives nothing more back. */
  refund(account: ProviderAccount, refund: NewRefund): Promise<RefundReply>;
  lookUpRefund(account: ProviderAccount, question: RefundQuestion): Promise<RefundReply | "not_found">;
}

/** Chargebacks are answered through the provider. */
export interface DisputeAnswering {
  /** Until when a chargeback that a file told of can be answered; left out where the provider says it itself. */
  evidenceDueAt?(
    settings: ProviderAccount["settings"],
    chargeback: { readonly scheme: CardScheme; readonly reportedAt: Instant },
  ): Instant;
  submitEvidence(
    account: ProviderAccount,
    dispute: KnownDispute,
    answer: { evidence: Readonly<Record<string, string>>; submit: boolean },
  ): Promise<ReportedDispute>;
  acceptDispute(account: ProviderAccount, dispute: KnownDispute): Promise<ReportedDispute>;
}

/** Customers send what they owe by themselves, to an account, with a reference. */
export interface TransferReceiving {
  accountOf(settings: ProviderAccount["settings"]): ReceivingAccount;
  /** The text of a QR code by which a banking app fills a transfer in; undefined where there is none for it. */
  codeOf(
    settings: ProviderAccount["settings"],
    amount: Money,
    reference: { readonly kind: "structured" | "text"; readonly value: string },
  ): string | undefined;
}

/** Where customers send money. */
export interface ReceivingAccount {
  readonly holder: string;
  readonly iban: string;
  readonly bic: string | undefined;
}

/** The provider tells by itself what happens. */
export interface EventTelling {
  /** Checks signature and time over the raw bytes. */
  readWebhook(
    account: ProviderAccount,
    headers: Readonly<Record<string, string | string[] | undefined>>,
    body: Uint8Array,
    now: Instant,
  ): WebhookReading;
  /** The object as it is now. */
  fetch(account: ProviderAccount, object: { type: string; id: string }): Promise<ProviderObject>;
  /** Events since a cursor (an event's id), oldest first, at most a page; from a time when there is none, or it lists it no more. */
  eventsAfter(
    account: ProviderAccount,
    from: { cursor: string | undefined; since: Instant },
  ): Promise<{ events: readonly ProviderEvent[]; cursor: string | undefined; hasMore: boolean }>;
}

/** How settlement reads the files of a provider's accounts. */
export interface FilesOfProvider {
  /** A bank's statements are of our own account there, everyone else's files of what they owe us. */
  readonly side: "provider" | "bank";
  /** What the files call an account, such as an IBAN; empty when that is not known, and every file is taken. */
  identifiersOf(settings: ProviderAccount["settings"]): readonly string[];
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
