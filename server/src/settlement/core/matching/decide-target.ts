import { formatMoney, type Money } from "../../../kernel/money.js";
import type { Allotment, ExceptionKind, Rule } from "./allotment.js";
import { movedBy, type MatchableRecord } from "./matchable-record.js";
import type {
  AttemptTarget,
  DisputeTarget,
  InvoiceTarget,
  PaymentTarget,
  PayoutTarget,
  RefundTarget,
  ReturnTarget,
  Target,
} from "./target.js";

const minus = ({ currency, minor }: Money): Money => ({ currency, minor: -minor });
const isSame = (one: Money, other: Money) => one.currency === other.currency && one.minor === other.minor;

/** The sender's fee as an allotment of its own, for what payments keep no settlement of. */
export function feeOf({ fee }: MatchableRecord): Allotment[] {
  if (fee === undefined || fee.minor === 0n) return [];
  return [{ effect: "fee", rule: "kind", amount: minus(fee) }];
}

/** Nothing of ours: what moved waits in suspense, with the reason for a person. The fee is a fee all the same. */
export function toSuspense(
  record: MatchableRecord,
  exception: { readonly kind: ExceptionKind; readonly note: string },
): Allotment[] {
  return [{ effect: "suspense", rule: "none", amount: movedBy(record), exception }, ...feeOf(record)];
}

/** What a record is once it is known which one thing of our books it is about. Amounts need not agree. */
export function decideTarget(
  record: MatchableRecord,
  target: Exclude<Target, InvoiceTarget>,
  rule: Rule,
): Allotment[] {
  switch (target.kind) {
    case "attempt":
      return ofAttempt(record, target, rule);
    case "payment":
      if (record.side === "bank") return ofTakenBack(record, target, rule);
      return record.kind === "chargeback"
        ? ofDisputed(record, target, rule)
        : ofPayment(record, target, rule);
    case "refund":
      return ofRefund(record, target, rule);
    case "dispute":
      return ofDispute(record, target, rule);
    case "payout":
      return ofPayout(record, target, rule);
    case "return":
      return ofReturn(record, target, rule);
  }
}

function ofAttempt(record: MatchableRecord, target: AttemptTarget, rule: Rule): Allotment[] {
  if (record.kind === "decline") return ofDecline(record, target, rule);
  if (target.state === "ended")
    return toSuspense(record, {
      kind: "unmatched",
      note: `Money of ${target.id}, of which our books say that it took none.`,
    });
  const fault = amountFault(record.gross, target);
  if (fault !== undefined) return toSuspense(record, fault);
  const named = { kind: "attempt", id: target.id } as const;
  return [{ effect: "capture", rule, amount: cleared(record), target: named }, ...foreignFeeOf(record)];
}

function ofPayment(record: MatchableRecord, target: PaymentTarget, rule: Rule): Allotment[] {
  const { settlement } = target;
  const named = { kind: "payment", id: target.id } as const;
  if (settlement === undefined) {
    const fault = amountFault(record.gross, target);
    if (fault !== undefined) return differing(record, target, fault, rule);
    return [{ effect: "settle", rule, amount: cleared(record), target: named }, ...foreignFeeOf(record)];
  }
  const moved = movedBy(record);
  const known = { currency: settlement.gross.currency, minor: settlement.gross.minor - settlement.fee };
  if (moved.currency !== known.currency)
    return toSuspense(record, {
      kind: "currency_differs",
      note: `${target.id} settled as ${formatMoney(settlement.gross)}, and the file says ${formatMoney(moved)}.`,
    });
  const now = cleared(record);
  if (isSame(now, known))
    return [{ effect: "none", rule, amount: now, target: named }, ...foreignFeeOf(record)];
  const note = `${target.id} settled as ${formatMoney(known)} after fees, and the file says ${formatMoney(now)}.`;
  const exception = { kind: "amount_differs", note } as const;
  return [...withDifference(known, now, named, rule, exception, "none"), ...foreignFeeOf(record)];
}

