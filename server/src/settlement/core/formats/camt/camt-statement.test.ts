import { describe, expect, test } from "vitest";
import type { CamtFile } from "../../../../../test/support/settlement/camt-file.js";
import { parseFile } from "../../../../../test/support/settlement/parse-file.js";
import {
  account,
  credit,
  read,
  statementWith,
  text,
} from "../../../../../test/support/settlement/read-camt.js";
import { camt053 } from "./index.js";

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
