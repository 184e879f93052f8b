import { arrayText, instantOfMicros, timestampText, type Sql } from "../../engines/postgres/index.js";
import type {
  OrganizationId,
  WebhookDeliveryId,
  WebhookEndpointId,
  WebhookMessageId,
} from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";
import type { WebhookMessage } from "../delivery.js";

export interface NewDelivery {
  readonly id: WebhookDeliveryId;
  readonly message: WebhookMessageId;
  readonly endpoint: WebhookEndpointId;
}

interface MessageRow {
  readonly id: WebhookMessageId;
  readonly type: string;
  readonly key: string;
  readonly body: string;
  readonly occurred_at: string;
  readonly created_at: string;
}

/**
 * Writes messages and their deliveries, due at once. A message whose type and key there are already is left out, with its
 * deliveries. @returns how many deliveries were written
 */
export async function insertMessages(
  sql: Sql,
  organization: OrganizationId,
  messages: readonly WebhookMessage[],
  deliveries: readonly NewDelivery[],
  { at, byHand = false }: { at: Instant; byHand?: boolean },
): Promise<number> {
  const rows = await sql`
    WITH written AS (
      INSERT INTO webhook_messages (organization, id, type, key, body, occurred_at, created_at)
      SELECT ${organization}, m.id, m.type, m.key, m.body, m.occurred::timestamptz, ${timestampText(at)}::text::timestamptz
      FROM unnest(${arrayText(messages.map(({ id }) => id))}::text[], ${arrayText(messages.map(({ type }) => type))}::text[],
                  ${arrayText(messages.map(({ key }) => key))}::text[], ${arrayText(messages.map(({ body }) => body))}::text[],
                  ${arrayText(messages.map(({ occurredAt }) => timestampText(occurredAt)))}::text[])
           AS m (id, type, key, body, occurred)
      ON CONFLICT (key, type, organization) DO NOTHING
      RETURNING id
    )
    INSERT INTO webhook_deliveries (organization, id, message, endpoint, state, by_hand, next_attempt_at, created_at)
    SELECT ${organization}, d.id, d.message, d.endpoint, 'pending', ${byHand}, ${timestampText(at)}::text::timestamptz,
           ${timestampText(at)}::text::timestamptz
    FROM unnest(${arrayText(deliveries.map(({ id }) => id))}::text[], ${arrayText(deliveries.map(({ message }) => message))}::text[],
                ${arrayText(deliveries.map(({ endpoint }) => endpoint))}::text[]) AS d (id, message, endpoint)
    JOIN written ON written.id = d.message
    RETURNING 1`;
  return rows.length;
}

export async function findMessage(sql: Sql, id: string): Promise<WebhookMessage | undefined> {
  const rows = await sql<MessageRow[]>`
    SELECT id, type, key, body, (extract(epoch FROM occurred_at) * 1000000)::bigint::text AS occurred_at,
           (extract(epoch FROM created_at) * 1000000)::bigint::text AS created_at
    FROM webhook_messages WHERE id = ${id}`;
  return rows.map(messageOf)[0];
}

/** Newest first, after one; of a type when given. */
export async function listMessages(
  sql: Sql,
  { type, after, limit }: { type?: string | undefined; after?: string; limit: number },
): Promise<WebhookMessage[]> {
  const rows = await sql<MessageRow[]>`
    SELECT id, type, key, body, (extract(epoch FROM occurred_at) * 1000000)::bigint::text AS occurred_at,
           (extract(epoch FROM created_at) * 1000000)::bigint::text AS created_at
    FROM webhook_messages
    WHERE (${type ?? null}::text IS NULL OR type = ${type ?? null}) AND (${after ?? null}::text IS NULL OR id < ${after ?? null})
    ORDER BY id DESC LIMIT ${limit}`;
  return rows.map(messageOf);
}

/** Organizations with messages from before an instant; as weir_system. */
export async function selectOrganizationsWithOld(
  sql: Sql,
  before: Instant,
  limit: number,
): Promise<OrganizationId[]> {
  const rows = await sql<{ organization: OrganizationId }[]>`
    SELECT DISTINCT organization FROM webhook_messages WHERE created_at < ${timestampText(before)}::text::timestamptz LIMIT ${limit}`;
  return rows.map(({ organization }) => organization);
}

/** Deletes the oldest messages from before an instant, with their deliveries and attempts. @returns how many */
export async function deleteOldMessages(sql: Sql, before: Instant, limit: number): Promise<number> {
  const rows = await sql`
    WITH old AS MATERIALIZED (
      SELECT id FROM webhook_messages WHERE created_at < ${timestampText(before)}::text::timestamptz ORDER BY created_at LIMIT ${limit}
    )
    DELETE FROM webhook_messages m USING old
    WHERE m.organization = current_setting('weir.organization', true) AND m.id = old.id RETURNING 1`;
  return rows.length;
}

function messageOf(row: MessageRow): WebhookMessage {
  const { id, type, key, body } = row;
  return {
    id,
    type,
    key,
    body,
    occurredAt: instantOfMicros(row.occurred_at),
    createdAt: instantOfMicros(row.created_at),
  };
}