/** A payment whose amount the file tells otherwise: what our books have stands, and the difference waits. */
function differing(
  record: MatchableRecord,
  target: PaymentTarget,
  fault: { kind: ExceptionKind; note: string },
  rule: Rule,
): Allotment[] {
  // A difference in a currency that the sender's account does not move in cannot wait there.
  if (fault.kind === "currency_differs" || record.settled !== undefined) return toSuspense(record, fault);
  const named = { kind: "payment", id: target.id } as const;
  return [...withDifference(target.amount, record.gross, named, rule, fault, "none"), ...feeOf(record)];
}

/** Nothing moved, and nothing will: what had ended so already stays as it is. */
function ofDecline(
  { gross: amount }: MatchableRecord,
  { kind, id, state }: AttemptTarget | RefundTarget,
  rule: Rule,
): Allotment[] {
  const effect = state !== "open" ? "none" : kind === "attempt" ? "decline" : "fail_refund";
  return [{ effect, rule, amount, target: { kind, id } }];
}

/** A customer's transfer that the bank takes back, whole. */
function ofTakenBack(record: MatchableRecord, target: PaymentTarget, rule: Rule): Allotment[] {
  const moved = movedBy(record);
  const fault = amountFault(minus(moved), target);
  if (fault !== undefined) return toSuspense(record, fault);
  const named = { kind: "payment", id: target.id } as const;
  return [{ effect: "take_back", rule, amount: moved, target: named }, ...feeOf(record)];
}

function ofRefund(record: MatchableRecord, target: RefundTarget, rule: Rule): Allotment[] {
  if (record.kind === "decline") return ofDecline(record, target, rule);
  const isBack = record.gross.minor > 0n;
  if (target.state === "failed" && !isBack)
    return toSuspense(record, {
      kind: "unmatched",
      note: `Money of ${target.id}, a refund that failed by our books.`,
    });
  const fault = amountFault(isBack ? record.gross : minus(record.gross), target);
  if (fault !== undefined) return toSuspense(record, fault);
  const named = { kind: "refund", id: target.id } as const;
  if (!isBack)
    return [{ effect: "refund", rule, amount: cleared(record), target: named }, ...foreignFeeOf(record)];
  const effect = target.state === "failed" ? "none" : "fail_refund";
  return [{ effect, rule, amount: record.gross, target: named }, ...exchangeOf(record), ...feeOf(record)];
}

/** A chargeback of a payment that our books know no dispute of. */
function ofDisputed(record: MatchableRecord, target: PaymentTarget, rule: Rule): Allotment[] {
  const taken = minus(record.gross);
  if (taken.currency !== target.amount.currency)
    return toSuspense(record, {
      kind: "currency_differs",
      note: `A chargeback of ${target.id} in ${taken.currency}, which was ${formatMoney(target.amount)}.`,
    });
  if (taken.minor > target.amount.minor || taken.minor <= 0n || movedBy(record).minor >= 0n)
    return toSuspense(record, {
      kind: "amount_differs",
      note: `A chargeback of ${formatMoney(taken)} on ${target.id}, which was ${formatMoney(target.amount)}.`,
    });
  const named = { kind: "payment", id: target.id } as const;
  return [{ effect: "dispute", rule, amount: cleared(record), target: named }, ...foreignFeeOf(record)];
}

function ofDispute(record: MatchableRecord, target: DisputeTarget, rule: Rule): Allotment[] {
  const isWon = record.kind === "chargeback_reversal";
  const moved = movedBy(record);
  if (!isSame(isWon ? moved : minus(moved), target.held)) {
    const kind = moved.currency === target.held.currency ? "amount_differs" : "currency_differs";
    const note = `${target.id} is about ${formatMoney(target.held)}, and ${formatMoney(moved)} moved.`;
    return toSuspense(record, { kind, note });
  }
  const named = { kind: "dispute", id: target.id } as const;
  const isNew = isWon && target.state !== "won";
  return [
    { effect: isNew ? "win_dispute" : "none", rule, amount: moved, target: named },
    ...disputeFee(record, target),
  ];
}

