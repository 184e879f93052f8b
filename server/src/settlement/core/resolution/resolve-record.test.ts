import fc from "fast-check";
import { expect, test } from "vitest";
import type { Currency } from "../../../kernel/currency.js";
import type { Instant } from "../../../kernel/instant.js";
import type { Money } from "../../../kernel/money.js";
import {
  decideTarget,
  toSuspense,
  type Allotment,
  type MatchableRecord,
  type Target,
} from "../matching/index.js";
import { resolveRecord, type Meaning } from "./index.js";

const eur = (minor: number | bigint): Money => ({ currency: "EUR" as Currency, minor: BigInt(minor) });
const record = (more: Partial<MatchableRecord> = {}): MatchableRecord => ({
  position: 1,
  kind: "charge",
  side: "provider",
  gross: eur(1_000),
  settled: undefined,
  fee: eur(30),
  at: 0 as Instant,
  references: [],
  text: undefined,
  counterparty: undefined,
  isReversal: false,
  repeats: undefined,
  ...more,
});
const payment = (minor: number, settlement?: { gross: Money; fee: bigint }): Target => ({
  kind: "payment",
  id: "pay_1",
  root: "pat_1",
  amount: eur(minor),
  at: 0 as Instant,
  settlement,
});
const invoice = (minor: number): Target => ({
  kind: "invoice",
  id: "inv_1",
  root: "inv_1",
  amount: eur(minor),
  at: 0 as Instant,
  customer: "cus_1",
  customerName: "Acme",
});
const numbered = (all: readonly Allotment[]) => all.map((each, index) => ({ ...each, part: index + 1 }));
const unknown = (given: MatchableRecord) =>
  numbered(toSuspense(given, { kind: "unmatched", note: "Unknown." }));
const said = (given: MatchableRecord, meaning: Meaning, parts = unknown(given)) => {
  const outcome = resolveRecord(given, parts, 1, meaning);
  if (!outcome.ok) return outcome.error;
  return outcome.value.parts.map(({ effect, amount, target }) =>
    [effect, String(amount.minor), target?.id].filter(Boolean).join(" "),
  );
};

test("matched to a payment: what was is taken back, its fee too, and the payment is settled whole, once", () => {
  expect(said(record(), { kind: "match", target: payment(1_000) })).toEqual([
    "suspense -1000",
    "fee 30",
    "settle 970 pay_1",
  ]);
  const known = payment(1_000, { gross: eur(1_000), fee: 30n });
  expect(said(record(), { kind: "match", target: known })).toEqual([
    "suspense -1000",
    "fee 30",
    "none 970 pay_1",
  ]);
  const outcome = resolveRecord(record(), unknown(record()), 1, { kind: "match", target: payment(1_000) });
  expect(outcome.ok && outcome.value.claims).toEqual(["pat_1:charge"]);
});

test("matched to an invoice: towards it, the rest to the customer", () => {
  const line = record({ kind: "bank_credit", side: "bank", fee: undefined });
  expect(said(line, { kind: "match", target: invoice(700) })).toEqual([
    "suspense -1000",
    "receipt 700 inv_1",
    "receipt 300 cus_1",
  ]);
});

test("booked, or given to a customer, is only the part that waits", () => {
  const parts = numbered([
    { effect: "suspense", rule: "none", amount: eur(-10), exception: { kind: "payout_differs", note: "x." } },
    {
      effect: "receive_payout",
      rule: "reference",
      amount: eur(1_010),
      target: { kind: "payout", id: "pyo_1" },
    },
  ]);
  const line = record({ kind: "bank_credit", side: "bank", fee: undefined });
  expect(said(line, { kind: "book", effect: "fee" }, parts)).toEqual(["suspense 10", "fee -10"]);
  expect(said(line, { kind: "balance", customer: "cus_1" }, parts)).toMatch(/Only money that came in/);
  expect(said(line, { kind: "match", target: invoice(10) }, parts)).toMatch(
    /Only -0\.10 EUR of it lie in suspense/,
  );
});

test("what it cannot be is said in words", () => {
  expect(said(record(), { kind: "match", target: payment(900) })).toMatch(
    /pay_1 is 9\.00 EUR in our books, and 10\.00 EUR in the file/,
  );
  expect(said(record(), { kind: "match", target: invoice(1_000) })).toMatch(
    /A charge cannot be a invoice|A charge cannot be an invoice/,
  );
  const settled = numbered(
    decideTarget(record(), payment(1_000) as Extract<Target, { kind: "payment" }>, "reference"),
  );
  expect(said(record(), { kind: "book", effect: "fee" }, settled)).toMatch(
    /None of its money lies in suspense/,
  );
});

test("whatever a person says, the record still adds up to what it moved", () => {
  const meaning: fc.Arbitrary<Meaning> = fc.oneof(
    fc.constantFrom<Meaning>(
      { kind: "book", effect: "fee" },
      { kind: "book", effect: "rounding" },
      { kind: "book", effect: "bad_debt" },
      { kind: "balance", customer: "cus_1" },
    ),
    fc.record({
      kind: fc.constant("match" as const),
      target: fc.integer({ min: 1, max: 3 }).map((minor) => payment(minor)),
    }),
    fc.record({
      kind: fc.constant("match" as const),
      target: fc.integer({ min: 0, max: 3 }).map((minor) => invoice(minor)),
    }),
  );
  const given = fc
    .record({
      kind: fc.constantFrom("charge" as const, "bank_credit" as const, "refund" as const),
      gross: fc.integer({ min: -3, max: 3 }).map(eur),
      fee: fc.option(fc.integer({ min: -1, max: 1 }).map(eur), { nil: undefined }),
    })
    .map((more) => record({ ...more, side: more.kind === "bank_credit" ? "bank" : "provider" }));
  let resolved = 0;
  fc.assert(
    fc.property(given, meaning, (one, what) => {
      const outcome = resolveRecord(one, unknown(one), 1, what);
      if (!outcome.ok) {
        expect(outcome.error).toMatch(/\.$/);
        return;
      }
      resolved += 1;
      expect(outcome.value.parts.reduce((sum, { amount }) => sum + amount.minor, 0n)).toBe(0n);
      expect(outcome.value.parts.every(({ rule }) => rule === "by_hand")).toBe(true);
    }),
    { numRuns: 1_000 },
  );
  expect(resolved).toBeGreaterThan(100);
});
