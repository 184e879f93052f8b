import { describe, expect, test } from "vitest";
import { textOfPdf } from "../../test/support/pdf-text.js";
import { sampleDocument, sampleLine } from "../../test/support/sample-document.js";
import { parseCurrency } from "../kernel/currency.js";
import type { InvoiceDocument } from "./invoice-document.js";
import { documentLimits } from "./limits.js";
import { renderPdf } from "./render-pdf.js";

const pagesOf = async (more: Partial<InvoiceDocument> = {}) =>
  textOfPdf(await renderPdf(sampleDocument(more), { compress: false }));
const textsOf = async (more: Partial<InvoiceDocument> = {}) =>
  (await pagesOf(more)).flat().map(({ text }) => text.replace(/[\u00a0\u2009\u202f]/g, " "));
const many = (count: number) => [
  {
    title: "Many",
    subtitle: undefined,
    period: undefined,
    lines: Array.from({ length: count }, (_, index) => sampleLine({ description: `Line ${index + 1}` })),
  },
];

test("says everything that the document says", async () => {
  const texts = await textsOf();
  for (const text of [
    "Invoice",
    "NIM-2026-000042",
    "Łódź Żółw Sp. z o.o.",
    "10119 Berlin",
    "PO 7781",
    "LLM tokens, all models",
    "12,500,000 tokens",
    "Above 1,000,000 to 10,000,000",
    "3.00 per 1,000,000",
    "Launch coupon, 10 %",
    "−14.74",
    "1 – 28 Feb 2026",
    "VAT 19% on €632.10",
    "€652.20",
    "Net 30 days",
    "Please name the invoice number.",
  ])
    expect(texts).toContain(text);
});

test("is the same, byte for byte, for the same document, also when several are made at once", async () => {
  const [first, ...others] = await Promise.all([1, 2, 3].map(() => renderPdf(sampleDocument())));
  await new Promise((resolve) => setTimeout(resolve, 1100)); // another second of the clock
  others.push(await renderPdf(sampleDocument()));
  for (const other of others) expect(other.equals(first!)).toBe(true);
  expect(first!.subarray(0, 5).toString()).toBe("%PDF-");
  expect(first!.toString("latin1").match(/\(D:\d+Z?\)/g)).toEqual([
    "(D:20260401110000Z)",
    "(D:20260401110000Z)",
  ]);
  expect((await renderPdf(sampleDocument({ number: "NIM-2026-000043" }))).equals(first!)).toBe(false);
});

describe("pages", () => {
  test("1,000 lines are all there, in order, under a head on each page, between the margins", async () => {
    const pages = await pagesOf({ sections: many(1000) });
    expect(pages.length).toBeGreaterThan(30);
    const lines = pages
      .flat()
      .flatMap(({ text }) => (text.startsWith("Line ") ? [Number(text.slice(5))] : []));
    expect(lines).toEqual(Array.from({ length: 1000 }, (_, index) => index + 1));
    for (const [index, page] of pages.entries()) {
      const texts = page.map(({ text }) => text);
      expect(texts).toContain(`Page ${index + 1} of ${pages.length}`);
      const rows = page.filter(({ text }) => text.startsWith("Line "));
      if (rows.length > 0) expect(texts.filter((text) => text === "DESCRIPTION")).toHaveLength(1);
      for (const { y } of rows) expect(y).toBeLessThan(841.89 - 58);
    }
  });

  test("lines beyond the limit are counted and added up", async () => {
    const texts = await textsOf({ sections: many(documentLimits.lines + 5) });
    expect(texts).toContain("5 more lines, not shown here, together");
    expect(texts).toContain("50.00");
    expect(texts).not.toContain(`Line ${documentLimits.lines + 1}`);
  });

  test("a section's heading never ends a page", async () => {
    const sections = Array.from({ length: 60 }, (_, index) => ({
      title: `Section ${index + 1}`,
      subtitle: undefined,
      period: undefined,
      lines: [sampleLine({ description: "The line" })],
    }));
    const pages = await pagesOf({ sections });
    for (const page of pages) {
      const texts = page.map(({ text }) => text).filter((text) => /^(Section \d|The line)/.test(text));
      if (texts.length > 0) expect(texts.at(-1)).toBe("The line");
    }
  });

  test("are Letter for a seller in the United States, A4 elsewhere", async () => {
    const us = await renderPdf(
      sampleDocument({ seller: { name: "Nimbus Inc.", address: { country: "US" } } }),
    );
    expect(us.toString("latin1")).toContain("/MediaBox [0 0 612 792]");
    expect((await renderPdf(sampleDocument())).toString("latin1")).toContain("/MediaBox [0 0 595.28 841.89]");
  });
});

