import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  camtFile,
  randomStatement,
  type CamtEntry,
  type CamtFile,
} from "../../../../../test/support/settlement/camt-file.js";
import { cutInto, wholeFile } from "../../../../../test/support/settlement/file-chunks.js";
import { outcomeOf, parseFile, refusalOf } from "../../../../../test/support/settlement/parse-file.js";
import { formatInstant } from "../../../../kernel/instant.js";
import { formatDate } from "../../../../kernel/local-date.js";
import { formatMoney } from "../../../../kernel/money.js";
import { detectFormat } from "../../index.js";
import { camt053, camt054 } from "./index.js";

const account = "NL91ABNA0417164300";

function statementWith(
  entries: readonly CamtEntry[],
  more: Partial<CamtFile["statements"][number]> = {},
): CamtFile {
  return {
    statements: [
      { id: "S-1", account, currency: "EUR", sequence: 7, opening: 10_000n, entries: () => entries, ...more },
    ],
  };
}

const read = (file: CamtFile) => parseFile(file.message === "camt.054" ? camt054 : camt053, camtFile(file));
const text = (file: CamtFile) => Buffer.from(wholeFile(camtFile(file))).toString();
const credit: CamtEntry = { amount: 1_250n, credit: true, endToEnd: "inv_1", reference: "B1" };

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

describe("a statement", () => {
  const failed = (file: CamtFile) => read(file).summary.checks.filter(({ ok }) => !ok);

  test("foots: opening balance and booked entries come to the closing balance", () => {
    const { summary } = read(statementWith([credit, { amount: 20_000n, credit: false }]));
    expect(summary.checks).toContainEqual({
      name: "Stmt 1 (S-1): opening balance and booked entries come to the closing balance",
      expected: "-87.50 EUR",
      found: "-87.50 EUR",
      ok: true,
    });
  });

  test("that does not foot parses, with a failed check", () => {
    const file = statementWith([credit], { closing: 11_251n });
    expect(read(file).records).toHaveLength(1);
    expect(failed(file)).toEqual([
      {
        name: "Stmt 1 (S-1): opening balance and booked entries come to the closing balance",
        expected: "112.50 EUR",
        found: "112.51 EUR",
        ok: false,
      },
    ]);
  });

  test("without balances cannot be checked, and that is a failed check", () => {
    const file = text(statementWith([credit])).replace(/<Bal>.*<\/Bal>\n/g, "");
    const { checks } = parseFile(camt053, file).summary;
    expect(checks.filter(({ ok }) => !ok)).toMatchObject([{ found: "neither" }]);
  });

  test("a page has interim balances", () => {
    const page = text(statementWith([credit]))
      .replace("OPBD", "ITBD")
      .replace("CLBD", "ITBD");
    expect(parseFile(camt053, page).summary.checks.every(({ ok }) => ok)).toBe(true);
  });

  test("in two currencies foots in each", () => {
    const file = text(
      statementWith([credit, { ...credit, currency: "USD", amount: 300n, reference: "B2" }], {
        closing: 11_250n,
      }),
    );
    const { checks } = parseFile(camt053, file).summary;
    expect(checks.filter(({ ok }) => !ok)).toMatchObject([
      { expected: "no opening balance in USD", found: "no closing balance in USD" },
    ]);
  });

  test("announces how many entries it has and what they come to", () => {
    const extra =
      "<TxsSummry><TtlNtries><NbOfNtries>2</NbOfNtries></TtlNtries><TtlCdtNtries><NbOfNtries>1</NbOfNtries><Sum>12.50</Sum></TtlCdtNtries><TtlDbtNtries><NbOfNtries>2</NbOfNtries><Sum>4.00</Sum></TtlDbtNtries></TxsSummry>";
    const file = statementWith([credit, { amount: 500n, credit: false }], { extra });
    expect(failed(file).map(({ name, expected, found }) => [name, expected, found])).toEqual([
      ["Stmt 1 (S-1): TtlDbtNtries/NbOfNtries", "2", "1"],
      ["Stmt 1 (S-1): TtlDbtNtries/Sum", "4.00 EUR", "5.00 EUR"],
    ]);
    expect(read(file).summary.checks.filter(({ ok }) => ok)).toHaveLength(5);
  });

  test("and its siblings in one file: accounts, sequences, and checks of each", () => {
    const { summary, records } = read({
      id: "MSG-9",
      statements: [
        { id: "A", account, currency: "EUR", sequence: 7, entries: () => [credit] },
        { id: "B", account: "DE89370400440532013000", currency: "EUR", sequence: 3, entries: () => [credit] },
      ],
    });
    expect(records).toHaveLength(2);
    expect(summary).toMatchObject({
      logicalId: "MSG-9",
      accounts: [account, "DE89370400440532013000"],
      sequences: [
        { series: `camt.053 ${account}`, number: 7n },
        { series: "camt.053 DE89370400440532013000", number: 3n },
      ],
    });
    expect(summary.checks).toHaveLength(4);
  });

  test("of nothing but balances is a file without records", () => {
    const { records, summary } = read(statementWith([]));
    expect(records).toEqual([]);
    expect(summary).toMatchObject({ records: 0, totals: [], kinds: {} });
    expect(summary.checks.every(({ ok }) => ok)).toBe(true);
  });

  test("a notification has no balances to check", () => {
    const { summary } = read({ ...statementWith([credit]), message: "camt.054" });
    expect(summary.checks.every(({ ok }) => ok)).toBe(true);
  });
});

