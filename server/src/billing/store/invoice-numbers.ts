import type { Sql } from "../../engines/postgres/index.js";
import type { OrganizationId } from "../../kernel/ids.js";

export type NumberSeries = "invoice" | "credit_note";

const prefixes: Readonly<Record<NumberSeries, string>> = { invoice: "INV", credit_note: "CN" };

/**
 * Takes the next numbers of a series: a transaction that rolls back gives them back, so there is no gap. Others of
 * the organization wait from here until it ends: take numbers last.
 *
 * @returns the first of `count` consecutive ones
 */
export async function takeNumbers(
  sql: Sql,
  organization: OrganizationId,
  series: NumberSeries,
  count: number,
): Promise<number> {
  const [row] = await sql<{ last: string }[]>`
    INSERT INTO invoice_numbers AS known (organization, series, last) VALUES (${organization}, ${series}, ${count})
    ON CONFLICT (organization, series) DO UPDATE SET last = known.last + excluded.last
    RETURNING last::text`;
  return Number(row?.last) - count + 1;
}

/** "INV-000042"; more digits once they are needed. */
export function numberText(series: NumberSeries, sequence: number): string {
  return `${prefixes[series]}-${String(sequence).padStart(6, "0")}`;
}
