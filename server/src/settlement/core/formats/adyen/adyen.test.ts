import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  adyen_columns,
  adyen_columns_of_2025,
  adyenReport,
  randomAdyenRows,
  type AdyenRow,
} from "../../../../../test/support/settlement/adyen-report.js";
import { cutInto, wholeFile } from "../../../../../test/support/settlement/file-chunks.js";
import { outcomeOf, parseFile, refusalOf } from "../../../../../test/support/settlement/parse-file.js";
import { formatInstant } from "../../../../kernel/instant.js";
import { formatDate } from "../../../../kernel/local-date.js";
import { formatMoney } from "../../../../kernel/money.js";
import { detectFormat } from "../../index.js";
import { adyenSettlementDetails } from "./index.js";

const eur = (amount: bigint) => ({ currency: "EUR", amount });

const settled: AdyenRow = {
  type: "Settled",
  payment: "8815126789012345",
  modification: "9915126789012345",
  merchantReference: "inv_1",
  gross: eur(10_000n),
  net: eur(9_880n),
  fees: { "Markup (NC)": "0.40", "Scheme Fees (NC)": "0.10", "Interchange (NC)": "0.70" },
};
const payout = (amount: bigint, more: Partial<AdyenRow> = {}): AdyenRow => ({
  type: "MerchantPayout",
  modification: "TX1XT batch 7, AcmeSaas",
  net: eur(-amount),
  ...more,
});

const read = (rows: readonly AdyenRow[], columns = adyen_columns) =>
  parseFile(adyenSettlementDetails, adyenReport(rows, columns));
const failed = (rows: readonly AdyenRow[]) => read(rows).summary.checks.filter(({ ok }) => !ok);

describe("a row", () => {
  test("of a payment: gross, fees, net, references, time", () => {
    const [record] = read([settled, payout(9_880n)]).records;
    expect(record).toMatchObject({
      position: { record: 1, line: 2 },
      key: "adyen:AcmeSaas:7:Settled:8815126789012345:9915126789012345",
      kind: "charge",
      account: "AcmeSaas",
      references: {
        payment: "8815126789012345",
        provider: "9915126789012345",
        merchant: "inv_1",
        batch: "7",
      },
    });
    expect([record!.gross, record!.fee!, record!.net!].map(formatMoney)).toEqual([
      "100.00 EUR",
      "1.20 EUR",
      "98.80 EUR",
    ]);
    expect(formatInstant(record!.at)).toBe("2026-03-01T09:30:00Z");
    expect(record!.original).toMatchObject({ "Gross Credit (GC)": "100.00", "Markup (NC)": "0.40" });
  });

  test("of a payout is below zero and has no fee", () => {
    const [, record] = read([settled, payout(9_880n)]).records;
    expect(record).toMatchObject({
      kind: "payout",
      references: { payout: "TX1XT batch 7, AcmeSaas", batch: "7" },
    });
    expect([record!.gross, record!.fee!].map(formatMoney)).toEqual(["-98.80 EUR", "0.00 EUR"]);
  });

  test.each([
    ["Settled", "charge", undefined],
    ["SettledReversed", "charge", true],
    ["Refunded", "refund", undefined],
    ["RefundedReversed", "refund", true],
    ["Chargeback", "chargeback", undefined],
    ["SecondChargeback", "chargeback", undefined],
    ["ChargebackReversed", "chargeback_reversal", undefined],
    ["Fee", "fee", undefined],
    ["InvoiceDeduction", "fee", undefined],
    ["MerchantPayout", "payout", undefined],
    ["BankInstructionReturned", "payout", true],
    ["DepositCorrection", "reserve", undefined],
    ["ManualCorrected", "adjustment", undefined],
    ["Balancetransfer", "other", undefined],
  ])("of the type %s is a %s", (type, kind, reversal) => {
    const [record] = read([{ ...settled, type }]).records;
    expect(record!.kind).toBe(kind);
    expect(record!.reversal).toBe(reversal);
  });

  test("of a chargeback costs its fee besides", () => {
    const row: AdyenRow = {
      ...settled,
      type: "Chargeback",
      gross: eur(-34_999n),
      net: eur(-35_749n),
      fees: { "Markup (NC)": "7.5" },
    };
    const [record] = read([row]).records;
    expect([record!.gross, record!.fee!, record!.net!].map(formatMoney)).toEqual([
      "-349.99 EUR",
      "7.50 EUR",
      "-357.49 EUR",
    ]);
  });

  test("settled in another currency says what it counts as there", () => {
    const row: AdyenRow = { ...settled, gross: { currency: "JPY", amount: 16_000n } };
    const [record] = read([row]).records;
    expect([record!.gross, record!.settled!, record!.fee!, record!.net!].map(formatMoney)).toEqual([
      "16000 JPY",
      "100.00 EUR",
      "1.20 EUR",
      "98.80 EUR",
    ]);
  });

  test("of a fee for the batch has a net amount only, whatever its gross currency says", () => {
    const row: AdyenRow = {
      type: "Fee",
      modification: "Transaction Fees March 2026",
      net: eur(-189n),
      columns: { "Gross Currency": "EUR" },
    };
    const [record] = read([row]).records;
    expect(record!.kind).toBe("fee");
    expect([record!.gross, record!.fee!, record!.net!].map(formatMoney)).toEqual([
      "-1.89 EUR",
      "0.00 EUR",
      "-1.89 EUR",
    ]);
  });

  test("with fees finer than a cent counts their sum", () => {
    const fees = { "Markup (NC)": "0.395", "Scheme Fees (NC)": "0.105", "Interchange (NC)": "0.7" };
    expect(failed([{ ...settled, fees }, payout(9_880n)])).toEqual([]);
  });

  test.each([
    ["CET", "2026-03-01T09:30:00Z"],
    ["CEST", "2026-03-01T08:30:00Z"],
    ["BST", "2026-03-01T09:30:00Z"],
    ["PST", "2026-03-01T18:30:00Z"],
    ["GMT", "2026-03-01T10:30:00Z"],
    ["", "2026-03-01T10:30:00Z"],
    ["XYZ", "2026-03-01T10:30:00Z"],
  ])("of half past ten in %j is at %s", (zone, expected) => {
    expect(formatInstant(read([{ ...settled, zone }]).records[0]!.at)).toBe(expected);
  });

  test("of 2025 has the acquirer's reference and the day of booking", () => {
    const row: AdyenRow = {
      ...settled,
      arn: "24000006232000123456789",
      columns: { "Booking Date": "2026-03-02 00:10:00", "Booking Date TimeZone": "CET" },
    };
    const [record] = read([row], adyen_columns_of_2025).records;
    expect(record!.references.arn).toBe("24000006232000123456789");
    expect(formatDate(record!.valueDate!)).toBe("2026-03-02");
  });
});

