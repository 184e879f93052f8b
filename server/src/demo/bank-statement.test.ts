import { expect, test } from "vitest";
import { parseFile } from "../../test/support/settlement/parse-file.js";
import { parseCurrency } from "../kernel/currency.js";
import { parseInstant } from "../kernel/instant.js";
import { formatMoney } from "../kernel/money.js";
import { detectFormat } from "../settlement/core/index.js";
import { camt053 } from "../settlement/core/formats/camt/index.js";
import { bankStatement } from "./bank-statement.js";

test("the demo's statement is a camt.053 whose balances foot, with the reference where banks put it", () => {
  const currency = parseCurrency("EUR")!;
  const party = { name: "Basalt Robotics", iban: "DE89370400440532013000" };
  const text = bankStatement({
    id: "NIMBUS-1",
    iban: "NL91ABNA0417164300",
    currency,
    at: parseInstant("2026-11-29T12:00:00Z")!,
    opening: 100n,
    lines: [
      { ...party, minor: 11_775n, direction: "in", remittance: { reference: "RF18539007547034" } },
      { ...party, minor: 990n, direction: "out", remittance: { text: "account fee" } },
    ],
  });
  const body = Buffer.from(text);
  expect(detectFormat(body, "nimbus-statement.xml")?.name).toBe("camt.053");
  const { records, summary } = parseFile(camt053, [body]);
  expect(
    records.map(({ kind, gross, references }) => [kind, formatMoney(gross), references.structured]),
  ).toEqual([
    ["bank_credit", "117.75 EUR", "RF18539007547034"],
    ["bank_debit", "-9.90 EUR", undefined],
  ]);
  expect(summary.checks.filter(({ ok }) => !ok)).toEqual([]);
  expect(summary.checks.length).toBeGreaterThan(0);
});
