import { instantOfMicros, timestampText, type Sql } from "../../engines/postgres/index.js";
import type { Currency } from "../../kernel/currency.js";
import type { OrganizationId, PaymentBatchId, ProviderAccountId } from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";

export const batch_states = ["open", "closing", "closed"] as const;
/** `closing`: nothing of it changes any more, and its file is being made. */
export type BatchState = (typeof batch_states)[number];

/** What goes out together, in one file. */
export interface PaymentBatch {
  readonly id: PaymentBatchId;
  readonly account: ProviderAccountId;
  /** 1, 2, 3 … of its account, without gaps, from the account's first. */
  readonly sequence: bigint;
  readonly state: BatchState;
  /** That wait in it, or went with it. */
  readonly items: number;
  readonly openedAt: Instant;
  /** When it is closed by itself. */
  readonly closesAt: Instant | undefined;
  readonly closedAt: Instant | undefined;
  /** A key's id, or "system". */
  readonly closedBy: string | undefined;
  /** Of the account, as they were when it was closed. */
  readonly settings: Readonly<Record<string, string>> | undefined;
  readonly file: BatchFile | undefined;
}

export interface BatchFile {
  readonly name: string;
  /** In hexadecimal. */
  readonly sha256: string;
  readonly bytes: number;
  /** Whose data directory it lies in. */
  readonly writer: string;
}

/** Holds whoever else puts something into a batch of an account, or closes one, until the transaction ends. */
export async function lockBatches(sql: Sql, account: ProviderAccountId): Promise<void> {
  await sql`SELECT FROM provider_accounts WHERE id = ${account} FOR NO KEY UPDATE`;
}

export async function insertBatch(
  sql: Sql,
  organization: OrganizationId,
  batch: Pick<PaymentBatch, "id" | "account" | "sequence" | "openedAt" | "closesAt">,
): Promise<void> {
  await sql`
    INSERT INTO payment_batches (organization, id, account, sequence, state, opened_at, closes_at)
    VALUES (${organization}, ${batch.id}, ${batch.account}, ${batch.sequence.toString()}::text::bigint, 'open',
            ${timestampText(batch.openedAt)}::text::timestamptz, ${text(batch.closesAt)}::text::timestamptz)`;
}

/** The number of an account's last batch. */
export async function lastSequence(sql: Sql, account: ProviderAccountId): Promise<bigint | undefined> {
  const rows = await sql<{ last: string | null }[]>`
    SELECT max(sequence)::text AS last FROM payment_batches WHERE account = ${account}`;
  const last = rows[0]?.last ?? null;
  return last === null ? undefined : BigInt(last);
}

/** Of an account whose batches are locked. */
export async function findOpenBatch(sql: Sql, account: ProviderAccountId): Promise<PaymentBatch | undefined> {
  const rows = await sql<{ id: string }[]>`
    SELECT id FROM payment_batches WHERE account = ${account} AND state = 'open'`;
  return rows[0] === undefined ? undefined : findBatch(sql, rows[0].id);
}

export async function findBatch(
  sql: Sql,
  id: string,
  { lock = false } = {},
): Promise<PaymentBatch | undefined> {
  const rows = await sql<BatchRow[]>`
    SELECT id, account, sequence::text, state, items, (extract(epoch FROM opened_at) * 1000000)::bigint::text AS opened_at,
           (extract(epoch FROM closes_at) * 1000000)::bigint::text AS closes_at,
           (extract(epoch FROM closed_at) * 1000000)::bigint::text AS closed_at, closed_by, settings, file_name,
           encode(sha256, 'hex') AS sha256, bytes::text, writer
    FROM payment_batches WHERE id = ${id} ${lock ? sql`FOR NO KEY UPDATE` : sql``}`;
  return rows.map(batchOf)[0];
}

export interface BatchPage {
  readonly account?: ProviderAccountId;
  readonly state?: BatchState;
  readonly after?: string;
  readonly limit: number;
}

