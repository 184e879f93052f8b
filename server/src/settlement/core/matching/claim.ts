import type { RecordKind } from "../settlement-record.js";
import type { MatchableRecord } from "./matchable-record.js";
import type { Target } from "./target.js";

/**
 * What of a target a record settles: a payment is charged once and charged back apart from that, a payout leaves the
 * provider, comes back, and arrives at the bank. One record at most has each claim. An invoice has none, since several
 * transfers may pay it.
 */
export function claimOf(
  record: Pick<MatchableRecord, "kind" | "side" | "gross">,
  target: Pick<Target, "kind" | "root">,
): string | undefined {
  if (target.kind === "invoice") return undefined;
  if (record.side !== "bank") return `${target.root}:${movementOf(record.kind, record.gross.minor)}`;
  // A refund goes out, and may come back.
  return `${target.root}:${target.kind === "refund" && record.gross.minor > 0n ? "bank_return" : "bank"}`;
}

/** What takes money out, and is above zero, came back: that is another movement. */
function movementOf(kind: RecordKind, minor: bigint): string {
  return (kind === "payout" || kind === "refund") && minor > 0n ? `${kind}_return` : kind;
}
