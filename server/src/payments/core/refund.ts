export const refund_states = ["pending", "succeeded", "failed", "canceled"] as const;
export type RefundState = (typeof refund_states)[number];

/**
 * Where a refund's money comes from in the books: off the customer's balance (after a credit note), out of our pocket,
 * back onto the invoice, which is owed again, or off the prepaid credit that the payment bought.
 */
export const refund_sources = ["balance", "goodwill", "invoice", "prepaid"] as const;
export type RefundSource = (typeof refund_sources)[number];

export type RefundTransition =
  | { readonly kind: "accepted"; readonly next: RefundState; readonly effect: "none" | "reverse" }
  | { readonly kind: "ignored" };

/**
 * A refund is posted when it is made, and reversed when it turns out to have failed, which may be days after it succeeded.
 * One that failed stays so: the money is back.
 */
export function onRefundState(state: RefundState, reported: RefundState): RefundTransition {
  if (state === reported || state === "failed" || state === "canceled") return { kind: "ignored" };
  if (reported === "pending") return { kind: "ignored" };
  const isGone = reported === "failed" || reported === "canceled";
  return { kind: "accepted", next: reported, effect: isGone ? "reverse" : "none" };
}

/** What of a captured amount can still be given back: refunds that failed do not count. */
export function refundable(
  captured: bigint,
  refunds: readonly { readonly state: RefundState; readonly amount: bigint }[],
  disputed: bigint,
): bigint {
  const given = refunds.reduce(
    (sum, { state, amount }) => (state === "failed" || state === "canceled" ? sum : sum + amount),
    0n,
  );
  const left = captured - given - disputed;
  return left > 0n ? left : 0n;
}
