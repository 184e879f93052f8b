import { describe, expect, test } from "vitest";
import {
  creditNoteOf,
  draftedLine,
  emptyPortion,
  finalizedInvoice,
  type DraftedLine,
} from "../../../test/support/finalized-invoice.js";
import type { InvoiceDocument } from "../../documents/index.js";
import type { Currency } from "../../kernel/currency.js";
import { Decimal } from "../../kernel/decimal.js";
import type { InvoiceLineId } from "../../kernel/ids.js";
import { parseInstant } from "../../kernel/instant.js";
import type { TimeZone } from "../../kernel/time-zone.js";
import type { TaxRate } from "../../tax/core/index.js";
import type { CreditNote } from "./credit-note.js";
import type { DocumentSources } from "./document-sources.js";
import { documentedCreditNote, documentedInvoice } from "./documented-invoice.js";
import type { InvoiceLine } from "./invoice.js";
import type { RecordedPortion } from "./recorded-portion.js";

const d = (text: string) => Decimal.of(text);
const at = (text: string) => parseInstant(text)!;
const june = { start: at("2026-06-01T00:00:00Z"), end: at("2026-07-01T00:00:00Z") };
const vat: TaxRate = {
  key: "DE:standard",
  name: "VAT",
  percent: d("19"),
  inclusive: false,
  treatment: "taxed",
};

const line = (net: bigint, more: Partial<InvoiceLine> = {}): DraftedLine =>
  draftedLine(
    june,
    { gross: net, net, rate: vat },
    { id: `il_${net}` as InvoiceLineId, item: "fee", name: "Fee", ...more },
  );

/** Half a month of seats. */
function portion(quantity: string, from: number, to: number, amount: string): RecordedPortion {
  return emptyPortion(june, {
    charge: "licensed",
    model: { kind: "per_unit", unitAmount: d("10"), per: d("1") },
    share: { days: [{ from, to }], of: 30 },
    held: [],
    quantity: d(quantity),
    gross: d(amount),
    net: d(amount),
  });
}

const sourcesOf = (
  lines: readonly DraftedLine[],
  funds = { promotional: 0n, paid: 0n, balance: 0n },
  locale = "en",
): DocumentSources =>
  finalizedInvoice({
    period: june,
    currency: "EUR" as Currency,
    timeZone: "UTC" as TimeZone,
    lines,
    funds,
    locale,
    seller: { name: "Nimbus" },
    plan: "Pro",
    notices: ["for the seller"],
    at: june.end,
    paymentDueAt: at("2026-07-15T00:00:00Z"),
  });

function noteOf({ invoice }: DocumentSources, toBalance = 0n): CreditNote {
  const lines = invoice.lines.map(({ id, taxable, tax }) => ({ line: id, net: taxable, tax }));
  return creditNoteOf(invoice, lines, { voids: true, reason: "Wrong", toBalance, createdAt: june.end });
}

const sum = (minors: readonly { minor: bigint }[]) => minors.reduce((all, { minor }) => all + minor, 0n);

function expectToAddUp(document: InvoiceDocument): void {
  const { sections, subtotalMinor, credits, taxes, totalMinor, settlements, amountDueMinor } = document;
  expect(sum(sections.flatMap(({ lines }) => lines))).toBe(subtotalMinor);
  const added = taxes.reduce((all, { inclusive, taxMinor }) => (inclusive ? all : all + taxMinor), 0n);
  expect(subtotalMinor + sum(credits) + added).toBe(totalMinor);
  expect(totalMinor + sum(settlements)).toBe(amountDueMinor);
}

