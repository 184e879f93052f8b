import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Currency } from "../../../kernel/currency.js";
import { day, type Instant } from "../../../kernel/instant.js";
import type { Money } from "../../../kernel/money.js";
import {
  amountQuestionOf,
  gapsAround,
  matchByAmount,
  matchByReference,
  referencesInText,
  referencesOf,
  type Allotment,
  type AttemptTarget,
  type DisputeTarget,
  type FoundTarget,
  type InvoiceTarget,
  type MatchableRecord,
  type MatchedRecord,
  type PaymentTarget,
  type PayoutTarget,
  type RefundTarget,
  type Target,
} from "./index.js";

const noon = (20_000 * day) as Instant;
const eur = (minor: number | bigint): Money => ({ currency: "EUR" as Currency, minor: BigInt(minor) });
const usd = (minor: number | bigint): Money => ({ currency: "USD" as Currency, minor: BigInt(minor) });

let positions = 0;
const record = (
  given: Partial<MatchableRecord> & Pick<MatchableRecord, "kind" | "gross">,
): MatchableRecord => ({
  position: (positions += 1),
  side: given.kind.startsWith("bank") ? "bank" : "provider",
  settled: undefined,
  fee: undefined,
  at: noon,
  references: [],
  text: undefined,
  counterparty: undefined,
  isReversal: false,
  repeats: undefined,
  ...given,
});
const payment = (id: string, amount: Money, given: Partial<PaymentTarget> = {}): PaymentTarget => ({
  kind: "payment",
  id,
  root: id,
  amount,
  at: noon,
  settlement: undefined,
  ...given,
});
const attempt = (id: string, amount: Money, given: Partial<AttemptTarget> = {}): AttemptTarget => ({
  kind: "attempt",
  id,
  root: id,
  amount,
  at: noon,
  state: "open",
  ...given,
});
const refund = (id: string, amount: Money, given: Partial<RefundTarget> = {}): RefundTarget => ({
  kind: "refund",
  id,
  root: id,
  amount,
  at: noon,
  state: "open",
  ...given,
});
const dispute = (id: string, amount: Money, given: Partial<DisputeTarget> = {}): DisputeTarget => ({
  kind: "dispute",
  id,
  root: id,
  amount,
  at: noon,
  state: "open",
  held: amount,
  fee: { ...amount, minor: 0n },
  ...given,
});
const payout = (id: string, amount: Money, given: Partial<PayoutTarget> = {}): PayoutTarget => ({
  kind: "payout",
  id,
  root: id,
  account: "pac_stripe",
  amount,
  at: noon,
  state: "sent",
  received: false,
  ...given,
});
const invoice = (id: string, open: Money, given: Partial<InvoiceTarget> = {}): InvoiceTarget => ({
  kind: "invoice",
  id,
  root: id,
  customer: "cus_acme",
  customerName: "Acme GmbH",
  amount: open,
  at: noon,
  ...given,
});
const known = { found: [], claimed: new Set<string>(), pending: new Map<string, bigint>() };
const byReference = (records: MatchableRecord[], found: readonly (readonly [string, Target])[], more = {}) =>
  matchByReference(records, {
    ...known,
    found: found.map(([reference, target]) => ({ reference, target })),
    ...more,
  });
/** effect, amount and target or exception of each, as a person would say it. */
const said = (matched: MatchedRecord | undefined) =>
  matched?.allotments.map(({ effect, amount, target, exception }) =>
    [effect, `${amount.minor} ${amount.currency}`, target?.id ?? exception?.kind]
      .filter((each) => each !== undefined)
      .join(" "),
  );

