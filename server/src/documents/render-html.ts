import { describeDocument, type PrintedParty } from "./printed-document.js";
import type { PrintedRow, PrintedSection } from "./printed-section.js";
import type { InvoiceDocument } from "./invoice-document.js";

/** A page that needs nothing but itself: no script, no font, no image; made to be read on a screen and to be printed. */
export function renderHtml(document: InvoiceDocument): string {
  const printed = describeDocument(document);
  const { labels, heads, taxColumn, due } = printed;
  const columns = taxColumn ? 5 : 4;
  const head = (text: string, kind = "") => `<th scope="col"${kind}>${escape(text)}</th>`;
  const number = ' class="n"';
  return `<!doctype html>
<html lang="${escape(printed.language)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${escape(`${printed.title} ${printed.number}`)}</title>
<style>${style}</style>
</head>
<body>
<main${printed.watermark === undefined ? "" : ' class="draft"'}>
${printed.watermark === undefined ? "" : `<div class="watermark" aria-hidden="true">${escape(printed.watermark)}</div>\n`}<header>
<div class="seller"><bdi>${escape(printed.seller.name)}</bdi></div>
<div class="title"><h1>${escape(printed.title)}</h1><p><bdi>${escape(printed.number)}</bdi></p></div>
</header>
<section class="parties">
${party(printed.buyer)}
${party(printed.seller)}
<dl>${printed.facts.map(([label, value]) => `<dt>${escape(label)}</dt><dd><bdi>${escape(value)}</bdi></dd>`).join("")}</dl>
</section>
<p class="due"><span>${escape(due.label)}</span> <strong>${escape(due.value)}</strong>${due.by === undefined ? "" : ` <span>${escape(due.by)}</span>`}</p>
<table>
<thead><tr>${head(heads.text)}${head(heads.quantity, number)}${head(heads.unitPrice, number)}${taxColumn ? head(heads.tax, number) : ""}${head(heads.amount, number)}</tr></thead>
${printed.sections.map((section) => sectionHtml(section, columns)).join("\n")}
</table>
<table class="totals">
${printed.totals.map(({ label, value, weight }) => `<tr class="${weight}"><th scope="row"><bdi>${escape(label)}</bdi></th><td class="n">${escape(value)}</td></tr>`).join("\n")}
</table>
${printed.taxNotes.map((note) => `<p class="taxnote"><bdi>${escape(note)}</bdi></p>`).join("\n")}
<footer>
${block(labels.payment, printed.payment)}
${block(labels.notes, printed.notes)}
</footer>
<p class="reference"><bdi>${escape(printed.seller.name)}</bdi> · ${escape(printed.title)} <bdi>${escape(printed.number)}</bdi> · <bdi>${escape(printed.reference)}</bdi></p>
</main>
</body>
</html>
`;
}

function party({ heading, name, lines }: PrintedParty): string {
  const text = lines.map((line) => `<bdi>${escape(line)}</bdi>`).join("<br>");
  return `<div><h2>${escape(heading)}</h2><p><bdi class="name">${escape(name)}</bdi>${text === "" ? "" : `<br>${text}`}</p></div>`;
}

function sectionHtml({ title, subtitle, period, rows }: PrintedSection, columns: number): string {
  const head =
    title === ""
      ? ""
      : `<tr class="section"><th colspan="${columns}" scope="rowgroup"><span class="period">${escape(period ?? "")}</span><bdi>${escape(title)}</bdi>${subtitle === undefined ? "" : ` <bdi class="subtitle">${escape(subtitle)}</bdi>`}</th></tr>`;
  return `<tbody>${head}${rows.map((row) => rowHtml(row, columns)).join("\n")}</tbody>`;
}

function rowHtml(
  { kind, text, small, quantity, unitPrice, tax, amount }: PrintedRow,
  columns: number,
): string {
  const notes = small.map((note) => `<small><bdi>${escape(note)}</bdi></small>`).join("");
  const cells = [quantity, unitPrice, ...(columns === 5 ? [tax] : []), amount];
  return `<tr class="${kind}"><td><bdi>${escape(text)}</bdi>${notes}</td>${cells.map(cellHtml).join("")}</tr>`;
}

/** Numbers stay on one line, unless they are as long as a hostile unit can make them. */
function cellHtml(cell: string): string {
  return `<td class="n${cell.length > number_length_max ? " long" : ""}"><bdi>${escape(cell)}</bdi></td>`;
}

const number_length_max = 28;

function block(heading: string, lines: readonly string[]): string {
  if (lines.length === 0) return "";
  return `<div><h2>${escape(heading)}</h2><p>${lines.map((line) => `<bdi>${escape(line)}</bdi>`).join("<br>")}</p></div>`;
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? "");
}

