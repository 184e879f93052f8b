import fc from "fast-check";
import { expect, test } from "vitest";
import { parseCurrency, type Currency } from "../../kernel/currency.js";
import type { CustomerId, ProviderAccountId } from "../../kernel/ids.js";
import {
  accountOf,
  balanceOf,
  checkPosting,
  codeOf,
  compareSums,
  contentOf,
  isBalanced,
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
  expect(() => accountOf("receivable")).toThrow("kept per customer");
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
          return { code, type, currency, debit: 0n, credit: 0n, [side]: total };
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
