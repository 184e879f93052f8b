import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cutInto, wholeFile } from "../../../../../test/support/settlement/file-chunks.js";
import { outcomeOf, parseFile, refusalOf } from "../../../../../test/support/settlement/parse-file.js";
import {
  balance_columns,
  payout_columns,
  randomStripeRows,
  stripeReport,
  type StripeRow,
} from "../../../../../test/support/settlement/stripe-report.js";
import { formatInstant } from "../../../../kernel/instant.js";
import { formatDate } from "../../../../kernel/local-date.js";
import { formatMoney } from "../../../../kernel/money.js";
import { detectFormat, limits } from "../../index.js";
import { stripeBalanceChange, stripePayoutReconciliation } from "./index.js";

const charge: StripeRow = {
  id: "txn_1",
  category: "charge",
  currency: "USD",
  gross: 10_000n,
  fee: 320n,
  source: "ch_1",
  payment: "pi_1",
  payout: "po_1",
  description: "Invoice 7",
};

const balances = (rows: readonly StripeRow[], columns = balance_columns) =>
  parseFile(stripeBalanceChange, stripeReport(columns, rows));

describe("a row", () => {
  test("is a balance transaction: amounts in minor units, references, times", () => {
    const { records, summary } = balances([charge]);
    const [record] = records;
    expect(record).toMatchObject({
      position: { record: 1, line: 2 },
      key: "stripe:txn_1",
      kind: "charge",
      references: { provider: "ch_1", payment: "pi_1", payout: "po_1", text: "Invoice 7" },
    });
    expect([record!.gross, record!.fee!, record!.net!].map(formatMoney)).toEqual([
      "100.00 USD",
      "3.20 USD",
      "96.80 USD",
    ]);
    expect(formatInstant(record!.at)).toBe("2026-03-01T09:30:00Z");
    expect(formatDate(record!.valueDate!)).toBe("2026-03-03");
    expect(record!.original).toMatchObject({
      gross: "100.00",
      currency: "usd",
      reporting_category: "charge",
    });
    expect(summary.totals).toEqual([{ currency: "USD", records: 1, gross: 10_000n, fee: 320n, net: 9_680n }]);
  });

  test.each([
    ["JPY", 1_250n, "1250 JPY"],
    ["KWD", 1_250n, "1.250 KWD"],
    ["EUR", -1_250n, "-12.50 EUR"],
  ])("in %s", (currency, gross, expected) => {
    const { records } = balances([{ ...charge, currency, gross, fee: 0n }]);
    expect(formatMoney(records[0]!.gross)).toBe(expected);
  });

  test.each([
    ["charge", "charge", undefined],
    ["charge_failure", "charge", true],
    ["refund", "refund", undefined],
    ["refund_failure", "refund", true],
    ["dispute", "chargeback", undefined],
    ["dispute_reversal", "chargeback_reversal", undefined],
    ["fee", "fee", undefined],
    ["network_cost", "fee", undefined],
    ["payout", "payout", undefined],
    ["payout_reversal", "payout", true],
    ["other_adjustment", "adjustment", undefined],
    ["risk_reserved_funds", "reserve", undefined],
    ["something_new", "other", undefined],
  ])("of the category %s is a %s", (category, kind, reversal) => {
    expect(balances([{ ...charge, category }]).records[0]).toMatchObject({ kind });
    expect(balances([{ ...charge, category }]).records[0]!.reversal).toBe(reversal);
  });

  test("that is a payout refers to itself", () => {
    const { records } = balances([
      { ...charge, category: "payout", gross: -9_680n, fee: 0n, source: "po_9", payout: "" },
    ]);
    expect(records[0]).toMatchObject({ kind: "payout", references: { payout: "po_9" } });
    expect(formatMoney(records[0]!.gross)).toBe("-96.80 USD");
  });

  test("says what the customer paid where that was in another currency", () => {
    const presented = { currency: "JPY", amount: 15_000n };
    const [paid, refunded, same] = balances([
      { ...charge, presented },
      { ...charge, id: "txn_2", category: "refund", gross: -5_000n, fee: 0n, presented },
      { ...charge, id: "txn_3", presented: { currency: "USD", amount: 10_000n } },
    ]).records;
    expect(formatMoney(paid!.presented!)).toBe("15000 JPY");
    expect(formatMoney(refunded!.presented!)).toBe("-15000 JPY");
    expect(same!.presented).toBeUndefined();
  });

  test("has the same key in both reports", () => {
    const [one] = balances([charge]).records;
    const [other] = parseFile(stripePayoutReconciliation, stripeReport(payout_columns, [charge])).records;
    expect(other).toMatchObject({ key: one!.key, references: one!.references });
  });

  test("has no card number at rest", () => {
    const [record] = balances([{ ...charge, description: "card 4111 1111 1111 1111" }]).records;
    expect(record!.references.text).toBe("card ****1111");
    expect(record!.original["description"]).toBe("card ****1111");
  });
});

