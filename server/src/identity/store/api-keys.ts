import type { Sql } from "../../engines/postgres/index.js";
import type { ApiKeyId, OrganizationId } from "../../kernel/ids.js";
import { instantFromMs, msOf, type Instant } from "../../kernel/instant.js";
import type { KeyKind } from "../core/index.js";

/** issued: by a caller or the first start. bootstrap: from WEIR_BOOTSTRAP_KEY. system: by Weir for its own use. */
export type KeyOrigin = "issued" | "bootstrap" | "system";

/** A key as its organization sees it: never the key itself. */
export interface ApiKey {
  readonly id: ApiKeyId;
  readonly kind: KeyKind;
  readonly origin: KeyOrigin;
  readonly name: string;
  /** its beginning and its end, to tell it from others */
  readonly hint: string;
  readonly createdAt: Instant;
  readonly revokedAt: Instant | undefined;
  /** to about a minute */
  readonly lastUsedAt: Instant | undefined;
}

interface ApiKeyRow {
  readonly id: ApiKeyId;
  readonly kind: KeyKind;
  readonly origin: KeyOrigin;
  readonly name: string;
  readonly hint: string;
  readonly created_at: Date;
  readonly revoked_at: Date | null;
  readonly last_used_at: Date | null;
}

export async function insertApiKey(
  sql: Sql,
  organization: OrganizationId,
  key: ApiKey,
  hash: Buffer,
): Promise<void> {
  await sql`
    INSERT INTO api_keys (organization, id, kind, origin, name, hint, hash, created_at)
    VALUES (${organization}, ${key.id}, ${key.kind}, ${key.origin}, ${key.name}, ${key.hint}, ${hash}, ${new Date(msOf(key.createdAt))})`;
}

/** Newest first, revoked ones too. */
export async function selectApiKeys(sql: Sql, organization: OrganizationId): Promise<ApiKey[]> {
  const rows = await sql<ApiKeyRow[]>`
    SELECT id, kind, origin, name, hint, created_at, revoked_at, last_used_at
    FROM api_keys WHERE organization = ${organization} ORDER BY id DESC`;
  return rows.map(fromRow);
}

/** All active secret keys and the wanted one, locked until the transaction ends: so the last secret key cannot go twice at once. */
export async function lockSecretKeysAnd(
  sql: Sql,
  organization: OrganizationId,
  id: string,
): Promise<ApiKey[]> {
  const rows = await sql<ApiKeyRow[]>`
    SELECT id, kind, origin, name, hint, created_at, revoked_at, last_used_at
    FROM api_keys WHERE organization = ${organization} AND (id = ${id} OR (kind = 'secret' AND revoked_at IS NULL))
    ORDER BY id FOR UPDATE`;
  return rows.map(fromRow);
}

export async function markRevoked(
  sql: Sql,
  organization: OrganizationId,
  id: ApiKeyId,
  at: Instant,
): Promise<void> {
  await sql`
    UPDATE api_keys SET revoked_at = ${new Date(msOf(at))}
    WHERE organization = ${organization} AND id = ${id} AND revoked_at IS NULL`;
}

/** For the system role: a bootstrap key whose value came back. */
export async function markRestored(sql: Sql, organization: OrganizationId, id: ApiKeyId): Promise<void> {
  await sql`UPDATE api_keys SET revoked_at = NULL WHERE organization = ${organization} AND id = ${id}`;
}

export interface FoundKey {
  readonly organization: OrganizationId;
  readonly id: ApiKeyId;
  readonly kind: KeyKind;
  readonly origin: KeyOrigin;
  readonly revoked: boolean;
}

/** For the system role: whose key has this hash. */
export async function findKeyByHash(sql: Sql, hash: Buffer): Promise<FoundKey | undefined> {
  const [row] = await sql<FoundKey[]>`
    SELECT organization, id, kind, origin, revoked_at IS NOT NULL AS revoked FROM api_keys WHERE hash = ${hash}`;
  return row;
}

/** For the system role. Once a minute at most, so that a busy key costs no write a request. */
export async function touchKey(sql: Sql, key: FoundKey, at: Instant): Promise<void> {
  const when = new Date(msOf(at));
  await sql`
    UPDATE api_keys SET last_used_at = ${when}
    WHERE organization = ${key.organization} AND id = ${key.id}
      AND (last_used_at IS NULL OR last_used_at < ${when}::timestamptz - interval '1 minute')`;
}

function fromRow({ created_at, revoked_at, last_used_at, ...row }: ApiKeyRow): ApiKey {
  return {
    ...row,
    createdAt: instantFromMs(created_at.getTime()),
    revokedAt: revoked_at === null ? undefined : instantFromMs(revoked_at.getTime()),
    lastUsedAt: last_used_at === null ? undefined : instantFromMs(last_used_at.getTime()),
  };
}