describe("what is printed adds up", () => {
  const inclusive = { ...vat, inclusive: true };
  test.each([
    ["tax on top", vat],
    ["tax in the prices", inclusive],
  ])("%s, with every kind of credit, and when all of it is taken back", (_name, rate) => {
    const lines = [
      line(10_001n, { rate }),
      line(2_333n, { rate }),
      line(-777n, { rate, isCorrection: true }),
    ];
    const sources = sourcesOf(lines, { promotional: 1_234n, paid: 500n, balance: 99n });
    const document = documentedInvoice(sources);
    expectToAddUp(document);
    expect(document.settlements.map(({ label, minor }) => [label, minor])).toEqual([
      ["Prepaid credits", -500n],
      ["Balance", -99n],
    ]);
    const note = documentedCreditNote(noteOf(sources), sources);
    expectToAddUp(note);
    expect(note.totalMinor).toBe(-document.totalMinor);
  });

  test("an invoice that gives back keeps it as balance, and asks for nothing by no day", () => {
    const document = documentedInvoice(sourcesOf([line(-1_000n)]));
    expectToAddUp(document);
    expect(document).toMatchObject({
      totalMinor: -1_190n,
      settlements: [{ label: "Kept as balance", minor: 1_190n }],
      amountDueMinor: 0n,
      dueAt: undefined,
      paymentTerms: undefined,
    });
  });
});

test("notices are the seller's, on drafts only", () => {
  const sources = sourcesOf([line(100n)]);
  expect(documentedInvoice(sources).notes).toEqual([]);
  const draft = { ...sources.invoice, status: "draft" as const, finalized: undefined };
  expect(documentedInvoice({ ...sources, invoice: draft })).toMatchObject({
    kind: "draft",
    number: undefined,
    notes: ["for the seller"],
  });
});

test("seats that changed say on how many days how many were held, at one unit price", () => {
  const portions = [portion("2", 0, 10, "6.6666"), portion("5", 10, 30, "33.3333")];
  const document = documentedInvoice(sourcesOf([line(4_000n, { quantity: d("5"), portions })]));
  expect(document.sections[0]?.lines[0]).toMatchObject({
    quantity: d("5"),
    unitAmount: d("10"),
    details: [
      { text: "10 of 30 days", quantity: d("2"), amount: d("6.6666") },
      { text: "20 of 30 days", quantity: d("5"), amount: d("33.3333") },
    ],
  });
});

test("a tier's unit price says how many units it is for", () => {
  const tiers = [{ upTo: undefined, unitAmount: d("0.02"), flatAmount: d("1") }];
  const part = { kind: "tier", from: d("0"), quantity: d("5000"), amount: d("1.1"), ...tiers[0]! } as const;
  const usage: RecordedPortion = {
    ...portion("5000", 0, 30, "1.1"),
    charge: "usage",
    model: { kind: "graduated", per: d("1000"), tiers },
    share: undefined,
    held: undefined,
    parts: [part],
  };
  const document = documentedInvoice(sourcesOf([line(110n, { quantity: d("5000"), portions: [usage] })]));
  expect(document.sections[0]?.lines[0]?.details).toMatchObject([
    { kind: "tier", unitAmount: d("0.02"), per: d("1000") },
  ]);
});

test("a minimum says what was agreed and what was charged without it", () => {
  const adjustment = { kind: "minimum", agreed: 10_000n, base: 6_000n } as const;
  const document = documentedInvoice(sourcesOf([line(4_000n, { kind: "adjustment", adjustment })]));
  const details = document.sections[0]?.lines[0]?.details ?? [];
  expect(
    details.map((detail) => detail.kind === "text" && `${detail.text} ${String(detail.amount)}`),
  ).toEqual(["Agreed 100", "Charged without it -60"]);
});

test("Weir's own words are in the customer's language", () => {
  const sources = sourcesOf([line(1_000n)], { promotional: 100n, paid: 0n, balance: 0n }, "de-AT");
  const document = documentedInvoice(sources);
  expect(document.credits[0]?.label).toBe("Gutschriften aus Aktionen");
  expect(document.paymentTerms).toBe("Zahlbar innerhalb von 14 Tagen");
  expect(documentedCreditNote(noteOf(sources, 1_071n), sources).notes).toEqual([
    "Wrong",
    "Storniert die ganze Rechnung",
    expect.stringMatching(/^Davon .*10,71.* als Guthaben/),
  ]);
});
