import type { Formats } from "./formats.js";
import type {
  DocumentDetail,
  DocumentLine,
  DocumentPeriod,
  DocumentSection,
  DocumentTax,
  InvoiceDocument,
} from "./invoice-document.js";
import { fill, type Labels } from "./labels.js";
import { documentLimits, short } from "./limits.js";

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

/** The document's sections with their lines as rows, up to the limit; what is left out is a row of its own. */
export function sectionsOf(
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
  const moreDiscounts = line.discounts.slice(documentLimits.detailsOfLine);
  if (moreDiscounts.length > 0)
    rows.push({
      ...row_empty,
      kind: "detail",
      text: `… ${fill(labels.moreDetails, { count: formats.number(moreDiscounts.length) })}`,
      amount: formats.amount(moreDiscounts.reduce((sum, { minor }) => sum + minor, 0n)),
    });
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
  if (detail.kind === "worded") {
    const values = Object.entries(detail.values).map(([name, value]) => [name, formats.number(value)]);
    return {
      text: fill(labels.details[detail.word], Object.fromEntries(values)),
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

function joined(quantity: string, unit: string): string {
  return unit === "" ? quantity : `${quantity} ${unit}`;
}

function isSame(period: DocumentPeriod, other: DocumentPeriod | undefined): boolean {
  return period.start === other?.start && period.end === other.end;
}
