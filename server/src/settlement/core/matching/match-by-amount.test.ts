import { describe, expect, test } from "vitest";
import { day, type Instant } from "../../../kernel/instant.js";
import {
  noon,
  eur,
  usd,
  record,
  payment,
  payout,
  invoice,
  known,
  said,
} from "../../../../test/support/settlement/matchable.js";
import { amountQuestionOf, matchByAmount, type MatchableRecord, type Target } from "./index.js";

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