const style = `
:root { --ink: #1c2430; --quiet: #66707f; --line: #e3e6ea; --accent: #1f4f6b; }
* { box-sizing: border-box; }
body { margin: 0; background: #f4f5f7; color: var(--ink); font: 14px/1.5 system-ui, "Segoe UI", "Helvetica Neue", "Noto Sans", "DejaVu Sans", sans-serif; font-variant-numeric: tabular-nums; }
main { position: relative; max-width: 56rem; margin: 2rem auto; padding: 3.5rem 4rem; background: #fff; border: 1px solid var(--line); border-radius: 6px; }
h1, h2, p, dl, dd { margin: 0; font-weight: inherit; }
h1 { font-size: 1.7rem; line-height: 1.2; font-weight: 300; letter-spacing: .01em; }
h2, thead th, dt { font-size: .72rem; color: var(--quiet); letter-spacing: .05em; text-transform: uppercase; font-weight: 500; }
header { display: flex; justify-content: space-between; gap: 2rem; align-items: flex-start; }
.seller { font-size: 1.1rem; font-weight: 600; overflow-wrap: anywhere; }
.title { text-align: right; }
.title p { color: var(--quiet); overflow-wrap: anywhere; }
.parties { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr) minmax(0, 1.1fr); gap: 1.5rem; margin: 2.5rem 0 2rem; }
.parties > div { min-width: 0; overflow-wrap: anywhere; }
.parties h2 { margin-bottom: .3rem; }
.name { font-weight: 600; }
dl { display: grid; grid-template-columns: auto minmax(0, 1fr); gap: .1rem .75rem; align-content: start; align-items: baseline; }
dd { text-align: right; overflow-wrap: anywhere; }
.due { padding: .85rem 0; border-top: 2px solid var(--accent); border-bottom: 1px solid var(--line); font-size: 1.05rem; }
.due strong { font-size: 1.4rem; font-weight: 600; color: var(--accent); margin: 0 .5rem; }
.due span { color: var(--quiet); }
table { width: 100%; border-collapse: collapse; margin-top: 1.5rem; }
th { text-align: left; font-weight: 500; }
td, th { padding: .5rem 0 .5rem 1.25rem; vertical-align: top; }
td:first-child, th:first-child { padding-left: 0; overflow-wrap: anywhere; }
.n { text-align: right; white-space: nowrap; }
.n.long { white-space: normal; overflow-wrap: anywhere; min-width: 9rem; }
table:not(.totals) th:first-child, table:not(.totals) td:first-child { width: 32%; }
thead th { border-bottom: 1px solid var(--ink); padding-bottom: .35rem; }
.section th { padding-top: 1.4rem; font-weight: 600; }
.period, .subtitle { color: var(--quiet); font-weight: 400; }
.period { float: right; padding-left: 1rem; }
.line td, .omitted td { border-top: 1px solid var(--line); }
.section + .line td { border-top-color: #c9ced6; }
small { display: block; color: var(--quiet); font-size: .82rem; }
.detail td { padding-top: 0; padding-bottom: .3rem; color: var(--quiet); font-size: .82rem; }
.detail td:first-child { padding-left: 1rem; }
.omitted td { color: var(--quiet); font-style: italic; }
.totals { width: auto; min-width: 55%; margin-left: auto; border-top: 1px solid var(--ink); }
.totals td, .totals th { padding-top: .3rem; padding-bottom: .3rem; font-weight: 400; }
.totals .small { color: var(--quiet); font-size: .85rem; }
.totals .strong > * { font-weight: 600; border-top: 1px solid var(--line); }
.totals .due > * { font-weight: 600; font-size: 1.1rem; color: var(--accent); border-top: 2px solid var(--accent); padding-top: .5rem; }
.totals tr.due { padding: 0; border: 0; }
.taxnote { margin-top: 1rem; }
footer { display: grid; grid-template-columns: 1fr 1fr; gap: 2rem; margin-top: 2.5rem; color: #3c4654; overflow-wrap: anywhere; }
.reference { margin-top: 2.5rem; padding-top: .6rem; border-top: 1px solid var(--line); color: var(--quiet); font-size: .78rem; overflow-wrap: anywhere; }
.watermark { position: absolute; inset: 0; z-index: 1; display: flex; align-items: center; justify-content: center; pointer-events: none; font-size: min(8rem, 14vw); font-weight: 700; letter-spacing: .08em; color: rgba(180, 60, 40, .08); transform: rotate(-32deg); }
main.draft { overflow: hidden; }
@media screen and (max-width: 44rem) {
  main { padding: 1.5rem; margin: 0; border: 0; }
  .parties, footer { grid-template-columns: 1fr; gap: 1.25rem; }
  table { font-size: .82rem; }
  .n, th.n { white-space: normal; }
  td, th { padding-left: .6rem; }
  td:first-child, th:first-child { overflow-wrap: break-word; }
}
@page { size: A4; margin: 18mm 16mm; }
@media print {
  body { background: none; font-size: 10pt; }
  h2, thead th, dt { font-size: .66rem; }
  main { max-width: none; margin: 0; padding: 0; border: 0; }
  thead { display: table-header-group; }
  tr, .totals, footer div { break-inside: avoid; }
  .section { break-after: avoid; }
  .watermark { position: fixed; }
}`;
