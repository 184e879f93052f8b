import { printIban } from "../kernel/iban.js";
import { addressLines } from "./address-lines.js";
import { formatsOf, type Formats } from "./formats.js";
import type { DocumentParty, DocumentSeller, DocumentTax, InvoiceDocument } from "./invoice-document.js";
import { fill, labelsOf, languageOf, type Labels } from "./labels.js";
import { documentLimits, short } from "./limits.js";
import { sectionsOf, type Cells, type PrintedSection } from "./printed-section.js";

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
    payment: paymentOf(document, labels)
      .flatMap((text) => text.split("\n"))
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

function paymentOf(
  { paymentTerms, payment, seller, amountDueMinor }: InvoiceDocument,
  labels: Labels,
): string[] {
  const { iban, bic, holder } = accountOf(seller, payment);
  const { bankDetails } = seller;
  return [
    paymentTerms,
    amountDueMinor <= 0n || holder === seller.name ? undefined : holder,
    amountDueMinor <= 0n || iban === undefined ? undefined : `IBAN ${printIban(iban)}`,
    amountDueMinor <= 0n || bic === undefined ? undefined : `BIC ${bic}`,
    payment?.kind === "transfer"
      ? fill(labels.paymentReference, { reference: payment.reference })
      : undefined,
    bankDetails,
  ].filter((text) => text !== undefined);
}

function accountOf(
  { name: holder, iban, bic }: DocumentSeller,
  payment: InvoiceDocument["payment"],
): { readonly holder: string; readonly iban?: string | undefined; readonly bic?: string | undefined } {
  return (payment?.kind === "transfer" ? payment.account : undefined) ?? { holder, iban, bic };
}

function factsOf(document: InvoiceDocument, labels: Labels, formats: Formats): [string, string][] {
  const { timeZone: zone = document.timeZone } = document.seller;
  const facts: [string, string | undefined][] = [
    [labels.issued, formats.date(document.issuedAt, zone)],
    [labels.due, document.dueAt === undefined ? undefined : formats.date(document.dueAt, zone)],
    [labels.corrects, document.corrects],
    [labels.buyerReference, document.buyerReference],
  ];
  return facts.flatMap(([label, value]): [string, string][] =>
    value === undefined || value === "" ? [] : [[label, short(value)]],
  );
}

function partyOf(party: DocumentParty, heading: string, labels: Labels, { locale }: Formats): PrintedParty {
  const { name, address, registrationNumber: registration, taxId, email } = party;
  const lines = addressLines(address, locale).map(short);
  if (registration !== undefined && registration !== "") lines.push(short(registration));
  if (taxId !== undefined && taxId !== "") lines.push(`${labels.taxId} ${short(taxId)}`);
  if (email !== undefined && email !== "") lines.push(short(email));
  return { heading, name: short(name), lines };
}

function dueOf({ kind, amountDueMinor, dueAt, seller }: InvoiceDocument, labels: Labels, formats: Formats) {
  const value = formats.money(amountDueMinor);
  if (kind === "credit_note")
    return { label: labels.credited, value: formats.money(-amountDueMinor), by: undefined };
  if (amountDueMinor <= 0n) return { label: labels.nothingDue, value, by: undefined };
  const zone = seller.timeZone;
  const by = dueAt === undefined ? undefined : fill(labels.by, { date: formats.date(dueAt, zone) });
  return { label: labels.amountDue, value, by };
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