describe("the columns", () => {
  test("are found by name: 30 or 49, in any order", () => {
    expect(adyen_columns).toHaveLength(30);
    expect(adyen_columns_of_2025).toHaveLength(49);
    const [expected] = read([settled]).records;
    for (const columns of [
      adyen_columns_of_2025,
      adyen_columns.toReversed(),
      adyen_columns_of_2025.toSorted(),
    ]) {
      for (const separator of [",", ";", "\t"] as const) {
        const file = adyenReport([settled], columns, { separator, byteOrderMark: true, lineEnd: "\r\n" });
        expect(parseFile(adyenSettlementDetails, file).records[0]).toEqual(expected);
      }
    }
  });

  test("that are missing are named", () => {
    const columns = adyen_columns.filter((name) => name !== "Batch Number");
    expect(detectFormat(wholeFile(adyenReport([settled], columns)), "a.csv").name).toBe(
      "adyen-settlement-details",
    );
    expect(refusalOf(adyenSettlementDetails, adyenReport([settled], columns))).toMatchObject({
      line: 1,
      detail: "the columns Batch Number are missing",
    });
  });
});

describe("a report", () => {
  test("foots: its lines and the payout come to zero", () => {
    const { summary } = read([settled, payout(9_880n)]);
    expect(summary).toMatchObject({
      logicalId: "AcmeSaas batch 7",
      accounts: ["AcmeSaas"],
      sequences: [{ series: "adyen AcmeSaas", number: 7n }],
      totals: [{ currency: "EUR", records: 2, gross: 120n, fee: 120n, net: 0n }],
    });
    expect(summary.checks).toEqual([
      {
        name: "AcmeSaas batch 7: all lines and the MerchantPayout come to zero",
        expected: "0.00 EUR",
        found: "0.00 EUR",
        ok: true,
      },
      { name: "rows whose fees lead from gross to net", expected: "1 of 1", found: "1 of 1", ok: true },
    ]);
  });

  test("that does not foot parses, with a failed check", () => {
    expect(failed([settled, payout(9_879n)])).toMatchObject([{ expected: "0.00 EUR", found: "0.01 EUR" }]);
    expect(failed([settled])).toMatchObject([{ found: "98.80 EUR" }]);
  });

  test("foots in each currency and merchant account", () => {
    const dollars: AdyenRow = payout(0n, { net: { currency: "USD", amount: 500n }, type: "Settled" });
    const elsewhere = payout(100n, { account: "Other" });
    expect(
      failed([settled, payout(9_880n), dollars, elsewhere]).map(({ name, found }) => [
        name.split(":")[0],
        found,
      ]),
    ).toEqual([
      ["AcmeSaas batch 7", "5.00 USD"],
      ["Other batch 7", "-1.00 EUR"],
    ]);
  });

  test("whose fees do not lead from gross to net has a failed check", () => {
    const rows = [{ ...settled, fees: { "Markup (NC)": "1.00" } }, payout(9_880n)];
    expect(failed(rows)).toMatchObject([{ expected: "1 of 1", found: "0 of 1" }]);
  });

  test("of a header alone has no records", () => {
    expect(read([]).summary).toMatchObject({ records: 0, checks: [], sequences: [] });
  });
});

