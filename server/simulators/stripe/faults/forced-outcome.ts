import type { FaultEffect } from "./fault.js";

type OutcomeKind =
  | "decline"
  | "processing"
  | "dispute"
  | "refund_pending"
  | "refund_fails"
  | "payout_difference"
  | "payout_fails";

/** What faults make of a payment, a refund or a payout, by the kind of the effect; of several of a kind, the first. */
export type ForcedOutcome = { readonly [K in OutcomeKind]?: Extract<FaultEffect, { kind: K }> };

export const noForcedOutcome: ForcedOutcome = {};

export function forcedOutcome(effects: readonly FaultEffect[]): ForcedOutcome {
  if (effects.length === 0) return noForcedOutcome;
  return Object.fromEntries(effects.toReversed().map((effect) => [effect.kind, effect]));
}
