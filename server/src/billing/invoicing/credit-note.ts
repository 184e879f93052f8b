import type { Currency } from "../../kernel/currency.js";
import type { CreditNoteId, CustomerId, InvoiceId, InvoiceLineId } from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";

/** What is given back of a finalized invoice. Amounts are in minor units, zero or more. */
export interface CreditNote {
  readonly id: CreditNoteId;
  readonly invoice: InvoiceId;
  readonly customer: CustomerId;
  readonly currency: Currency;
  readonly sequence: number;
  readonly number: string;
  /** Gives back everything: the invoice stands no more, and its sections can be billed again. */
  readonly voids: boolean;
  readonly reason: string;
  /** Without tax; below zero when a voided invoice gave back more than it charged. */
  readonly net: bigint;
  readonly tax: bigint;
  /** What of it became balance, since the invoice had no more to be paid. */
  readonly toBalance: bigint;
  readonly lines: readonly CreditNoteLine[];
  readonly createdAt: Instant;
}

export interface CreditNoteLine {
  readonly line: InvoiceLineId;
  readonly net: bigint;
  readonly tax: bigint;
}

/** What a caller asks to give back of a line. */
export interface CreditedLineInput {
  readonly line: string;
  /** In minor units, without tax; all that is left when left out. */
  readonly minor?: bigint;
}

export interface NewCreditNote {
  /** Id or number. */
  readonly invoice: string;
  readonly reason: string;
  /** All that is left of every line when left out. */
  readonly lines?: readonly CreditedLineInput[];
}
