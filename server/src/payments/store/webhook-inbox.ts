import { instantOfMicros, timestampText, type Sql } from "../../engines/postgres/index.js";
import type { OrganizationId, ProviderAccountId } from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";
import type { ProviderEvent } from "../provider.js";

export const inbox_states = ["pending", "processed", "ignored", "failed"] as const;
export type InboxState = (typeof inbox_states)[number];

/** An event that a provider told us of. */
export interface InboxEvent extends ProviderEvent {
  readonly account: ProviderAccountId;
  readonly state: InboxState;
  /** What came of it, or why nothing did. */
  readonly note: string | undefined;
  /** How often it was processed again by hand. */
  readonly replays: number;
  readonly receivedAt: Instant;
  readonly processedAt: Instant | undefined;
}

/** @returns whether it is new */
export async function insertInboxEvent(
  sql: Sql,
  organization: OrganizationId,
  account: ProviderAccountId,
  event: ProviderEvent,
  body: Uint8Array,
  receivedAt: Instant,
): Promise<boolean> {
  const rows = await sql`
    INSERT INTO webhook_inbox (organization, account, event, type, object_type, object_id, body, state, happened_at, received_at)
    VALUES (${organization}, ${account}, ${event.id}, ${event.type}, ${event.objectType}, ${event.objectId}, ${Buffer.from(body)}, 'pending',
            ${timestampText(event.happenedAt)}::text::timestamptz, ${timestampText(receivedAt)}::text::timestamptz)
    ON CONFLICT (organization, account, event) DO NOTHING
    RETURNING event`;
  return rows.length > 0;
}

export async function findInboxEvent(
  sql: Sql,
  account: string,
  event: string,
  { lock = false } = {},
): Promise<InboxEvent | undefined> {
  const rows = await sql<InboxRow[]>`
    SELECT account, event, type, object_type, object_id, state, note, replays,
           (extract(epoch FROM happened_at) * 1000000)::bigint::text AS happened_at,
           (extract(epoch FROM received_at) * 1000000)::bigint::text AS received_at,
           (extract(epoch FROM processed_at) * 1000000)::bigint::text AS processed_at
    FROM webhook_inbox WHERE account = ${account} AND event = ${event} ${lock ? sql`FOR NO KEY UPDATE` : sql``}`;
  return rows.map(inboxEventOf)[0];
}

export async function markInboxEvent(
  sql: Sql,
  { account, id }: Pick<InboxEvent, "account" | "id">,
  outcome: {
    readonly state: InboxState;
    readonly note: string | undefined;
    readonly at: Instant;
    readonly replays: number;
  },
): Promise<void> {
  const processed = outcome.state === "pending" ? null : timestampText(outcome.at);
  await sql`
    UPDATE webhook_inbox SET state = ${outcome.state}, note = ${outcome.note?.slice(0, 1024) ?? null}, replays = ${outcome.replays},
           processed_at = ${processed}::text::timestamptz
    WHERE account = ${account} AND event = ${id}`;
}

export interface InboxPage {
  readonly account?: string;
  readonly state?: InboxState;
  /** The cursor of the last event of the page before. */
  readonly before?: string;
  readonly limit: number;
}

/** Newest first. */
export async function listInbox(sql: Sql, page: InboxPage): Promise<InboxEvent[]> {
  const account = page.account ?? null;
  const state = page.state ?? null;
  const [micros = null, event = null] = page.before?.split(" ", 2) ?? [];
  const rows = await sql<InboxRow[]>`
    SELECT account, event, type, object_type, object_id, state, note, replays,
           (extract(epoch FROM happened_at) * 1000000)::bigint::text AS happened_at,
           (extract(epoch FROM received_at) * 1000000)::bigint::text AS received_at,
           (extract(epoch FROM processed_at) * 1000000)::bigint::text AS processed_at
    FROM webhook_inbox
    WHERE (${account}::text IS NULL OR account = ${account}) AND (${state}::text IS NULL OR state = ${state})
      AND (${micros}::text IS NULL OR (received_at, event) < (to_timestamp(0) + ${micros}::text::bigint * interval '1 microsecond', ${event}::text))
    ORDER BY received_at DESC, event DESC LIMIT ${page.limit}`;
  return rows.map(inboxEventOf);
}

/** Where in the list an event stands. */
export function inboxCursor({ receivedAt, id }: InboxEvent): string {
  return `${receivedAt} ${id}`;
}

export async function readCursor(
  sql: Sql,
  account: ProviderAccountId,
): Promise<{ cursor: string | undefined; readAt: Instant } | undefined> {
  const rows = await sql<{ cursor: string | null; read_at: string }[]>`
    SELECT cursor, (extract(epoch FROM read_at) * 1000000)::bigint::text AS read_at
    FROM provider_event_cursors WHERE account = ${account} FOR NO KEY UPDATE`;
  return rows.map((row) => ({ cursor: row.cursor ?? undefined, readAt: instantOfMicros(row.read_at) }))[0];
}

export async function writeCursor(
  sql: Sql,
  organization: OrganizationId,
  account: ProviderAccountId,
  cursor: string | undefined,
  at: Instant,
): Promise<void> {
  await sql`
    INSERT INTO provider_event_cursors (organization, account, cursor, read_at)
    VALUES (${organization}, ${account}, ${cursor ?? null}, ${timestampText(at)}::text::timestamptz)
    ON CONFLICT (organization, account) DO UPDATE SET cursor = excluded.cursor, read_at = excluded.read_at`;
}

interface InboxRow {
  readonly account: ProviderAccountId;
  readonly event: string;
  readonly type: string;
  readonly object_type: string;
  readonly object_id: string;
  readonly state: InboxState;
  readonly note: string | null;
  readonly replays: number;
  readonly happened_at: string;
  readonly received_at: string;
  readonly processed_at: string | null;
}

function inboxEventOf(row: InboxRow): InboxEvent {
  return {
    account: row.account,
    id: row.event,
    type: row.type,
    objectType: row.object_type,
    objectId: row.object_id,
    state: row.state,
    note: row.note ?? undefined,
    replays: row.replays,
    happenedAt: instantOfMicros(row.happened_at),
    receivedAt: instantOfMicros(row.received_at),
    processedAt: row.processed_at === null ? undefined : instantOfMicros(row.processed_at),
  };
}
