import type { Sql } from "../../engines/postgres/index.js";

/** Whether the organization has, or had, a subscription or a finalized invoice. */
export async function hasBilled(sql: Sql): Promise<{ subscriptions: boolean; finalized: boolean }> {
  const [row] = await sql<{ subscriptions: boolean; finalized: boolean }[]>`
    SELECT EXISTS (SELECT FROM subscriptions) AS subscriptions, EXISTS (SELECT FROM invoices WHERE status <> 'draft') AS finalized`;
  return row ?? { subscriptions: true, finalized: true };
}
