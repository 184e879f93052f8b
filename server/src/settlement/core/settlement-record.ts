import type { Instant } from "../../kernel/instant.js";
import type { LocalDate } from "../../kernel/local-date.js";
import type { Money } from "../../kernel/money.js";

export const record_kinds = [
  "charge",
  "refund",
  "chargeback",
  "chargeback_reversal",
  "fee",
  "payout",
  "adjustment",
  "bank_credit",
  "bank_debit",
  "reserve",
  "other",
  /** A charge or refund that the sender would not carry out: it moves nothing. */
  "decline",
] as const;

export type RecordKind = (typeof record_kinds)[number];

/** Where in the file a record stands; `record` and `line` count from 1, `byte` from 0. */
export interface RecordPosition {
  /** Unique in the file, and rising: the number of the message or row; of camt, which splits entries, the number of the record. */
  readonly record: number;
  readonly line?: number;
  readonly byte?: number;
}

/** What a record says about what it belongs to. Empty values and the banks' NOTPROVIDED are left out. */
export interface RecordReferences {
  /** The acquirer reference number of a card transaction, 23 digits. */
  readonly arn?: string;
  /** The sender's id of the thing that moved: ch_…, re_…, a PSP reference, the bank's own reference. */
  readonly provider?: string;
  /** The sender's id of the payment that the thing belongs to, where it is another: pi_…, the PSP reference of what was captured. */
  readonly payment?: string;
  /** What we named it: an attempt's or an invoice's id. */
  readonly merchant?: string;
  readonly endToEnd?: string;
  /** A structured creditor reference (RF…, or a national one). */
  readonly structured?: string;
  /** The sender's id of the payout that the record was paid out in, or is. */
  readonly payout?: string;
  readonly batch?: string;
  /** Free text that the payer wrote. */
  readonly text?: string;
}

/**
 * One movement of money that a settlement file reports, whatever its format.
 *
 * Amounts are signed as our account with the sender sees them: + is to our credit there. So a payout is negative in the provider's
 * report and positive on the bank's statement.
 */
export interface SettlementRecord {
  readonly position: RecordPosition;
  /**
   * Names the movement beyond the file: a record whose key was posted is not posted again, whatever file it comes in. Formats that
   * report the same movement (both Stripe reports; camt.053 and camt.054) give it the same key. A key that comes twice in one file is
   * the sender's fault: an exception, never dropped.
   */
  readonly key: string;
  readonly kind: RecordKind;
  /** The movement itself. Of the opposite sign than its kind usually has, it takes one back: a refund above zero has failed. */
  readonly gross: Money;
  /** What the customer was charged or given back, where that is in another currency than `gross`. */
  readonly presented?: Money;
  /** What the sender counts `gross` as, where that is in another currency: what it will pay out. */
  readonly settled?: Money;
  /** What the sender took for it, in the currency of `settled ?? gross`: + is our cost. (settled ?? gross) − fee = net. */
  readonly fee?: Money;
  readonly net?: Money;
  /** Midnight UTC where the file gives a date only; a time without a zone is taken as UTC. */
  readonly at: Instant;
  readonly valueDate?: LocalDate;
  /** The account that the sender keeps for us: an IBAN, a merchant account. */
  readonly account?: string;
  readonly references: RecordReferences;
  /** The other side of a bank's entry. The IBAN is whole here and masked in `original`. */
  readonly counterparty?: { readonly name?: string; readonly iban?: string };
  /** The sender says that this takes back an earlier movement of its kind. */
  readonly reversal?: true;
  /** Of a decline: why, in the sender's code and words. */
  readonly decline?: { readonly code: string; readonly message: string };
  /** `number` is in memory only: whoever stores the record keeps a keyed hash of it. */
  readonly card?: { readonly last4: string; readonly number?: string };
  /** What the file said, field by field, card and account numbers masked to their last four. */
  readonly original: Readonly<Record<string, string>>;
}
