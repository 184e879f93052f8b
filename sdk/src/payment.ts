import { moneySelection, type Money } from "./money.js";

export type PaymentAttemptState =
  | "pending"
  | "processing"
  | "requires_action"
  | "unknown"
  | "succeeded"
  | "failed"
  | "canceled";

/** Why money was not taken. */
export interface Decline {
  /** As the provider names it: "insufficient_funds". */
  readonly code: string;
  /** hard: the same method will not do. soft: later it may. setup: the charge itself was wrong. */
  readonly hardness: "hard" | "soft" | "setup";
  readonly message: string;
}

/** A try to take money. What it is never changes; its state does. */
export interface PaymentAttempt {
  readonly id: string;
  /** 1, 2, 3 … of what it is to pay. */
  readonly number: number;
  readonly invoiceId: string | null;
  readonly topUpId: string | null;
  readonly customer: { readonly key: string };
  readonly account: { readonly key: string };
  readonly method: { readonly id: string; readonly brand: string | null; readonly last4: string | null };
  readonly amount: Money;
  readonly state: PaymentAttemptState;
  /** The provider's id of the charge, once known. */
  readonly providerRef: string | null;
  readonly decline: Decline | null;
  /** Where the customer can do what is required. */
  readonly actionUrl: string | null;
  readonly unknownSince: string | null;
  /** Since when a person has to find out what became of it. */
  readonly parkedAt: string | null;
  readonly createdAt: string;
  readonly changedAt: string;
}

/** Something that became known of an attempt. */
export interface PaymentAttemptEvent {
  readonly position: number;
  /** What became known, such as "declined" or "unanswered". */
  readonly input: string;
  readonly outcome: "accepted" | "ignored" | "stale" | "contradicts";
  readonly state: PaymentAttemptState;
  readonly detail: string | null;
  readonly at: string;
}

export interface PaymentAttemptDetails extends PaymentAttempt {
  readonly events: readonly PaymentAttemptEvent[];
  readonly payment: { readonly id: string } | null;
  /** The workflow run that made it; null once that is no longer kept. */
  readonly run: string | null;
}

/** Transfers that were posted to the ledger together. */
export interface Posting {
  readonly id: string;
  /** What it is for, such as "payment.capture". */
  readonly reason: string;
  readonly postedAt: string;
  readonly transfers: readonly { readonly debit: string; readonly credit: string; readonly amount: Money }[];
}

/** Money that came in. It never changes. */
export interface Payment {
  readonly id: string;
  readonly customer: { readonly key: string };
  /** Null for money that came in outside of Weir. */
  readonly account: { readonly key: string } | null;
  readonly source: "attempt" | "bank" | "file" | "manual";
  /** The attempt's, bank line's or file record's id, or the reference that a person gave. */
  readonly sourceId: string;
  readonly amount: Money;
  /** What no invoice took: the customer's balance. */
  readonly toBalance: Money;
  /** What became prepaid credit. */
  readonly toppedUp: Money;
  /** The provider's id of the money. */
  readonly providerRef: string | null;
  readonly note: string | null;
  readonly receivedAt: string;
  readonly allocations: readonly { readonly invoiceId: string; readonly amount: Money }[];
}

export type RefundState = "pending" | "succeeded" | "failed" | "canceled";

/** Money of a payment that goes back. */
export interface Refund {
  readonly id: string;
  readonly paymentId: string;
  readonly source: "balance" | "goodwill" | "invoice" | "prepaid";
  readonly amount: Money;
  readonly reason: string;
  readonly state: RefundState;
  readonly providerRef: string | null;
  /** Why it did not arrive, in the provider's words. */
  readonly failure: string | null;
  readonly createdAt: string;
}

export type DisputeState = "inquiry" | "needs_response" | "under_review" | "won" | "lost";

/** A chargeback. */
export interface Dispute {
  readonly id: string;
  readonly paymentId: string;
  readonly account: { readonly key: string };
  readonly providerRef: string;
  readonly amount: Money;
  /** What the provider took off its balance, in the currency that it settles in. */
  readonly held: Money;
  readonly fee: Money;
  readonly reason: string;
  readonly state: DisputeState;
  readonly evidence: readonly { readonly field: string; readonly text: string }[];
  readonly evidenceDueAt: string | null;
  readonly submittedAt: string | null;
  readonly openedAt: string;
  readonly closedAt: string | null;
}