describe("by reference", () => {
  const one = (given: MatchableRecord, found: readonly (readonly [string, Target])[], more = {}) =>
    said(byReference([given], found, more).matched[0]);

  test("a charge settles the payment that it names, and the fee is the settlement's", () => {
    const charge = record({ kind: "charge", gross: eur(1000), fee: eur(30), references: ["pi_1"] });
    expect(one(charge, [["pi_1", payment("pay_1", eur(1000))]])).toEqual(["settle 970 EUR pay_1"]);
  });

  test("a payment whose settlement is known is left as it is; another fee waits in suspense", () => {
    const settled = payment("pay_1", eur(1000), { settlement: { gross: eur(1000), fee: 30n } });
    const charge = record({ kind: "charge", gross: eur(1000), fee: eur(30), references: ["pi_1"] });
    expect(one(charge, [["pi_1", settled]])).toEqual(["none 970 EUR pay_1"]);
    expect(one({ ...charge, fee: eur(45) }, [["pi_1", settled]])).toEqual([
      "none 970 EUR pay_1",
      "suspense -15 EUR amount_differs",
    ]);
  });

  test("a charge that our books did not know to have succeeded is captured; one that they say took nothing is for a person", () => {
    const charge = record({ kind: "charge", gross: eur(1000), fee: eur(30), references: ["pat_1"] });
    expect(one(charge, [["pat_1", attempt("pat_1", eur(1000))]])).toEqual(["capture 970 EUR pat_1"]);
    expect(one(charge, [["pat_1", attempt("pat_1", eur(1000), { state: "ended" })]])).toEqual([
      "suspense 1000 EUR unmatched",
      "fee -30 EUR",
    ]);
    expect(one({ ...charge, gross: eur(999) }, [["pat_1", attempt("pat_1", eur(1000))]])).toEqual([
      "suspense 999 EUR amount_differs",
      "fee -30 EUR",
    ]);
  });

  test("an amount that differs from a payment's: the payment as it is, the difference in suspense", () => {
    const charge = record({ kind: "charge", gross: eur(900), references: ["pi_1"] });
    expect(one(charge, [["pi_1", payment("pay_1", eur(1000))]])).toEqual([
      "none 1000 EUR pay_1",
      "suspense -100 EUR amount_differs",
    ]);
  });

  test("currencies must agree: a charge in another one is in suspense whole, one with a conversion is settled in it", () => {
    const wrong = record({ kind: "charge", gross: usd(1000), references: ["pi_1"] });
    expect(one(wrong, [["pi_1", payment("pay_1", eur(1000))]])).toEqual([
      "suspense 1000 USD currency_differs",
    ]);
    const converted = record({
      kind: "charge",
      gross: eur(1000),
      settled: usd(1080),
      fee: usd(31),
      references: ["pi_1"],
    });
    expect(one(converted, [["pi_1", payment("pay_1", eur(1000))]])).toEqual(["settle 1049 USD pay_1"]);
    const settlement = { gross: usd(1080), fee: 31n };
    expect(one(converted, [["pi_1", payment("pay_1", eur(1000), { settlement })]])).toEqual([
      "none 1049 USD pay_1",
    ]);
    expect(
      one({ ...converted, settled: eur(1000) }, [["pi_1", payment("pay_1", eur(1000), { settlement })]]),
    ).toEqual(["suspense 1000 EUR currency_differs", "fee -31 USD"]);
  });

  test("a second record of one charge is a duplicate: in the same batch, and when an earlier one had it", () => {
    const charge = record({ kind: "charge", gross: eur(1000), references: ["pi_1"] });
    const again = record({ kind: "charge", gross: eur(1000), references: ["pi_1"] });
    const found = [["pi_1", payment("pay_1", eur(1000), { root: "pat_1" })]] as const;
    const { matched } = byReference([charge, again], found);
    expect(matched.map(said)).toEqual([["settle 1000 EUR pay_1"], ["suspense 1000 EUR duplicate"]]);
    expect(one(charge, found, { claimed: new Set(["pat_1:charge"]) })).toEqual([
      "suspense 1000 EUR duplicate",
    ]);
  });

  test("a refund takes back, in the currency that it is counted in; one that failed gives back", () => {
    const given = record({ kind: "refund", gross: eur(-400), references: ["re_1"] });
    expect(one(given, [["re_1", refund("ref_1", eur(400))]])).toEqual(["refund -400 EUR ref_1"]);
    expect(one(given, [["re_1", refund("ref_1", eur(400), { state: "done" })]])).toEqual([
      "refund -400 EUR ref_1",
    ]);
    expect(one(given, [["re_1", refund("ref_1", eur(400), { state: "failed" })]])).toEqual([
      "suspense -400 EUR unmatched",
    ]);
    const counted = { ...given, settled: usd(-432), fee: usd(5) };
    expect(one(counted, [["re_1", refund("ref_1", eur(400))]])).toEqual(["refund -437 USD ref_1"]);
    const back = { ...given, gross: eur(400) };
    expect(one(back, [["re_1", refund("ref_1", eur(400), { state: "done" })]])).toEqual([
      "fail_refund 400 EUR ref_1",
    ]);
    expect(one(back, [["re_1", refund("ref_1", eur(400), { state: "failed" })]])).toEqual([
      "none 400 EUR ref_1",
    ]);
    expect(one({ ...back, settled: usd(432) }, [["re_1", refund("ref_1", eur(400))]])).toEqual([
      "fail_refund 400 EUR ref_1",
      "exchange -400 EUR",
      "exchange 432 USD",
    ]);
  });

  test("a chargeback opens a dispute of the payment, or is one that is known, and its fee is posted once", () => {
    const back = record({
      kind: "chargeback",
      gross: eur(-1000),
      fee: eur(1500),
      references: ["dp_1", "pi_1"],
    });
    const ours = ["pi_1", payment("pay_1", eur(1000))] as const;
    expect(one(back, [ours])).toEqual(["dispute -2500 EUR pay_1"]);
    expect(one({ ...back, settled: usd(-1080), fee: usd(1500) }, [ours])).toEqual([
      "dispute -2580 USD pay_1",
    ]);
    expect(one(back, [ours, ["dp_1", dispute("dsp_1", eur(1000))]])).toEqual([
      "none -1000 EUR dsp_1",
      "fee -1500 EUR",
    ]);
    expect(one(back, [ours, ["dp_1", dispute("dsp_1", eur(1000), { fee: eur(1500) })]])).toEqual([
      "none -1000 EUR dsp_1",
      "none -1500 EUR",
    ]);
    expect(one({ ...back, gross: eur(-1001) }, [ours])).toEqual([
      "suspense -1001 EUR amount_differs",
      "fee -1500 EUR",
    ]);
  });

  test("a chargeback and its reversal are two movements of one dispute", () => {
    const back = record({ kind: "chargeback", gross: eur(-1000), references: ["dp_1"] });
    const won = record({ kind: "chargeback_reversal", gross: eur(1000), references: ["dp_1"] });
    const { matched } = byReference([back, won], [["dp_1", dispute("dsp_1", eur(1000))]]);
    expect(matched.map(said)).toEqual([["none -1000 EUR dsp_1"], ["win_dispute 1000 EUR dsp_1"]]);
  });

  test("a payout that our books have; the bank's line receives it, once; what differs waits", () => {
    const out = record({ kind: "payout", gross: eur(-5000), references: ["po_1"] });
    const sent = ["po_1", payout("pyo_1", eur(5000))] as const;
    expect(one(out, [sent])).toEqual(["none -5000 EUR pyo_1"]);
    const back = record({ kind: "payout", gross: eur(5000), references: ["po_1"] });
    expect(byReference([out, back], [sent]).matched.map(said)).toEqual([
      ["none -5000 EUR pyo_1"],
      ["return_payout 5000 EUR pyo_1"],
    ]);
    const line = record({ kind: "bank_credit", gross: eur(5000), references: ["po_1"] });
    expect(one(line, [sent])).toEqual(["receive_payout 5000 EUR pyo_1"]);
    expect(one(line, [["po_1", payout("pyo_1", eur(5000), { received: true })]])).toEqual([
      "suspense 5000 EUR duplicate",
    ]);
    expect(one({ ...line, gross: eur(4990) }, [sent])).toEqual([
      "receive_payout 5000 EUR pyo_1",
      "suspense -10 EUR payout_differs",
    ]);
  });

  test("a bank line that names several payouts is all of them, or none when they do not add up", () => {
    const found = [
      ["po_1", payout("pyo_1", eur(3000))],
      ["po_2", payout("pyo_2", eur(2000))],
    ] as const;
    const line = record({ kind: "bank_credit", gross: eur(5000), text: "STRIPE po_1 po_2" });
    expect(one(line, found)).toEqual(["receive_payout 3000 EUR pyo_1", "receive_payout 2000 EUR pyo_2"]);
    expect(one({ ...line, gross: eur(5001) }, found)).toEqual(["suspense 5001 EUR payout_differs"]);
  });

  test("a transfer pays the invoice that its reference names: in part, in full, and beyond it into the balance", () => {
    const line = record({ kind: "bank_credit", gross: eur(700), references: ["RF18539007547034"] });
    const found = [["RF18539007547034", invoice("inv_1", eur(1000))]] as const;
    expect(one(line, found)).toEqual(["receipt 700 EUR inv_1"]);
    expect(one({ ...line, gross: eur(1200) }, found)).toEqual([
      "receipt 1000 EUR inv_1",
      "receipt 200 EUR cus_acme",
    ]);
    expect(byReference([line, { ...line, position: 900_001 }], found).matched.map(said)).toEqual([
      ["receipt 700 EUR inv_1"],
      ["receipt 300 EUR inv_1", "receipt 400 EUR cus_acme"],
    ]);
    expect(one(line, found, { pending: new Map([["inv_1", 900n]]) })).toEqual([
      "receipt 100 EUR inv_1",
      "receipt 600 EUR cus_acme",
    ]);
    expect(one({ ...line, gross: usd(700) }, found)).toEqual(["suspense 700 USD currency_differs"]);
  });

  test("a transfer whose text names invoices of one customer pays them in that order; of two customers, a person decides", () => {
    const first = invoice("inv_1", eur(600));
    const second = invoice("inv_2", eur(400));
    const line = record({ kind: "bank_credit", gross: eur(900), text: "Invoices INV-2, INV-1 with thanks" });
    const found = [
      ["INV-1", first],
      ["INV-2", second],
    ] as const;
    expect(one(line, found)).toEqual(["receipt 400 EUR inv_2", "receipt 500 EUR inv_1"]);
    expect(
      one(line, [
        ["INV-1", first],
        ["INV-2", { ...second, customer: "cus_other" }],
      ]),
    ).toEqual(["suspense 900 EUR unmatched"]);
  });

  test("a surer reference goes before the payer's text, and one that names two things is for a person", () => {
    const line = record({ kind: "bank_credit", gross: eur(100), references: ["RF1"], text: "INV-2" });
    expect(
      one(line, [
        ["RF1", invoice("inv_1", eur(100))],
        ["INV-2", invoice("inv_2", eur(100))],
      ]),
    ).toEqual(["receipt 100 EUR inv_1"]);
    const charge = record({ kind: "charge", gross: eur(100), references: ["x"] });
    expect(
      one(charge, [
        ["x", payment("pay_1", eur(100))],
        ["x", payment("pay_2", eur(100))],
      ]),
    ).toEqual(["suspense 100 EUR unmatched"]);
  });

  test("what needs no target: fees, and what only a person can tell", () => {
    expect(one(record({ kind: "fee", gross: eur(-250) }), [])).toEqual(["fee -250 EUR"]);
    expect(one(record({ kind: "adjustment", gross: eur(-250) }), [])).toEqual([
      "suspense -250 EUR unmatched",
    ]);
    expect(one(record({ kind: "charge", gross: eur(0), fee: eur(10) }), [])).toEqual([
      "none 0 EUR",
      "fee -10 EUR",
    ]);
    const takenBack = record({
      kind: "bank_debit",
      gross: eur(-100),
      isReversal: true,
      references: ["ref_1"],
    });
    // A refund is not what the bank takes back: it is left for the last rule, which leaves it to a person.
    expect(one(takenBack, [["ref_1", refund("ref_1", eur(100))]])).toBeUndefined();
  });

  test("a decline moves nothing: the charge or refund that it names ends, and one that has ended stays", () => {
    const declined = record({ kind: "decline", gross: eur(0), references: ["REF1"] });
    expect(one(declined, [["REF1", attempt("pat_1", eur(1000))]])).toEqual(["decline 0 EUR pat_1"]);
    expect(one(declined, [["REF1", attempt("pat_1", eur(1000), { state: "ended" })]])).toEqual([
      "none 0 EUR pat_1",
    ]);
    expect(one(declined, [["REF1", refund("ref_1", eur(1000))]])).toEqual(["fail_refund 0 EUR ref_1"]);
    expect(one(declined, [["REF1", refund("ref_1", eur(1000), { state: "done" })]])).toEqual([
      "none 0 EUR ref_1",
    ]);
    expect(one(declined, [])).toBeUndefined();
    expect(amountQuestionOf(declined)).toBeUndefined();
  });

  test("a transfer that the bank takes back is the payment that its invoice names, of several the one of its amount", () => {
    const back = record({ kind: "bank_debit", gross: eur(-700), isReversal: true, references: ["INV-1"] });
    const small = payment("pay_1", eur(700));
    const large = payment("pay_2", eur(1300));
    expect(one(back, [["INV-1", small]])).toEqual(["take_back -700 EUR pay_1"]);
    const both = [
      ["INV-1", large],
      ["INV-1", small],
    ] as const;
    expect(one(back, both)).toEqual(["take_back -700 EUR pay_1"]);
    expect(one({ ...back, gross: eur(-500) }, both)).toEqual(["suspense -500 EUR unmatched"]);
    expect(one({ ...back, gross: eur(-500) }, [["INV-1", small]])).toEqual([
      "suspense -500 EUR amount_differs",
    ]);
    // Its amount alone tells nothing: many transfers have one.
    expect(amountQuestionOf(back)).toBeUndefined();
    expect(one({ ...back, isReversal: false }, [["INV-1", small]])).toBeUndefined();
  });

  test("a refund that goes out and comes back at the bank is two movements of one refund", () => {
    const out = record({ kind: "bank_debit", gross: eur(-800), references: ["REFX"] });
    const back = record({ kind: "bank_credit", gross: eur(800), references: ["REFX"] });
    const found = [{ reference: "REFX", target: refund("ref_1", eur(800)) }];
    const { matched } = matchByReference([out, back], { ...known, found });
    expect(matched.map(said)).toEqual([["refund -800 EUR ref_1"], ["fail_refund 800 EUR ref_1"]]);
    expect(matched.map(({ claims }) => claims)).toEqual([["ref_1:bank"], ["ref_1:bank_return"]]);
    // What comes in is looked for among payouts and invoices by its amount, never among refunds.
    expect(amountQuestionOf(back)?.kinds).toEqual(["payout", "invoice"]);
  });

  test("what came before under its key: twice in a file it waits, told otherwise by another file nothing moves", () => {
    const charge = record({ kind: "charge", gross: eur(100), fee: eur(3), references: ["pi_1"] });
    const found = [["pi_1", payment("pay_1", eur(100))]] as const;
    expect(one({ ...charge, repeats: "in_file" }, found)).toEqual([
      "suspense 100 EUR duplicate",
      "fee -3 EUR",
    ]);
    expect(one({ ...charge, repeats: "otherwise" }, found)).toEqual([
      "none 100 EUR amount_differs",
      "none -3 EUR",
    ]);
  });

  test("a reference of another kind of thing is no match: a charge does not settle an invoice", () => {
    const charge = record({ kind: "charge", gross: eur(100), references: ["inv_1"] });
    expect(byReference([charge], [["inv_1", invoice("inv_1", eur(100))]]).left).toEqual([charge]);
  });
});

