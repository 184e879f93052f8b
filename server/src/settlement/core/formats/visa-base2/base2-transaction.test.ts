import { describe, expect, test } from "vitest";
import {
  base2_processor,
  base2Draft,
  base2Fee,
  base2Settlement,
} from "../../../../../test/support/settlement/base2-file.js";
import { one, read } from "../../../../../test/support/settlement/read-base2.js";
import { formatInstant } from "../../../../kernel/instant.js";
import { formatDate } from "../../../../kernel/local-date.js";
import { formatMoney } from "../../../../kernel/money.js";

describe("a transaction", () => {
  test("of a sale: amount, references, dates, and the card", () => {
    const record = one();
    expect(record).toMatchObject({
      position: { record: 2, line: 2 },
      kind: "charge",
      account: base2_processor,
      references: {
        arn: "24000006232000123456789",
        provider: "306233000000001",
        payment: "306233000000001",
        batch: "400001-26233-001",
      },
      card: { last4: "1111", number: "4111111111111111" },
    });
    expect(formatMoney(record.gross)).toBe("123.45 USD");
    expect(record.settled).toBeUndefined();
    expect(formatInstant(record.at)).toBe("2026-08-20T00:00:00Z");
    expect(formatDate(record.valueDate!)).toBe("2026-08-21");
    expect(record.original).toMatchObject({
      "transaction code": "05",
      "account number": "****1111",
      "source amount": "000000012345",
      "card acceptor id": "MERCHANT0000001",
      "transaction identifier": "306233000000001",
    });
    expect(JSON.stringify(record.original)).not.toContain("4111111111111111");
  });

  test.each([
    ["05", "1", "charge", "123.45 USD", undefined],
    ["06", "1", "refund", "-123.45 USD", undefined],
    ["07", "1", "charge", "123.45 USD", undefined],
    ["05", "2", "chargeback_reversal", "123.45 USD", undefined],
    ["05", "9", "chargeback_reversal", "123.45 USD", undefined],
    ["15", "1", "chargeback", "-123.45 USD", undefined],
    ["16", "1", "chargeback", "123.45 USD", undefined],
    ["17", "1", "chargeback", "-123.45 USD", undefined],
    ["25", "1", "charge", "-123.45 USD", true],
    ["26", "1", "refund", "123.45 USD", true],
    ["27", "1", "charge", "-123.45 USD", true],
    ["35", "1", "chargeback_reversal", "123.45 USD", undefined],
    ["36", "1", "chargeback_reversal", "-123.45 USD", undefined],
    ["37", "1", "chargeback_reversal", "123.45 USD", undefined],
  ])("%s with usage %s is a %s of %s", (code, usage, kind, amount, reversal) => {
    const record = one({ code, usage });
    expect([record.kind, formatMoney(record.gross), record.reversal]).toEqual([kind, amount, reversal]);
  });

  test("in a currency without minor units, settled in another", () => {
    const record = one({
      source: 500n,
      sourceCurrency: "392",
      destination: 333n,
      destinationCurrency: "840",
    });
    expect([record.gross, record.settled!].map(formatMoney)).toEqual(["500 JPY", "3.33 USD"]);
  });

  test("on its way to Visa has no destination and no processing date yet", () => {
    const record = one({ destination: 0n, destinationCurrency: "000", processingDate: "0000" });
    expect(record.settled).toBeUndefined();
    expect(record.valueDate).toBeUndefined();
    expect(formatInstant(record.at)).toBe("2026-08-20T00:00:00Z");
  });

  test("of a card number of 19 digits", () => {
    expect(one({ extension: "234" }).card).toEqual({ last4: "1234", number: "4111111111111111234" });
    expect(one({ account: "411111******1111" }).card).toEqual({ last4: "1111" });
  });

  test("has a key of its own for every step, and the same in another file", () => {
    const keys = [
      one(),
      one({ code: "15", reason: "10" }),
      one({ code: "15", reason: "13" }),
      one({ code: "05", usage: "2" }),
      one({ code: "25" }),
    ].map(({ key }) => key);
    expect(new Set(keys).size).toBe(5);
    expect(read({ transactions: [base2Draft()], control: "none" }).records[0]!.key).toBe(keys[0]);
  });

  test("of fees: what is collected from us costs, what is disbursed to us does not", () => {
    const amounts = read([
      base2Fee("10", 250n),
      base2Fee("20", 300n),
      base2Fee("10", 50n, { source: base2_processor }),
    ]).records;
    expect(amounts.map(({ kind, gross }) => [kind, formatMoney(gross)])).toEqual([
      ["fee", "-2.50 USD"],
      ["fee", "3.00 USD"],
      ["fee", "0.50 USD"],
    ]);
    expect(formatInstant(amounts[0]!.at)).toBe("2026-08-19T00:00:00Z");
  });

  test("has no card number in its text or key", () => {
    const [record] = read([base2Fee("10", 250n, { text: "RE 4111111111111111 FEE" })]).records;
    expect(record!.references.text).toBe("RE ****1111 FEE");
    const { card: _, ...rest } = record!;
    expect(
      JSON.stringify(rest, (_key, value: unknown) => (typeof value === "bigint" ? `${value}` : value)),
    ).not.toContain("4111111111111111");
  });

  test("of settlement: the net of a day is a payout, its parts are not", () => {
    const { records, summary } = read([
      base2Settlement(10_000n),
      base2Settlement(-2_500n, { currency: "978" }),
      base2Settlement(12_000n, { amountType: "I" }),
      base2Settlement(-2_000n, { businessMode: "1" }),
    ]);
    expect(
      records.map(({ kind, gross, at, valueDate }) => [
        kind,
        formatMoney(gross),
        formatInstant(at),
        formatDate(valueDate!),
      ]),
    ).toEqual([
      ["payout", "-100.00 USD", "2026-08-22T00:00:00Z", "2026-08-24"],
      ["payout", "25.00 EUR", "2026-08-22T00:00:00Z", "2026-08-24"],
    ]);
    expect(summary.leftOut).toMatchObject({ "transaction 46": 2 });
  });
});
