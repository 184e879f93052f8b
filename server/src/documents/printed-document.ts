import { addressLines } from "./address-lines.js";
import { formatsOf, type Formats } from "./formats.js";
import type {
  DocumentDetail,
  DocumentLine,
  DocumentParty,
  DocumentPeriod,
  DocumentSection,
  DocumentTax,
  InvoiceDocument,
} from "./invoice-document.js";
import { fill, labelsOf, languageOf, type Labels } from "./labels.js";

/** What is printed at most; what is left out is counted and added up, so that the sums still add up. */
export const documentLimits = { lines: 2_000, detailsOfLine: 50, notes: 20, textLength: 500 } as const;

export type Cells = {
  readonly quantity: string;
  readonly unitPrice: string;
  readonly tax: string;
  readonly amount: string;
};

/** One row of the table. */
export type PrintedRow = Cells & {
  /** A line begins anew; a detail or discount belongs to the line above. */
  readonly kind: "line" | "detail" | "omitted";
  readonly text: string;
  /** Small print under the text. */
  readonly small: readonly string[];
};

export interface PrintedSection {
  readonly title: string;
  readonly subtitle: string | undefined;
  readonly period: string | undefined;
  readonly rows: readonly PrintedRow[];
}

export interface PrintedTotal {
  readonly label: string;
  readonly value: string;
  readonly weight: "plain" | "small" | "strong" | "due";
}

export interface PrintedParty {
  readonly heading: string;
  readonly name: string;
  readonly lines: readonly string[];
}

/** A document as texts in their order: what HTML and PDF draw alike. */
export interface PrintedDocument {
  readonly locale: string;
  /** Of the labels. */
  readonly language: string;
  readonly labels: Labels;
  readonly title: string;
  /** The number, or that it is a draft. */
  readonly number: string;
  /** The invoice's id, for the foot. */
  readonly reference: string;
  readonly watermark: string | undefined;
  readonly facts: readonly (readonly [label: string, value: string])[];
  readonly seller: PrintedParty;
  readonly buyer: PrintedParty;
  readonly due: { readonly label: string; readonly value: string; readonly by: string | undefined };
  readonly heads: Cells & { readonly text: string };
  /** Whether lines differ in their tax, so that each says its own. */
  readonly taxColumn: boolean;
  readonly sections: readonly PrintedSection[];
  readonly totals: readonly PrintedTotal[];
  readonly taxNotes: readonly string[];
  readonly payment: readonly string[];
  readonly notes: readonly string[];
}

/** @param currencyDisplay "code" where the symbol cannot be printed */
export function describeDocument(
  document: InvoiceDocument,
  currencyDisplay: "symbol" | "code" = "symbol",
): PrintedDocument {
  const formats = formatsOf(document, currencyDisplay);
  const labels = labelsOf(formats.locale);
  const isDraft = document.kind === "draft";
  const isCredit = document.kind === "credit_note";
  const taxColumn =
    new Set(document.sections.flatMap(({ lines }) => lines.map((line) => line.taxKey))).size > 1;
  return {
    locale: formats.locale,
    language: languageOf(formats.locale),
    labels,
    title: isCredit ? labels.creditNote : labels.invoice,
    number: document.number === undefined ? labels.draft : short(document.number),
    reference: short(document.reference),
    watermark: isDraft ? labels.draft.toLocaleUpperCase(formats.locale) : undefined,
    facts: factsOf(document, labels, formats),
    seller: partyOf(document.seller, labels.from, labels, formats),
    buyer: partyOf(document.buyer, labels.billTo, labels, formats),
    due: dueOf(document, labels, formats),
    heads: {
      text: labels.description,
      quantity: labels.quantity,
      unitPrice: labels.unitPrice,
      tax: taxColumn ? labels.tax : "",
      amount: `${labels.amount} (${document.currency})`,
    },
    taxColumn,
    sections: sectionsOf(document, labels, formats, taxColumn),
    totals: totalsOf(document, labels, formats),
    taxNotes: taxNotesOf(document.taxes, labels),
    payment: [document.paymentTerms, document.seller.bankDetails]
      .flatMap((text) => (text ?? "").split("\n"))
      .map(short)
      .filter((line) => line !== "")
      .slice(0, documentLimits.notes),
    notes: limited(
      document.notes.flatMap((note) => note.split("\n")),
      labels,
      formats,
    ),
  };
}