/** By id, oldest first. */
export async function listBatches(sql: Sql, page: BatchPage): Promise<PaymentBatch[]> {
  const account = page.account ?? null;
  const state = page.state ?? null;
  const rows = await sql<BatchRow[]>`
    SELECT id, account, sequence::text, state, items, (extract(epoch FROM opened_at) * 1000000)::bigint::text AS opened_at,
           (extract(epoch FROM closes_at) * 1000000)::bigint::text AS closes_at,
           (extract(epoch FROM closed_at) * 1000000)::bigint::text AS closed_at, closed_by, settings, file_name,
           encode(sha256, 'hex') AS sha256, bytes::text, writer
    FROM payment_batches
    WHERE id > ${page.after ?? ""} AND (${account}::text IS NULL OR account = ${account}) AND (${state}::text IS NULL OR state = ${state})
    ORDER BY id LIMIT ${page.limit}`;
  return rows.map(batchOf);
}

/** Counts items of an open batch up, or down. */
export async function addItems(sql: Sql, id: PaymentBatchId, items: number): Promise<void> {
  await sql`UPDATE payment_batches SET items = items + ${items} WHERE id = ${id}`;
}

/** When an open batch is closed by itself. */
export async function setClosing(sql: Sql, id: PaymentBatchId, closesAt: Instant | undefined): Promise<void> {
  await sql`UPDATE payment_batches SET closes_at = ${text(closesAt)}::text::timestamptz WHERE id = ${id}`;
}

/** Of an open batch whose account is locked: nothing of it changes any more. */
export async function markClosing(
  sql: Sql,
  id: PaymentBatchId,
  closing: { readonly at: Instant; readonly by: string; readonly settings: Readonly<Record<string, string>> },
): Promise<void> {
  await sql`
    UPDATE payment_batches
    SET state = 'closing', closed_at = ${timestampText(closing.at)}::text::timestamptz, closed_by = ${closing.by},
        settings = ${JSON.stringify(closing.settings)}::text::jsonb
    WHERE id = ${id}`;
}

export async function markClosed(sql: Sql, id: PaymentBatchId, file: BatchFile): Promise<void> {
  await sql`
    UPDATE payment_batches
    SET state = 'closed', file_name = ${file.name}, sha256 = decode(${file.sha256}, 'hex'), bytes = ${file.bytes}, writer = ${file.writer}
    WHERE id = ${id}`;
}

/** What items of a batch come to. */
export interface BatchTotal {
  readonly currency: Currency;
  readonly items: number;
  readonly minor: bigint;
}

/** In the order of the currencies' codes. */
export async function sumBatch(sql: Sql, id: PaymentBatchId): Promise<BatchTotal[]> {
  const rows = await sql<{ currency: Currency; items: number; minor: string }[]>`
    SELECT currency, count(*)::int AS items, sum(amount_minor)::text AS minor
    FROM payment_batch_items WHERE batch = ${id} GROUP BY currency ORDER BY currency`;
  return rows.map((row) => ({ ...row, minor: BigInt(row.minor) }));
}

interface BatchRow {
  readonly id: PaymentBatchId;
  readonly account: ProviderAccountId;
  readonly sequence: string;
  readonly state: BatchState;
  readonly items: number;
  readonly opened_at: string;
  readonly closes_at: string | null;
  readonly closed_at: string | null;
  readonly closed_by: string | null;
  readonly settings: Record<string, string> | null;
  readonly file_name: string | null;
  readonly sha256: string | null;
  readonly bytes: string | null;
  readonly writer: string | null;
}

function batchOf(row: BatchRow): PaymentBatch {
  const { file_name: name, sha256, bytes, writer } = row;
  const instant = (micros: string | null) => (micros === null ? undefined : instantOfMicros(micros));
  return {
    id: row.id,
    account: row.account,
    sequence: BigInt(row.sequence),
    state: row.state,
    items: row.items,
    openedAt: instantOfMicros(row.opened_at),
    closesAt: instant(row.closes_at),
    closedAt: instant(row.closed_at),
    closedBy: row.closed_by ?? undefined,
    settings: row.settings ?? undefined,
    file:
      name === null || sha256 === null || bytes === null || writer === null
        ? undefined
        : { name, sha256, bytes: Number(bytes), writer },
  };
}

function text(at: Instant | undefined): string | null {
  return at === undefined ? null : timestampText(at);
}
