import { instantOfMicros, timestampText, type Sql } from "../../engines/postgres/index.js";
import type { Currency } from "../../kernel/currency.js";
import type {
  OrganizationId,
  PaymentBatchId,
  PaymentBatchItemId,
  ProviderAccountId,
} from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";

export const batch_actions = ["charge", "refund", "represent"] as const;
/** `represent`: answers a chargeback. */
export type BatchAction = (typeof batch_actions)[number];

export const batch_item_states = ["reserved", "queued", "sent", "withdrawn"] as const;
/** `reserved`: written down, and waits in no batch; `withdrawn`: will never go. */
export type BatchItemState = (typeof batch_item_states)[number];

/** One thing that goes out in a file. */
export interface BatchItem {
  readonly id: PaymentBatchItemId;
  readonly account: ProviderAccountId;
  readonly action: BatchAction;
  /** The attempt's, refund's or dispute's id. */
  readonly subject: string;
  /** Names it in the answers: unique in the account. */
  readonly reference: string;
  readonly currency: Currency;
  /** In minor units. */
  readonly amount: bigint;
  /** Sealed. */
  readonly details: Uint8Array;
  readonly state: BatchItemState;
  readonly batch: PaymentBatchId | undefined;
  /** In the file, from 1. */
  readonly position: number | undefined;
  readonly createdAt: Instant;
  readonly changedAt: Instant;
}

/** @returns whether it was written: not when its subject has one */
export async function insertItem(
  sql: Sql,
  organization: OrganizationId,
  item: Omit<BatchItem, "state" | "batch" | "position" | "changedAt">,
): Promise<boolean> {
  const at = timestampText(item.createdAt);
  const rows = await sql`
    INSERT INTO payment_batch_items (organization, id, account, action, subject, reference, currency, amount_minor, details, state,
                                     created_at, changed_at)
    VALUES (${organization}, ${item.id}, ${item.account}, ${item.action}, ${item.subject}, ${item.reference}, ${item.currency},
            ${item.amount.toString()}::text::numeric, ${Buffer.from(item.details)}, 'reserved', ${at}::text::timestamptz,
            ${at}::text::timestamptz)
    ON CONFLICT ON CONSTRAINT payment_batch_items_once DO NOTHING
    RETURNING id`;
  return rows.length > 0;
}

export async function findItem(
  sql: Sql,
  subject: string,
  { lock = false } = {},
): Promise<BatchItem | undefined> {
  const rows = await sql<ItemRow[]>`
    SELECT id, account, action, subject, reference, currency, amount_minor::text AS amount, details, state, batch, position,
           (extract(epoch FROM created_at) * 1000000)::bigint::text AS created_at,
           (extract(epoch FROM changed_at) * 1000000)::bigint::text AS changed_at
    FROM payment_batch_items WHERE subject = ${subject} ${lock ? sql`FOR NO KEY UPDATE` : sql``}`;
  return rows.map(itemOf)[0];
}

/** Of one that was not sent and is locked. */
export async function updateItem(
  sql: Sql,
  item: Pick<BatchItem, "id" | "details" | "state" | "batch" | "changedAt">,
): Promise<void> {
  await sql`
    UPDATE payment_batch_items
    SET details = ${Buffer.from(item.details)}, state = ${item.state}, batch = ${item.batch ?? null},
        changed_at = ${timestampText(item.changedAt)}::text::timestamptz
    WHERE id = ${item.id}`;
}

/** Numbers a batch's items, by currency and age: they go. */
export async function markSent(sql: Sql, batch: PaymentBatchId, at: Instant): Promise<void> {
  await sql`
    UPDATE payment_batch_items i
    SET state = 'sent', position = n.position, changed_at = ${timestampText(at)}::text::timestamptz
    FROM (SELECT organization, id, row_number() OVER (ORDER BY currency, id)::int AS position
          FROM payment_batch_items WHERE batch = ${batch}) n
    WHERE i.organization = n.organization AND i.id = n.id`;
}

/** Of a batch, by id. */
export async function listItems(
  sql: Sql,
  batch: PaymentBatchId,
  page: { readonly after?: string; readonly limit: number },
): Promise<BatchItem[]> {
  const rows = await sql<ItemRow[]>`
    SELECT id, account, action, subject, reference, currency, amount_minor::text AS amount, details, state, batch, position,
           (extract(epoch FROM created_at) * 1000000)::bigint::text AS created_at,
           (extract(epoch FROM changed_at) * 1000000)::bigint::text AS changed_at
    FROM payment_batch_items WHERE batch = ${batch} AND id > ${page.after ?? ""}
    ORDER BY id LIMIT ${page.limit}`;
  return rows.map(itemOf);
}

/** Of a batch that is closed, in the order of its file, from behind a position. */
export async function listSentItems(
  sql: Sql,
  batch: PaymentBatchId,
  page: { readonly after: number; readonly limit: number },
): Promise<BatchItem[]> {
  const rows = await sql<ItemRow[]>`
    SELECT id, account, action, subject, reference, currency, amount_minor::text AS amount, details, state, batch, position,
           (extract(epoch FROM created_at) * 1000000)::bigint::text AS created_at,
           (extract(epoch FROM changed_at) * 1000000)::bigint::text AS changed_at
    FROM payment_batch_items WHERE batch = ${batch} AND position > ${page.after}
    ORDER BY position LIMIT ${page.limit}`;
  return rows.map(itemOf);
}

interface ItemRow {
  readonly id: PaymentBatchItemId;
  readonly account: ProviderAccountId;
  readonly action: BatchAction;
  readonly subject: string;
  readonly reference: string;
  readonly currency: Currency;
  readonly amount: string;
  readonly details: Uint8Array;
  readonly state: BatchItemState;
  readonly batch: PaymentBatchId | null;
  readonly position: number | null;
  readonly created_at: string;
  readonly changed_at: string;
}

function itemOf({ created_at: createdAt, changed_at: changedAt, ...row }: ItemRow): BatchItem {
  return {
    ...row,
    amount: BigInt(row.amount),
    batch: row.batch ?? undefined,
    position: row.position ?? undefined,
    createdAt: instantOfMicros(createdAt),
    changedAt: instantOfMicros(changedAt),
  };
}
