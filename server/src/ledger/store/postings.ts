import { arrayText, instantOfMicros, timestampText, type Sql } from "../../engines/postgres/index.js";
import type { Currency } from "../../kernel/currency.js";
import type { PostingId } from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";
import { accountOf, type Resolution, type Transfer } from "../core/index.js";

/** A posting as it stands in the ledger, for ever. */
export interface StoredPosting {
  readonly id: PostingId;
  readonly idempotencyKey: string;
  readonly fingerprint: string;
  readonly reason: string;
  readonly reference: string;
  readonly reverses: PostingId | undefined;
  /** Whether it moves pending sums only. */
  readonly pending: boolean;
  /** The pending posting that it resolves, and how. */
  readonly resolves: PostingId | undefined;
  readonly resolution: Resolution | undefined;
  /** The posting that resolved it, when it was pending. */
  readonly resolvedBy: PostingId | undefined;
  readonly postedAt: Instant;
  readonly transfers: readonly Transfer[];
}

interface PostingRow {
  readonly id: PostingId;
  readonly idempotency_key: string;
  readonly fingerprint: string;
  readonly reason: string;
  readonly reference: string;
  readonly reverses: PostingId | null;
  readonly pending: boolean;
  readonly resolves: PostingId | null;
  readonly resolution: Resolution | null;
  readonly resolved_by: PostingId | null;
  readonly posted_at: string;
}

interface TransferRow {
  readonly posting: PostingId;
  readonly debit: string;
  readonly credit: string;
  readonly currency: Currency;
  readonly amount_minor: string;
  readonly service_start: string | null;
  readonly service_end: string | null;
}

export interface PostingPage {
  readonly reference?: string;
  /** An account's code: postings that touch it. */
  readonly account?: string;
  /** Posted at this instant or later, and before the other. */
  readonly from?: Instant;
  readonly to?: Instant;
  readonly after?: string;
  readonly limit: number;
}

/** Postings by id, oldest first, after a posting; of one reference, account or time when given. */
export async function listPostings(sql: Sql, page: PostingPage): Promise<StoredPosting[]> {
  const reference = page.reference ?? null;
  const account = page.account ?? null;
  const from = page.from === undefined ? null : timestampText(page.from);
  const to = page.to === undefined ? null : timestampText(page.to);
  const rows = await sql<PostingRow[]>`
    SELECT id, idempotency_key, encode(fingerprint, 'hex') AS fingerprint, reason, reference, reverses, pending, resolves,
           resolution, (SELECT r.id FROM ledger_postings r WHERE r.resolves = p.id) AS resolved_by,
           (extract(epoch FROM posted_at) * 1000000)::bigint::text AS posted_at
    FROM ledger_postings p
    WHERE id > ${page.after ?? ""} AND (${reference}::text IS NULL OR reference = ${reference})
      AND (${from}::text IS NULL OR posted_at >= ${from}::text::timestamptz)
      AND (${to}::text IS NULL OR posted_at < ${to}::text::timestamptz)
      AND (${account}::text IS NULL OR EXISTS (
        SELECT FROM ledger_transfers t
        WHERE t.organization = p.organization AND t.posting = p.id AND (t.debit = ${account} OR t.credit = ${account})))
    ORDER BY id LIMIT ${page.limit}`;
  return withTransfers(sql, rows);
}

export async function findPosting(sql: Sql, id: string): Promise<StoredPosting | undefined> {
  return (await selectPostings(sql, [id as PostingId]))[0];
}

/** These postings, by id. */
export async function selectPostings(sql: Sql, ids: readonly PostingId[]): Promise<StoredPosting[]> {
  const rows = await sql<PostingRow[]>`
    SELECT id, idempotency_key, encode(fingerprint, 'hex') AS fingerprint, reason, reference, reverses, pending, resolves,
           resolution, (SELECT r.id FROM ledger_postings r WHERE r.resolves = p.id) AS resolved_by,
           (extract(epoch FROM posted_at) * 1000000)::bigint::text AS posted_at
    FROM ledger_postings p WHERE id = ANY (${arrayText(ids)}::text[]) ORDER BY id`;
  return withTransfers(sql, rows);
}

export async function findPostingByKey(sql: Sql, idempotencyKey: string): Promise<StoredPosting | undefined> {
  const rows = await sql<{ id: PostingId }[]>`
    SELECT id FROM ledger_postings WHERE idempotency_key = ${idempotencyKey}`;
  return rows[0] === undefined ? undefined : findPosting(sql, rows[0].id);
}

/** What stands under these keys. */
export async function findFingerprints(
  sql: Sql,
  keys: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const rows = await sql<{ idempotency_key: string; fingerprint: string }[]>`
    SELECT idempotency_key, encode(fingerprint, 'hex') AS fingerprint FROM ledger_postings
    WHERE idempotency_key = ANY (${arrayText(keys)}::text[])`;
  return new Map(rows.map((row) => [row.idempotency_key, row.fingerprint]));
}

async function withTransfers(sql: Sql, rows: readonly PostingRow[]): Promise<StoredPosting[]> {
  if (rows.length === 0) return [];
  const transfers = await sql<TransferRow[]>`
    SELECT posting, debit, credit, currency, amount_minor::text,
           (extract(epoch FROM service_start) * 1000000)::bigint::text AS service_start,
           (extract(epoch FROM service_end) * 1000000)::bigint::text AS service_end
    FROM ledger_transfers WHERE posting = ANY (${arrayText(rows.map((row) => row.id))}::text[])
    ORDER BY posting, position`;
  const ofPosting = new Map<PostingId, TransferRow[]>();
  for (const transfer of transfers) {
    const known = ofPosting.get(transfer.posting);
    if (known === undefined) ofPosting.set(transfer.posting, [transfer]);
    else known.push(transfer);
  }
  return rows.map((row) => ({
    id: row.id,
    idempotencyKey: row.idempotency_key,
    fingerprint: row.fingerprint,
    reason: row.reason,
    reference: row.reference,
    reverses: row.reverses ?? undefined,
    pending: row.pending,
    resolves: row.resolves ?? undefined,
    resolution: row.resolution ?? undefined,
    resolvedBy: row.resolved_by ?? undefined,
    postedAt: instantOfMicros(row.posted_at),
    transfers: (ofPosting.get(row.id) ?? []).map(transferOf),
  }));
}

function transferOf(row: TransferRow): Transfer {
  const moved = {
    debit: accountOf(row.debit),
    credit: accountOf(row.credit),
    amount: { currency: row.currency, minor: BigInt(row.amount_minor) },
  };
  if (row.service_start === null || row.service_end === null) return moved;
  const service = { start: instantOfMicros(row.service_start), end: instantOfMicros(row.service_end) };
  return { ...moved, service };
}
