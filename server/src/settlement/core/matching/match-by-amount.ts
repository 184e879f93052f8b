import type { Currency } from "../../../kernel/currency.js";
import { day, type Instant } from "../../../kernel/instant.js";
import { formatMoney } from "../../../kernel/money.js";
import { feeOf, toSuspense } from "./decide-target.js";
import { fitting, targetKindsOf } from "./fit.js";
import { claimOf } from "./claim.js";
import { Books, listed, receipt, settle, type Knowledge, type MatchedRecord } from "./match-by-reference.js";
import { movedBy, type MatchableRecord } from "./matchable-record.js";
import type { Target, TargetKind } from "./target.js";

/** What may be of a record's amount in the time around it. */
export interface AmountQuestion {
  /** The record's. */
  readonly position: number;
  readonly kinds: readonly TargetKind[];
  readonly currency: Currency;
  /** Above zero. */
  readonly minor: bigint;
  readonly from: Instant;
  /** Exclusive. */
  readonly to: Instant;
}

export interface AmountAnswer {
  readonly position: number;
  readonly target: Target;
}

/** How long before and after a record its target may have happened by our books, in days. */
const windows_days: Readonly<Record<TargetKind, { before: number; after: number }>> = {
  attempt: { before: 7, after: 2 },
  payment: { before: 7, after: 2 },
  refund: { before: 14, after: 2 },
  dispute: { before: 120, after: 2 },
  payout: { before: 14, after: 2 },
  invoice: { before: 90, after: 1 },
  return: { before: 60, after: 2 },
};

/** What to ask our books about a record that names nothing of ours. */
export function amountQuestionOf(record: MatchableRecord): AmountQuestion | undefined {
  const kinds = targetKindsOf(record).filter((kind) => isSearched(record, kind));
  const moved = record.side === "bank" ? movedBy(record) : record.gross;
  if (kinds.length === 0 || moved.minor === 0n) return undefined;
  const before = Math.max(...kinds.map((kind) => windows_days[kind].before));
  const after = Math.max(...kinds.map((kind) => windows_days[kind].after));
  return {
    position: record.position,
    kinds,
    currency: moved.currency,
    minor: moved.minor < 0n ? -moved.minor : moved.minor,
    from: (record.at - before * day) as Instant,
    to: (record.at + after * day) as Instant,
  };
}

/**
 * A chargeback takes of a payment what it likes: its amount tells nothing, unless a dispute is known. And what comes back at a bank
 * names what it was: many transfers have one amount.
 */
function isSearched({ kind, side, isReversal, gross }: MatchableRecord, target: TargetKind): boolean {
  if (side === "bank") return !isReversal && (target !== "refund" || gross.minor < 0n);
  return kind !== "chargeback" || target === "dispute";
}

/**
 * The last rule, for all records of a file at once that name nothing: a target that is the only one of the record's amount
 * around it, when the record is also the only one that it fits. Whoever competes for one gets none: a person decides.
 */
export function matchByAmount(
  records: readonly MatchableRecord[],
  answers: readonly AmountAnswer[],
  knowledge: Pick<Knowledge, "claimed" | "pending">,
): MatchedRecord[] {
  const books = new Books(knowledge);
  const eligible = new Map<number, Target[]>();
  const suitors = new Map<string, number>();
  const byPosition = new Map<number, Target[]>();
  for (const { position, target } of answers)
    byPosition.set(position, [...(byPosition.get(position) ?? []), target]);
  for (const record of records) {
    const targets = fitting(
      record,
      (byPosition.get(record.position) ?? []).filter((target) => isEligible(record, target, books)),
    );
    eligible.set(record.position, targets);
    for (const { id } of targets) suitors.set(id, (suitors.get(id) ?? 0) + 1);
  }
  return records.map((record): MatchedRecord => {
    const targets = eligible.get(record.position) ?? [];
    const [only, other] = targets;
    const isOnly = only !== undefined && other === undefined && suitors.get(only.id) === 1;
    if (targets.length === 0 && isNewPayout(record))
      return {
        record,
        allotments: [{ effect: "payout", rule: "kind", amount: movedBy(record) }, ...feeOf(record)],
        claims: [],
      };
    if (!isOnly) {
      const exception = { kind: "unmatched", note: noteOf(record, targets) } as const;
      return { record, allotments: toSuspense(record, exception), claims: [] };
    }
    const outcome =
      only.kind === "invoice"
        ? receipt(record, [only], "amount_and_date", books)
        : settle(record, only, "amount_and_date", books);
    return { record, ...outcome };
  });
}

/** A provider that pays out tells so by the file: our books need not have known. */
function isNewPayout({ kind, side, ...record }: MatchableRecord): boolean {
  return kind === "payout" && side === "provider" && movedBy(record).minor < 0n;
}

function isEligible(record: MatchableRecord, target: Target, books: Books): boolean {
  const { before, after } = windows_days[target.kind];
  const isAround = target.at >= record.at - before * day && target.at < record.at + after * day;
  const moved = record.side === "bank" ? movedBy(record) : record.gross;
  const minor = moved.minor < 0n ? -moved.minor : moved.minor;
  const isAmount = target.amount.currency === moved.currency && target.amount.minor === minor;
  if (!isAround || !isAmount || !isSearched(record, target.kind)) return false;
  // Many owe the same amount: the payer's name has to be the customer's too.
  if (target.kind === "invoice") return isSameName(record.counterparty, target.customerName);
  if (target.kind === "payout" && record.side === "bank" && target.received) return false;
  if (target.kind === "attempt" && target.state === "ended") return false;
  const claim = claimOf(record, target);
  return claim === undefined || !books.isClaimed(claim);
}

/** As banks write them: in capitals, without accents, cut off behind 27 characters and more. */
function isSameName(payer: string | undefined, customer: string): boolean {
  const plain = (name: string) =>
    name
      .normalize("NFKD")
      .replace(/[^\p{L}\p{N}]/gu, "")
      .toLowerCase();
  const one = plain(payer ?? "");
  const other = plain(customer);
  if (one === "" || other === "") return false;
  return one === other || (one.length >= 20 && other.startsWith(one));
}

function noteOf(record: MatchableRecord, targets: readonly Target[]): string {
  if (targets.length > 0)
    return `It names nothing of ours, and its amount does not tell alone: ${listed(targets)}.`;
  return `It names nothing of ours, and nothing of ${formatMoney(movedBy(record))} is open around it.`;
}
