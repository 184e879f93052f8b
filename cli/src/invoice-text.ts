import type { Invoice, InvoiceLine, InvoicePreview, InvoicePreviewLine, Money, Period } from "@weir/sdk";
import type { CliContext } from "./context.js";
import { grouped, printFields, printTable } from "./print.js";

/** An invoice: what it is, then its amounts. */
export function printInvoice(context: CliContext, invoice: Invoice): void {
  const { number, id, status, revision, kind, customer, refreshedAt, issueAt } = invoice;
  printFields(context, [
    ["invoice", `${number ?? id}, ${status}, revision ${revision}${number === null ? "" : ` (${id})`}`],
    ["kind", kind],
    ["customer", customer.key],
    ["computed", refreshedAt],
    ["final from", status === "draft" ? issueAt : null],
    ["finalized", invoice.finalizedAt],
    ["payment due", invoice.paymentDueAt],
    ["voided", invoice.voidedAt],
  ]);
  printAmounts(context, invoice);
}

/** The lines, from them to what is due, and what to look at before it is final. */
export function printAmounts(context: CliContext, invoice: Invoice | InvoicePreview): void {
  const { period, timeZone, lines, totals, currency, sections } = invoice;
  context.out.write(`period  ${spanOf(period)}, ${timeZone}\n`);
  if (sections.length > 1)
    for (const section of sections)
      context.out.write(`section ${section.customer.key} on ${section.planVersion.planKey}\n`);
  context.out.write("\n");
  const shown = columns.filter(
    ({ isShown }) => isShown === undefined || lines.some((line) => isShown(line, invoice)),
  );
  printTable(
    context,
    shown.map(({ head }) => (head === "AMOUNT" ? `AMOUNT ${currency}` : head)),
    lines.map((line) => shown.map(({ cell }) => cell(line))),
    "No lines.",
  );
  const sums: [string, Money][] = [
    ["subtotal", totals.subtotal],
    ["promotional credits", totals.promotionalCredits],
    ["tax", totals.tax],
    ["total", totals.total],
    ["paid credits", totals.paidCredits],
    ["balance used", totals.balanceUsed],
    ["to balance", totals.toBalance],
    ["due", totals.due],
  ];
  context.out.write("\n");
  printFields(
    context,
    sums
      .filter(([name, { amount }]) => name === "total" || name === "due" || Number(amount) !== 0)
      .map(([name, { amount }]) => [name, `${amount} ${currency}`]),
  );
  if ("status" in invoice && invoice.status !== "draft") return;
  for (const notice of invoice.notices) context.out.write(`${notice}\n`);
}

type Line = InvoicePreviewLine | InvoiceLine;

interface Column {
  readonly head: string;
  readonly cell: (line: Line) => string;
  /** Only where a line has something to say there; always when left out. */
  readonly isShown?: (line: Line, invoice: Invoice | InvoicePreview) => boolean;
}

const columns: readonly Column[] = [
  { head: "PRICE", cell: ({ price, name }) => price?.key ?? name },
  {
    head: "FOR",
    cell: ({ covered }) => spanOf(covered),
    isShown: ({ covered }, { period }) => spanOf(covered) !== spanOf(period),
  },
  { head: "QUANTITY", cell: ({ quantity }) => (quantity === null ? "" : grouped(quantity)) },
  { head: "EVENTS", cell: ({ eventCount }) => grouped(String(eventCount)) },
  { head: "EXACT AMOUNT", cell: ({ amount }) => amount },
  {
    head: "BILLED BEFORE",
    cell: ({ billedBefore }) => billedBefore.amount,
    isShown: ({ billedBefore }) => Number(billedBefore.amount) !== 0,
  },
  { head: "AMOUNT", cell: ({ money }) => money.amount },
];

function spanOf({ start, end }: Period): string {
  return `${start} … ${end}`;
}