function factsOf(document: InvoiceDocument, labels: Labels, formats: Formats): [string, string][] {
  const facts: [string, string | undefined][] = [
    [labels.issued, formats.date(document.issuedAt)],
    [labels.due, document.dueAt === undefined ? undefined : formats.date(document.dueAt)],
    [labels.corrects, document.corrects],
    [labels.buyerReference, document.buyerReference],
  ];
  return facts.flatMap(([label, value]): [string, string][] =>
    value === undefined || value === "" ? [] : [[label, short(value)]],
  );
}

function partyOf(party: DocumentParty, heading: string, labels: Labels, { locale }: Formats): PrintedParty {
  const { name, address, taxId, email } = party;
  const lines = addressLines(address, locale).map(short);
  if (taxId !== undefined && taxId !== "") lines.push(`${labels.taxId} ${short(taxId)}`);
  if (email !== undefined && email !== "") lines.push(short(email));
  return { heading, name: short(name), lines };
}

function dueOf({ kind, amountDueMinor, dueAt }: InvoiceDocument, labels: Labels, formats: Formats) {
  const value = formats.money(amountDueMinor);
  if (kind === "credit_note")
    return { label: labels.credited, value: formats.money(-amountDueMinor), by: undefined };
  if (amountDueMinor <= 0n) return { label: labels.nothingDue, value, by: undefined };
  const by = dueAt === undefined ? undefined : fill(labels.by, { date: formats.date(dueAt) });
  return { label: labels.amountDue, value, by };
}

function sectionsOf(
  document: InvoiceDocument,
  labels: Labels,
  formats: Formats,
  taxColumn: boolean,
): PrintedSection[] {
  const taxes = new Map(document.taxes.map((tax) => [tax.key, tax]));
  const printed: PrintedSection[] = [];
  const omitted = { count: 0, minor: 0n };
  let left: number = documentLimits.lines;
  for (const section of document.sections) {
    const lines = section.lines.slice(0, left);
    left -= lines.length;
    for (const { minor } of section.lines.slice(lines.length)) {
      omitted.count += 1;
      omitted.minor += minor;
    }
    if (lines.length === 0 && section.lines.length > 0) continue;
    const rows = lines.flatMap((line) => {
      const tax = line.taxKey === undefined ? undefined : taxes.get(line.taxKey);
      return rowsOf(line, section, taxColumn ? taxText(tax, formats) : "", labels, formats);
    });
    printed.push({
      title: short(section.title),
      subtitle: section.subtitle === undefined ? undefined : short(section.subtitle),
      period: section.period === undefined ? undefined : formats.period(section.period),
      rows,
    });
  }
  if (omitted.count > 0) {
    const text = fill(labels.moreLines, { count: formats.number(omitted.count) });
    const row: PrintedRow = { ...row_empty, kind: "omitted", text, amount: formats.amount(omitted.minor) };
    printed.push({ title: "", subtitle: undefined, period: undefined, rows: [row] });
  }
  return printed;
}

const row_empty = { small: [], quantity: "", unitPrice: "", tax: "", amount: "" } as const;

function rowsOf(
  line: DocumentLine,
  section: DocumentSection,
  tax: string,
  labels: Labels,
  formats: Formats,
): PrintedRow[] {
  const small: string[] = [];
  if (line.period !== undefined && !isSame(line.period, section.period))
    small.push(formats.period(line.period));
  if (line.note !== undefined && line.note !== "") small.push(short(line.note));
  const rows: PrintedRow[] = [
    {
      kind: "line",
      text: short(line.description),
      small,
      quantity:
        line.quantity === undefined
          ? ""
          : joined(formats.number(line.quantity), line.unit === undefined ? "" : short(line.unit)),
      unitPrice: line.unitAmount === undefined ? "" : perUnit(line.unitAmount, line.unitPer, labels, formats),
      tax,
      amount: formats.amount(line.minor),
    },
  ];
  for (const detail of line.details.slice(0, documentLimits.detailsOfLine))
    rows.push({ ...row_empty, kind: "detail", ...detailOf(detail, labels, formats) });
  const more = line.details.length - documentLimits.detailsOfLine;
  if (more > 0)
    rows.push({
      ...row_empty,
      kind: "detail",
      text: `… ${fill(labels.moreDetails, { count: formats.number(more) })}`,
    });
  for (const { name, minor } of line.discounts.slice(0, documentLimits.detailsOfLine))
    rows.push({ ...row_empty, kind: "detail", text: short(name), amount: formats.amount(minor) });
  return rows;
}

