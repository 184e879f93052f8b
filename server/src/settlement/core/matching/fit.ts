import type { MatchableRecord } from "./matchable-record.js";
import type { Target, TargetKind } from "./target.js";

/** Which things of ours a record can be about; the first is preferred where one reference names several. */
export function targetKindsOf({ kind, side, isReversal }: MatchableRecord): readonly TargetKind[] {
  // What is taken back was posted before: which of it, a person says. Payouts and refunds say so by their sign.
  if (isReversal && kind !== "payout" && kind !== "refund") return [];
  if (side === "bank") {
    if (kind === "bank_credit") return ["payout", "invoice"];
    if (kind === "bank_debit") return ["refund", "return"];
    return [];
  }
  switch (kind) {
    case "charge":
      return ["payment", "attempt"];
    case "refund":
      return ["refund"];
    case "chargeback":
      return ["dispute", "payment"];
    case "chargeback_reversal":
      return ["dispute"];
    case "payout":
      return ["payout"];
    case "fee":
    case "adjustment":
    case "bank_credit":
    case "bank_debit":
    case "reserve":
    case "other":
      return [];
  }
}

/** The targets that fit, of the kind that is preferred, each once. */
export function fitting(record: MatchableRecord, targets: readonly Target[]): Target[] {
  for (const kind of targetKindsOf(record)) {
    const found = new Map<string, Target>();
    for (const target of targets) if (target.kind === kind) found.set(target.id, target);
    if (found.size > 0) return [...found.values()];
  }
  return [];
}
