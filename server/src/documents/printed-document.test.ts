import { describe, expect, test } from "vitest";
import { sampleDocument, sampleLine } from "../../test/support/sample-document.js";
import { parseCurrency } from "../kernel/currency.js";
import { Decimal } from "../kernel/decimal.js";
import { parseTimeZone } from "../kernel/time-zone.js";
import type { DocumentTax, InvoiceDocument } from "./invoice-document.js";
import { documentLimits } from "./limits.js";
import { describeDocument } from "./printed-document.js";

const plain = (text: string) => text.replace(/[\u00a0\u2009\u202f]/g, " ");
const totalsOf = (more: Partial<InvoiceDocument> = {}) =>
  describeDocument(sampleDocument(more)).totals.map(({ label, value }) => `${plain(label)}: ${plain(value)}`);
const rowsOf = (...lines: ReturnType<typeof sampleLine>[]) =>
  describeDocument(
    sampleDocument({ sections: [{ title: "Plan", subtitle: undefined, period: undefined, lines }] }),
  ).sections.flatMap(({ rows }) => rows);
const tax = (more: Partial<DocumentTax>): DocumentTax => ({ ...sampleDocument().taxes[0]!, ...more });

test("the sample's own sums add up", () => {
  const document = sampleDocument();
  const sum = (minors: bigint[]) => minors.reduce((total, minor) => total + minor, 0n);
  const lines = document.sections.flatMap(({ lines: all }) => all.map(({ minor }) => minor));
  expect(sum(lines)).toBe(document.subtotalMinor);
  const net = document.subtotalMinor + sum(document.credits.map(({ minor }) => minor));
  expect(net + sum(document.taxes.map(({ taxMinor }) => taxMinor))).toBe(document.totalMinor);
  expect(document.totalMinor + sum(document.settlements.map(({ minor }) => minor))).toBe(
    document.amountDueMinor,
  );
});

test("the seller's registration and account are printed, the account where something is due", () => {
  const seller = {
    ...sampleDocument().seller,
    registrationNumber: "HRB 12345 B",
    iban: "DE02120300000000202051",
    bic: "BYLADEM1001",
    bankDetails: undefined,
  };
  const payment = { kind: "transfer", reference: "RF18539007547034" } as const;
  const printed = describeDocument(sampleDocument({ seller, payment }));
  expect(printed.seller.lines).toContain("HRB 12345 B");
  expect(printed.payment).toEqual([
    "Net 30 days",
    "IBAN DE02 1203 0000 0000 2020 51",
    "BIC BYLADEM1001",
    "Reference RF18539007547034",
  ]);
  expect(describeDocument(sampleDocument({ seller, amountDueMinor: 0n })).payment).toEqual(["Net 30 days"]);
});

test("days of issue and payment are in the seller's zone when it has one, else in the customer's", () => {
  const days = (timeZone: string | undefined) => {
    const zone = timeZone === undefined ? undefined : parseTimeZone(timeZone);
    const seller = { ...sampleDocument().seller, timeZone: zone };
    const { facts, due } = describeDocument(sampleDocument({ seller }));
    return [...facts.slice(0, 2).map(([, value]) => value), due.by];
  };
  expect(days(undefined)).toEqual(["2 Apr 2026", "1 May 2026", "by 1 May 2026"]);
  expect(days("America/New_York")).toEqual(["1 Apr 2026", "1 May 2026", "by 1 May 2026"]);
  expect(days("Pacific/Honolulu")).toEqual(["1 Apr 2026", "1 May 2026", "by 1 May 2026"]);
});

describe("totals", () => {
  test("go from subtotal over credits, tax and settlements to what is due", () => {
    expect(totalsOf()).toEqual([
      "Subtotal: €682.10",
      "Welcome credit: −€50.00",
      "VAT 19% on €632.10: €120.10",
      "Total: €752.20",
      "Prepaid credit: −€100.00",
      "Amount due: €652.20",
    ]);
  });

  test("a tax that prices contain stands below the total as a part of it", () => {
    const inclusive = [tax({ inclusive: true, taxableMinor: 57319n, taxMinor: 10891n })];
    const totals = totalsOf({
      credits: [],
      settlements: [],
      taxes: inclusive,
      totalMinor: 68210n,
      amountDueMinor: 68210n,
    });
    expect(totals).toEqual([
      "Subtotal: €682.10",
      "Total: €682.10",
      "contains VAT 19% on €573.19: €108.91",
      "Amount due: €682.10",
    ]);
  });

  test("reverse charge and exemption say why; what is not collected is not mentioned", () => {
    const none = { percent: Decimal.zero, taxMinor: 0n };
    const taxes = [
      tax({ ...none, key: "r", name: "Reverse charge", treatment: "reverse_charge" }),
      tax({ ...none, key: "e", name: "Exempt", treatment: "exempt" }),
      tax({ ...none, key: "n", name: "No tax", treatment: "not_collected" }),
      tax({ ...none, key: "o", name: "Exempt", treatment: "exempt", note: "§ 4 Nr. 10 UStG" }),
    ];
    expect(totalsOf({ taxes }).filter((total) => /xempt|everse|No tax/.test(total))).toEqual([
      "Reverse charge: €0.00",
      "Exempt: €0.00",
      "Exempt: €0.00",
    ]);
    const { taxNotes } = describeDocument(sampleDocument({ taxes, locale: "de" }));
    expect(taxNotes).toEqual([
      "Steuerschuldnerschaft des Leistungsempfängers (Reverse Charge).",
      expect.stringContaining("steuerfrei"),
      "§ 4 Nr. 10 UStG",
    ]);
  });

  test("an invoice that balance has paid says that nothing is due", () => {
    const { due } = describeDocument(sampleDocument({ amountDueMinor: 0n }));
    expect(due).toEqual({ label: "Nothing is due", value: "€0.00", by: undefined });
  });

  test("a credit note credits what its negative sums give back", () => {
    const note = describeDocument(
      sampleDocument({
        kind: "credit_note",
        corrects: "NIM-2026-000041",
        totalMinor: -11900n,
        amountDueMinor: -11900n,
      }),
    );
    expect([note.title, note.due.label, note.due.value]).toEqual([
      "Credit note",
      "Credited to you",
      "€119.00",
    ]);
    expect(note.facts).toContainEqual(["Corrects invoice", "NIM-2026-000041"]);
    expect(note.totals.at(-1)).toMatchObject({ label: "Credited to you", value: "€119.00" });
  });
});

