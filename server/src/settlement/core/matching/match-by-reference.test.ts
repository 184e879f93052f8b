import { describe, expect, test } from "vitest";
import {
  eur,
  usd,
  record,
  payment,
  attempt,
  refund,
  dispute,
  payout,
  invoice,
  known,
  said,
} from "../../../../test/support/settlement/matchable.js";
import { amountQuestionOf, matchByReference, type MatchableRecord, type Target } from "./index.js";

const byReference = (records: MatchableRecord[], found: readonly (readonly [string, Target])[], more = {}) =>
  matchByReference(records, {
    ...known,
    found: found.map(([reference, target]) => ({ reference, target })),
    ...more,
  });

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
