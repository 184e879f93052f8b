import { instantOfMicros, timestampText, type Sql } from "../../engines/postgres/index.js";
import type { WebhookDeliveryId, WebhookEndpointId, WebhookMessageId } from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";
import type { DeliveryState } from "../core/index.js";
import type { WebhookDelivery } from "../delivery.js";

export interface DeliveryFilter {
  readonly endpoint?: string | undefined;
  readonly message?: string | undefined;
  readonly state?: DeliveryState | undefined;
}

interface DeliveryRow {
  readonly id: WebhookDeliveryId;
  readonly message: WebhookMessageId;
  readonly type: string;
  readonly endpoint: WebhookEndpointId;
  readonly state: DeliveryState;
  readonly attempts: number;
  readonly next_attempt_at: string | null;
  readonly last_status: number | null;
  readonly last_error: string | null;
  readonly created_at: string;
  readonly ended_at: string | null;
}

export async function findDelivery(sql: Sql, id: string): Promise<WebhookDelivery | undefined> {
  const rows = await sql<DeliveryRow[]>`
    SELECT d.id, d.message, m.type, d.endpoint, d.state, d.attempts, d.last_status, d.last_error,
           (extract(epoch FROM d.next_attempt_at) * 1000000)::bigint::text AS next_attempt_at,
           (extract(epoch FROM d.created_at) * 1000000)::bigint::text AS created_at,
           (extract(epoch FROM d.ended_at) * 1000000)::bigint::text AS ended_at
    FROM webhook_deliveries d JOIN webhook_messages m ON m.organization = d.organization AND m.id = d.message
    WHERE d.id = ${id}`;
  return rows.map(deliveryOf)[0];
}

/** Newest first, after one. */
export async function listDeliveries(
  sql: Sql,
  { endpoint = null, message = null, state = null, after, limit }: ListedPage,
): Promise<WebhookDelivery[]> {
  const rows = await sql<DeliveryRow[]>`
    SELECT d.id, d.message, m.type, d.endpoint, d.state, d.attempts, d.last_status, d.last_error,
           (extract(epoch FROM d.next_attempt_at) * 1000000)::bigint::text AS next_attempt_at,
           (extract(epoch FROM d.created_at) * 1000000)::bigint::text AS created_at,
           (extract(epoch FROM d.ended_at) * 1000000)::bigint::text AS ended_at
    FROM webhook_deliveries d JOIN webhook_messages m ON m.organization = d.organization AND m.id = d.message
    WHERE (${endpoint}::text IS NULL OR d.endpoint = ${endpoint}) AND (${message}::text IS NULL OR d.message = ${message})
      AND (${state}::text IS NULL OR d.state = ${state}) AND (${after ?? null}::text IS NULL OR d.id < ${after ?? null})
    ORDER BY d.id DESC LIMIT ${limit}`;
  return rows.map(deliveryOf);
}

interface ListedPage {
  readonly endpoint?: string | null | undefined;
  readonly message?: string | null | undefined;
  readonly state?: DeliveryState | null | undefined;
  readonly after?: string;
  readonly limit: number;
}

/** A delivery to be tried now. */
export interface DueDelivery {
  readonly id: WebhookDeliveryId;
  readonly message: WebhookMessageId;
  readonly failures: number;
  readonly body: string;
}

/** What may be tried now of an endpoint: first what a person asked for, then what has waited longest. */
export async function selectDue(
  sql: Sql,
  endpoint: WebhookEndpointId,
  {
    now,
    except,
    byHand,
    waiting,
  }: { now: Instant; except: readonly WebhookDeliveryId[]; byHand: number; waiting: number },
): Promise<DueDelivery[]> {
  return sql<DueDelivery[]>`
    SELECT due.id, due.message, due.failures, m.body
    FROM (
      SELECT id, message, failures, by_hand, next_attempt_at FROM (
        SELECT organization, id, message, failures, by_hand, next_attempt_at FROM webhook_deliveries
        WHERE endpoint = ${endpoint} AND state = 'pending' AND by_hand AND id <> ALL (${[...except]}::text[])
        ORDER BY next_attempt_at LIMIT ${byHand}) asked
      UNION ALL
      SELECT id, message, failures, by_hand, next_attempt_at FROM (
        SELECT organization, id, message, failures, by_hand, next_attempt_at FROM webhook_deliveries
        WHERE endpoint = ${endpoint} AND state = 'pending' AND next_attempt_at <= ${timestampText(now)}::text::timestamptz
          AND NOT by_hand AND id <> ALL (${[...except]}::text[])
        ORDER BY next_attempt_at LIMIT ${waiting}) waited
    ) due
    JOIN webhook_messages m ON m.organization = current_setting('weir.organization', true) AND m.id = due.message
    ORDER BY due.by_hand DESC, due.next_attempt_at, due.id LIMIT ${byHand}`;
}

/** Begins deliveries anew: due now, the schedule from its beginning, before what waits. @returns those there are */
export async function redeliver(
  sql: Sql,
  ids: readonly WebhookDeliveryId[],
  now: Instant,
): Promise<WebhookDeliveryId[]> {
  const rows = await sql<{ id: WebhookDeliveryId }[]>`
    UPDATE webhook_deliveries
    SET state = 'pending', failures = 0, by_hand = true, next_attempt_at = ${timestampText(now)}::text::timestamptz, ended_at = NULL
    WHERE organization = current_setting('weir.organization', true) AND id = ANY (${[...ids]}::text[])
    RETURNING id`;
  return rows.map(({ id }) => id);
}

/** An endpoint's deliveries that failed since an instant, the oldest first, begun anew behind what waits. @returns how many */
export async function redeliverFailed(
  sql: Sql,
  endpoint: WebhookEndpointId,
  { since, now, limit }: { since: Instant; now: Instant; limit: number },
): Promise<number> {
  const rows = await sql`
    WITH failed AS MATERIALIZED (
      SELECT id FROM webhook_deliveries
      WHERE state = 'failed' AND endpoint = ${endpoint} AND ended_at >= ${timestampText(since)}::text::timestamptz
      ORDER BY id LIMIT ${limit}
    )
    UPDATE webhook_deliveries d
    SET state = 'pending', failures = 0, next_attempt_at = ${timestampText(now)}::text::timestamptz, ended_at = NULL
    FROM failed WHERE d.organization = current_setting('weir.organization', true) AND d.id = failed.id
    RETURNING 1`;
  return rows.length;
}

function deliveryOf(row: DeliveryRow): WebhookDelivery {
  const instant = (micros: string | null) => (micros === null ? undefined : instantOfMicros(micros));
  const { id, message, type, endpoint, state, attempts } = row;
  return {
    id,
    message,
    type,
    endpoint,
    state,
    attempts,
    nextAttemptAt: instant(row.next_attempt_at),
    lastStatus: row.last_status ?? undefined,
    lastError: row.last_error ?? undefined,
    createdAt: instantOfMicros(row.created_at),
    endedAt: instant(row.ended_at),
  };
}
