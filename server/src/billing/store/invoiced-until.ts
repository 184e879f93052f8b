import { instantOfMicros, type Sql } from "../../engines/postgres/index.js";
import type { CustomerId, SubscriptionId } from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";

/** Whose invoices are asked about: a customer's, or one subscription's of it. */
export interface InvoicedScope {
  readonly customer: CustomerId;
  readonly subscription?: SubscriptionId;
}

/**
 * Up to where finalized invoices have closed time: the latest end of a billing period that is settled. What lies before
 * is corrected by the difference on a later invoice only. Undefined while nothing is.
 */
export type InvoicedUntil = (sql: Sql, scope: InvoicedScope) => Promise<Instant | undefined>;

export const readInvoicedUntil: InvoicedUntil = async (sql, { customer, subscription }) => {
  const rows = await sql<{ until: string | null }[]>`
    SELECT (extract(epoch FROM max(s.period_end)) * 1000000)::bigint::text AS until
    FROM invoice_sections s JOIN invoices i ON i.organization = s.organization AND i.id = s.invoice
    WHERE s.customer = ${customer} AND (${subscription ?? null}::text IS NULL OR s.subscription = ${subscription ?? null})
      AND s.kind = 'period' AND i.status = 'finalized'`;
  const until = rows[0]?.until;
  return until == null ? undefined : instantOfMicros(until);
};
