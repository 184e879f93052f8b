import type { Instant } from "../../../kernel/instant.js";
import type { Money } from "../../../kernel/money.js";

interface TargetBase {
  readonly id: string;
  /**
   * What is claimed when a record is matched to it: of a payment that an attempt made the attempt's id, so that the two are
   * one thing; else its own.
   */
  readonly root: string;
  /** Above zero, in the currency that our books have it in. */
  readonly amount: Money;
  /** When it happened by our books; of an invoice, when it was issued. */
  readonly at: Instant;
}

/** What a provider counted a payment as, where our books know it already. */
export interface KnownSettlement {
  readonly gross: Money;
  /** + is our cost, in the currency of `gross`. */
  readonly fee: bigint;
}

/** A charge of which our books do not say yet that it took money. */
export interface AttemptTarget extends TargetBase {
  readonly kind: "attempt";
  /** Ended: our books say that it took none. */
  readonly state: "open" | "ended";
}

export interface PaymentTarget extends TargetBase {
  readonly kind: "payment";
  readonly settlement: KnownSettlement | undefined;
}

export interface RefundTarget extends TargetBase {
  readonly kind: "refund";
  readonly state: "open" | "done" | "failed";
}

export interface DisputeTarget extends TargetBase {
  readonly kind: "dispute";
  readonly state: "open" | "won" | "lost";
  /** What the provider took off our account for it, in the currency that it settles in; above zero. */
  readonly held: Money;
  /** What the provider kept for it by our books; + is our cost. */
  readonly fee: Money;
}

export interface PayoutTarget extends TargetBase {
  readonly kind: "payout";
  /** At which provider account. */
  readonly account: string;
  readonly state: "sent" | "returned";
  /** Whether a bank's statement has it already. */
  readonly received: boolean;
}

export interface InvoiceTarget extends TargetBase {
  readonly kind: "invoice";
  /** `amount` is what is owed of it still: zero when it is paid. */
  readonly customer: string;
  readonly customerName: string;
}

/** Money in suspense of which a person said that it goes back to its sender: an exception of ours. */
export interface ReturnTarget extends TargetBase {
  readonly kind: "return";
}

/** Something in our books that a record of a settlement file may be about. */
export type Target =
  | AttemptTarget
  | PaymentTarget
  | RefundTarget
  | DisputeTarget
  | PayoutTarget
  | InvoiceTarget
  | ReturnTarget;

export type TargetKind = Target["kind"];

/** A target and one of the texts by which it was looked for. */
export interface FoundTarget {
  readonly reference: string;
  readonly target: Target;
}
