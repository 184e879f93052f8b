import type { Sql } from "../../engines/postgres/index.js";
import type { OrganizationId } from "../../kernel/ids.js";

/**
 * Holds the organization's catalog until the transaction ends, so that versions get consecutive numbers and of two files
 * that are applied at once the second sees what the first did. Rows cannot be locked: that takes the right to change them.
 */
export async function lockCatalog(sql: Sql, organization: OrganizationId): Promise<void> {
  await sql`SELECT pg_advisory_xact_lock(hashtextextended('catalog/' || ${organization}::text, 0))`;
}