function detailOf(
  detail: DocumentDetail,
  labels: Labels,
  formats: Formats,
): Partial<PrintedRow> & { text: string } {
  const quantity = detail.quantity === undefined ? "" : formats.number(detail.quantity);
  if (detail.kind === "text") {
    return {
      text: short(detail.text),
      quantity,
      amount: detail.amount === undefined ? "" : formats.exactAmount(detail.amount),
    };
  }
  const { from, upTo, unitAmount, per, flatAmount } = detail;
  const bounds = {
    from: formats.number(from),
    upTo: upTo === undefined ? "" : formats.number(upTo),
  };
  const label = upTo === undefined ? labels.tierAbove : from.isZero() ? labels.tierFirst : labels.tierNext;
  const fee =
    flatAmount === undefined || flatAmount.isZero()
      ? ""
      : fill(labels.fee, { amount: formats.exactAmount(flatAmount) });
  const price = unitAmount === undefined ? "" : perUnit(unitAmount, per, labels, formats);
  const text = fill(upTo === undefined && from.isZero() ? labels.tierOnly : label, bounds);
  return {
    text,
    quantity,
    unitPrice: [price, fee].filter((part) => part !== "").join(" + "),
    amount: formats.exactAmount(detail.amount),
  };
}

function perUnit(
  amount: DocumentLine["unitAmount"] & object,
  per: DocumentLine["unitPer"],
  labels: Labels,
  formats: Formats,
): string {
  const price = formats.exactAmount(amount);
  if (per === undefined || per.toString() === "1") return price;
  return `${price} ${fill(labels.per, { count: formats.number(per) })}`;
}

function taxText(tax: DocumentTax | undefined, formats: Formats): string {
  return tax === undefined || tax.treatment !== "taxed" ? "–" : formats.percent(tax.percent);
}

function totalsOf(document: InvoiceDocument, labels: Labels, formats: Formats): PrintedTotal[] {
  const { subtotalMinor, credits, taxes, totalMinor, settlements, amountDueMinor, kind } = document;
  const totals: PrintedTotal[] = [];
  const add = (label: string, minor: bigint, weight: PrintedTotal["weight"] = "plain") =>
    void totals.push({ label, value: formats.money(minor), weight });
  add(labels.subtotal, subtotalMinor);
  for (const { label, minor } of credits) add(short(label), minor);
  const worded = (label: string, { name, percent, taxableMinor }: DocumentTax) =>
    fill(label, {
      name: short(name),
      percent: formats.percent(percent),
      amount: formats.money(taxableMinor),
    });
  const shown = taxes.filter(({ treatment }) => treatment !== "not_collected");
  for (const tax of shown) {
    if (tax.treatment !== "taxed") add(short(tax.name), tax.taxMinor);
    else if (!tax.inclusive) add(worded(labels.on, tax), tax.taxMinor);
  }
  add(labels.total, totalMinor, "strong");
  for (const tax of shown)
    if (tax.inclusive && tax.treatment === "taxed") add(worded(labels.contains, tax), tax.taxMinor, "small");
  for (const { label, minor } of settlements) add(short(label), minor);
  if (kind === "credit_note") add(labels.credited, -amountDueMinor, "due");
  else add(labels.amountDue, amountDueMinor, "due");
  return totals;
}

function taxNotesOf(taxes: readonly DocumentTax[], labels: Labels): string[] {
  const notes = taxes.map(({ treatment, note }) => {
    if (note !== undefined && note !== "") return short(note);
    return treatment === "reverse_charge"
      ? labels.reverseCharge
      : treatment === "exempt"
        ? labels.exempt
        : "";
  });
  return [...new Set(notes)].filter((note) => note !== "").slice(0, documentLimits.notes);
}

function limited(notes: readonly string[], labels: Labels, formats: Formats): string[] {
  const given = notes.filter((note) => note.trim() !== "");
  const shown = given.slice(0, documentLimits.notes).map(short);
  const more = given.length - shown.length;
  if (more > 0) shown.push(`… ${fill(labels.moreNotes, { count: formats.number(more) })}`);
  return shown;
}

/** One line without control characters, at most 500 characters. */
function short(text: string): string {
  const clean = text.replace(/[\p{Cc}\p{Cs}\u2028\u2029]+/gu, " ").trim();
  if (clean.length <= documentLimits.textLength) return clean;
  // By code points, so that no character is cut in two.
  const characters = Array.from(clean.slice(0, 2 * documentLimits.textLength + 2));
  if (characters.length <= documentLimits.textLength) return characters.join("");
  return `${characters.slice(0, documentLimits.textLength - 1).join("")}…`;
}

function joined(quantity: string, unit: string): string {
  return unit === "" ? quantity : `${quantity} ${unit}`;
}

function isSame(period: DocumentPeriod, other: DocumentPeriod | undefined): boolean {
  return period.start === other?.start && period.end === other.end;
}