test("a draft has no number, and a mark over its pages", () => {
  const draft = describeDocument(sampleDocument({ kind: "draft", number: undefined }));
  expect([draft.number, draft.watermark]).toEqual(["Draft", "DRAFT"]);
  expect(describeDocument(sampleDocument()).watermark).toBeUndefined();
});

describe("lines", () => {
  test("show their own period only where it is not the section's", () => {
    const [section] = describeDocument(sampleDocument()).sections;
    const rows = section!.rows.filter(({ kind }) => kind === "line");
    expect(rows.map(({ small }) => small.map(plain))).toEqual([
      [],
      [],
      [],
      ["1 – 15 Mar 2026", "5 seats added on 12 March, prorated by days"],
    ]);
  });

  test("name their tiers, with what each contributed", () => {
    const [, tokens, first, second, third] = describeDocument(sampleDocument()).sections[0]!.rows;
    expect([tokens!.quantity, tokens!.unitPrice, tokens!.amount]).toEqual(["12,500,000 tokens", "", "31.50"]);
    expect(
      [first, second, third].map((row) => [row!.text, row!.quantity, row!.unitPrice, row!.amount]),
    ).toEqual([
      ["First 1,000,000", "1,000,000", "0.00 per 1,000,000", "0.00"],
      ["Above 1,000,000 to 10,000,000", "9,000,000", "3.00 per 1,000,000", "27.00"],
      ["Above 10,000,000", "2,500,000", "1.80 per 1,000,000", "4.50"],
    ]);
  });

  test("say a tier's fee beside its price", () => {
    const [, tier] = rowsOf(
      sampleLine({
        details: [
          {
            kind: "tier",
            from: Decimal.zero,
            upTo: undefined,
            quantity: Decimal.of(2),
            unitAmount: Decimal.of("0.5"),
            per: Decimal.one,
            flatAmount: Decimal.of(10),
            amount: Decimal.of(11),
          },
        ],
      }),
    );
    expect([tier!.text, tier!.unitPrice, tier!.amount]).toEqual(["All", "0.50 + fee 10.00", "11.00"]);
  });

  test("say their tax only where lines differ in it", () => {
    expect(describeDocument(sampleDocument()).taxColumn).toBe(false);
    const rows = rowsOf(sampleLine(), sampleLine({ taxKey: "other" }));
    expect(rows.map((row) => row.tax)).toEqual(["19%", "–"]);
  });

  test.each([
    ["JPY", "1,000"],
    ["KWD", "1.000"],
    ["EUR", "10.00"],
  ])("have the digits of %s", (currency, amount) => {
    const document = sampleDocument({ currency: parseCurrency(currency)! });
    const lines = [sampleLine()];
    const sections = [{ title: "Plan", subtitle: undefined, period: undefined, lines }];
    expect(describeDocument({ ...document, sections }).sections[0]!.rows[0]!.amount).toBe(amount);
  });
});

describe("limits", () => {
  test("lines that are left out are counted and added up", () => {
    const lines = Array.from({ length: documentLimits.lines + 3 }, () => sampleLine({ minor: 101n }));
    const sections = [
      { title: "One", subtitle: undefined, period: undefined, lines },
      { title: "Two", subtitle: undefined, period: undefined, lines: [sampleLine({ minor: -1n })] },
    ];
    const printed = describeDocument(sampleDocument({ sections }));
    expect(printed.sections.map(({ title }) => title)).toEqual(["One", ""]);
    expect(printed.sections.at(-1)!.rows).toMatchObject([
      { kind: "omitted", text: "4 more lines, not shown here, together", amount: "3.02" },
    ]);
  });

  test("details and notes that are left out are counted, long texts are cut", () => {
    const detail = { kind: "text" as const, text: "d", quantity: undefined, amount: undefined };
    const rows = rowsOf(
      sampleLine({ details: Array.from({ length: 60 }, () => detail), description: "x".repeat(600) }),
    );
    expect(rows).toHaveLength(1 + 50 + 1);
    expect(rows.at(-1)!.text).toBe("… 10 more");
    expect(rows[0]!.text).toMatch(/^x{499}…$/);
    const seals = "🦭".repeat(500);
    expect(rowsOf(sampleLine({ description: seals }))[0]!.text).toBe(seals);
    expect(rowsOf(sampleLine({ description: `${seals}🦭` }))[0]!.text).toBe(`${"🦭".repeat(499)}…`);
    const notes = describeDocument(sampleDocument({ notes: ["n\n".repeat(22)] })).notes;
    expect(notes.at(-1)).toBe("… 2 more notes");
  });

  test("control characters and broken surrogates become blanks", () => {
    expect(rowsOf(sampleLine({ description: "a\u0000b\nc\ud800d\u2028e" }))[0]!.text).toBe("a b c d e");
  });
});