describe("a file is read", () => {
  test("with a prefix for its namespace, in Latin-1, with a byte-order mark", () => {
    const entry: CamtEntry = { ...credit, name: "Söhne & Co" };
    for (const file of [
      { ...statementWith([entry]), prefix: "ns2" },
      { ...statementWith([entry]), encoding: "ISO-8859-1" },
    ]) {
      expect(read(file).records[0]!.counterparty).toEqual({ name: "Söhne & Co" });
    }
    expect(parseFile(camt053, `\ufeff${text(statementWith([entry]))}`).records).toHaveLength(1);
  });

  test("in UTF-16 with its byte-order mark", () => {
    const file = Buffer.from(`\ufeff${text(statementWith([credit])).replace("UTF-8", "UTF-16")}`, "utf16le");
    expect(detectFormat(file, "a.xml").name).toBe("camt.053");
    expect(parseFile(camt053, cutInto(file, [7])).records).toHaveLength(1);
  });

  test("leaving out what other namespaces add", () => {
    const foreign = `<SplmtryData><Envlp><x:Ntry xmlns:x="urn:x"><x:Amt>1</x:Amt></x:Ntry></Envlp></SplmtryData>`;
    const file = text(statementWith([credit])).replace("</BkToCstmrStmt>", `${foreign}</BkToCstmrStmt>`);
    expect(parseFile(camt053, file).records).toHaveLength(1);
  });

  test("and known by its namespace, whatever it is called", () => {
    expect(detectFormat(wholeFile(camtFile(statementWith([credit]))), "bank.txt").name).toBe("camt.053");
    const notification = { ...statementWith([credit]), message: "camt.054" as const };
    expect(detectFormat(wholeFile(camtFile(notification)), "statement053.xml").name).toBe("camt.054");
  });
});

