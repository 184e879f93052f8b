import type { Sql } from "../../engines/postgres/index.js";
import type { CustomerId, InvoiceId, SubscriptionId } from "../../kernel/ids.js";
import type { InvoiceStatus } from "../invoicing/invoice.js";

/** An invoice as far as it is paid: without its lines. */
export interface PayableInvoice {
  readonly id: InvoiceId;
  /** Undefined for a draft. */
  readonly number: string | undefined;
  readonly customer: CustomerId;
  readonly status: InvoiceStatus;
  readonly subscriptions: readonly SubscriptionId[];
}

/** By id or number, in one question: charging asks for it again and again. */
export async function findPayableInvoice(sql: Sql, idOrNumber: string): Promise<PayableInvoice | undefined> {
  const rows = await sql<(Omit<PayableInvoice, "number"> & { number: string | null })[]>`
    SELECT i.id, i.number, i.customer, i.status,
           ARRAY (SELECT DISTINCT s.subscription FROM invoice_sections s
                  WHERE s.organization = i.organization AND s.invoice = i.id ORDER BY s.subscription) AS subscriptions
    FROM invoices i WHERE i.id = ${idOrNumber} OR i.number = ${idOrNumber}
    ORDER BY i.id = ${idOrNumber} DESC LIMIT 1`;
  return rows.map((row) => ({ ...row, number: row.number ?? undefined }))[0];
}
