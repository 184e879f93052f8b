import { instantOfMicros, timestampText, type Sql } from "../../engines/postgres/index.js";
import type { OrganizationId, WebhookEndpointId } from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";

/** A secret as it rests. */
export interface SealedSecret {
  readonly number: number;
  readonly sealed: Uint8Array;
  /** Undefined for the one that counts. */
  readonly expiresAt: Instant | undefined;
}

/** Those that sign at an instant, the newest first. */
export async function selectSigning(
  sql: Sql,
  endpoint: WebhookEndpointId,
  now: Instant,
): Promise<SealedSecret[]> {
  const rows = await sql<{ number: number; sealed: Uint8Array; expires_at: string | null }[]>`
    SELECT number, sealed, (extract(epoch FROM expires_at) * 1000000)::bigint::text AS expires_at
    FROM webhook_endpoint_secrets
    WHERE organization = current_setting('weir.organization', true) AND endpoint = ${endpoint}
      AND (expires_at IS NULL OR expires_at > ${timestampText(now)}::text::timestamptz)
    ORDER BY number DESC`;
  return rows.map(({ number, sealed, expires_at }) => ({
    number,
    sealed,
    expiresAt: expires_at === null ? undefined : instantOfMicros(expires_at),
  }));
}

/** Adds the one that counts from now on; what counted before signs until `oldUntil`, and what signed longer does not. */
export async function insertSecret(
  sql: Sql,
  organization: OrganizationId,
  secret: {
    readonly endpoint: WebhookEndpointId;
    readonly sealed: Uint8Array;
    readonly at: Instant;
    readonly oldUntil: Instant;
  },
): Promise<void> {
  const { endpoint, sealed, at, oldUntil } = secret;
  await sql`
    UPDATE webhook_endpoint_secrets
    SET expires_at = least(coalesce(expires_at, 'infinity'), ${timestampText(oldUntil)}::text::timestamptz)
    WHERE endpoint = ${endpoint} AND (expires_at IS NULL OR expires_at > ${timestampText(oldUntil)}::text::timestamptz)`;
  await sql`
    INSERT INTO webhook_endpoint_secrets (organization, endpoint, number, sealed, created_at)
    SELECT ${organization}, ${endpoint}, coalesce(max(number), 0) + 1, ${sealed}, ${timestampText(at)}::text::timestamptz
    FROM webhook_endpoint_secrets WHERE organization = current_setting('weir.organization', true) AND endpoint = ${endpoint}`;
  await sql`
    DELETE FROM webhook_endpoint_secrets
    WHERE endpoint = ${endpoint} AND expires_at <= ${timestampText(at)}::text::timestamptz`;
}

/** The same secret, sealed anew. */
export async function replaceSealed(
  sql: Sql,
  endpoint: WebhookEndpointId,
  { number, sealed }: Pick<SealedSecret, "number" | "sealed">,
): Promise<void> {
  await sql`UPDATE webhook_endpoint_secrets SET sealed = ${sealed} WHERE endpoint = ${endpoint} AND number = ${number}`;
}

export async function deleteSecrets(sql: Sql, endpoint: WebhookEndpointId): Promise<void> {
  await sql`DELETE FROM webhook_endpoint_secrets WHERE endpoint = ${endpoint}`;
}
