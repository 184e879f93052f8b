import fc from "fast-check";
import { expect, test } from "vitest";
import type { Currency } from "../../../kernel/currency.js";
import type { ProviderAccountId } from "../../../kernel/ids.js";
import type { Instant } from "../../../kernel/instant.js";
import { codeOf } from "../../../ledger/core/index.js";
import type { Effect } from "../matching/index.js";
import { planPosting, type PartOfRecord, type PostedRecord } from "./index.js";

const account = `pac_${"0".repeat(26)}` as ProviderAccountId;
const clearing = `provider_clearing:${account}`;
const eur = (minor: number | bigint) => ({ currency: "EUR" as Currency, minor: BigInt(minor) });
const usd = (minor: number | bigint) => ({ currency: "USD" as Currency, minor: BigInt(minor) });
const record = (more: Partial<PostedRecord> = {}): PostedRecord => ({
  position: 1,
  key: "k",
  gross: eur(1_000),
  settled: undefined,
  fee: undefined,
  at: 0 as Instant,
  valueDate: undefined,
  decline: undefined,
  ref: undefined,
  arn: undefined,
  text: undefined,
  ...more,
});
const part = (
  effect: Effect,
  amount: PartOfRecord["amount"],
  target?: PartOfRecord["target"],
): PartOfRecord => ({
  part: 1,
  effect,
  rule: "reference",
  amount,
  ...(target === undefined ? {} : { target }),
});
const moves = (parts: readonly PartOfRecord[], side: "provider" | "bank" = "provider") =>
  planPosting({ account, side, scheme: undefined, landedAt: 0 as Instant }, [{ record: record(), parts }])
    .movements.transfers()
    .map(
      ({ debit, credit, amount }) =>
        `${codeOf(debit)} ← ${codeOf(credit)} ${amount.minor} ${amount.currency}`,
    );

test("fees and what is not known are one transfer for each account, currency and direction, however many records", () => {
  const many = Array.from({ length: 1_000 }, (_, index) => ({
    record: record({ position: index + 1, key: `k${index}` }),
    parts: [part("suspense", eur(100)), part("fee", eur(-3)), part("suspense", usd(-7))],
  }));
  const { movements, actions } = planPosting(
    { account, side: "provider", scheme: undefined, landedAt: 0 as Instant },
    many,
  );
  expect(actions).toEqual([]);
  expect(movements.transfers().map(({ amount }) => amount)).toEqual([eur(3_000), eur(100_000), usd(7_000)]);
});

test("each effect moves our account with the sender, and the other side", () => {
  expect(moves([part("fee", eur(-30))])).toEqual([`provider_fees ← ${clearing} 30 EUR`]);
  expect(moves([part("suspense", eur(500))])).toEqual([`${clearing} ← suspense 500 EUR`]);
  expect(moves([part("suspense", eur(-500))], "bank")).toEqual([`suspense ← cash:${account} 500 EUR`]);
  expect(moves([part("exchange", eur(-1_000)), part("exchange", usd(1_080))])).toEqual([
    `currency_exchange ← ${clearing} 1000 EUR`,
    `${clearing} ← currency_exchange 1080 USD`,
  ]);
  expect(moves([part("rounding", eur(1))])).toEqual([`${clearing} ← rounding 1 EUR`]);
  expect(moves([part("none", eur(970))])).toEqual([]);
});

test("what payments do is an action with a key of the record's", () => {
  const one = (given: Partial<PostedRecord>, ...parts: PartOfRecord[]) =>
    planPosting({ account, side: "provider", scheme: undefined, landedAt: 0 as Instant }, [
      { record: record(given), parts },
    ]).actions.map(({ action }) => action);
  expect(one({ fee: eur(30) }, part("settle", eur(970), { kind: "payment", id: "pay_1" }))).toMatchObject([
    {
      kind: "settle",
      key: `settlement:${account}:k:1`,
      payment: "pay_1",
      amount: eur(1_000),
      settlement: { ref: "k", gross: eur(1_000), fee: 30n },
    },
  ]);
  expect(
    one(
      { gross: eur(-1_000), fee: eur(15), ref: "dp_1" },
      part("dispute", eur(-1_015), { kind: "payment", id: "pay_1" }),
    ),
  ).toMatchObject([{ kind: "open_dispute", ref: "dp_1", amount: eur(1_000), held: eur(1_000), fee: 15n }]);
  expect(one({ gross: eur(-900), ref: "po_1" }, part("payout", eur(-900)))).toMatchObject([
    { kind: "send_payout", ref: "po_1", amount: eur(900) },
  ]);
});

test("a transfer is one action, whatever invoices it pays and whatever of it is too much", () => {
  const parts = [
    { ...part("receipt", eur(600), { kind: "invoice", id: "inv_1" }), part: 1 },
    { ...part("receipt", eur(300), { kind: "invoice", id: "inv_2" }), part: 2 },
    { ...part("receipt", eur(100), { kind: "customer", id: "cus_1" }), part: 3 },
  ];
  const { actions } = planPosting({ account, side: "bank", scheme: undefined, landedAt: 0 as Instant }, [
    { record: record({ text: "thanks" }), parts },
  ]);
  expect(actions.map(({ action }) => action)).toEqual([
    {
      kind: "receive_transfer",
      key: `settlement:${account}:k:1`,
      at: 0,
      amount: eur(1_000),
      invoices: [
        { invoice: "inv_1", amount: 600n },
        { invoice: "inv_2", amount: 300n },
      ],
      customer: "cus_1",
      note: "thanks",
    },
  ]);
  expect(actions[0]?.parts).toHaveLength(3);
});

test("whatever is posted without payments adds up to the parts, in every currency", () => {
  const effect = fc.constantFrom<Effect>("fee", "suspense", "exchange", "rounding", "bad_debt");
  const amount = fc.record({
    currency: fc.constantFrom("EUR" as Currency, "USD" as Currency),
    minor: fc.bigInt(-9n, 9n),
  });
  fc.assert(
    fc.property(fc.array(fc.tuple(effect, amount)), (all) => {
      const parts = all.map(([kind, money]) => part(kind, money));
      const transfers = planPosting(
        { account, side: "provider", scheme: undefined, landedAt: 0 as Instant },
        [{ record: record(), parts }],
      ).movements.transfers();
      for (const currency of ["EUR", "USD"]) {
        const moved = transfers
          .filter((transfer) => transfer.amount.currency === currency)
          .reduce(
            (sum, { debit, amount: { minor } }) => sum + (codeOf(debit) === clearing ? minor : -minor),
            0n,
          );
        const expected = parts
          .filter((each) => each.amount.currency === currency)
          .reduce((sum, each) => sum + each.amount.minor, 0n);
        expect(moved).toBe(expected);
      }
      for (const {
        amount: { minor },
      } of transfers)
        expect(minor).toBeGreaterThan(0n);
    }),
  );
});
