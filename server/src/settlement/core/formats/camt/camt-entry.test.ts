import { describe, expect, test } from "vitest";
import type { CamtEntry, CamtFile } from "../../../../../test/support/settlement/camt-file.js";
import { parseFile, refusalOf } from "../../../../../test/support/settlement/parse-file.js";
import {
  account,
  credit,
  read,
  statementWith,
  text,
} from "../../../../../test/support/settlement/read-camt.js";
import { formatInstant } from "../../../../kernel/instant.js";
import { formatDate } from "../../../../kernel/local-date.js";
import { formatMoney } from "../../../../kernel/money.js";
import { camt053 } from "./index.js";

describe("an entry", () => {
  test.each([2, 3, 4, 5, 6, 7, 8])("of version %i: amount, dates, references and the payer", (version) => {
    const entry: CamtEntry = {
      ...credit,
      structured: "RF18539007547034",
      text: "for March",
      name: "Bakker & Zn",
      iban: "NL20INGB0001234567",
    };
    const { records, summary } = read({ ...statementWith([entry]), version });
    expect(records).toHaveLength(1);
    const [record] = records;
    expect(record).toMatchObject({
      kind: "bank_credit",
      account,
      references: { endToEnd: "inv_1", structured: "RF18539007547034", provider: "B1", text: "for March" },
      counterparty: { name: "Bakker & Zn", iban: "NL20INGB0001234567" },
    });
    expect(formatMoney(record!.gross)).toBe("12.50 EUR");
    expect(formatInstant(record!.at)).toBe("2026-03-01T00:00:00Z");
    expect(formatDate(record!.valueDate!)).toBe("2026-03-02");
    expect(summary.variant).toBe(`camt.053.001.0${version}`);
  });

  test("that was debited is below zero and names the creditor", () => {
    const { records } = read(
      statementWith([{ amount: 500n, credit: false, name: "Landlord", endToEnd: "rent" }]),
    );
    expect(records[0]).toMatchObject({ kind: "bank_debit", counterparty: { name: "Landlord" } });
    expect(formatMoney(records[0]!.gross)).toBe("-5.00 EUR");
  });

  test("that takes back a credit says so and names whom it went back to", () => {
    const entry: CamtEntry = { amount: 500n, credit: false, reversal: true };
    const file = text(statementWith([entry])).replace(
      "<Cdtr><Pty></Pty></Cdtr>",
      "<Dbtr><Pty><Nm>Payer</Nm></Pty></Dbtr>",
    );
    const [record] = parseFile(camt053, file).records;
    expect(record).toMatchObject({ kind: "bank_debit", reversal: true, counterparty: { name: "Payer" } });
  });

  test("that is pending or for information is counted and gives no record", () => {
    const { records, summary } = read(
      statementWith([
        credit,
        { ...credit, status: "PDNG" },
        { ...credit, status: "INFO" },
        { ...credit, status: "PDNG" },
      ]),
    );
    expect(records).toHaveLength(1);
    expect(summary.leftOut).toEqual({
      "entry that is not booked (PDNG)": 2,
      "entry that is not booked (INFO)": 1,
    });
    expect(summary.checks.every(({ ok }) => ok)).toBe(true);
  });

  test("of currencies with no and with three digits after the point", () => {
    const yen = read(statementWith([{ ...credit, amount: 1_250n }], { currency: "JPY" }));
    expect(formatMoney(yen.records[0]!.gross)).toBe("1250 JPY");
    const dinar = read(statementWith([{ ...credit, amount: 1_250n }], { currency: "KWD" }));
    expect(formatMoney(dinar.records[0]!.gross)).toBe("1.250 KWD");
  });

  test("without a reference of the payer has none, not NOTPROVIDED", () => {
    const { records } = read(statementWith([{ amount: 1n, credit: true }]));
    expect(records[0]!.references).toEqual({});
  });

  test("with a time of booking is at that instant", () => {
    const file = text(statementWith([credit])).replace(
      "<BookgDt><Dt>2026-03-01</Dt></BookgDt>",
      "<BookgDt><DtTm>2026-03-01T13:15:00+01:00</DtTm></BookgDt>",
    );
    expect(formatInstant(parseFile(camt053, file).records[0]!.at)).toBe("2026-03-01T12:15:00Z");
  });

  test("keeps what the file said, with account numbers masked", () => {
    const { records } = read(statementWith([{ ...credit, iban: "NL20INGB0001234567" }]));
    const { original } = records[0]!;
    expect(original).toMatchObject({
      Amt: "12.50",
      "Amt@Ccy": "EUR",
      CdtDbtInd: "CRDT",
      "Sts/Cd": "BOOK",
      "TxDtls/Refs/EndToEndId": "inv_1",
      "TxDtls/RltdPties/DbtrAcct/Id/IBAN": "****4567",
    });
    expect(JSON.stringify(original)).not.toContain("NL20INGB0001234567");
  });
});