/** What our books have of a dispute's fee is not posted again. */
function disputeFee(record: MatchableRecord, { fee: known }: DisputeTarget): Allotment[] {
  const { fee } = record;
  if (fee === undefined || fee.minor === 0n || known.minor === 0n || known.currency !== fee.currency)
    return feeOf(record);
  const noted: Allotment = { effect: "none", rule: "kind", amount: minus(known) };
  const left = known.minor - fee.minor;
  return left === 0n
    ? [noted]
    : [noted, { effect: "fee", rule: "kind", amount: { currency: fee.currency, minor: left } }];
}

function ofPayout(record: MatchableRecord, target: PayoutTarget, rule: Rule): Allotment[] {
  const named = { kind: "payout", id: target.id, account: target.account } as const;
  const moved = movedBy(record);
  if (record.side === "bank") {
    const fault = amountFault(moved, target);
    if (fault?.kind === "currency_differs") return toSuspense(record, fault);
    if (fault === undefined)
      return [{ effect: "receive_payout", rule, amount: moved, target: named }, ...feeOf(record)];
    const exception = { kind: "payout_differs", note: fault.note } as const;
    return [
      ...withDifference(target.amount, moved, named, rule, exception, "receive_payout"),
      ...feeOf(record),
    ];
  }
  const isBack = moved.minor > 0n;
  const fault = amountFault(isBack ? moved : minus(moved), target);
  if (fault !== undefined) return toSuspense(record, fault);
  const effect = isBack && target.state === "sent" ? "return_payout" : "none";
  return [{ effect, rule, amount: moved, target: named }, ...feeOf(record)];
}

/** What came in and was never known goes out again: it leaves suspense as it came. */
function ofReturn(record: MatchableRecord, target: ReturnTarget, rule: Rule): Allotment[] {
  const moved = movedBy(record);
  const fault = amountFault(minus(moved), target);
  if (fault !== undefined) return toSuspense(record, fault);
  const named = { kind: "return", id: target.id } as const;
  return [{ effect: "suspense", rule, amount: moved, target: named }, ...feeOf(record)];
}

/** The target by what our books have of it, and what the file says beyond that. */
function withDifference(
  known: Money,
  told: Money,
  target: NonNullable<Allotment["target"]>,
  rule: Rule,
  exception: { kind: ExceptionKind; note: string },
  effect: Allotment["effect"],
): Allotment[] {
  const difference = { currency: told.currency, minor: told.minor - known.minor };
  return [
    { effect, rule, amount: known, target },
    { effect: "suspense", rule: "none", amount: difference, exception },
  ];
}

/** From the currency that a thing was made in to the one that the sender counts it in. */
function exchangeOf({ gross, settled }: MatchableRecord): Allotment[] {
  if (settled === undefined) return [];
  return [
    { effect: "exchange", rule: "kind", amount: minus(gross) },
    { effect: "exchange", rule: "kind", amount: settled },
  ];
}

/** What moved less what the sender kept of it. */
function cleared(record: MatchableRecord): Money {
  const moved = movedBy(record);
  if (record.fee === undefined || record.fee.currency !== moved.currency) return moved;
  return { currency: moved.currency, minor: moved.minor - record.fee.minor };
}

/** A fee in another currency than what moved is no part of the settlement: it is allotted by itself. */
function foreignFeeOf(record: MatchableRecord): Allotment[] {
  return record.fee?.currency === movedBy(record).currency ? [] : feeOf(record);
}

function amountFault(told: Money, target: Target): { kind: ExceptionKind; note: string } | undefined {
  if (isSame(told, target.amount)) return undefined;
  const kind = told.currency === target.amount.currency ? "amount_differs" : "currency_differs";
  return {
    kind,
    note: `${target.id} is ${formatMoney(target.amount)} in our books, and ${formatMoney(told)} in the file.`,
  };
}
