import { instantOfMicros, timestampText, type Sql } from "../../engines/postgres/index.js";
import type { OrganizationId, WebhookEndpointId } from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";
import { closed_breaker, type EndpointHealth } from "../core/index.js";

interface HealthRow {
  readonly endpoint: WebhookEndpointId;
  readonly failures: number;
  readonly openings: number;
  readonly open_until: string | null;
  readonly failing_since: string | null;
}

/** What a process that delivers to an endpoint must know of it. */
export interface ServedEndpoint {
  readonly url: string;
  readonly concurrencyMax: number;
  readonly ratePerSecondMax: number;
  readonly health: EndpointHealth;
}

/**
 * Takes an endpoint for this process, or goes on with it: nobody else delivers to it until `until`.
 * @returns undefined when it is not enabled, or another process has it
 */
export async function takeEndpoint(
  sql: Sql,
  endpoint: WebhookEndpointId,
  { by, now, until }: { by: string; now: Instant; until: Instant },
): Promise<ServedEndpoint | undefined> {
  const [row] = await sql<
    (HealthRow & { url: string; concurrency_max: number; rate_per_second_max: number })[]
  >`
    UPDATE webhook_endpoint_health h SET served_by = ${by}, served_until = ${timestampText(until)}::text::timestamptz
    FROM webhook_endpoints e
    WHERE h.organization = current_setting('weir.organization', true) AND h.endpoint = ${endpoint}
      AND e.organization = h.organization AND e.id = h.endpoint AND e.state = 'enabled'
      AND (h.served_until IS NULL OR h.served_until <= ${timestampText(now)}::text::timestamptz OR h.served_by = ${by})
    RETURNING e.url, e.concurrency_max, e.rate_per_second_max, h.endpoint, h.failures, h.openings,
              (extract(epoch FROM h.open_until) * 1000000)::bigint::text AS open_until,
              (extract(epoch FROM h.failing_since) * 1000000)::bigint::text AS failing_since`;
  if (row === undefined) return undefined;
  return {
    url: row.url,
    concurrencyMax: row.concurrency_max,
    ratePerSecondMax: row.rate_per_second_max,
    health: healthOf(row),
  };
}

/** Lets go of an endpoint, so that another process need not wait. */
export async function leaveEndpoint(sql: Sql, endpoint: WebhookEndpointId, by: string): Promise<void> {
  await sql`
    UPDATE webhook_endpoint_health SET served_by = NULL, served_until = NULL
    WHERE endpoint = ${endpoint} AND served_by = ${by}`;
}

/** How endpoints stand, held until the transaction ends. */
export async function lockHealth(
  sql: Sql,
  endpoints: readonly WebhookEndpointId[],
): Promise<Map<WebhookEndpointId, EndpointHealth>> {
  const rows = await sql<HealthRow[]>`
    SELECT endpoint, failures, openings, (extract(epoch FROM open_until) * 1000000)::bigint::text AS open_until,
           (extract(epoch FROM failing_since) * 1000000)::bigint::text AS failing_since
    FROM webhook_endpoint_health
    WHERE organization = current_setting('weir.organization', true) AND endpoint = ANY (${[...endpoints]}::text[])
    ORDER BY endpoint FOR NO KEY UPDATE`;
  return new Map(rows.map((row) => [row.endpoint, healthOf(row)]));
}

export async function updateHealth(
  sql: Sql,
  endpoint: WebhookEndpointId,
  { breaker: { failures, openings, until }, failingSince }: EndpointHealth,
): Promise<void> {
  await sql`
    UPDATE webhook_endpoint_health
    SET failures = ${failures}, openings = ${openings},
        open_until = ${until === undefined ? null : timestampText(until)}::text::timestamptz,
        failing_since = ${failingSince === undefined ? null : timestampText(failingSince)}::text::timestamptz
    WHERE endpoint = ${endpoint}`;
}

/**
 * Enabled endpoints with something to deliver now, free or this process's own, those that were served longest ago first; as weir_system.
 * By an index entry or two of each endpoint, however much waits for it.
 */
export async function selectDueEndpoints(
  sql: Sql,
  {
    by,
    now,
    except,
    limit,
  }: { by: string; now: Instant; except: readonly WebhookEndpointId[]; limit: number },
): Promise<{ organization: OrganizationId; endpoint: WebhookEndpointId }[]> {
  const at = timestampText(now);
  return sql<{ organization: OrganizationId; endpoint: WebhookEndpointId }[]>`
    SELECT e.organization, e.id AS endpoint
    FROM webhook_endpoints e JOIN webhook_endpoint_health h ON h.organization = e.organization AND h.endpoint = e.id
    WHERE e.state = 'enabled' AND e.id <> ALL (${[...except]}::text[])
      AND (h.served_until IS NULL OR h.served_until <= ${at}::text::timestamptz OR h.served_by = ${by})
      AND (EXISTS (SELECT FROM webhook_deliveries d
                   WHERE d.endpoint = e.id AND d.organization = e.organization AND d.state = 'pending' AND d.by_hand OFFSET 0)
        OR (h.open_until IS NULL OR h.open_until <= ${at}::text::timestamptz) AND
           EXISTS (SELECT FROM webhook_deliveries d
                   WHERE d.endpoint = e.id AND d.organization = e.organization AND d.state = 'pending'
                     AND d.next_attempt_at <= ${at}::text::timestamptz OFFSET 0))
    ORDER BY h.served_until NULLS FIRST, e.id LIMIT ${limit}`;
}

function healthOf(row: HealthRow): EndpointHealth {
  const { failures, openings } = row;
  const until = row.open_until === null ? undefined : instantOfMicros(row.open_until);
  return {
    breaker: until === undefined ? { ...closed_breaker, failures } : { failures, openings, until },
    failingSince: row.failing_since === null ? undefined : instantOfMicros(row.failing_since),
  };
}
