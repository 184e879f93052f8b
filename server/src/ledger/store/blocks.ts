import { arrayText, instantOfMicros, timestampText, type Sql } from "../../engines/postgres/index.js";
import type { OrganizationId } from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";

/** A sealed block; hashes in hexadecimal. */
export interface LedgerBlock {
  readonly number: number;
  readonly postings: number;
  readonly transfers: number;
  readonly firstPostedAt: Instant;
  readonly lastPostedAt: Instant;
  readonly previous: string;
  readonly hash: string;
  readonly sealedAt: Instant;
}

interface BlockRow {
  readonly number: number;
  readonly postings: number;
  readonly transfers: number;
  readonly first_posted_at: string;
  readonly last_posted_at: string;
  readonly previous: string;
  readonly hash: string;
  readonly sealed_at: string;
}

/** Newest first, before a number when given. */
export async function listBlocks(sql: Sql, page: { before?: number; limit: number }): Promise<LedgerBlock[]> {
  const rows = await sql<BlockRow[]>`
    SELECT number, postings, transfers, encode(previous, 'hex') AS previous, encode(hash, 'hex') AS hash,
           (extract(epoch FROM first_posted_at) * 1000000)::bigint::text AS first_posted_at,
           (extract(epoch FROM last_posted_at) * 1000000)::bigint::text AS last_posted_at,
           (extract(epoch FROM sealed_at) * 1000000)::bigint::text AS sealed_at
    FROM ledger_blocks WHERE number < ${page.before ?? 2_147_483_647}
    ORDER BY number DESC LIMIT ${page.limit}`;
  return rows.map((row) => ({
    number: row.number,
    postings: row.postings,
    transfers: row.transfers,
    firstPostedAt: instantOfMicros(row.first_posted_at),
    lastPostedAt: instantOfMicros(row.last_posted_at),
    previous: row.previous,
    hash: row.hash,
    sealedAt: instantOfMicros(row.sealed_at),
  }));
}

/** The last block, or the last before a number: number 0 when there is none, whose hash is that of the organization's id. */
export async function lastBlock(
  sql: Sql,
  organization: OrganizationId,
  { before = 2_147_483_647 }: { before?: number } = {},
): Promise<{ number: number; hash: string }> {
  const rows = await sql<{ number: number; hash: string }[]>`
    SELECT coalesce(b.number, 0) AS number, encode(coalesce(b.hash, sha256(convert_to(${organization}, 'UTF8'))), 'hex') AS hash
    FROM (SELECT) one
    LEFT JOIN (SELECT number, hash FROM ledger_blocks WHERE number < ${before} ORDER BY number DESC LIMIT 1) b ON true`;
  const [row] = rows;
  if (row === undefined) throw new RangeError("one row is always there");
  return row;
}

/**
 * Seals postings as one block, in the order given: their digests, what they moved, and the hash over them and the block
 * before. The digests and the hash are described in docs/spec/ledger.md; verify-blocks.ts computes them again.
 *
 * @returns the block's hash
 */
// A posting's transfers are fetched twice: joined to the members, by their position, they were compared each with each.
export async function insertBlock(
  sql: Sql,
  organization: OrganizationId,
  block: { number: number; previous: string; postings: readonly string[]; sealedAt: Instant },
): Promise<string> {
  const rows = await sql<{ hash: string }[]>`
    WITH member AS MATERIALIZED (
      SELECT (w.place - 1)::int AS position, p.*
      FROM unnest(${arrayText(block.postings)}::text[]) WITH ORDINALITY AS w (id, place)
      CROSS JOIN LATERAL (SELECT * FROM ledger_postings WHERE id = w.id OFFSET 0) p
    ), digested AS MATERIALIZED (
      SELECT m.position, m.id,
             weir_posting_digest(m.id, m.idempotency_key, m.fingerprint, m.reason, m.reference, m.reverses, m.pending,
                                 m.resolves, m.resolution, m.posted_at) || coalesce(t.digests, '') AS digest,
             m.posted_at
      FROM member m
      CROSS JOIN LATERAL (
        SELECT string_agg(weir_transfer_digest(t.position, t.debit, t.credit, t.currency, t.amount_minor, t.service_start,
                                               t.service_end), ''::bytea ORDER BY t.position) AS digests
        FROM ledger_transfers t WHERE t.posting = m.id OFFSET 0) t
    ), effect AS (
      SELECT side.code, t.currency,
             CASE WHEN m.pending THEN 0 ELSE side.debit END AS debit, CASE WHEN m.pending THEN 0 ELSE side.credit END AS credit,
             CASE WHEN m.pending THEN side.debit ELSE 0 END AS pending_debit,
             CASE WHEN m.pending THEN side.credit ELSE 0 END AS pending_credit
      FROM member m
      CROSS JOIN LATERAL (SELECT * FROM ledger_transfers WHERE posting = m.id OFFSET 0) t
      CROSS JOIN LATERAL (VALUES (t.debit, t.amount_minor, 0), (t.credit, 0, t.amount_minor)) AS side (code, debit, credit)
      UNION ALL
      SELECT side.code, t.currency, 0, 0, -side.debit, -side.credit
      FROM member m
      CROSS JOIN LATERAL (SELECT * FROM ledger_transfers WHERE posting = m.resolves OFFSET 0) t
      CROSS JOIN LATERAL (VALUES (t.debit, t.amount_minor, 0), (t.credit, 0, t.amount_minor)) AS side (code, debit, credit)
      WHERE m.resolves IS NOT NULL
    ), sealed AS (
      INSERT INTO ledger_sealed_postings (organization, block, position, posting, digest)
      SELECT ${organization}, ${block.number}, position, id, digest FROM digested
    ), summed AS (
      INSERT INTO ledger_block_sums
        (organization, block, code, currency, debit_minor, credit_minor, pending_debit_minor, pending_credit_minor)
      SELECT ${organization}, ${block.number}, weir_control_code(code), currency, sum(debit), sum(credit), sum(pending_debit),
             sum(pending_credit)
      FROM effect GROUP BY weir_control_code(code), currency
    )
    INSERT INTO ledger_blocks
      (organization, number, postings, transfers, first_posted_at, last_posted_at, previous, hash, sealed_at)
    SELECT ${organization}, ${block.number}, d.postings, d.transfers, d.first_posted_at, d.last_posted_at,
           decode(${block.previous}, 'hex'),
           sha256(decode(${block.previous}, 'hex')
                  || convert_to(weir_digested(${block.number}::int::text) || weir_digested(d.postings::text)
                                || weir_digested(d.transfers::text), 'UTF8')
                  || d.members),
           ${timestampText(block.sealedAt)}::text::timestamptz
    FROM (SELECT count(*)::int AS postings, (sum(length(digest)) / 32 - count(*))::int AS transfers,
                 min(posted_at) AS first_posted_at, max(posted_at) AS last_posted_at,
                 string_agg(sha256(convert_to(id, 'UTF8') || digest), ''::bytea ORDER BY position) AS members
          FROM digested) d
    RETURNING encode(hash, 'hex') AS hash`;
  const [row] = rows;
  if (row === undefined) throw new RangeError("a block was not written");
  return row.hash;
}
