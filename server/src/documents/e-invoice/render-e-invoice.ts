import { makeProblem, Refusal } from "../../kernel/problem.js";
import type { InvoiceDocument } from "../invoice-document.js";
import { checkEInvoice, type EInvoice, type RuleFault } from "./core/index.js";
import { eInvoiceOf } from "./e-invoice-of.js";
import { ublDocumentOf } from "./ubl-document.js";
import { writeXml } from "./xml-element.js";

const faults_told_max = 50;

/**
 * An invoice or credit note as EN 16931 e-invoice in UBL 2.1. The same document gives the same text.
 * @throws Refusal 422 naming every rule that it breaks and what to do: nothing is written that breaks one
 */
export function renderEInvoice(document: InvoiceDocument): string {
  const invoice = eInvoiceOf(document);
  const faults = checkEInvoice(invoice);
  if (faults.length > 0) throw invalidEInvoice(document, faults);
  return writeEInvoice(invoice);
}

/** @param invoice one that `checkEInvoice` finds nothing wrong with */
export function writeEInvoice(invoice: EInvoice): string {
  return writeXml(ublDocumentOf(invoice));
}

function invalidEInvoice({ number, reference }: InvoiceDocument, faults: readonly RuleFault[]): Refusal {
  const errors = faults.slice(0, faults_told_max);
  const more = faults.length - errors.length;
  const told = errors.map(({ rule, message }) => `${rule}: ${message}`).join("; ");
  const detail = `${number ?? reference} would break rules of EN 16931: ${told}${more > 0 ? `; and ${more} more` : ""}. A finalized invoice keeps its parties as they were: what is added now counts for invoices from now on.`;
  return new Refusal(
    makeProblem("e-invoice-not-valid", 422, "The e-invoice would not be valid", detail, { errors }),
  );
}