describe("the columns", () => {
  test("may come in any order and number, under a byte-order mark, between semicolons or tabs", () => {
    const expected = balances([charge]).records[0];
    for (const separator of [",", ";", "\t"] as const) {
      const style = { separator, lineEnd: "\r\n" as const, byteOrderMark: true, quoteAll: true };
      const reversed = stripeReport(["extra", ...balance_columns.toReversed()], [charge], style);
      const { records } = parseFile(stripeBalanceChange, reversed);
      expect(records).toEqual([expected]);
    }
  });

  test("without created_utc the report's own time is taken", () => {
    const columns = balance_columns.map((name) => (name === "created_utc" ? "created" : name));
    expect(formatInstant(balances([charge], columns).records[0]!.at)).toBe("2026-03-01T09:30:00Z");
  });

  test("that are missing are named, with what to ask Stripe for", () => {
    const columns = balance_columns.filter((name) => !["fee", "created_utc"].includes(name));
    const refusal = refusalOf(stripeBalanceChange, stripeReport(columns, [charge]));
    expect(refusal).toMatchObject({ line: 1, field: "header" });
    expect(refusal.detail).toBe("the columns fee, created_utc or created are missing");
    expect(refusal.advice).toMatch(/balance_change_from_activity\.itemized\.3/);
  });

  test("there twice are refused", () => {
    const refusal = refusalOf(stripeBalanceChange, stripeReport([...balance_columns, "GROSS "], [charge]));
    expect(refusal).toMatchObject({ line: 1, field: "column 16 (GROSS )" });
  });

  test("a header alone is a report without records", () => {
    expect(balances([]).summary).toMatchObject({ records: 0, totals: [] });
  });
});

describe("a row that contradicts itself is refused alone:", () => {
  const cases: [string, Partial<StripeRow>, RegExp, string][] = [
    [
      "gross less fee is not net",
      { net: 9_000n },
      /gross 100\.00 USD less fee 3\.20 USD is not net 90\.00 USD/,
      "column 7 (net)",
    ],
    [
      "a currency without books",
      { columns: { currency: "usdc" } },
      /"usdc" is no currency/,
      "column 4 (currency)",
    ],
    ["no balance transaction", { id: "" }, /no balance transaction/, "column 1 (balance_transaction_id)"],
  ];
  test.each(cases)("%s", (_, wrong, detail, field) => {
    const { records, summary } = balances([
      charge,
      { ...charge, id: "txn_2", ...wrong },
      { ...charge, id: "txn_3" },
    ]);
    expect(records.map(({ key }) => key)).toEqual(["stripe:txn_1", "stripe:txn_3"]);
    expect(summary.refusedRows).toEqual([
      {
        position: { record: 2, line: 3 },
        field,
        detail: expect.stringMatching(detail),
        advice: expect.stringMatching(/./),
      },
    ]);
  });

  test("a row of a payout reconciliation that is in no payout", () => {
    const { payout: _, ...unpaid } = charge;
    const { summary } = parseFile(stripePayoutReconciliation, stripeReport(payout_columns, [charge, unpaid]));
    expect(summary.refusedRows).toMatchObject([
      { position: { record: 2 }, detail: "the row belongs to no payout" },
    ]);
  });

  test("too many of them, and the whole file is refused", () => {
    const rows = Array.from({ length: limits.row_faults_max + 1 }, () => ({ ...charge, net: 0n }));
    expect(refusalOf(stripeBalanceChange, stripeReport(balance_columns, rows))).toMatchObject({
      record: limits.row_faults_max + 1,
      detail: expect.stringMatching(/more than 1000 rows/),
    });
  });
});