describe("a file is refused", () => {
  const good = text(statementWith([credit, { amount: 5n, credit: false }]));
  const line = (needle: string) => good.slice(0, good.indexOf(needle)).split("\n").length;
  const cases: [
    string,
    (file: string) => string,
    Partial<{ line: number; field: string }>,
    RegExp,
    RegExp,
  ][] = [
    [
      "a version that is not read",
      (file) => file.replace("camt.053.001.08", "camt.053.001.09"),
      { line: 2 },
      /camt\.053\.001\.09/,
      /02 to 08/,
    ],
    [
      "version 1",
      (file) => file.replace("camt.053.001.08", "camt.053.001.01"),
      { line: 2 },
      /001\.01/,
      /02 to 08/,
    ],
    [
      "another message",
      (file) => file.replace("camt.053.001.08", "camt.052.001.08"),
      { line: 2 },
      /not of camt\.053/,
      /camt\.053/,
    ],
    ["another root", (file) => file.replaceAll("Document", "Envelope"), { line: 2 }, /Envelope/, /Document/],
    ["no statement", (file) => file.replace(/<Stmt>[^]*<\/Stmt>/, ""), {}, /no Stmt/, /statement itself/],
    ["no header", (file) => file.replace(/<GrpHdr>.*<\/GrpHdr>/, ""), {}, /no GrpHdr/, /standard/],
    [
      "a header without an id",
      (file) => file.replace(/<MsgId>.*<\/MsgId>/, ""),
      { line: 4, field: "GrpHdr/MsgId" },
      /no MsgId/,
      /standard/,
    ],
    [
      "a statement without an account",
      (file) => file.replace(/<Acct>.*<\/Acct>/, ""),
      { line: 5, field: "Stmt/Acct/Id" },
      /no Acct/,
      /standard/,
    ],
    [
      "an element of another name",
      (file) => file.replaceAll("Ntry>", "Entry>"),
      { line: line("<Ntry>"), field: "Stmt/Entry" },
      /"Entry" may not stand in Stmt/,
      /standard/,
    ],
    [
      "money in an unknown element",
      (file) => file.replace("<RvslInd>", "").replace("<Sts>", "<Extra/><Sts>"),
      { line: line("<Ntry>"), field: "Stmt/Ntry/Extra" },
      /"Extra"/,
      /standard/,
    ],
    [
      "an entry without an amount",
      (file) => file.replace('<Amt Ccy="EUR">12.50</Amt>', ""),
      { line: line("<Ntry>"), field: "Stmt/Ntry/Amt" },
      /no Amt/,
      /standard/,
    ],
    [
      "an entry without a direction",
      (file) =>
        file.replace(
          '<Ntry><Amt Ccy="EUR">12.50</Amt><CdtDbtInd>CRDT</CdtDbtInd>',
          '<Ntry><Amt Ccy="EUR">12.50</Amt>',
        ),
      { line: line("<Ntry>"), field: "Stmt/Ntry/CdtDbtInd" },
      /no CdtDbtInd/,
      /standard/,
    ],
    [
      "a direction that is none",
      (file) => file.replace("12.50</Amt><CdtDbtInd>CRDT", "12.50</Amt><CdtDbtInd>IN"),
      { line: line("<Ntry>"), field: "Stmt/Ntry/CdtDbtInd" },
      /"IN"/,
      /standard/,
    ],
    [
      "an entry without a status",
      (file) => file.replace("<Sts><Cd>BOOK</Cd></Sts>", ""),
      { line: line("<Ntry>"), field: "Stmt/Ntry/Sts" },
      /no Sts/,
      /standard/,
    ],
    [
      "an amount with a comma for thousands",
      (file) => file.replace("12.50</Amt>", "1,250.00</Amt>"),
      { line: line("<Ntry>"), field: "Stmt/Ntry/Amt" },
      /"1,250\.00"/,
      /1234\.56/,
    ],
    [
      "an amount in scientific notation",
      (file) => file.replace("12.50</Amt>", "1.25E+1</Amt>"),
      { line: line("<Ntry>"), field: "Stmt/Ntry/Amt" },
      /scientific/,
      /spreadsheet/,
    ],
    [
      "an amount below zero",
      (file) => file.replace("12.50</Amt>", "-12.50</Amt>"),
      { line: line("<Ntry>"), field: "Stmt/Ntry/Amt" },
      /below zero/,
      /CdtDbtInd/,
    ],
    [
      "digits that the currency does not have",
      (file) => file.replace("12.50</Amt>", "12.505</Amt>"),
      { line: line("<Ntry>"), field: "Stmt/Ntry/Amt" },
      /more digits than EUR/,
      /minor units/,
    ],
    [
      "an amount without a currency",
      (file) => file.replace('<Ntry><Amt Ccy="EUR">', "<Ntry><Amt>"),
      { line: line("<Ntry>"), field: "Stmt/Ntry/Amt" },
      /no currency/,
      /Ccy/,
    ],
    [
      "a currency that is none",
      (file) => file.replace('<Ntry><Amt Ccy="EUR">', '<Ntry><Amt Ccy="EUX">'),
      { line: line("<Ntry>"), field: "Stmt/Ntry/Amt" },
      /"EUX"/,
      /ISO 4217/,
    ],
    [
      "two amounts",
      (file) => file.replace("<Ntry>", '<Ntry><Amt Ccy="EUR">1.00</Amt>'),
      { line: line("<Ntry>"), field: "Stmt/Ntry/Amt" },
      /two Amt/,
      /standard/,
    ],
    [
      "a date that does not exist",
      (file) => file.replace("2026-03-01</Dt></BookgDt>", "2026-02-30</Dt></BookgDt>"),
      { line: line("<Ntry>"), field: "Stmt/Ntry/BookgDt/Dt" },
      /no date/,
      /2026-01-31/,
    ],
    ["a file cut short", (file) => file.slice(0, file.indexOf("</Stmt>")), {}, /well-formed/, /again/],
    ["tags that do not match", (file) => file.replace("</Stmt>", "</Ntry>"), {}, /well-formed/, /again/],
    [
      "a document type definition",
      (file) =>
        file.replace(
          "<Document",
          '<!DOCTYPE Document [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>\n<Document',
        ),
      { line: 2 },
      /document type definition/,
      /again/,
    ],
    ["an entity of its own", (file) => file.replace("inv_1", "&secret;"), {}, /well-formed/, /again/],
    [
      "an encoding that is not read",
      (file) => file.replace("UTF-8", "EBCDIC-CP-BE"),
      {},
      /encoding/,
      /UTF-8/,
    ],
    [
      "elements without end inside each other",
      (file) => file.replace("<Ntry>", `<Ntry><AmtDtls>${"<a>".repeat(100)}`),
      {},
      /nested deeper/,
      /again/,
    ],
    [
      "a text without end",
      (file) => file.replace("inv_1", "x".repeat(200_000)),
      {},
      /more than 65536 characters/,
      /again/,
    ],
  ];

  test.each(cases)("for %s", (_, change, where, detail, advice) => {
    const changed = change(good);
    expect(changed).not.toBe(good);
    const refusal = refusalOf(camt053, changed);
    expect(refusal).toMatchObject(where);
    expect(refusal.detail).toMatch(detail);
    expect(refusal.advice).toMatch(advice);
    expect(refusal.line).toBeGreaterThan(0);
  });

  test("for bytes that are no text in its encoding", () => {
    const bytes = Buffer.from(good.replace("inv_1", "inv_\u00e9"), "latin1");
    expect(refusalOf(camt053, bytes).detail).toMatch(/no text in the file's encoding/);
  });

  test("for nothing in it", () => {
    expect(refusalOf(camt053, "").message).toMatch(/well-formed|no elements/);
    expect(refusalOf(camt053, "<?xml version='1.0'?>").message).toMatch(/well-formed|no elements/);
  });
});

describe("whatever a file holds", () => {
  const file = wholeFile(camtFile({ statements: [randomStatement(3, 40), randomStatement(4, 3)] }));
  const whole = parseFile(camt053, file);

  test("any way of cutting it gives the same records", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 20 }), (lengths) => {
        expect(parseFile(camt053, cutInto(file, lengths))).toEqual(whole);
      }),
      { numRuns: 60 },
    );
    expect(parseFile(camt053, cutInto(file, [1]))).toEqual(whole);
  });

  test("one damaged byte gives records or a refusal, never anything else", () => {
    fc.assert(
      fc.property(fc.nat(file.length - 1), fc.integer({ min: 0, max: 255 }), (at, value) => {
        const damaged = Uint8Array.from(file);
        damaged[at] = value;
        const outcome = outcomeOf(camt053, damaged);
        if (typeof outcome === "string") expect(outcome.length).toBeGreaterThan(20);
        else expect(outcome.summary.records).toBe(outcome.records.length);
      }),
      { numRuns: 400 },
    );
  });

  test("its records add up to its summary", () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(50), (seed, entries) => {
        const { records, summary } = parseFile(
          camt053,
          camtFile({ statements: [randomStatement(seed, entries)] }),
        );
        const gross = records.reduce((sum, record) => sum + record.gross.minor, 0n);
        expect(summary.records).toBe(entries);
        expect(summary.totals.reduce((sum, total) => sum + total.gross, 0n)).toBe(gross);
        expect(Object.values(summary.kinds).reduce((sum, count) => sum + count, 0)).toBe(entries);
        expect(summary.checks.every(({ ok }) => ok)).toBe(true);
        expect(new Set(records.map(({ key }) => key)).size).toBe(entries);
        expect(new Set(records.map(({ position }) => position.record)).size).toBe(entries);
      }),
      { numRuns: 30 },
    );
  });
});
