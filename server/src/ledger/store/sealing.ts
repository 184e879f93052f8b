import type { Sql } from "../../engines/postgres/index.js";
import type { OrganizationId } from "../../kernel/ids.js";
import type { Unsealed } from "../core/index.js";

/** Organizations with postings in no block, in the order of their ids; of a row's `postings` at most `limit` are counted. */
export async function selectUnsealedOrganizations(
  sql: Sql,
  page: { after: OrganizationId | undefined; organizations: number; limit: number },
): Promise<{ organization: OrganizationId; postings: number }[]> {
  return sql<{ organization: OrganizationId; postings: number }[]>`
    SELECT o.id AS organization, p.postings
    FROM organizations o
    LEFT JOIN ledger_sealing s ON s.organization = o.id
    CROSS JOIN LATERAL (
      SELECT count(*)::int AS postings
      FROM (SELECT FROM ledger_postings
            WHERE organization = o.id AND xact > 0
              AND xact >= CASE WHEN s.sealed_through > weir_next_transaction() THEN 0 ELSE coalesce(s.sealed_through, 0) END
              AND xact <= CASE WHEN s.sealed_through > weir_next_transaction() THEN 9223372036854775807
                               ELSE weir_next_transaction() END
            LIMIT ${page.limit}) waiting) p
    WHERE o.id > ${page.after ?? ""} AND p.postings > 0
    ORDER BY o.id LIMIT ${page.organizations}`;
}

/**
 * Takes the right to seal an organization's postings until the transaction ends.
 * @returns false when another transaction has it and `wait` is not set
 */
export async function lockSealing(
  sql: Sql,
  organization: OrganizationId,
  { wait }: { wait: boolean },
): Promise<boolean> {
  await sql`INSERT INTO ledger_sealing (organization) VALUES (${organization}) ON CONFLICT DO NOTHING`;
  const rows = wait
    ? await sql`SELECT 1 FROM ledger_sealing FOR UPDATE`
    : await sql`SELECT 1 FROM ledger_sealing FOR UPDATE SKIP LOCKED`;
  return rows.length > 0;
}

/**
 * Postings that are in no block, those of the oldest transactions first.
 * @returns also which transactions may still be writing: all before `horizon` have ended. `isRenumbered` says that this
 *          server has not come as far with its transactions as the one that sealed last
 */
export async function selectUnsealed(
  sql: Sql,
  limit: number,
): Promise<{ unsealed: Unsealed[]; horizon: bigint; isRenumbered: boolean }> {
  const rows = await sql<UnsealedRow[]>`
    SELECT u.id, u.xact, u.posted_at, one.horizon, one.is_renumbered
    FROM (SELECT weir_horizon()::text AS horizon, sealed_through > weir_next_transaction() AS is_renumbered
          FROM ledger_sealing) one
    LEFT JOIN (SELECT id, xact::text AS xact, (extract(epoch FROM posted_at) * 1000000)::bigint::text AS posted_at
               FROM ledger_unsealed ORDER BY ledger_unsealed.xact, id LIMIT ${limit}) u ON true`;
  return {
    unsealed: rows.flatMap(({ id, xact, posted_at }) =>
      id === null ? [] : [{ id, xact: BigInt(xact), postedAt: Number(posted_at) }],
    ),
    horizon: BigInt(rows[0]?.horizon ?? 0),
    isRenumbered: rows[0]?.is_renumbered ?? false,
  };
}

interface UnsealedRow {
  readonly id: string | null;
  readonly xact: string;
  readonly posted_at: string;
  readonly horizon: string;
  readonly is_renumbered: boolean;
}

export async function moveSealing(sql: Sql, sealedThrough: bigint): Promise<void> {
  await sql`UPDATE ledger_sealing SET sealed_through = ${sealedThrough.toString()}::text::bigint`;
}
