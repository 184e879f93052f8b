import type { Currency } from "../../../kernel/currency.js";
import type { RecordKind } from "../settlement-record.js";

export const comparison_lines = [
  "charges",
  "refunds",
  "fees",
  "disputes",
  "payouts",
  "transfers",
  /** What files report that is none of these: adjustments, reserves, and what is not known. */
  "other",
] as const;
export type ComparisonLine = (typeof comparison_lines)[number];

/** How much of a line one of the three says moved, and in how many movements. Signed as our account with the sender sees it. */
export interface LineSum {
  readonly line: ComparisonLine;
  readonly currency: Currency;
  readonly count: number;
  readonly minor: bigint;
}

/** One line of an account, side by side. */
export interface ComparedLine {
  readonly line: ComparisonLine;
  readonly currency: Currency;
  readonly books: { readonly count: number; readonly minor: bigint };
  /** What the sender's files say. */
  readonly reported: { readonly count: number; readonly minor: bigint };
  /** Of payouts: what is on the bank's statements, signed as the others. */
  readonly bank: { readonly count: number; readonly minor: bigint } | undefined;
  /** reported − books. */
  readonly difference: bigint;
}

/** Which line a record of a provider's file belongs to, its fee apart. */
export function lineOfRecord(kind: RecordKind): ComparisonLine {
  switch (kind) {
    case "charge":
      return "charges";
    case "refund":
      return "refunds";
    case "fee":
      return "fees";
    case "chargeback":
    case "chargeback_reversal":
      return "disputes";
    case "payout":
      return "payouts";
    case "bank_credit":
    case "bank_debit":
      return "transfers";
    case "adjustment":
    case "reserve":
    case "other":
    case "decline":
      return "other";
  }
}

const none = { count: 0, minor: 0n };

/** Every line that anybody has something of, in a fixed order. */
export function compareLines(
  books: readonly LineSum[],
  reported: readonly LineSum[],
  bank: readonly LineSum[],
): ComparedLine[] {
  const keys = new Map<string, Pick<LineSum, "line" | "currency">>();
  for (const { line, currency } of [...books, ...reported, ...bank])
    keys.set(`${line} ${currency}`, { line, currency });
  const sumOf = (sums: readonly LineSum[], { line, currency }: Pick<LineSum, "line" | "currency">) =>
    sums
      .filter((sum) => sum.line === line && sum.currency === currency)
      .reduce((all, { count, minor }) => ({ count: all.count + count, minor: all.minor + minor }), none);
  return [...keys.values()]
    .sort(
      (one, other) =>
        comparison_lines.indexOf(one.line) - comparison_lines.indexOf(other.line) ||
        (one.currency < other.currency ? -1 : one.currency > other.currency ? 1 : 0),
    )
    .map((key) => {
      const ours = sumOf(books, key);
      const theirs = sumOf(reported, key);
      return {
        ...key,
        books: ours,
        reported: theirs,
        bank: key.line === "payouts" ? sumOf(bank, key) : undefined,
        difference: theirs.minor - ours.minor,
      };
    });
}
