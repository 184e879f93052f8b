import type Stripe from "stripe";
import { instantFromMs } from "../../../kernel/instant.js";
import type { Money } from "../../../kernel/money.js";
import type { RefundId } from "../../../kernel/ids.js";
import type { DisputeState, PayoutState, RefundState } from "../../core/index.js";
import type {
  ProviderObject,
  RefundReply,
  ReportedDispute,
  ReportedMethod,
  ReportedPayout,
} from "../../provider.js";
import { movementOf, refund_key } from "./stripe-charge.js";
import { fromStripeAmount } from "./stripe-amount.js";

/** The id of what a field holds, expanded or not. */
export function idOf(value: string | { readonly id: string } | null | undefined): string | undefined {
  if (value === null || value === undefined) return undefined;
  return typeof value === "string" ? value : value.id;
}

const refundStates: Readonly<Record<string, RefundState>> = {
  pending: "pending",
  requires_action: "pending",
  succeeded: "succeeded",
  failed: "failed",
  canceled: "canceled",
};

export function refundReplyOf(refund: Stripe.Refund): RefundReply {
  return {
    ref: refund.id,
    state: refundStates[refund.status ?? "pending"] ?? "pending",
    failure: refund.failure_reason ?? undefined,
    settled: movementOf(refund.balance_transaction),
    returned: movementOf(refund.failure_balance_transaction),
  };
}

export function reportedRefund(refund: Stripe.Refund): ProviderObject {
  const chargeRef = idOf(refund.payment_intent);
  if (chargeRef === undefined) return { kind: "irrelevant" };
  return {
    kind: "refund",
    refund: refund.metadata?.[refund_key] as RefundId | undefined,
    chargeRef,
    amount: fromStripeAmount(refund.amount, refund.currency),
    reply: refundReplyOf(refund),
  };
}

const disputeStates: Readonly<Record<string, DisputeState>> = {
  warning_needs_response: "inquiry",
  warning_under_review: "inquiry",
  warning_closed: "won",
  prevented: "won",
  needs_response: "needs_response",
  under_review: "under_review",
  won: "won",
  lost: "lost",
};

/** @throws RangeError for a dispute of no payment intent */
export function reportedDispute(dispute: Stripe.Dispute): ReportedDispute {
  const chargeRef = idOf(dispute.payment_intent);
  if (chargeRef === undefined) throw new RangeError(`dispute ${dispute.id} names no payment intent`);
  const movements = dispute.balance_transactions;
  const amount = fromStripeAmount(dispute.amount, dispute.currency);
  const first = movements[0];
  const nothing: Money = { currency: amount.currency, minor: 0n };
  return {
    ref: dispute.id,
    chargeRef,
    amount,
    held: first === undefined ? amount : absolute(fromStripeAmount(first.amount, first.currency)),
    fee: movements.reduce<Money>((sum, { fee, currency }) => {
      const one = fromStripeAmount(fee, currency);
      return { currency: one.currency, minor: sum.minor + one.minor };
    }, nothing),
    reason: dispute.reason,
    state: disputeStates[dispute.status] ?? "needs_response",
    evidenceDueAt:
      dispute.evidence_details.due_by === null
        ? undefined
        : instantFromMs(dispute.evidence_details.due_by * 1000),
  };
}

function absolute({ currency, minor }: Money): Money {
  return { currency, minor: minor < 0n ? -minor : minor };
}

export function reportedPayout(payout: Stripe.Payout): ReportedPayout {
  return {
    ref: payout.id,
    amount: fromStripeAmount(payout.amount, payout.currency),
    state: payout.status as PayoutState,
    failure: payout.failure_message ?? payout.failure_code ?? undefined,
    arrivesOn: new Date(payout.arrival_date * 1000).toISOString().slice(0, 10),
  };
}

export function reportedMethod(method: Stripe.PaymentMethod): ReportedMethod {
  const base = { ref: method.id, customerRef: idOf(method.customer) };
  if (method.card) {
    const { brand, last4, exp_year: year, exp_month: month } = method.card;
    return { ...base, kind: "card", brand, last4, expires: `${year}-${String(month).padStart(2, "0")}` };
  }
  const debit = method.sepa_debit ?? method.us_bank_account ?? method.bacs_debit;
  return {
    ...base,
    kind: debit ? "bank_debit" : "other",
    brand: method.type,
    last4: debit?.last4 ?? undefined,
    expires: undefined,
  };
}
