import type { Currency } from "../../kernel/currency.js";
import { chart, codeOf, type Account } from "./account.js";
import type { Transfer } from "./posting.js";

/** What is added to one row of an account's kept balance, in minor units; pending sums may be taken off too. */
export interface BalanceChange {
  readonly code: string;
  readonly currency: Currency;
  readonly shard: number;
  readonly debit: bigint;
  readonly credit: bigint;
  readonly pendingDebit: bigint;
  readonly pendingCredit: bigint;
}

export interface MovedTransfers {
  readonly transfers: readonly Transfer[];
  /** Which of an account's rows they go to, when it has so many. */
  readonly shardOf: (shards: number) => number;
  /** Whether they change what is posted, or what is pending: more of it, or less. */
  readonly as: "posted" | "pending" | "released";
}

/**
 * What transfers change of balances: each row once, in one order everywhere, so that transactions which lock several do not
 * wait for one another in a circle.
 */
export function balanceChanges(moves: readonly MovedTransfers[]): BalanceChange[] {
  const changes = new Map<string, BalanceChange>();
  for (const { transfers, shardOf, as } of moves) {
    const add = (account: Account, currency: Currency, debit: bigint, credit: bigint) => {
      const code = codeOf(account);
      const { shards } = chart[account.kind];
      const shard = shards === 1 ? 0 : shardOf(shards);
      const key = `${code} ${currency} ${String(shard).padStart(2, "0")}`;
      const known = changes.get(key) ?? { code, currency, shard, ...nothing };
      changes.set(
        key,
        as === "posted"
          ? { ...known, debit: known.debit + debit, credit: known.credit + credit }
          : {
              ...known,
              pendingDebit: known.pendingDebit + (as === "pending" ? debit : -debit),
              pendingCredit: known.pendingCredit + (as === "pending" ? credit : -credit),
            },
      );
    };
    for (const { debit, credit, amount } of transfers) {
      add(debit, amount.currency, amount.minor, 0n);
      add(credit, amount.currency, 0n, amount.minor);
    }
  }
  return [...changes.keys()].sort().flatMap((key) => changes.get(key) ?? []);
}

const nothing = { debit: 0n, credit: 0n, pendingDebit: 0n, pendingCredit: 0n };
