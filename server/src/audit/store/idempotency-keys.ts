import type { Sql } from "../../engines/postgres/index.js";
import type { OrganizationId } from "../../kernel/ids.js";
import type { JsonValue } from "../../kernel/json.js";

/**
 * Claims a key for this transaction; another that claims it waits until this one ends. An expired claim counts as none.
 * @returns false when it is taken
 */
export async function claimIdempotencyKey(
  sql: Sql,
  organization: OrganizationId,
  key: string,
  requestHash: string,
): Promise<boolean> {
  const claimed = await sql`
    INSERT INTO idempotency_keys AS existing (organization, key, request_hash, expires_at)
    VALUES (${organization}, ${key}, ${requestHash}, now() + interval '3 days')
    ON CONFLICT (organization, key) DO UPDATE
      SET request_hash = excluded.request_hash, response = NULL, expires_at = excluded.expires_at
      WHERE existing.expires_at < now()
    RETURNING 1`;
  return claimed.length > 0;
}

export async function findIdempotentResponse(
  sql: Sql,
  key: string,
): Promise<{ requestHash: string; response: JsonValue } | undefined> {
  const [row] = await sql<{ request_hash: string; response: JsonValue }[]>`
    SELECT request_hash, response FROM idempotency_keys WHERE key = ${key} AND expires_at >= now()`;
  return row === undefined ? undefined : { requestHash: row.request_hash, response: row.response };
}

export async function storeIdempotentResponse(sql: Sql, key: string, response: JsonValue): Promise<void> {
  await sql`UPDATE idempotency_keys SET response = ${JSON.stringify(response)}::text::jsonb WHERE key = ${key}`;
}

/** For the system role, which sees expired keys only. */
export async function deleteExpired(sql: Sql, limit: number): Promise<number> {
  const deleted = await sql`
    DELETE FROM idempotency_keys
    WHERE (organization, key) IN (SELECT organization, key FROM idempotency_keys WHERE expires_at < now() LIMIT ${limit})`;
  return deleted.count;
}