describe("a file that was edited is refused whole, with line and column:", () => {
  test.each([
    ["thousands", { gross: "10,000.00" }, "column 5 (gross)", /separators/],
    ["a decimal comma that may be thousands", { fee: "1,234" }, "column 6 (fee)", /separators/],
    ["scientific notation", { net: "9.68E+01" }, "column 7 (net)", /scientific/],
    ["digits that the currency does not have", { gross: "100.001" }, "column 5 (gross)", /more digits/],
    ["no amount", { gross: "" }, "column 5 (gross)", /no amount/],
    ["a spreadsheet's date", { created_utc: "3/1/2026 9:30" }, "column 2 (created_utc)", /no time/],
    [
      "a currency of the customer that is none",
      { customer_facing_amount: "1", customer_facing_currency: "xxx" },
      "column 12 (customer_facing_currency)",
      /no currency/,
    ],
  ])("%s", (_, columns, field, detail) => {
    const refusal = refusalOf(
      stripeBalanceChange,
      stripeReport(balance_columns, [charge, { ...charge, columns }]),
    );
    expect(refusal).toMatchObject({ line: 3, record: 2, field });
    expect(refusal.detail).toMatch(detail);
    expect(refusal.advice.length).toBeGreaterThan(20);
  });
});

describe("which of the two reports a file is", () => {
  const detected = (columns: readonly string[], rows: readonly StripeRow[], name = "report.csv") =>
    detectFormat(wholeFile(stripeReport(columns, rows)), name).name;
  const { payout: _, ...unpaid } = charge;

  test("is told by its payouts", () => {
    expect(detected(payout_columns, [charge])).toBe("stripe-payout-reconciliation");
    expect(detected(balance_columns, [charge, unpaid])).toBe("stripe-balance-change");
    expect(
      detected(
        balance_columns.filter((name) => !/payout/.test(name)),
        [charge],
      ),
    ).toBe("stripe-balance-change");
    expect(detected(payout_columns, [])).toBe("stripe-payout-reconciliation");
    expect(detected(balance_columns, [])).toBe("stripe-balance-change");
  });

  test("is told by its name where both could be", () => {
    expect(detected(balance_columns, [charge], "balance_change_from_activity.csv")).toBe(
      "stripe-balance-change",
    );
    expect(detected(balance_columns, [charge], "payout_reconciliation-2026.csv")).toBe(
      "stripe-payout-reconciliation",
    );
  });

  test("does not matter to a file with a column missing: it is refused for that", () => {
    expect(
      detected(
        balance_columns.filter((name) => name !== "fee"),
        [charge, unpaid],
      ),
    ).toBe("stripe-balance-change");
  });
});

describe("whatever a report holds", () => {
  const file = wholeFile(stripeReport(payout_columns, randomStripeRows(5, 60)));
  const whole = parseFile(stripePayoutReconciliation, file);

  test("any way of cutting it gives the same records", () => {
    expect(parseFile(stripePayoutReconciliation, cutInto(file, [1]))).toEqual(whole);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 20 }), (lengths) => {
        expect(parseFile(stripePayoutReconciliation, cutInto(file, lengths))).toEqual(whole);
      }),
      { numRuns: 60 },
    );
  });

  test("one damaged byte gives records or a refusal, never anything else", () => {
    fc.assert(
      fc.property(fc.nat(file.length - 1), fc.integer({ min: 0, max: 255 }), (at, value) => {
        const damaged = Uint8Array.from(file);
        damaged[at] = value;
        const outcome = outcomeOf(stripePayoutReconciliation, damaged);
        if (typeof outcome === "string") expect(outcome.length).toBeGreaterThan(20);
        else expect(outcome.summary.records + outcome.summary.refusedRows.length).toBeLessThanOrEqual(61);
      }),
      { numRuns: 500 },
    );
  });

  test("its records add up to its summary", () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(80), (seed, count) => {
        const { records, summary } = parseFile(
          stripeBalanceChange,
          stripeReport(balance_columns, randomStripeRows(seed, count)),
        );
        expect(summary.records).toBe(count);
        const sum = (part: "gross" | "fee" | "net") =>
          records.reduce((total, one) => total + (one[part]?.minor ?? 0n), 0n);
        const [usd = { gross: 0n, fee: 0n, net: 0n }] = summary.totals;
        expect([usd.gross, usd.fee, usd.net]).toEqual([sum("gross"), sum("fee"), sum("net")]);
        expect(usd.gross - usd.fee).toBe(usd.net);
      }),
      { numRuns: 40 },
    );
  });
});
