export const payout_states = ["pending", "in_transit", "paid", "failed", "canceled"] as const;
export type PayoutState = (typeof payout_states)[number];

export type PayoutTransition =
  | { readonly kind: "accepted"; readonly next: PayoutState; readonly effect: "none" | "send" | "return" }
  | { readonly kind: "ignored" };

const rank: Readonly<Record<PayoutState, number>> = {
  pending: 0,
  in_transit: 1,
  paid: 2,
  failed: 3,
  canceled: 3,
};

/** Money leaves the provider when a payout is made, and comes back when it fails, also after it was said to be paid. */
export function onPayoutState(state: PayoutState | undefined, reported: PayoutState): PayoutTransition {
  if (state === reported) return { kind: "ignored" };
  if (state !== undefined && rank[reported] <= rank[state]) return { kind: "ignored" };
  const isBack = reported === "failed" || reported === "canceled";
  if (state === undefined) return { kind: "accepted", next: reported, effect: isBack ? "none" : "send" };
  return { kind: "accepted", next: reported, effect: isBack ? "return" : "none" };
}
