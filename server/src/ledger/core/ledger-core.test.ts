import fc from "fast-check";
import { expect, test } from "vitest";
import { parseCurrency, type Currency } from "../../kernel/currency.js";
import type { CustomerId, ProviderAccountId } from "../../kernel/ids.js";
import {
  accountOf,
  balanceChanges,
  balanceOf,
  checkPosting,
  codeOf,
  compareSums,
  contentOf,
  isBalanced,
  resolvedTransfers,
  reversed,
  type AccountSums,
  type Transfer,
} from "./index.js";

const customer = "cus_01arz3ndektsv4rrffq69g5fav" as CustomerId;
const account = "pac_01arz3ndektsv4rrffq69g5fav" as ProviderAccountId;
const usd = parseCurrency("USD") as Currency;
const eur = parseCurrency("EUR") as Currency;
const billed = (minor: bigint): Transfer => ({
  debit: { kind: "receivable", customer },
  credit: { kind: "revenue" },
  amount: { currency: usd, minor },
});
const no_sums = { debit: 0n, credit: 0n, pendingDebit: 0n, pendingCredit: 0n };
const posting = (transfers: readonly Transfer[]) => ({
  idempotencyKey: "k",
  reason: "invoice.finalize",
  reference: "inv_1",
  transfers,
});

test("an account's code names its kind and whose it is, and is read back", () => {
  expect(codeOf({ kind: "receivable", customer })).toBe(`receivable:${customer}`);
  expect(accountOf(`receivable:${customer}`)).toEqual({ kind: "receivable", customer });
  expect(codeOf({ kind: "cash", account })).toBe(`cash:${account}`);
  expect(accountOf(`cash:${account}`)).toEqual({ kind: "cash", account });
  expect(accountOf("revenue")).toEqual({ kind: "revenue" });
  expect(() => codeOf({ kind: "receivable" })).toThrow("kept per customer");
  expect(() => codeOf({ kind: "revenue", customer })).toThrow("not kept per customer");
  expect(() => codeOf({ kind: "receivable", customer, account })).toThrow("not kept per account");
  expect(() => codeOf({ kind: "cash", customer })).toThrow("not kept per customer");
  // The control account of all customers' receivables.
  expect(accountOf("receivable")).toEqual({ kind: "receivable" });
  expect(() => accountOf(`revenue:${customer}`)).toThrow("kept once");
  expect(() => accountOf("petty_cash")).toThrow("no account of kind");
});

test("assets grow by debits, income by credits", () => {
  expect(balanceOf("asset", { debit: 500n, credit: 200n })).toBe(300n);
  expect(balanceOf("income", { debit: 0n, credit: 200n })).toBe(200n);
});

test("a posting must move something, to somewhere else, and more than nothing", () => {
  expect(() => checkPosting(posting([]))).toThrow("no transfers");
  expect(() => checkPosting(posting([billed(0n)]))).toThrow("moves 0");
  const self = { ...billed(1n), credit: { kind: "receivable", customer } as const };
  expect(() => checkPosting(posting([self]))).toThrow("to itself");
  expect(() => checkPosting(posting([billed(1n)]))).not.toThrow();
});

test("content is the same exactly when what is moved is the same", () => {
  expect(contentOf(posting([billed(5n)]))).toBe(contentOf(posting([billed(5n)])));
  expect(contentOf(posting([billed(5n)]))).not.toBe(contentOf(posting([billed(6n)])));
});

test("a pending posting is another content than one that counts at once", () => {
  expect(contentOf({ ...posting([billed(5n)]), pending: true })).not.toBe(contentOf(posting([billed(5n)])));
});

test("of what is pending so much is posted as is said, and never more", () => {
  const pending = [billed(5n), billed(7n)];
  expect(resolvedTransfers(pending)).toEqual(pending);
  expect(resolvedTransfers(pending, [5n, 0n])).toEqual([billed(5n)]);
  expect(() => resolvedTransfers(pending, [5n, 8n])).toThrow("8 of 7 USD");
  expect(() => resolvedTransfers(pending, [5n])).toThrow("1 amounts");
  expect(() => resolvedTransfers(pending, [0n, 0n])).toThrow("voided");
});

test("a balance's row is changed once by many transfers, and rows come in one order", () => {
  const moves = [
    { transfers: [billed(5n), billed(7n)], shardOf: () => 3, as: "posted" },
    { transfers: [billed(2n)], shardOf: () => 10, as: "pending" },
    { transfers: [billed(1n)], shardOf: () => 10, as: "released" },
  ] as const;
  expect(balanceChanges(moves)).toEqual([
    { ...no_sums, code: `receivable:${customer}`, currency: usd, shard: 0, debit: 12n, pendingDebit: 1n },
    { ...no_sums, code: "revenue", currency: usd, shard: 3, credit: 12n },
    { ...no_sums, code: "revenue", currency: usd, shard: 10, pendingCredit: 1n },
  ]);
});

test("a reversal's reversal is the original", () => {
  const transfers = [billed(5n), billed(7n)];
  expect(reversed(reversed(transfers))).toEqual(transfers);
});

test("sums made of transfers balance in every currency, and one wrong minor unit is seen", () => {
  const moves = fc.array(
    fc.record({ currency: fc.constantFrom(usd, eur), minor: fc.bigInt(1n, 10n ** 20n) }),
    {
      minLength: 1,
    },
  );
  fc.assert(
    fc.property(moves, (amounts) => {
      const sums = (code: string, type: "asset" | "income", side: "debit" | "credit"): AccountSums[] =>
        [usd, eur].map((currency) => {
          const total = amounts
            .filter((move) => move.currency === currency)
            .reduce((all, { minor }) => all + minor, 0n);
          return { code, type, currency, ...no_sums, [side]: total };
        });
      const all = [...sums("receivable:x", "asset", "debit"), ...sums("revenue", "income", "credit")];
      expect(isBalanced(all)).toBe(true);
      expect(compareSums(all, all)).toEqual([]);
      const wrong = all.map((each, index) => (index === 0 ? { ...each, debit: each.debit + 1n } : each));
      expect(isBalanced(wrong)).toBe(false);
      expect(compareSums(wrong, all)).toMatchObject([{ code: "receivable:x", side: "debit" }]);
    }),
  );
});
