import { describe, expect, test } from "vitest";
import { wordingOf, type InvoiceDocument } from "../../documents/index.js";
import type { Currency } from "../../kernel/currency.js";
import { Decimal } from "../../kernel/decimal.js";
import type { CreditNoteId, CustomerId, InvoiceId, InvoiceLineId, PlanVersionId } from "../../kernel/ids.js";
import { parseInstant } from "../../kernel/instant.js";
import type { TimeZone } from "../../kernel/time-zone.js";
import type { TaxRate } from "../../tax/core/index.js";
import { assemble } from "../core/index.js";
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

function line(
  net: bigint,
  more: Partial<InvoiceLine> = {},
): Omit<InvoiceLine, "promotional" | "taxable" | "tax"> {
  return {
    id: `il_${net}` as InvoiceLineId,
    section: 0,
    kind: "charge",
    item: "fee",
    period: june,
    covered: june,
    name: "Fee",
    category: "standard",
    price: undefined,
    meterVersion: undefined,
    subjects: [],
    quantity: undefined,
    events: 0,
    portions: [],
    adjustment: undefined,
    exact: Decimal.zero,
    targetGross: net,
    targetNet: net,
    billedGross: 0n,
    billedNet: 0n,
    gross: net,
    net,
    rate: vat,
    isCorrection: false,
    ...more,
  };
}

/** Half a month of seats. */
function portion(quantity: string, from: number, to: number, amount: string): RecordedPortion {
  return {
    charge: "licensed",
    model: { kind: "per_unit", unitAmount: d("10"), per: d("1") },
    spans: [june],
    share: { days: [{ from, to }], of: 30 },
    held: [],
    included: Decimal.zero,
    percentsOff: [],
    quantity: d(quantity),
    taken: Decimal.zero,
    events: 0,
    parts: [],
    gross: d(amount),
    net: d(amount),
  };
}

function sourcesOf(
  drafted: readonly ReturnType<typeof line>[],
  funds = { promotional: 0n, paid: 0n, balance: 0n },
  locale = "en",
): DocumentSources {
  const assembled = assemble(
    drafted.map(({ net, rate }) => ({ minor: net, rate })),
    funds,
  );
  const [currency, timeZone] = ["EUR" as Currency, "UTC" as TimeZone];
  const buyer = {
    key: "acme",
    name: "Acme",
    email: undefined,
    address: undefined,
    taxId: undefined,
    locale,
    paymentTermsDays: 14,
    electronicAddress: undefined,
    registrationNumber: undefined,
    buyerReference: undefined,
  };
  const customer = "cus_1" as CustomerId;
  return {
    invoice: {
      id: "inv_1" as InvoiceId,
      customer,
      kind: "period",
      status: "finalized",
      currency,
      timeZone,
      boundary: june.end,
      issueAt: june.end,
      watermark: [],
      totals: assembled.totals,
      taxes: assembled.taxes.map(({ rate, net, tax }) => ({ rate, taxable: net, tax })),
      notices: ["for the seller"],
      sections: [
        {
          position: 0,
          subscription: "sub_1" as never,
          customer,
          kind: "period",
          period: june,
          timeZone,
          planVersion: "plv_1" as PlanVersionId,
        },
      ],
      revision: 1,
      createdAt: june.end,
      refreshedAt: june.end,
      finalized: {
        sequence: 1,
        number: "INV-000001",
        buyer,
        seller: undefined,
        at: june.end,
        paymentDueAt: at("2026-07-15T00:00:00Z"),
      },
      voidedAt: undefined,
      lines: drafted.map((one, index) => ({ ...one, ...assembled.lines[index]! })),
    },
    seller: { name: "Nimbus" },
    buyer,
    wording: wordingOf({ locale, currency, timeZone }),
    plans: new Map([["plv_1" as PlanVersionId, "Pro"]]),
    customers: new Map(),
    prices: new Map(),
    payment: undefined,
    voiding: undefined,
  };
}

function noteOf({ invoice }: DocumentSources, toBalance = 0n): CreditNote {
  const lines = invoice.lines.map(({ id, taxable, tax }) => ({ line: id, net: taxable, tax }));
  return {
    id: "crn_1" as CreditNoteId,
    invoice: invoice.id,
    customer: invoice.customer,
    currency: invoice.currency,
    sequence: 1,
    number: "CN-000001",
    voids: true,
    reason: "Wrong",
    net: lines.reduce((sum, { net }) => sum + net, 0n),
    tax: lines.reduce((sum, { tax }) => sum + tax, 0n),
    toBalance,
    lines,
    createdAt: june.end,
  };
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
