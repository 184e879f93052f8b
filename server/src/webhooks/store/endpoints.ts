import { instantOfMicros, timestampText, type Sql } from "../../engines/postgres/index.js";
import type { OrganizationId, WebhookEndpointId } from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";
import { closed_breaker, type DisabledReason } from "../core/index.js";
import type { WebhookEndpoint } from "../endpoint.js";

interface EndpointRow {
  readonly id: WebhookEndpointId;
  readonly url: string;
  readonly description: string | null;
  readonly event_types: string[];
  readonly concurrency_max: number;
  readonly rate_per_second_max: number;
  readonly state: "enabled" | "disabled";
  readonly disabled_reason: DisabledReason | null;
  readonly disabled_at: string | null;
  readonly failures: number;
  readonly openings: number;
  readonly open_until: string | null;
  readonly failing_since: string | null;
  readonly old_secrets_until: string | null;
  readonly created_at: string;
  readonly updated_at: string;
}

/** Writes a new endpoint, with nothing known of how it answers. */
export async function insertEndpoint(
  sql: Sql,
  organization: OrganizationId,
  endpoint: Omit<WebhookEndpoint, "state" | "disabledReason" | "disabledAt" | "health" | "oldSecretsUntil">,
): Promise<void> {
  await sql`
    INSERT INTO webhook_endpoints
      (organization, id, url, description, event_types, concurrency_max, rate_per_second_max, state, created_at, updated_at)
    VALUES (${organization}, ${endpoint.id}, ${endpoint.url}, ${endpoint.description ?? null}, ${[...endpoint.eventTypes]}::text[],
            ${endpoint.concurrencyMax}, ${endpoint.ratePerSecondMax}, 'enabled',
            ${timestampText(endpoint.createdAt)}::text::timestamptz, ${timestampText(endpoint.updatedAt)}::text::timestamptz)`;
  await sql`INSERT INTO webhook_endpoint_health (organization, endpoint) VALUES (${organization}, ${endpoint.id})`;
}

export async function updateEndpoint(sql: Sql, endpoint: WebhookEndpoint): Promise<void> {
  await sql`
    UPDATE webhook_endpoints
    SET url = ${endpoint.url}, description = ${endpoint.description ?? null}, event_types = ${[...endpoint.eventTypes]}::text[],
        concurrency_max = ${endpoint.concurrencyMax}, rate_per_second_max = ${endpoint.ratePerSecondMax},
        state = ${endpoint.state}, disabled_reason = ${endpoint.disabledReason ?? null},
        disabled_at = ${endpoint.disabledAt === undefined ? null : timestampText(endpoint.disabledAt)}::text::timestamptz,
        updated_at = ${timestampText(endpoint.updatedAt)}::text::timestamptz
    WHERE id = ${endpoint.id}`;
}

/** Hides an endpoint, for good; its row goes with the last of its deliveries. */
export async function markEndpointDeleted(sql: Sql, id: WebhookEndpointId, at: Instant): Promise<void> {
  await sql`
    UPDATE webhook_endpoints
    SET state = 'deleted', disabled_reason = NULL, disabled_at = NULL, updated_at = ${timestampText(at)}::text::timestamptz
    WHERE id = ${id}`;
}

/**
 * One by its id; when it is to be changed, held until the transaction ends, by the row of its health: whoever records attempts holds that
 * too, before it may disable the endpoint.
 */
export async function findEndpoint(
  sql: Sql,
  id: string,
  { now, hold = false }: { now: Instant; hold?: boolean },
): Promise<WebhookEndpoint | undefined> {
  if (hold) await sql`SELECT FROM webhook_endpoint_health WHERE endpoint = ${id} FOR NO KEY UPDATE`;
  const rows = await sql<EndpointRow[]>`
    SELECT e.id, e.url, e.description, e.event_types, e.concurrency_max, e.rate_per_second_max, e.state, e.disabled_reason,
           (extract(epoch FROM e.disabled_at) * 1000000)::bigint::text AS disabled_at, h.failures, h.openings,
           (extract(epoch FROM h.open_until) * 1000000)::bigint::text AS open_until,
           (extract(epoch FROM h.failing_since) * 1000000)::bigint::text AS failing_since,
           (SELECT (extract(epoch FROM max(s.expires_at)) * 1000000)::bigint::text FROM webhook_endpoint_secrets s
            WHERE s.organization = e.organization AND s.endpoint = e.id
              AND s.expires_at > ${timestampText(now)}::text::timestamptz) AS old_secrets_until,
           (extract(epoch FROM e.created_at) * 1000000)::bigint::text AS created_at,
           (extract(epoch FROM e.updated_at) * 1000000)::bigint::text AS updated_at
    FROM webhook_endpoints e JOIN webhook_endpoint_health h ON h.organization = e.organization AND h.endpoint = e.id
    WHERE e.id = ${id} AND e.state <> 'deleted'`;
  return rows.map(endpointOf)[0];
}

