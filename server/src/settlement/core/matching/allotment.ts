import type { Money } from "../../../kernel/money.js";
import type { TargetKind } from "./target.js";

/** What an allotment does to our books. */
export const effects = [
  /** They have it already. */
  "none",
  /** The sender kept it: a cost. */
  "fee",
  /** It is not known what it is for: it waits there for a person. */
  "suspense",
  /** A person said that it is too little to look for. */
  "rounding",
  /** A person said that it will never come. */
  "bad_debt",
  /** Out of one currency, into another. */
  "exchange",
  /** The charge took money. */
  "capture",
  /** The charge took none, and will not. */
  "decline",
  /** What the provider made of a payment: its fee, the currency that it settles in. */
  "settle",
  "refund",
  /** It failed: the money is back. */
  "fail_refund",
  "dispute",
  "win_dispute",
  /** A payout left the provider. */
  "payout",
  /** It came back. */
  "return_payout",
  /** It is on the bank's statement. */
  "receive_payout",
  /** A customer's transfer is on the bank's statement: towards invoices, or the customer's balance. */
  "receipt",
  /** The bank took a customer's transfer back: what it paid is owed again. */
  "take_back",
] as const;
export type Effect = (typeof effects)[number];

export const rules = [
  /** It says itself what it is. */
  "kind",
  /** By a reference that names it alone. */
  "reference",
  /** By what the payer wrote. */
  "text",
  /** The only one of its amount in the time around it, and the other way round. */
  "amount_and_date",
  /** A person said so. */
  "by_hand",
  /** None did. */
  "none",
] as const;
export type Rule = (typeof rules)[number];

export const exception_kinds = [
  "unmatched",
  "amount_differs",
  "currency_differs",
  "duplicate",
  "bad_row",
  "file_check_failed",
  "file_replayed",
  "too_many_unmatched",
  "sequence_gap",
  "payout_differs",
  "missing_in_file",
  "late",
  // What payments find by themselves.
  "unknown_outcome",
  "late_capture",
  "contradiction",
  "charge_failed_for_good",
  "refund_failed",
  "payout_failed",
] as const;
export type ExceptionKind = (typeof exception_kinds)[number];

/** What a record, or a part of it, turned out to be. */
export interface Allotment {
  readonly effect: Effect;
  readonly rule: Rule;
  /**
   * Signed as the record is. All of a record add up, by currency, to what it moved less its fee: on the sender's account
   * nothing is left over.
   */
  readonly amount: Money;
  readonly target?: {
    readonly kind: TargetKind | "customer";
    readonly id: string;
    readonly account?: string;
  };
  /** For a person to look at, with what is to be said about it. */
  readonly exception?: { readonly kind: ExceptionKind; readonly note: string };
}
