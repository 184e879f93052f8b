import { arrayText, instantOfMicros, timestampText, type Sql } from "../../engines/postgres/index.js";
import type { OrganizationId, WebhookDeliveryId } from "../../kernel/ids.js";
import type { AttemptResult, DeliveryOutcome } from "../core/index.js";
import type { WebhookAttempt } from "../delivery.js";

/** An attempt that has ended, and what becomes of its delivery. */
export interface EndedAttempt {
  readonly delivery: WebhookDeliveryId;
  readonly result: AttemptResult;
  readonly outcome: DeliveryOutcome;
}

/**
 * Records attempts, no two of one delivery, with what becomes of the deliveries. One that has arrived stays so, whatever an attempt of
 * another process came to.
 */
export async function recordAttempts(
  sql: Sql,
  organization: OrganizationId,
  attempts: readonly EndedAttempt[],
): Promise<void> {
  await sql`
    WITH ended AS (
      SELECT a.* FROM unnest(
        ${arrayText(attempts.map(({ delivery }) => delivery))}::text[],
        ${arrayText(attempts.map(({ result }) => timestampText(result.at)))}::text[],
        ${arrayText(attempts.map(({ result }) => Math.round(result.duration_ms)))}::integer[],
        ${arrayText(attempts.map(({ result }) => result.status ?? 0))}::integer[],
        ${arrayText(attempts.map(({ result }) => result.error ?? ""))}::text[],
        ${arrayText(attempts.map(({ result }) => result.response ?? ""))}::text[],
        ${arrayText(attempts.map(({ outcome }) => outcome.state))}::text[],
        ${arrayText(attempts.map(({ outcome }) => outcome.failures))}::integer[],
        ${arrayText(attempts.map(({ outcome: { nextAttemptAt } }) => (nextAttemptAt === undefined ? "" : timestampText(nextAttemptAt))))}::text[]
      ) AS a (delivery, at, duration_ms, status, error, response, state, failures, next_attempt_at)
    ), changed AS (
      UPDATE webhook_deliveries d
      SET attempts = d.attempts + 1, failures = ended.failures, by_hand = false, state = ended.state,
          next_attempt_at = nullif(ended.next_attempt_at, '')::timestamptz,
          ended_at = CASE WHEN ended.state = 'pending' THEN NULL
                          ELSE ended.at::timestamptz + make_interval(secs => ended.duration_ms / 1000.0) END,
          last_status = nullif(ended.status, 0), last_error = nullif(ended.error, '')
      FROM ended
      WHERE d.organization = current_setting('weir.organization', true) AND d.id = ended.delivery AND d.state <> 'succeeded'
      RETURNING d.id, d.attempts
    )
    INSERT INTO webhook_attempts (organization, delivery, number, at, duration_ms, status, error, response)
    SELECT ${organization}, changed.id, changed.attempts, ended.at::timestamptz, ended.duration_ms, nullif(ended.status, 0),
           nullif(ended.error, ''), nullif(ended.response, '')
    FROM changed JOIN ended ON ended.delivery = changed.id`;
}

/** The last attempts of deliveries, in their order. */
export async function listAttempts(
  sql: Sql,
  delivery: WebhookDeliveryId,
  limit: number,
): Promise<WebhookAttempt[]> {
  const rows = await sql<
    {
      number: number;
      at: string;
      duration_ms: number;
      status: number | null;
      error: string | null;
      response: string | null;
    }[]
  >`
    SELECT number, (extract(epoch FROM at) * 1000000)::bigint::text AS at, duration_ms, status, error, response
    FROM (SELECT * FROM webhook_attempts
          WHERE organization = current_setting('weir.organization', true) AND delivery = ${delivery}
          ORDER BY number DESC LIMIT ${limit}) last
    ORDER BY number`;
  return rows.map((row) => ({
    number: row.number,
    at: instantOfMicros(row.at),
    duration_ms: row.duration_ms,
    status: row.status ?? undefined,
    error: row.error ?? undefined,
    response: row.response ?? undefined,
  }));
}