describe("a report is refused, with line and column:", () => {
  test.each([
    [
      "an acquirer's reference that a spreadsheet shortened",
      { ARN: "1.23E+022" },
      "ARN",
      /"1\.23E\+022" was a reference/,
    ],
    [
      "a PSP reference that a spreadsheet shortened",
      { "Psp Reference": "8.81512678901234E+15" },
      "Psp Reference",
      /was a reference/,
    ],
    [
      "a modification reference in a spreadsheet with commas",
      { "Modification Reference": "9,91E+15" },
      "Modification Reference",
      /was a reference/,
    ],
    ["thousands", { "Gross Credit (GC)": "1,000.00" }, "Gross Credit (GC)", /separators/],
    ["scientific notation", { "Net Credit (NC)": "9.88E+01" }, "Net Credit (NC)", /scientific/],
    [
      "digits that the currency does not have",
      { "Net Credit (NC)": "98.801" },
      "Net Credit (NC)",
      /more digits/,
    ],
    ["a fee that is no number", { "Markup (NC)": "1e-1" }, "Markup (NC)", /no amount/],
    ["debit and credit at once", { "Net Debit (NC)": "1.00" }, "Net Credit (NC)", /at once/],
    ["a currency that is none", { "Net Currency": "EUX" }, "Net Currency", /"EUX"/],
    ["an amount without a currency", { "Net Currency": "" }, "Net Currency", /no currency/],
    ["a spreadsheet's date", { "Creation Date": "03/01/2026 10:30" }, "Creation Date", /no time/],
    ["a batch that is no number", { "Batch Number": "seven" }, "Batch Number", /"seven"/],
    ["a row without a type", { Type: "" }, "Type", /empty/],
    ["a row without an account", { "Merchant Account": "" }, "Merchant Account", /empty/],
  ])("%s", (_, columns, column, detail) => {
    const refusal = refusalOf(
      adyenSettlementDetails,
      adyenReport([settled, { ...settled, columns }], adyen_columns_of_2025),
    );
    expect(refusal).toMatchObject({ line: 3, record: 2 });
    expect(refusal.field).toMatch(new RegExp(`^column \\d+ \\(${column.replace(/[()]/g, "\\$&")}\\)$`));
    expect(refusal.detail).toMatch(detail);
    expect(refusal.advice.length).toBeGreaterThan(20);
  });

  test("a row without a net amount", () => {
    const columns = { "Net Currency": "", "Net Credit (NC)": "" };
    expect(refusalOf(adyenSettlementDetails, adyenReport([{ ...settled, columns }]))).toMatchObject({
      line: 2,
    });
  });
});

describe("whatever a report holds", () => {
  const file = wholeFile(adyenReport(randomAdyenRows(5, 40), adyen_columns_of_2025, { lineEnd: "\r\n" }));
  const whole = parseFile(adyenSettlementDetails, file);

  test("any way of cutting it gives the same records", () => {
    expect(parseFile(adyenSettlementDetails, cutInto(file, [1]))).toEqual(whole);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 500 }), { minLength: 1, maxLength: 20 }), (lengths) => {
        expect(parseFile(adyenSettlementDetails, cutInto(file, lengths))).toEqual(whole);
      }),
      { numRuns: 40 },
    );
  });

  test("one damaged byte gives records or a refusal, never anything else", () => {
    fc.assert(
      fc.property(fc.nat(file.length - 1), fc.integer({ min: 0, max: 255 }), (at, value) => {
        const damaged = Uint8Array.from(file);
        damaged[at] = value;
        const outcome = outcomeOf(adyenSettlementDetails, damaged);
        if (typeof outcome === "string") expect(outcome.length).toBeGreaterThan(20);
        else expect(outcome.summary.records).toBe(outcome.records.length);
      }),
      { numRuns: 400 },
    );
  });

  test("its records add up to its summary, and foot", () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(60), (seed, count) => {
        const { records, summary } = parseFile(
          adyenSettlementDetails,
          adyenReport(randomAdyenRows(seed, count)),
        );
        const sum = (part: "gross" | "fee" | "net") =>
          records.reduce((total, one) => total + (one[part]?.minor ?? 0n), 0n);
        expect(summary.totals).toEqual([
          { currency: "EUR", records: count + 1, gross: sum("gross"), fee: sum("fee"), net: 0n },
        ]);
        expect(summary.checks.every(({ ok }) => ok)).toBe(true);
        expect(new Set(records.map(({ key }) => key)).size).toBe(count + 1);
      }),
      { numRuns: 40 },
    );
  });
});