/** What the provider booked for a payment. */
export interface PaymentSettlement {
  readonly providerRef: string;
  readonly gross: Money;
  readonly fee: Money;
  readonly net: Money;
  /** As the provider gave it; null without conversion. */
  readonly rate: string | null;
}

export interface PaymentDetails extends Payment {
  readonly attempt: { readonly id: string; readonly number: number } | null;
  readonly settlement: PaymentSettlement | null;
  readonly refunds: readonly (Refund & { readonly postings: readonly Posting[] })[];
  readonly disputes: readonly (Dispute & { readonly postings: readonly Posting[] })[];
  readonly postings: readonly Posting[];
}

/** What is owed of a finalized invoice: due = credited + paid + written off + open. */
export interface Receivable {
  readonly invoiceId: string;
  readonly invoice: { readonly number: string | null };
  readonly customer: { readonly key: string };
  readonly state: "open" | "paid" | "uncollectible" | "void";
  readonly due: Money;
  readonly credited: Money;
  readonly paid: Money;
  readonly writtenOff: Money;
  readonly open: Money;
  readonly dueAt: string;
  readonly overdue: boolean;
  readonly attempts: number;
  readonly dunning: {
    readonly state: "none" | "retrying" | "waiting" | "ended";
    readonly retries: number;
    readonly nextAttemptAt: string | null;
  };
}

/** How an invoice is paid: every movement of money, and what it posted. */
export interface InvoicePayment {
  readonly id: string;
  readonly number: string | null;
  /** Null for a draft, and where nothing was due. */
  readonly receivable: Receivable | null;
  readonly attempts: readonly PaymentAttempt[];
  readonly payments: readonly PaymentDetails[];
  readonly creditNotes: readonly {
    readonly id: string;
    readonly number: string;
    readonly postings: readonly Posting[];
  }[];
  readonly postings: readonly Posting[];
}

const money = moneySelection;
const postings = `postings { id reason postedAt transfers { debit credit amount ${money} } }`;
const attemptFields = `id number invoiceId topUpId customer { key } account { key } method { id brand last4 } amount ${money} state providerRef decline { code hardness message } actionUrl unknownSince parkedAt createdAt changedAt`;
const paymentFields = `id customer { key } account { key } source sourceId amount ${money} toBalance ${money} toppedUp ${money} providerRef note receivedAt allocations { invoiceId amount ${money} }`;
const refundFields = `id paymentId source amount ${money} reason state providerRef failure createdAt`;
const disputeFields = `id paymentId account { key } providerRef amount ${money} held ${money} fee ${money} reason state evidence { field text } evidenceDueAt submittedAt openedAt closedAt`;

/** Where to pay, how much, and by which reference the payment is known again. */
export interface TransferInstructions {
  readonly account: { readonly key: string };
  readonly holder: string;
  readonly iban: string;
  readonly bic: string | null;
  readonly reference: string;
  /** What is owed now. */
  readonly amount: Money;
  /** The text of a QR code that a banking app fills a SEPA transfer in from. */
  readonly qrPayload: string | null;
}

export const attemptSelection = `{ ${attemptFields} }`;
export const attemptDetailsSelection = `{ ${attemptFields} events { position input outcome state detail at } payment { id } run }`;
export const paymentSelection = `{ ${paymentFields} }`;
export const refundSelection = `{ ${refundFields} }`;
export const disputeSelection = `{ ${disputeFields} }`;
export const paymentDetailsSelection = `{ ${paymentFields} attempt { id number } settlement { providerRef gross ${money} fee ${money} net ${money} rate } refunds { ${refundFields} ${postings} } disputes { ${disputeFields} ${postings} } ${postings} }`;
export const receivableSelection = `{ invoiceId invoice { number } customer { key } state due ${money} credited ${money} paid ${money} writtenOff ${money} open ${money} dueAt overdue attempts dunning { state retries nextAttemptAt } }`;
/** Without its payments, which are read page by page. */
export const invoicePaymentSelection = `{ id number receivable ${receivableSelection} attempts ${attemptSelection} creditNotes { id number ${postings} } ${postings} }`;