describe("numbers", () => {
  test("end at one edge", async () => {
    const [page] = await pagesOf();
    // Digits are as wide as one another: at one size, a number's beginning tells its end.
    const wide = page!.find(({ text, size }) => text === "199.00" && size === 9);
    const narrow = page!.find(({ text, size }) => text === "31.50" && size === 9);
    const digit = 9 * 0.5726; // of DejaVu Sans Condensed
    const amounts = page!.filter(({ text, size }) => text === "199.00" && size === 9);
    expect(narrow!.x - amounts.at(-1)!.x).toBeCloseTo(digit, 1);
    expect(wide!.x).toBeLessThan(narrow!.x);
  });

  test.each([
    ["JPY", "1,000", "¥65,220"],
    ["KWD", "1.000", "KWD 65.220"],
  ])("have the digits of %s", async (currency, amount, due) => {
    const texts = await textsOf({ currency: parseCurrency(currency)!, locale: "en", sections: many(1) });
    expect(texts).toContain(amount);
    expect(texts).toContain(due);
  });

  test("a currency whose sign the font lacks is named by its code", async () => {
    const texts = await textsOf({ currency: parseCurrency("GEL")!, locale: "ka" });
    expect(texts).toContain("652,20 GEL");
    expect(texts.join("")).not.toContain("\ufffd");
  });

  test("as long as a quantity can be, they wrap and do not run into their neighbour", async () => {
    const [page] = await pagesOf({
      sections: [{ ...many(1)[0]!, lines: [sampleLine({ description: "Long", unit: "u".repeat(400) })] }],
    });
    const pieces = page!.filter(({ text }) => /^(1,000 )?u+$/.test(text.trim()));
    expect(pieces.length).toBeGreaterThan(5);
    expect(Math.min(...pieces.map(({ x }) => x))).toBeGreaterThan(200);
  });
});

describe("characters", () => {
  test("of Polish, Greek, Cyrillic, Turkish and Vietnamese names are printed", async () => {
    const name = "Zażółć Ελλάδα Київ Привет Şişli Nguyễn";
    const texts = await textsOf({ buyer: { name } });
    expect(texts.join(" ").replaceAll(/\s+/g, " ")).toContain(name);
    expect(texts.join("")).not.toContain("\ufffd");
  });

  test("that no font of ours has are marked one by one, and the page says so", async () => {
    const texts = await textsOf({ buyer: { name: "株式会社 Sakura 🦭" } });
    expect(texts).toContain("\ufffd\ufffd\ufffd\ufffd Sakura \ufffd");
    expect(texts.join(" ")).toContain("the same invoice as HTML shows it");
  });

  test("that would end a PDF's string or command are only text", async () => {
    const name = "a) Tj ET endstream endobj (\\";
    expect(await textsOf({ buyer: { name } })).toContain(name);
  });
});

test("a draft has its mark on each page, beneath everything else", async () => {
  const pages = await pagesOf({ kind: "draft", number: undefined, sections: many(60) });
  expect(pages.length).toBeGreaterThan(2);
  for (const page of pages) expect(page[0]!.text).toBe("DRAFT");
  expect(await textsOf()).not.toContain("DRAFT");
});

test("a credit note and negative amounts", async () => {
  const lines = [sampleLine({ minor: -11900n, description: "Credited" })];
  const texts = await textsOf({
    kind: "credit_note",
    corrects: "NIM-2026-000041",
    sections: [{ ...many(1)[0]!, lines }],
    amountDueMinor: -11900n,
  });
  for (const text of ["Credit note", "NIM-2026-000041", "−119.00", "€119.00"]) expect(texts).toContain(text);
});

test("an almost empty document", async () => {
  const pages = await pagesOf({
    sections: [],
    credits: [],
    taxes: [],
    settlements: [],
    notes: [],
    paymentTerms: undefined,
    dueAt: undefined,
    buyerReference: undefined,
    seller: { name: "S" },
    buyer: { name: "B" },
    subtotalMinor: 0n,
    totalMinor: 0n,
    amountDueMinor: 0n,
  });
  expect(pages).toHaveLength(1);
});