describe("the key of an entry", () => {
  const keyOf = (file: CamtFile) => read(file).records.map(({ key }) => key);

  test("is the same in a statement and in a notification that give the bank's reference", () => {
    const other = { ...statementWith([credit]), message: "camt.054" as const, id: "OTHER" };
    expect(keyOf(other)).toEqual(keyOf(statementWith([credit])));
  });

  test("differs for two entries of the same amount without a reference", () => {
    const plain: CamtEntry = { amount: 100n, credit: true };
    const [first, second] = keyOf(statementWith([plain, plain]));
    expect(first).not.toBe(second);
  });

  test("differs from account to account", () => {
    const elsewhere = statementWith([credit], { account: "DE89370400440532013000" });
    expect(keyOf(elsewhere)).not.toEqual(keyOf(statementWith([credit])));
  });
});

describe("an entry of several transactions", () => {
  const batch = (amounts: readonly (bigint | undefined)[], more: Partial<CamtEntry> = {}): CamtEntry => ({
    amount: 600n,
    credit: true,
    reference: "BATCH",
    transactions: amounts.map((amount, index) => ({
      ...(amount === undefined ? {} : { amount }),
      endToEnd: `e${index}`,
    })),
    ...more,
  });

  test.each([2, 4, 8])("that add up to it is that many records, in version %i", (version) => {
    const { records, summary } = read({ ...statementWith([batch([100n, 200n, 300n])]), version });
    expect(records.map(({ gross }) => formatMoney(gross))).toEqual(["1.00 EUR", "2.00 EUR", "3.00 EUR"]);
    expect(records.map(({ references }) => references.endToEnd)).toEqual(["e0", "e1", "e2"]);
    expect(new Set(records.map(({ key }) => key)).size).toBe(3);
    expect(summary.checks.every(({ ok }) => ok)).toBe(true);
  });

  test("that do not add up to it: a failed check, and the rest is a record of its own", () => {
    const { records, summary } = read(statementWith([batch([100n, 200n])]));
    expect(records.map(({ gross }) => formatMoney(gross))).toEqual(["1.00 EUR", "2.00 EUR", "3.00 EUR"]);
    expect(summary.checks.filter(({ ok }) => !ok)).toEqual([
      {
        name: "Stmt 1 (S-1), entry 1: its transactions add up to it",
        expected: "6.00 EUR",
        found: "3.00 EUR in 2 of 2 transactions",
        ok: false,
      },
    ]);
  });

  test("that have no amounts is one record of what was booked", () => {
    const { records, summary } = read(statementWith([batch([undefined, undefined])]));
    expect(records.map(({ gross }) => formatMoney(gross))).toEqual(["6.00 EUR"]);
    expect(summary.checks.some(({ ok }) => !ok)).toBe(true);
  });

  test("whose batch says another number or total: failed checks", () => {
    const entry = batch([300n, 300n], { batch: { transactions: 3, total: 700n } });
    const failed = read(statementWith([entry])).summary.checks.filter(({ ok }) => !ok);
    expect(failed.map(({ name, expected, found }) => [name, expected, found])).toEqual([
      ["Stmt 1 (S-1), entry 1: Btch/NbOfTxs", "3", "2"],
      ["Stmt 1 (S-1), entry 1: Btch/TtlAmt", "7.00 EUR", "6.00 EUR"],
    ]);
  });

  test("with debits among credits adds them with their signs", () => {
    const entry: CamtEntry = {
      amount: 600n,
      credit: true,
      transactions: [{ amount: 1_000n }, { amount: 400n, credit: false }],
    };
    const { records, summary } = read(statementWith([entry]));
    expect(records.map(({ kind, gross }) => [kind, formatMoney(gross)])).toEqual([
      ["bank_credit", "10.00 EUR"],
      ["bank_debit", "-4.00 EUR"],
    ]);
    expect(summary.checks.every(({ ok }) => ok)).toBe(true);
  });

  test("one transaction of another amount in the same currency: the entry stands, and a failed check", () => {
    const entry: CamtEntry = { amount: 600n, credit: true, transactions: [{ amount: 500n, endToEnd: "e" }] };
    const { records, summary } = read(statementWith([entry]));
    expect(records.map(({ gross, references }) => [formatMoney(gross), references.endToEnd])).toEqual([
      ["6.00 EUR", "e"],
    ]);
    expect(summary.checks.filter(({ ok }) => !ok)).toHaveLength(1);
  });

  test.each(["USD", "XBT"])(
    "one transaction in the payment's own currency %s: the entry stands as it was booked",
    (currency) => {
      const entry: CamtEntry = {
        amount: 600n,
        credit: true,
        transactions: [{ amount: 700n, currency, endToEnd: "e" }],
      };
      const { records, summary } = read(statementWith([entry]));
      expect(formatMoney(records[0]!.gross)).toBe("6.00 EUR");
      expect(summary.checks.every(({ ok }) => ok)).toBe(true);
    },
  );

  test("a transaction's amount that is none is refused, not taken for a foreign one", () => {
    const file = text(statementWith([batch([100n, 500n])])).replace(">1.00</Amt>", ">1,000.00</Amt>");
    expect(refusalOf(camt053, file)).toMatchObject({ field: "Stmt/Ntry/NtryDtls/TxDtls/Amt" });
  });
});
