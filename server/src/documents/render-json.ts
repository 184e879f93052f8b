import { formatInstant } from "../kernel/instant.js";
import type { DocumentPeriod, InvoiceDocument } from "./invoice-document.js";

/** The document as JSON: decimals and minor units as text, instants as RFC 3339, what is undefined left out. */
export function renderJson(document: InvoiceDocument): string {
  const json = {
    ...document,
    issuedAt: formatInstant(document.issuedAt),
    dueAt: document.dueAt === undefined ? undefined : formatInstant(document.dueAt),
    sections: document.sections.map((section) => ({
      ...section,
      period: periodOf(section.period),
      lines: section.lines.map((line) => ({ ...line, period: periodOf(line.period) })),
    })),
  };
  return JSON.stringify(json, (_key, value: unknown) =>
    typeof value === "bigint" ? value.toString() : value,
  );
}

function periodOf(period: DocumentPeriod | undefined) {
  return period === undefined
    ? undefined
    : { start: formatInstant(period.start), end: formatInstant(period.end) };
}