describe("references in a payer's text", () => {
  test.each([
    ["Invoice INV-000123, thanks", ["INV-000123"]],
    ["RF18 5390 0754 7034", ["RF18539007547034", "RF1853900754", "RF185390", "RF18", "5390", "0754", "7034"]],
    ["rf18539007547034", ["RF18539007547034", "rf18539007547034"]],
    ["Payout po_1Nabc/2026", ["po_1Nabc/2026"]],
    ["no numbers here", []],
    ["", []],
  ])("%s", (text, expected) => {
    expect(referencesInText(text).sort()).toEqual([...expected].sort());
  });

  test("are limited in number and length, whatever is written", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 4000 }), (text) => {
        const found = referencesInText(text);
        expect(found.length).toBeLessThanOrEqual(24);
        expect(new Set(found).size).toBe(found.length);
      }),
    );
  });
});

describe("by amount and date", () => {
  const amounts = (records: MatchableRecord[], targets: readonly Target[], claimed: string[] = []) =>
    matchByAmount(
      records,
      records.flatMap(({ position }) => targets.map((target) => ({ position, target }))),
      { ...known, claimed: new Set(claimed) },
    ).map(said);

  test("the only one of its amount around it", () => {
    const line = record({ kind: "bank_credit", gross: eur(5000) });
    expect(amounts([line], [payout("pyo_1", eur(5000)), payout("pyo_2", eur(4000))])).toEqual([
      ["receive_payout 5000 EUR pyo_1"],
    ]);
    expect(amounts([line], [payout("pyo_1", usd(5000))])).toEqual([["suspense 5000 EUR unmatched"]]);
  });

  test("not when it is too long ago, received, or settled by another record", () => {
    const line = record({ kind: "bank_credit", gross: eur(5000) });
    const old = payout("pyo_1", eur(5000), { at: (noon - 15 * day) as Instant });
    expect(amounts([line], [old])).toEqual([["suspense 5000 EUR unmatched"]]);
    expect(amounts([line], [payout("pyo_1", eur(5000), { received: true })])).toEqual([
      ["suspense 5000 EUR unmatched"],
    ]);
    expect(amounts([line], [payout("pyo_1", eur(5000))], ["pyo_1:bank"])).toEqual([
      ["suspense 5000 EUR unmatched"],
    ]);
  });

  test("two targets for one record, or two records for one target: none is matched", () => {
    const line = record({ kind: "bank_credit", gross: eur(5000) });
    const other = record({ kind: "bank_credit", gross: eur(5000) });
    expect(amounts([line], [payout("pyo_1", eur(5000)), payout("pyo_2", eur(5000))])).toEqual([
      ["suspense 5000 EUR unmatched"],
    ]);
    expect(amounts([line, other], [payout("pyo_1", eur(5000))])).toEqual([
      ["suspense 5000 EUR unmatched"],
      ["suspense 5000 EUR unmatched"],
    ]);
  });

  test("an invoice only of a payer of its customer's name, as banks write it", () => {
    const open = [invoice("inv_1", eur(5000))];
    expect(amounts([record({ kind: "bank_credit", gross: eur(5000) })], open)).toEqual([
      ["suspense 5000 EUR unmatched"],
    ]);
    const named = record({ kind: "bank_credit", gross: eur(5000), counterparty: "ACME GMBH" });
    expect(amounts([named], open)).toEqual([["receipt 5000 EUR inv_1"]]);
    const cut = record({ kind: "bank_credit", gross: eur(5000), counterparty: "UMLAUTE UND AHNLICHES BETR" });
    const long = invoice("inv_1", eur(5000), {
      customerName: "Umlaute und Ähnliches Betreiber GmbH & Co. KG",
    });
    expect(amounts([cut], [long])).toEqual([["receipt 5000 EUR inv_1"]]);
  });

  test("a payout that our books do not have is one that the provider made; one that comes back must be known", () => {
    expect(amounts([record({ kind: "payout", gross: eur(-5000), references: ["po_1"] })], [])).toEqual([
      ["payout -5000 EUR"],
    ]);
    expect(amounts([record({ kind: "payout", gross: eur(5000), references: ["po_1"] })], [])).toEqual([
      ["suspense 5000 EUR unmatched"],
    ]);
  });

  test("a chargeback is not guessed from a payment's amount", () => {
    const back = record({ kind: "chargeback", gross: eur(-1000) });
    expect(amountQuestionOf(back)?.kinds).toEqual(["dispute"]);
    expect(amounts([back], [payment("pay_1", eur(1000))])).toEqual([["suspense -1000 EUR unmatched"]]);
  });
});

