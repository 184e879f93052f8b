import type { LocalDate } from "../../kernel/local-date.js";

/** An amount that is earned in equal parts on each day of a service. */
export interface StraightLine {
  readonly firstDay: LocalDate;
  /** Whole local days, above zero. */
  readonly days: number;
  /** In minor units, what was taken back not included; below zero for what is given back. */
  readonly total: bigint;
  /** What of it is recognised, and the days that it is for. */
  readonly recognized: bigint;
  readonly recognizedDays: number;
}

/** How many of its days have passed at the end of a date: none before, all of them after. */
export function daysThrough(
  { firstDay, days }: Pick<StraightLine, "firstDay" | "days">,
  date: LocalDate,
): number {
  return Math.min(Math.max(date - firstDay + 1, 0), days);
}

/**
 * What is earned of a total by some of its days, rounded half away from zero. A part is what is earned by its last day less
 * what was by the day before its first: so parts add up to the total, to the cent.
 */
export function earnedBy(total: bigint, passed: number, days: number): bigint {
  const doubled = total * BigInt(passed) * 2n;
  const divisor = BigInt(days) * 2n;
  const half = BigInt(days);
  return total < 0n ? (doubled - half) / divisor : (doubled + half) / divisor;
}

/** The part that is recognised when days up to a date have passed; undefined when those are recognised already. */
export function partThrough(
  line: StraightLine,
  date: LocalDate,
): { readonly amount: bigint; readonly fromDay: number; readonly toDay: number } | undefined {
  const toDay = daysThrough(line, date);
  if (toDay <= line.recognizedDays) return undefined;
  const amount = earnedBy(line.total, toDay, line.days) - line.recognized;
  return { amount, fromDay: line.recognizedDays, toDay };
}

/**
 * Takes an amount back, in equal parts off all days: what falls to days that are recognised comes from revenue, the rest from
 * what is deferred. What is left goes on as if it had never been more.
 *
 * @param amount  of the total's sign, and no more than it
 * @throws RangeError when it is
 */
export function takeBack(
  { total, recognized, recognizedDays, days }: StraightLine,
  amount: bigint,
): { readonly fromRevenue: bigint; readonly fromDeferred: bigint; readonly recognized: bigint } {
  const isWithin = total < 0n ? amount <= 0n && amount >= total : amount >= 0n && amount <= total;
  if (!isWithin) throw new RangeError(`${amount} of ${total} cannot be taken back`);
  const left = earnedBy(total - amount, recognizedDays, days);
  const fromRevenue = recognized - left;
  return { fromRevenue, fromDeferred: amount - fromRevenue, recognized: left };
}