/** Endpoints by id, oldest first, after one. */
export async function listEndpoints(
  sql: Sql,
  { now, after, limit }: { now: Instant; after?: string; limit: number },
): Promise<WebhookEndpoint[]> {
  const rows = await sql<EndpointRow[]>`
    SELECT e.id, e.url, e.description, e.event_types, e.concurrency_max, e.rate_per_second_max, e.state, e.disabled_reason,
           (extract(epoch FROM e.disabled_at) * 1000000)::bigint::text AS disabled_at, h.failures, h.openings,
           (extract(epoch FROM h.open_until) * 1000000)::bigint::text AS open_until,
           (extract(epoch FROM h.failing_since) * 1000000)::bigint::text AS failing_since,
           (SELECT (extract(epoch FROM max(s.expires_at)) * 1000000)::bigint::text FROM webhook_endpoint_secrets s
            WHERE s.organization = e.organization AND s.endpoint = e.id
              AND s.expires_at > ${timestampText(now)}::text::timestamptz) AS old_secrets_until,
           (extract(epoch FROM e.created_at) * 1000000)::bigint::text AS created_at,
           (extract(epoch FROM e.updated_at) * 1000000)::bigint::text AS updated_at
    FROM webhook_endpoints e JOIN webhook_endpoint_health h ON h.organization = e.organization AND h.endpoint = e.id
    WHERE e.id > ${after ?? ""} AND e.state <> 'deleted' ORDER BY e.id LIMIT ${limit}`;
  return rows.map(endpointOf);
}

/** How many an organization has. Held until the transaction ends, so that of many that add one at once none goes over the limit. */
export async function countEndpoints(sql: Sql): Promise<number> {
  await sql`SELECT pg_advisory_xact_lock(hashtextextended('webhook endpoints ' || current_setting('weir.organization', true), 0))`;
  const [row] = await sql<{ count: number }[]>`
    SELECT count(*)::int AS count FROM webhook_endpoints WHERE state <> 'deleted'`;
  return row?.count ?? 0;
}

/** The enabled endpoints that chose one of these patterns. */
export async function selectSubscribed(
  sql: Sql,
  patterns: readonly string[],
): Promise<{ id: WebhookEndpointId; patterns: readonly string[] }[]> {
  return sql<{ id: WebhookEndpointId; patterns: string[] }[]>`
    SELECT id, event_types AS patterns FROM webhook_endpoints
    WHERE organization = current_setting('weir.organization', true) AND state = 'enabled'
      AND event_types && ${[...patterns]}::text[]
    ORDER BY id`;
}

/** @returns whether it was enabled until now */
export async function disableEndpoint(
  sql: Sql,
  id: WebhookEndpointId,
  reason: DisabledReason,
  at: Instant,
): Promise<boolean> {
  const rows = await sql`
    UPDATE webhook_endpoints
    SET state = 'disabled', disabled_reason = ${reason}, disabled_at = ${timestampText(at)}::text::timestamptz,
        updated_at = ${timestampText(at)}::text::timestamptz
    WHERE id = ${id} AND state = 'enabled' RETURNING 1`;
  return rows.length > 0;
}

/** Organizations with deleted endpoints; as weir_system. */
export async function selectOrganizationsWithDeleted(sql: Sql, limit: number): Promise<OrganizationId[]> {
  const rows = await sql<{ organization: OrganizationId }[]>`
    SELECT DISTINCT organization FROM webhook_endpoints WHERE state = 'deleted' LIMIT ${limit}`;
  return rows.map(({ organization }) => organization);
}

/** Deletes the rows of endpoints that were deleted before an instant and that no delivery names any more. */
export async function deleteUnreferencedEndpoints(sql: Sql, before: Instant): Promise<number> {
  const rows = await sql`
    DELETE FROM webhook_endpoints e
    WHERE e.state = 'deleted' AND e.updated_at < ${timestampText(before)}::text::timestamptz
      AND NOT EXISTS (SELECT FROM webhook_deliveries d WHERE d.organization = e.organization AND d.endpoint = e.id OFFSET 0)
    RETURNING 1`;
  return rows.length;
}

function endpointOf(row: EndpointRow): WebhookEndpoint {
  const instant = (micros: string | null) => (micros === null ? undefined : instantOfMicros(micros));
  const { failures, openings } = row;
  const until = instant(row.open_until);
  return {
    id: row.id,
    url: row.url,
    description: row.description ?? undefined,
    eventTypes: row.event_types,
    concurrencyMax: row.concurrency_max,
    ratePerSecondMax: row.rate_per_second_max,
    state: row.state,
    disabledReason: row.disabled_reason ?? undefined,
    disabledAt: instant(row.disabled_at),
    health: {
      breaker: until === undefined ? { ...closed_breaker, failures } : { failures, openings, until },
      failingSince: instant(row.failing_since),
    },
    oldSecretsUntil: instant(row.old_secrets_until),
    createdAt: instantOfMicros(row.created_at),
    updatedAt: instantOfMicros(row.updated_at),
  };
}
