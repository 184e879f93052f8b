import type {
  DocumentAmount,
  DocumentLine,
  DocumentSection,
  DocumentTax,
  InvoiceDocument,
} from "../../documents/index.js";
import type { CreditNote, CreditNoteLine } from "./credit-note.js";
import type { DocumentSources } from "./document-sources.js";
import { documentedLine, taxKeyOf } from "./documented-line.js";
import type { Invoice, InvoiceLine, InvoiceTax } from "./invoice.js";

/** Of a customer that names no locale. */
export const locale_default = "en";

/** A draft, or a finalized invoice as it was issued; a voided one says what took it back. */
export function documentedInvoice(sources: DocumentSources): InvoiceDocument {
  const { invoice, buyer, wording, voiding } = sources;
  const { totals, finalized } = invoice;
  const isOwed = totals.due > 0n;
  const terms = buyer.paymentTermsDays === 0 ? wording.dueAtOnce : wording.netDays(buyer.paymentTermsDays);
  return {
    ...headOf(sources),
    kind: finalized === undefined ? "draft" : "invoice",
    number: finalized?.number,
    reference: invoice.id,
    corrects: undefined,
    issuedAt: finalized?.at ?? invoice.refreshedAt,
    dueAt: isOwed ? finalized?.paymentDueAt : undefined,
    sections: sectionsOf(sources, (line) => documentedLine(line, sources)),
    subtotalMinor: totals.subtotal,
    credits: amounts([[wording.promotionalCredits, -totals.promotional]]),
    taxes: invoice.taxes.map(documentedTax),
    totalMinor: totals.total,
    settlements: amounts([
      [wording.paidCredits, -totals.paidCredits],
      [wording.balanceUsed, -totals.balanceUsed],
      [wording.toBalance, totals.toBalance],
    ]),
    amountDueMinor: totals.due,
    paymentTerms: isOwed ? terms : undefined,
    payment: sources.payment,
    notes: [
      ...(finalized === undefined ? invoice.notices : []),
      ...(voiding === undefined ? [] : [wording.voided(voiding.number, voiding.createdAt)]),
    ],
  };
}

/** What a credit note gives back, below zero, by the lines of the invoice that it corrects. */
export function documentedCreditNote(note: CreditNote, sources: DocumentSources): InvoiceDocument {
  const { invoice, wording } = sources;
  const credited = new Map(note.lines.map((line) => [line.line, line]));
  const sections = sectionsOf(sources, (line) => {
    const given = credited.get(line.id);
    if (given === undefined || (given.net === 0n && given.tax === 0n)) return undefined;
    return creditedLine(line, given);
  });
  const total = -(note.net + note.tax);
  return {
    ...headOf(sources),
    kind: "credit_note",
    number: note.number,
    reference: note.id,
    corrects: invoice.finalized?.number,
    correctedIssuedAt: invoice.finalized?.at,
    issuedAt: note.createdAt,
    dueAt: undefined,
    sections,
    subtotalMinor: sections.reduce(
      (sum, { lines }) => lines.reduce((all, { minor }) => all + minor, sum),
      0n,
    ),
    credits: [],
    taxes: taxesOf(note, invoice),
    totalMinor: total,
    settlements: [],
    amountDueMinor: total,
    paymentTerms: undefined,
    notes: [
      note.reason,
      ...(note.voids ? [wording.takesBack] : []),
      ...(note.toBalance > 0n ? [wording.keptAsBalance(note.toBalance)] : []),
    ],
  };
}

function headOf({ invoice, seller, buyer }: DocumentSources) {
  const { name, address, taxId, email, locale, electronicAddress, registrationNumber, buyerReference } =
    buyer;
  return {
    buyerReference,
    locale: locale ?? locale_default,
    timeZone: invoice.timeZone,
    currency: invoice.currency,
    seller,
    buyer: { name, address, taxId, email, electronicAddress, registrationNumber },
  };
}

/** By plan, and by customer where another one pays; sections without a line are left out. */
function sectionsOf(
  { invoice, plans, customers }: DocumentSources,
  lineOf: (line: InvoiceLine) => DocumentLine | undefined,
): DocumentSection[] {
  return invoice.sections.flatMap((section): DocumentSection[] => {
    const lines = invoice.lines.flatMap((line) =>
      line.section === section.position ? (lineOf(line) ?? []) : [],
    );
    if (lines.length === 0) return [];
    const { start, end } = section.period;
    return [
      {
        title: plans.get(section.planVersion) ?? section.planVersion,
        subtitle: customers.get(section.customer),
        // Those of an instant have none.
        period: start < end ? section.period : undefined,
        lines,
      },
    ];
  });
}

function creditedLine(
  { name, covered, rate, category }: InvoiceLine,
  { net, tax }: Pick<CreditNoteLine, "net" | "tax">,
): DocumentLine {
  return {
    description: name,
    period: covered,
    quantity: undefined,
    unit: undefined,
    unitAmount: undefined,
    details: [],
    discounts: [],
    minor: -(rate.inclusive ? net + tax : net),
    promotionalMinor: 0n,
    taxableMinor: -net,
    taxKey: taxKeyOf(rate),
    taxCategory: category,
    note: undefined,
  };
}

function documentedTax({ rate, taxable, tax }: InvoiceTax): DocumentTax {
  const { name, percent, treatment, inclusive, note } = rate;
  return {
    key: taxKeyOf(rate),
    name,
    percent,
    treatment,
    inclusive,
    taxableMinor: taxable,
    taxMinor: tax,
    note,
  };
}

/** Below zero, in the order in which the invoice's lines first name the rates. */
function taxesOf({ lines }: CreditNote, invoice: Invoice): DocumentTax[] {
  const credited = new Map(lines.map((line) => [line.line, line]));
  const taxes = new Map<string, InvoiceTax>();
  for (const { id, rate } of invoice.lines) {
    const given = credited.get(id);
    if (given === undefined) continue;
    const known = taxes.get(taxKeyOf(rate));
    taxes.set(taxKeyOf(rate), {
      rate,
      taxable: (known?.taxable ?? 0n) - given.net,
      tax: (known?.tax ?? 0n) - given.tax,
    });
  }
  return [...taxes.values()].map(documentedTax);
}

function amounts(named: readonly (readonly [label: string, minor: bigint])[]): DocumentAmount[] {
  return named.flatMap(([label, minor]) => (minor === 0n ? [] : [{ label, minor }]));
}
