import fc from "fast-check";
import { expect, test } from "vitest";
import type { Currency } from "../../../kernel/currency.js";
import type { Instant } from "../../../kernel/instant.js";
import type { SettlementRecord } from "../settlement-record.js";
import { isSameMovement, stageRecord, toMatchable } from "./index.js";

const eur = (minor: bigint) => ({ currency: "EUR" as Currency, minor });
const usd = (minor: bigint) => ({ currency: "USD" as Currency, minor });
const hashes = {
  card: (number: string) => `card(${number.length})`,
  digest: (text: string) => `digest(${text.length})`,
};
const given = (more: Partial<SettlementRecord> = {}): SettlementRecord => ({
  position: { record: 7, line: 8 },
  key: "stripe:txn_1",
  kind: "charge",
  gross: eur(1_000n),
  at: 0 as Instant,
  references: {},
  original: { card: "411111******1111" },
  ...more,
});

test("a card's number is kept as its last four digits and a hash, and nothing that the file said word for word is", () => {
  const staged = stageRecord(given({ card: { last4: "1111", number: "4111111111111111" } }), 1, hashes);
  expect(staged.card).toEqual({ last4: "1111", hash: "card(16)" });
  expect(
    JSON.stringify(staged, (_key, value: unknown) => (typeof value === "bigint" ? String(value) : value)),
  ).not.toMatch(/4111111111111111|411111\*/);
});

test("books are kept in the currency that the customer saw; what moved on our account stands beside it", () => {
  const converted = stageRecord(
    given({ gross: usd(1_080n), presented: eur(1_000n), fee: usd(31n) }),
    1,
    hashes,
  );
  expect(converted).toMatchObject({ gross: eur(1_000n), settled: usd(1_080n), fee: usd(31n) });
  const cleared = stageRecord(given({ gross: eur(1_000n), settled: usd(1_080n) }), 1, hashes);
  expect(cleared).toMatchObject({ gross: eur(1_000n), settled: usd(1_080n) });
  expect(stageRecord(given(), 1, hashes).settled).toBeUndefined();
});

test("what names its target surest comes first", () => {
  const references = {
    provider: "ch_1",
    payment: "pi_1",
    merchant: "pat_1",
    arn: "0".repeat(23),
    payout: "po_1",
    structured: "RF18",
    endToEnd: "E2E",
  };
  const of = (kind: SettlementRecord["kind"]) =>
    stageRecord(given({ kind, references }), 1, hashes).references;
  expect(of("charge").slice(0, 3)).toEqual(["pat_1", "pi_1", "ch_1"]);
  expect(of("refund")[0]).toBe("ch_1");
  expect(of("payout")).toEqual(["po_1", "ch_1", "pat_1"]);
  expect(of("bank_credit").slice(0, 2)).toEqual(["RF18", "po_1"]);
});

test("whatever a file says, what rests fits the tables", () => {
  const text = fc.oneof(fc.string({ unit: "binary", maxLength: 2_000 }), fc.string({ maxLength: 2_000 }));
  fc.assert(
    fc.property(text, text, text, (key, note, reference) => {
      const record = given({
        key: key === "" ? "k" : key,
        references: { text: note, provider: reference, payout: note },
        counterparty: { name: note },
      });
      const staged = stageRecord(record, 1, hashes);
      expect(staged.key.length).toBeLessThanOrEqual(200);
      for (const each of [
        staged.text,
        staged.counterparty,
        staged.ref,
        staged.payout,
        ...staged.references,
      ]) {
        if (each === undefined) continue;
        expect(each).not.toBe("");
        // eslint-disable-next-line no-control-regex
        expect(each).not.toMatch(/[\u0000\u001f]/);
        expect(each).not.toMatch(/\p{Surrogate}/u);
        expect(each.length).toBeLessThanOrEqual(1_000);
      }
      for (const each of staged.references) expect(each.length).toBeLessThanOrEqual(255);
    }),
  );
});

test("two that tell the same movement are the same, however they leave out what is nothing", () => {
  const one = stageRecord(given({ fee: eur(0n) }), 1, hashes);
  expect(isSameMovement(one, stageRecord(given(), 2, hashes))).toBe(true);
  expect(isSameMovement(one, stageRecord(given({ fee: eur(1n) }), 2, hashes))).toBe(false);
  expect(isSameMovement(one, stageRecord(given({ gross: usd(1_000n) }), 2, hashes))).toBe(false);
  expect(isSameMovement(one, stageRecord(given({ kind: "refund" }), 2, hashes))).toBe(false);
});

test("matching sees the bank's side as the bank's", () => {
  expect(toMatchable(stageRecord(given(), 3, hashes), "bank")).toMatchObject({
    position: 3,
    side: "bank",
    isReversal: false,
  });
});
