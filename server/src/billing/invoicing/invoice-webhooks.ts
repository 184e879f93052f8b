import type { Sql } from "../../engines/postgres/index.js";
import type { OrganizationId } from "../../kernel/ids.js";
import { formatInstant, type Instant } from "../../kernel/instant.js";
import type { JsonValue } from "../../kernel/json.js";
import { moneyJson } from "../../kernel/money.js";
import type { CreditNote } from "./credit-note.js";
import type { Finalization, Invoice, InvoiceHead } from "./invoice.js";

/** Something that happened to an invoice, to be told to receivers of the organization's. */
export interface InvoiceMessage {
  readonly type: "invoice.finalized" | "invoice.voided" | "credit_note.issued";
  /** Names it: told once. */
  readonly key: string;
  readonly data: JsonValue;
  /** In the organization's time. */
  readonly at: Instant;
}

/** Webhooks as invoices use them. */
export interface WebhooksPort {
  /** Tells it once the transaction has committed; one statement when nobody listens. The same again changes nothing. */
  publishAll(sql: Sql, organization: OrganizationId, messages: readonly InvoiceMessage[]): Promise<void>;
}

type ToldInvoice = Pick<
  InvoiceHead,
  "id" | "customer" | "kind" | "status" | "currency" | "boundary" | "totals" | "finalized"
>;

/** Undefined for a draft, of which nobody is told. */
export function finalizedMessage(invoice: ToldInvoice): InvoiceMessage | undefined {
  const { id, finalized } = invoice;
  if (finalized === undefined) return undefined;
  return {
    type: "invoice.finalized",
    key: id,
    at: finalized.at,
    data: { invoice: invoiceJson(invoice, finalized) },
  };
}

export function voidedMessage(invoice: Invoice, note: CreditNote): InvoiceMessage {
  const { createdAt: at, reason } = note;
  const voided = {
    ...invoiceJson({ ...invoice, status: "voided" }, invoice.finalized),
    voidedAt: formatInstant(at),
  };
  return {
    type: "invoice.voided",
    key: invoice.id,
    at,
    data: { invoice: voided, creditNote: { id: note.id, number: note.number }, reason },
  };
}

export function creditNoteMessage(invoice: Invoice, note: CreditNote): InvoiceMessage {
  const { id, number, currency, customer, voids, reason, net, tax, toBalance, lines, createdAt: at } = note;
  return {
    type: "credit_note.issued",
    key: id,
    at,
    data: {
      creditNote: {
        id,
        number,
        voids,
        reason,
        customer: customerJson(customer, invoice.finalized),
        invoice: { id: invoice.id, number: invoice.finalized?.number ?? null },
        net: moneyJson({ currency, minor: net }),
        tax: moneyJson({ currency, minor: tax }),
        total: moneyJson({ currency, minor: net + tax }),
        toBalance: moneyJson({ currency, minor: toBalance }),
        lineCount: lines.length,
        createdAt: formatInstant(at),
      },
    },
  };
}

/** What receivers get of an invoice; its lines they ask for. */
function invoiceJson(invoice: ToldInvoice, finalized: Finalization | undefined) {
  const { id, kind, status, currency, boundary, totals, customer } = invoice;
  return {
    id,
    number: finalized?.number ?? null,
    kind,
    status,
    customer: customerJson(customer, finalized),
    subtotal: moneyJson({ currency, minor: totals.subtotal }),
    tax: moneyJson({ currency, minor: totals.tax }),
    total: moneyJson({ currency, minor: totals.total }),
    due: moneyJson({ currency, minor: totals.due }),
    boundary: formatInstant(boundary),
    finalizedAt: finalized === undefined ? null : formatInstant(finalized.at),
    paymentDueAt: finalized === undefined ? null : formatInstant(finalized.paymentDueAt),
  };
}

function customerJson(id: string, finalized: Finalization | undefined) {
  return { id, key: finalized?.buyer.key ?? null };
}
