import type { Currency } from "../../kernel/currency.js";
import type { AccountSums } from "./account.js";

/** Where the kept balances and the transfers themselves disagree. */
export interface SumDifference {
  readonly code: string;
  readonly currency: Currency;
  readonly side: "debit" | "credit" | "pendingDebit" | "pendingCredit";
  readonly kept: bigint;
  readonly transferred: bigint;
}

/** Whether debits equal credits in every currency. */
export function isBalanced(sums: readonly AccountSums[]): boolean {
  const difference = new Map<Currency, bigint>();
  for (const { currency, debit, credit } of sums) {
    difference.set(currency, (difference.get(currency) ?? 0n) + debit - credit);
  }
  return [...difference.values()].every((left) => left === 0n);
}

/** Every sum that is kept otherwise than the transfers add up to; an empty list says the balances are right. */
export function compareSums(
  kept: readonly AccountSums[],
  transferred: readonly AccountSums[],
): SumDifference[] {
  const keyOf = ({ code, currency }: AccountSums) => `${code} ${currency}`;
  const expected = new Map(transferred.map((sums) => [keyOf(sums), sums]));
  const actual = new Map(kept.map((sums) => [keyOf(sums), sums]));
  return [...new Set([...expected.keys(), ...actual.keys()])].sort().flatMap((key) => {
    const one = actual.get(key);
    const other = expected.get(key);
    const named = one ?? other;
    if (named === undefined) return [];
    return (["debit", "credit", "pendingDebit", "pendingCredit"] as const)
      .map((side) => ({
        code: named.code,
        currency: named.currency,
        side,
        kept: one?.[side] ?? 0n,
        transferred: other?.[side] ?? 0n,
      }))
      .filter((difference) => difference.kept !== difference.transferred);
  });
}
