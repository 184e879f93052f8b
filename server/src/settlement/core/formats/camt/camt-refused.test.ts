import { describe, expect, test } from "vitest";
import { refusalOf } from "../../../../../test/support/settlement/parse-file.js";
import { credit, statementWith, text } from "../../../../../test/support/settlement/read-camt.js";
import { camt053 } from "./index.js";

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