describe("laws, over any records and any targets", () => {
  const currency = fc.constantFrom("EUR" as Currency, "JPY" as Currency);
  const amount = fc.record({ currency, minor: fc.bigInt(1n, 4n) });
  const id = (prefix: string) => fc.integer({ min: 1, max: 5 }).map((number) => `${prefix}_${number}`);
  const at = fc.integer({ min: -3, max: 3 }).map((days) => (noon + days * day) as Instant);
  const settlement = fc.option(fc.record({ gross: amount, fee: fc.bigInt(-1n, 2n) }), { nil: undefined });
  const target: fc.Arbitrary<Target> = fc.oneof(
    fc
      .record({ id: id("pay"), amount, at, settlement })
      .map((given) => payment(given.id, given.amount, given)),
    fc
      .record({ id: id("pat"), amount, at, state: fc.constantFrom("open" as const, "ended" as const) })
      .map((given) => attempt(given.id, given.amount, given)),
    fc
      .record({
        id: id("ref"),
        amount,
        at,
        state: fc.constantFrom("open" as const, "done" as const, "failed" as const),
      })
      .map((given) => refund(given.id, given.amount, given)),
    fc
      .record({
        id: id("dsp"),
        amount,
        at,
        fee: amount,
        state: fc.constantFrom("open" as const, "won" as const, "lost" as const),
      })
      .map((given) => dispute(given.id, given.amount, given)),
    fc
      .record({ id: id("pyo"), amount, at, received: fc.boolean() })
      .map((given) => payout(given.id, given.amount, given)),
    fc
      .record({ id: id("inv"), amount, at, customer: fc.constantFrom("cus_a", "cus_b") })
      .map((given) => invoice(given.id, given.amount, given)),
  );
  const reference = fc.oneof(id("pay"), id("pat"), id("ref"), id("dsp"), id("pyo"), id("inv"));
  const anyRecord = fc
    .record({
      kind: fc.constantFrom(
        "charge" as const,
        "refund" as const,
        "chargeback" as const,
        "chargeback_reversal" as const,
        "fee" as const,
        "payout" as const,
        "adjustment" as const,
        "bank_credit" as const,
        "bank_debit" as const,
        "reserve" as const,
      ),
      gross: fc.record({ currency, minor: fc.bigInt(-6n, 6n) }),
      settled: fc.option(fc.record({ currency, minor: fc.bigInt(-6n, 6n) }), { nil: undefined }),
      fee: fc.option(fc.record({ currency, minor: fc.bigInt(-2n, 2n) }), { nil: undefined }),
      at,
      references: fc.array(reference, { maxLength: 2 }),
      text: fc.option(
        fc.array(reference, { maxLength: 3 }).map((words) => words.join(" ")),
        { nil: undefined },
      ),
      counterparty: fc.constantFrom(undefined, "ACME GMBH"),
      isReversal: fc.boolean(),
      repeats: fc.constantFrom(undefined, undefined, undefined, "in_file" as const, "otherwise" as const),
    })
    .map((given) =>
      record({
        ...given,
        settled: given.settled?.currency === given.gross.currency ? undefined : given.settled,
      }),
    );
  const world = fc
    .record({
      records: fc.array(anyRecord, { maxLength: 12 }),
      targets: fc.uniqueArray(target, { selector: ({ id: one }) => one, maxLength: 15 }),
    })
    .map(({ records, targets }) => ({
      records: records.map((each, index) => ({ ...each, position: index + 1 })),
      targets,
    }));

  /** As the shell does it: batches by reference, then the rest by amount. */
  function matchAll(
    records: readonly MatchableRecord[],
    targets: readonly Target[],
    batch: number,
  ): MatchedRecord[] {
    const claimed = new Set<string>();
    const pending = new Map<string, bigint>();
    const done: MatchedRecord[] = [];
    const rest: MatchableRecord[] = [];
    const note = (matched: readonly MatchedRecord[]) => {
      for (const each of matched) {
        done.push(each);
        for (const claim of each.claims) {
          expect(claimed.has(claim), claim).toBe(false);
          claimed.add(claim);
        }
        for (const {
          effect,
          target: to,
          amount: { minor },
        } of each.allotments)
          if (effect === "receipt" && to?.kind === "invoice")
            pending.set(to.id, (pending.get(to.id) ?? 0n) + minor);
      }
    };
    for (let first = 0; first < records.length; first += batch) {
      const some = records.slice(first, first + batch);
      const found: FoundTarget[] = some
        .flatMap(referencesOf)
        .flatMap((each) =>
          targets.filter(({ id: one }) => one === each).map((one) => ({ reference: each, target: one })),
        );
      const { matched, left } = matchByReference(some, { found, claimed, pending });
      expect(
        [...matched.map((each) => each.record), ...left].sort((a, b) => a.position - b.position),
      ).toEqual(some);
      note(matched);
      rest.push(...left);
    }
    const answers = rest.flatMap((each) => {
      const question = amountQuestionOf(each);
      if (question === undefined) return [];
      return targets
        .filter(
          (one) =>
            question.kinds.includes(one.kind) &&
            one.amount.minor === question.minor &&
            one.amount.currency === question.currency,
        )
        .map((one) => ({ position: each.position, target: one }));
    });
    note(matchByAmount(rest, answers, { claimed, pending }));
    return done.sort((a, b) => a.record.position - b.record.position);
  }
  const sumsOf = (all: readonly Money[]) => {
    const sums = new Map<string, bigint>();
    for (const each of all) sums.set(each.currency, (sums.get(each.currency) ?? 0n) + each.minor);
    return [...sums].filter(([, minor]) => minor !== 0n).sort(([one], [other]) => (one < other ? -1 : 1));
  };

  test("every record is allotted, and its allotments come to what moved less the fee, in every currency", () => {
    fc.assert(
      fc.property(world, ({ records, targets }) => {
        const matched = matchAll(records, targets, 5);
        expect(matched.map((each) => each.record)).toEqual(records);
        for (const { record: each, allotments } of matched) {
          const fee = each.fee === undefined ? [] : [{ currency: each.fee.currency, minor: -each.fee.minor }];
          expect(allotments.length).toBeGreaterThan(0);
          expect(
            sumsOf(allotments.map((one) => one.amount)),
            JSON.stringify(allotments, (_k, v: unknown) => (typeof v === "bigint" ? String(v) : v)),
          ).toEqual(sumsOf([each.settled ?? each.gross, ...fee]));
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test("nothing is settled twice, no invoice gets more than is owed, and what waits in suspense has a reason", () => {
    fc.assert(
      fc.property(world, fc.integer({ min: 1, max: 12 }), ({ records, targets }, batch) => {
        const matched = matchAll(records, targets, batch);
        const paid = new Map<string, bigint>();
        for (const { allotments } of matched) {
          for (const {
            effect,
            target: to,
            amount: { minor },
            exception,
          } of allotments) {
            if (effect === "receipt" && to?.kind === "invoice")
              paid.set(to.id, (paid.get(to.id) ?? 0n) + minor);
            if (effect === "suspense") expect(exception?.note).toMatch(/\.$/);
            if (
              [
                "capture",
                "settle",
                "refund",
                "dispute",
                "win_dispute",
                "receive_payout",
                "return_payout",
              ].includes(effect)
            )
              expect(to).toBeDefined();
          }
        }
        for (const [one, minor] of paid)
          expect(minor).toBeLessThanOrEqual(
            targets.find(({ id: other }) => other === one)?.amount.minor ?? 0n,
          );
      }),
      { numRuns: 2_000 },
    );
  });

  test("it is the same however the file is cut into batches, and whenever it is done again", () => {
    fc.assert(
      fc.property(world, fc.integer({ min: 1, max: 6 }), ({ records, targets }, batch) => {
        const flat = (all: readonly MatchedRecord[]): readonly (readonly Allotment[])[] =>
          all.map((each) => each.allotments);
        expect(flat(matchAll(records, targets, batch))).toEqual(flat(matchAll(records, targets, 100)));
      }),
      { numRuns: 1_000 },
    );
  });
});

describe("gaps in a series of files", () => {
  test("files in any order: what is missing at the end is what was not there", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 30 }), { minLength: 1 }), (numbers) => {
        const there: bigint[] = [];
        const open = new Set<string>();
        for (const number of numbers.map(BigInt)) {
          const before = there.filter((each) => each < number);
          const after = there.filter((each) => each > number);
          const previous = before.reduce<bigint | undefined>(
            (most, each) => (most === undefined || each > most ? each : most),
            undefined,
          );
          const next = after.reduce<bigint | undefined>(
            (least, each) => (least === undefined || each < least ? each : least),
            undefined,
          );
          const { ended, begun } = gapsAround(number, { previous, next });
          if (ended !== undefined) expect(open.delete(`${ended.from}-${ended.to}`)).toBe(true);
          for (const { from, to } of begun) open.add(`${from}-${to}`);
          there.push(number);
        }
        const missing = [...open].flatMap((gap) => {
          const [from = 0, to = 0] = gap.split("-").map(Number);
          return Array.from({ length: to - from + 1 }, (_, index) => from + index);
        });
        const least = Math.min(...numbers);
        const most = Math.max(...numbers);
        const expected = Array.from({ length: most - least + 1 }, (_, index) => least + index).filter(
          (each) => !numbers.includes(each),
        );
        expect(missing.sort((a, b) => a - b)).toEqual(expected);
      }),
    );
  });
});
