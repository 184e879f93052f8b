import { expect, test } from "vitest";
import type { Currency } from "../../../kernel/currency.js";
import { epcCodeOf, type CodedTransfer } from "./epc-code.js";

const transfer: CodedTransfer = {
  holder: "Weir Example\nGmbH",
  iban: "DE89370400440532013000",
  bic: "COBADEFFXXX",
  amount: { currency: "EUR" as Currency, minor: 123_456n },
  reference: { kind: "structured", value: "RF18539007547034" },
};

test("a structured reference stands in its own line, and the lines behind it are left out", () => {
  expect(epcCodeOf(transfer)?.split("\n")).toEqual([
    "BCD",
    "002",
    "1",
    "SCT",
    "COBADEFFXXX",
    "Weir Example GmbH",
    "DE89370400440532013000",
    "EUR1234.56",
    "",
    "RF18539007547034",
  ]);
});

test("without a BIC its line is empty; a text stands behind the structured reference's line", () => {
  const lines = epcCodeOf({
    ...transfer,
    bic: undefined,
    reference: { kind: "text", value: "INV-2026-000001-OF-A-LONG-SERIES" },
  })?.split("\n");
  expect(lines?.slice(4)).toEqual([
    "",
    "Weir Example GmbH",
    "DE89370400440532013000",
    "EUR1234.56",
    "",
    "",
    "INV-2026-000001-OF-A-LONG-SERIES",
  ]);
});

test("what the code cannot say has none: other currencies, nothing, too much, too long", () => {
  const of = (code: string, minor: bigint) =>
    epcCodeOf({ ...transfer, amount: { currency: code as Currency, minor } });
  expect(of("USD", 100n)).toBeUndefined();
  expect(of("EUR", 0n)).toBeUndefined();
  expect(of("EUR", 1n)).toContain("EUR0.01");
  expect(of("EUR", 99_999_999_999n)).toContain("EUR999999999.99");
  expect(of("EUR", 100_000_000_000n)).toBeUndefined();
  expect(epcCodeOf({ ...transfer, reference: { kind: "text", value: "x".repeat(300) } })).toBeUndefined();
});
