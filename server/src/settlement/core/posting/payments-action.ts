import type { Instant } from "../../../kernel/instant.js";
import type { Money } from "../../../kernel/money.js";
import type { CardScheme } from "../settlement-format.js";

/** What the sender made of a charge in its own books. */
export interface ReportedSettlement {
  /** Names the movement for good. */
  readonly ref: string;
  /** In the currency that it settles in. */
  readonly gross: Money;
  /** In the currency of `gross`; + is our cost. */
  readonly fee: bigint;
  /** The acquirer reference number of a card transaction: later files may name it by nothing else. */
  readonly arn: string | undefined;
}

/** A chargeback as a card scheme's file tells it. */
export interface ReportedChargeback {
  readonly scheme: CardScheme;
  /** When the scheme passed it on; when the file came, where it does not say. */
  readonly reportedAt: Instant;
}

interface ActionBase {
  /** The business's name for the effect: the same again changes nothing. At most 256 characters. */
  readonly key: string;
  /** When it moved, by the file. */
  readonly at: Instant;
}

/** What a settlement file tells payments: each changes their tables and posts what it means. */
export type PaymentsAction = ActionBase &
  (
    | {
        readonly kind: "capture";
        readonly attempt: string;
        readonly amount: Money;
        readonly settlement: ReportedSettlement;
        /** The provider's id of the charge, as far as the file has it. */
        readonly ref: string | undefined;
      }
    | {
        readonly kind: "decline";
        readonly attempt: string;
        /** As the sender names the reason. */
        readonly code: string;
        readonly message: string;
      }
    | {
        readonly kind: "settle";
        readonly payment: string;
        /** What the payment is, by both. */
        readonly amount: Money;
        readonly settlement: ReportedSettlement;
      }
    | {
        readonly kind: "confirm_refund";
        readonly refund: string;
        /** What the provider took off our account for it: `gross` is below zero. */
        readonly settlement: ReportedSettlement;
      }
    | { readonly kind: "fail_refund"; readonly refund: string }
    | {
        readonly kind: "open_dispute";
        readonly payment: string;
        /** The provider's id of the dispute. */
        readonly ref: string;
        /** Above zero: in the currency of the payment, and what the provider took off our account. */
        readonly amount: Money;
        readonly held: Money;
        /** In the currency of `held`; + is our cost. */
        readonly fee: bigint;
        /** Undefined in files that are no scheme's. */
        readonly chargeback: ReportedChargeback | undefined;
      }
    | { readonly kind: "win_dispute"; readonly dispute: string }
    | {
        /** A payout that our books do not have. */
        readonly kind: "send_payout";
        readonly ref: string;
        /** Above zero. */
        readonly amount: Money;
      }
    | { readonly kind: "return_payout"; readonly payout: string }
    /** It is on the statement of the bank account that the file is of. */
    | { readonly kind: "receive_payout"; readonly payout: string }
    | {
        /** A customer's transfer: towards these invoices, in this order, as far as they are open; the rest is the customer's balance. */
        readonly kind: "receive_transfer";
        readonly amount: Money;
        readonly invoices: readonly { readonly invoice: string; readonly amount: bigint }[];
        /** Needed when no invoice is named. */
        readonly customer: string | undefined;
        /** What the bank's line says, for people. */
        readonly note: string | undefined;
      }
    /** The bank took a customer's transfer back. */
    | { readonly kind: "take_back"; readonly payment: string }
  );

export type PaymentsActionKind = PaymentsAction["kind"];

/** What became of an action. A refused one changed nothing. */
export type ActionOutcome =
  | {
      readonly kind: "done" | "already_done";
      /** What it made, or found: a payment, a dispute, a payout. */
      readonly target?: {
        readonly kind: "payment" | "dispute" | "payout";
        readonly id: string;
        readonly root: string;
      };
    }
  | { readonly kind: "refused"; readonly reason: string };
