/** A chargeback's way: the money is taken away when it is opened, and comes back when it is won. */
export const dispute_states = ["inquiry", "needs_response", "under_review", "won", "lost"] as const;
export type DisputeState = (typeof dispute_states)[number];

/**
 * `withdraw`: the provider takes the money away; `reinstate`: it gives it back; `write_off`: it is lost for good;
 * `undo_write_off`: a loss was turned round.
 */
export type DisputeEffect = "withdraw" | "reinstate" | "write_off" | "undo_write_off";

export type DisputeTransition =
  | { readonly kind: "accepted"; readonly next: DisputeState; readonly effects: readonly DisputeEffect[] }
  | { readonly kind: "ignored" };

const rank: Readonly<Record<DisputeState, number>> = {
  inquiry: 0,
  needs_response: 1,
  under_review: 2,
  won: 3,
  lost: 3,
};

/** Where the money is in each state: an inquiry has taken none yet. */
const position: Readonly<Record<DisputeState, "ours" | "held" | "gone">> = {
  inquiry: "ours",
  needs_response: "held",
  under_review: "held",
  won: "ours",
  lost: "gone",
};

/**
 * What a reported state makes of a dispute; undefined stands for one that was not known before. A decision may be turned
 * round by the scheme; nothing else goes back.
 */
export function onDisputeState(state: DisputeState | undefined, reported: DisputeState): DisputeTransition {
  if (state === reported) return { kind: "ignored" };
  if (state !== undefined && rank[reported] < rank[state]) return { kind: "ignored" };
  const before = state === undefined ? "ours" : position[state];
  return { kind: "accepted", next: reported, effects: between(before, position[reported]) };
}

function between(before: "ours" | "held" | "gone", after: "ours" | "held" | "gone"): DisputeEffect[] {
  if (before === after) return [];
  if (before === "ours") return after === "gone" ? ["withdraw", "write_off"] : ["withdraw"];
  if (before === "held") return [after === "gone" ? "write_off" : "reinstate"];
  return after === "ours" ? ["undo_write_off", "reinstate"] : ["undo_write_off"];
}
