import { describe, expect, test } from "vitest";
import { sampleDocument, sampleLine } from "../../test/support/sample-document.js";
import type { InvoiceDocument } from "./invoice-document.js";
import { renderHtml } from "./render-html.js";

const hostile = `"><script>alert('x')</script><img src=x onerror=alert(1)>&amp;<!--`;

/** The document with every text in it replaced. */
function everyTextAs(text: string): InvoiceDocument {
  const replace = (value: unknown): unknown => {
    if (typeof value === "string") return text;
    if (Array.isArray(value)) return value.map(replace);
    if (value === null || typeof value !== "object" || "unscaled" in value) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, replace(item)]));
  };
  const { kind, currency, timeZone, sections, ...rest } = sampleDocument();
  const replaced = replace(rest) as Omit<InvoiceDocument, "kind" | "currency" | "timeZone" | "sections">;
  return {
    ...replaced,
    kind,
    currency,
    timeZone,
    taxes: sampleDocument().taxes.map((tax) => ({ ...tax, name: text, note: text })),
    sections: sections.map((section) => ({
      ...section,
      title: text,
      subtitle: text,
      lines: section.lines.map((line) => ({
        ...line,
        description: text,
        unit: text,
        note: text,
        details: [{ kind: "text", text, quantity: undefined, amount: undefined }],
        discounts: [{ name: text, minor: -1n }],
      })),
    })),
  };
}

test("says everything that the document says", () => {
  const html = renderHtml(sampleDocument());
  for (const text of [
    "NIM-2026-000042",
    "Łódź Żółw Sp. z o.o.",
    "Nimbus Cloud GmbH",
    "PO 7781",
    "LLM tokens, all models",
    "Launch coupon, 10 %",
    "Above 1,000,000 to 10,000,000",
    "€652.20",
    "VAT 19% on €632.10",
    "inv_01kmz3v0hbe8p8sxm5gaxr5z3q",
    "Net 30 days",
  ])
    expect(html).toContain(text);
});

describe("hostile texts", () => {
  test("stay texts, wherever they stand", () => {
    const html = renderHtml(everyTextAs(hostile));
    expect(html.split("&lt;script&gt;").length).toBeGreaterThan(30);
    expect(html).not.toMatch(/<script|<img|onerror=alert\(1\)>|alert\('x'\)|<!--/);
    // Nothing but our own tags is left when the texts are taken out.
    const tags = new Set([...html.matchAll(/<\/?([a-z][a-z0-9]*)/g)].map(([, tag]) => tag));
    expect([...tags].sort()).toEqual(
      "bdi body br dd div dl dt footer h1 h2 head header html main meta p section small span strong style table tbody td th thead title tr".split(
        " ",
      ),
    );
  });

  test("the attributes of every tag are ours", () => {
    const html = renderHtml(everyTextAs(`" onload="alert(1)' autofocus onfocus='x`));
    const attributes = new Set(
      [...html.replace(/<style>[\s\S]*?<\/style>/, "").matchAll(/<[a-z][^>]*>/g)].flatMap(([tag]) =>
        [...tag.matchAll(/ ([a-z-]+)="/g)].map(([, name]) => name),
      ),
    );
    expect([...attributes].sort()).toEqual([
      "charset",
      "class",
      "colspan",
      "content",
      "http-equiv",
      "lang",
      "name",
      "scope",
    ]);
  });
});

test("needs nothing but itself: no script, no address, and a policy that says so", () => {
  const html = renderHtml(sampleDocument());
  expect(html).not.toMatch(/https?:|url\(|@import|<link|<script|src=/);
  expect(html).toContain("default-src 'none'");
});

test("is the same for the same document, and marks a draft", () => {
  expect(renderHtml(sampleDocument())).toBe(renderHtml(sampleDocument()));
  expect(renderHtml(sampleDocument({ kind: "draft", number: undefined }))).toContain(">DRAFT<");
  expect(renderHtml(sampleDocument())).not.toContain(">DRAFT<");
});

test("repeats the table's head on printed pages and says its language", () => {
  const html = renderHtml(sampleDocument({ locale: "fr-FR" }));
  expect(html).toContain("display: table-header-group");
  expect(html).toContain('<html lang="fr">');
  expect(html).toContain("Montant à payer");
});

test("1,000 lines are 1,000 rows", () => {
  const lines = Array.from({ length: 1000 }, () => sampleLine());
  const html = renderHtml(
    sampleDocument({ sections: [{ title: "Many", subtitle: undefined, period: undefined, lines }] }),
  );
  expect(html.split('<tr class="line">')).toHaveLength(1001);
});
