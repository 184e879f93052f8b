import { movedBy, type MatchableRecord } from "./matchable-record.js";
import type { Target, TargetKind } from "./target.js";

/** Which things of ours a record can be about; the first is preferred where one reference names several. */
export function targetKindsOf({
  kind,
  side,
  isReversal,
}: Pick<MatchableRecord, "kind" | "side" | "isReversal">): readonly TargetKind[] {
  if (side === "bank") {
    // A bank says which transfer it takes back: a customer's that came in, or a refund that went out.
    if (isReversal) return kind === "bank_debit" ? ["payment"] : kind === "bank_credit" ? ["refund"] : [];
    if (kind === "bank_credit") return ["payout", "invoice", "refund"];
    if (kind === "bank_debit") return ["refund", "return"];
    return [];
  }
  // What is taken back was posted before: which of it, a person says. Payouts and refunds say so by their sign.
  if (isReversal && kind !== "payout" && kind !== "refund") return [];
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
    case "decline":
      return ["attempt", "refund"];
    case "fee":
    case "adjustment":
    case "bank_credit":
    case "bank_debit":
    case "reserve":
    case "other":
      return [];
  }
}

/** Which things a person may say that it is, whatever the sender calls it. */
export function targetKindsByHand(record: MatchableRecord): readonly TargetKind[] {
  const kinds = [...targetKindsOf(record), ...targetKindsOf({ ...record, isReversal: false })];
  return record.side === "bank" && record.kind === "bank_debit" ? [...kinds, "payment"] : kinds;
}

/** The targets that fit, of the kind that is preferred, each once. */
export function fitting(record: MatchableRecord, targets: readonly Target[]): Target[] {
  for (const kind of targetKindsOf(record)) {
    const found = new Map<string, Target>();
    for (const target of targets) if (target.kind === kind) found.set(target.id, target);
    if (found.size > 0) return narrowed(record, [...found.values()]);
  }
  return [];
}

/** Of several transfers that what is taken back may name, the one of its amount. */
function narrowed(record: MatchableRecord, targets: Target[]): Target[] {
  if (!record.isReversal || record.side !== "bank" || targets.length < 2) return targets;
  const { currency, minor } = movedBy(record);
  const same = targets.filter(({ amount }) => amount.currency === currency && amount.minor === -minor);
  return same.length === 1 ? same : targets;
}
