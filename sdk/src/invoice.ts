import { moneySelection as money, type Money } from "./money.js";

export type InvoiceStatus = "draft" | "finalized" | "voided";
/** closing: what came late after a subscription had ended. threshold: usage billed ahead of the period's end. */
export type InvoiceKind = "start" | "period" | "threshold" | "closing";

/** A half-open span of time, [start, end), RFC 3339. */
export interface Period {
  readonly start: string;
  readonly end: string;
}

/** From the lines to what is due, in the order in which it is computed. */
export interface InvoiceTotals {
  /** The sum of the lines. */
  readonly subtotal: Money;
  /** Taken off before tax. */
  readonly promotionalCredits: Money;
  /** Of each rate rounded once. */
  readonly tax: Money;
  /** With tax; below zero when the invoice gives back. */
  readonly total: Money;
  readonly paidCredits: Money;
  readonly balanceUsed: Money;
  /** What it gives back, kept for later invoices. */
  readonly toBalance: Money;
  /** What remains to be paid, never below zero. */
  readonly due: Money;
}

export interface LineTaxRate {
  readonly key: string;
  readonly name: string;
  /** "19" is 19 %. */
  readonly percent: string;
  readonly inclusive: boolean;
  readonly treatment: "taxed" | "exempt" | "reverse_charge" | "not_collected";
}

/** The part of an invoice that is one subscription's; several are on a payer's consolidated invoice. */
export interface InvoiceSection {
  readonly position: number;
  readonly kind: InvoiceKind;
  readonly subscription: { readonly id: string };
  readonly customer: { readonly id: string; readonly key: string };
  readonly planVersion: { readonly planKey: string; readonly version: number };
  readonly period: Period;
  readonly timeZone: string;
}

/** A line before it is stored: what a charge comes to, less what earlier invoices billed of it. */
export interface InvoicePreviewLine {
  /** adjustment: a coupon, minimum, maximum or commitment. reversal: what left the contract. */
  readonly kind: "charge" | "adjustment" | "reversal";
  readonly name: string;
  /** null for an adjustment. */
  readonly price: { readonly id: string; readonly key: string; readonly name: string } | null;
  /** Whether it corrects what an earlier invoice billed, such as by late usage. */
  readonly isCorrection: boolean;
  /** The service period. */
  readonly period: Period;
  /** What of it is charged. */
  readonly covered: Period;
  /** Decimal text of what was used, or held; null for a fee. */
  readonly quantity: string | null;
  readonly eventCount: number;
  /** What the charge comes to in all, after discounts: exact decimal text, in major units, not rounded. */
  readonly amount: string;
  /** Before discounts, less what was billed before. */
  readonly gross: Money;
  readonly billedBefore: Money;
  /** The line: `amount` rounded once, half away from zero, less `billedBefore`. */
  readonly money: Money;
  readonly taxRate: LineTaxRate;
}

export interface InvoiceLine extends InvoicePreviewLine {
  readonly id: string;
  /** Promotional credits that fell to it. */
  readonly promotionalCredit: Money;
  /** After these, without tax. */
  readonly taxable: Money;
  readonly tax: Money;
}

interface Amounts {
  /** ISO 4217. */
  readonly currency: string;
  /** Who pays. */
  readonly customer: { readonly id: string; readonly key: string };
  readonly kind: InvoiceKind;
  /** Of the first section. */
  readonly period: Period;
  readonly timeZone: string;
  /** The instant that its sections end at. */
  readonly boundary: string;
  /** The boundary and the grace: until then late usage is waited for. */
  readonly issueAt: string;
  readonly totals: InvoiceTotals;
}

interface Contents {
  readonly sections: readonly InvoiceSection[];
  readonly taxes: readonly { readonly rate: LineTaxRate; readonly taxable: Money; readonly tax: Money }[];
  /** What to look at, such as that it comes to nothing. */
  readonly notices: readonly string[];
  /** The usage that it was computed from: for each writer of the stream, the last batch. */
  readonly watermark: unknown;
}

/** An invoice without its lines, as lists have it. */
export interface InvoiceHead extends Amounts {
  readonly id: string;
  readonly status: InvoiceStatus;
  /** Without gaps in the organization; null for a draft. */
  readonly number: string | null;
  /** 1 when created, one more each time it was computed. */
  readonly revision: number;
  readonly createdAt: string;
  readonly refreshedAt: string;
  readonly finalizedAt: string | null;
  readonly paymentDueAt: string | null;
  readonly voidedAt: string | null;
}

/** Finalized, it never changes. */
export interface Invoice extends InvoiceHead, Contents {
  readonly lines: readonly InvoiceLine[];
}

/** What a period costs by the usage known at `computedAt`; stored nowhere. */
export interface InvoicePreview extends Amounts, Contents {
  readonly computedAt: string;
  readonly lines: readonly InvoicePreviewLine[];
}

const rate = "{ key name percent inclusive treatment }";
const period = "{ start end }";
const amounts = `currency customer { id key } kind period ${period} timeZone boundary issueAt
  totals { subtotal ${money} promotionalCredits ${money} tax ${money} total ${money} paidCredits ${money} balanceUsed ${money} toBalance ${money} due ${money} }`;
const contents = `sections { position kind subscription { id } customer { id key } planVersion { planKey version } period ${period} timeZone }
  taxes { rate ${rate} taxable ${money} tax ${money} } notices watermark`;
const line = `kind name price { id key name } isCorrection period ${period} covered ${period} quantity eventCount amount
  gross ${money} billedBefore ${money} money ${money} taxRate ${rate}`;
const head = `id status number revision createdAt refreshedAt finalizedAt paymentDueAt voidedAt ${amounts}`;

export const headSelection = `{ ${head} }`;
export const invoiceSelection = `{ ${head} ${contents} lines { id ${line} promotionalCredit ${money} taxable ${money} tax ${money} } }`;
export const previewSelection = `{ computedAt ${amounts} ${contents} lines { ${line} } }`;
