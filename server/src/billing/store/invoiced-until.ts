import { instantOfMicros, type Sql } from "../../engines/postgres/index.js";
import type { CustomerId, SubscriptionId } from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";

/** Whose invoices are asked about: a customer's, or one subscription's of it. */
export interface InvoicedScope {
  readonly customer: CustomerId;
  readonly subscription?: SubscriptionId;
}

/**
 * Up to where finalized invoices have closed time: the latest end of a service period that is settled. What lies before
 * is corrected by the difference on a later invoice only. Undefined while nothing is.
 */
export type InvoicedUntil = (sql: Sql, scope: InvoicedScope) => Promise<Instant | undefined>;

export const readInvoicedUntil: InvoicedUntil = async (sql, { customer, subscription }) => {
  const rows = await sql<{ until: string | null }[]>`
    SELECT (extract(epoch FROM max(period_end)) * 1000000)::bigint::text AS until
    FROM invoices
    WHERE customer = ${customer} AND (${subscription ?? null}::text IS NULL OR subscription = ${subscription ?? null})
      AND status <> 'draft'`;
  const until = rows[0]?.until;
  return until == null ? undefined : instantOfMicros(until);
};
