import type { Sql } from "../../engines/postgres/index.js";
import type { OrganizationId } from "../../kernel/ids.js";

/** A block as it stands beside what its postings make of it, and the first thing in it that differs. */
export interface CheckedBlock {
  readonly number: number;
  readonly previous: string;
  readonly hash: string;
  readonly postings: number;
  /** The hash of what was sealed in it, with the previous hash that it names. */
  readonly computedHash: string | null;
  /** Whether counts and times are those of its postings. */
  readonly fits: boolean;
  /** The first member that is not what was sealed. */
  readonly changed: {
    readonly position: number;
    readonly posting: string;
    readonly sealed: string;
    readonly found: string | null;
  } | null;
  /** The first account whose sums are not those of its postings. */
  readonly differing: { readonly code: string; readonly currency: string } | null;
}

/**
 * Computes a block anew from its postings and transfers. Undefined when there is none of this number. Written out beside
 * what sealed it (blocks.ts) and not shared with it: what checks a statement does not run the statement.
 */
export async function checkBlock(
  sql: Sql,
  organization: OrganizationId,
  number: number,
): Promise<CheckedBlock | undefined> {
  const rows = await sql<CheckedBlock[]>`
    WITH member AS MATERIALIZED (
      SELECT s.position, s.posting, s.digest AS sealed, p.*
      FROM ledger_sealed_postings s
      LEFT JOIN LATERAL (SELECT * FROM ledger_postings WHERE id = s.posting OFFSET 0) p ON true
      WHERE s.block = ${number}
    ), digested AS MATERIALIZED (
      SELECT m.position, m.posting, m.sealed, m.posted_at,
             CASE WHEN m.id IS NOT NULL THEN
               weir_posting_digest(m.id, m.idempotency_key, m.fingerprint, m.reason, m.reference, m.reverses, m.pending,
                                   m.resolves, m.resolution, m.posted_at) || coalesce(t.digests, '') END AS found
      FROM member m
      CROSS JOIN LATERAL (
        SELECT string_agg(weir_transfer_digest(t.position, t.debit, t.credit, t.currency, t.amount_minor, t.service_start,
                                               t.service_end), ''::bytea ORDER BY t.position) AS digests
        FROM ledger_transfers t WHERE t.posting = m.posting OFFSET 0) t
    ), effect AS (
      SELECT side.code, t.currency,
             CASE WHEN m.pending THEN 0 ELSE side.debit END AS debit, CASE WHEN m.pending THEN 0 ELSE side.credit END AS credit,
             CASE WHEN m.pending THEN side.debit ELSE 0 END AS pending_debit,
             CASE WHEN m.pending THEN side.credit ELSE 0 END AS pending_credit
      FROM member m
      CROSS JOIN LATERAL (SELECT * FROM ledger_transfers WHERE posting = m.posting OFFSET 0) t
      CROSS JOIN LATERAL (VALUES (t.debit, t.amount_minor, 0), (t.credit, 0, t.amount_minor)) AS side (code, debit, credit)
      UNION ALL
      SELECT side.code, t.currency, 0, 0, -side.debit, -side.credit
      FROM member m
      CROSS JOIN LATERAL (SELECT * FROM ledger_transfers WHERE posting = m.resolves OFFSET 0) t
      CROSS JOIN LATERAL (VALUES (t.debit, t.amount_minor, 0), (t.credit, 0, t.amount_minor)) AS side (code, debit, credit)
      WHERE m.resolves IS NOT NULL
    ), summed AS (
      SELECT weir_control_code(code) AS code, currency, sum(debit) AS debit, sum(credit) AS credit,
             sum(pending_debit) AS pending_debit, sum(pending_credit) AS pending_credit
      FROM effect GROUP BY weir_control_code(code), currency
    ), differing AS (
      SELECT coalesce(f.code, k.code) AS code, coalesce(f.currency, k.currency) AS currency
      FROM summed f
      FULL JOIN (SELECT * FROM ledger_block_sums WHERE block = ${number}) k ON k.code = f.code AND k.currency = f.currency
      WHERE (f.debit, f.credit, f.pending_debit, f.pending_credit)
            IS DISTINCT FROM (k.debit_minor, k.credit_minor, k.pending_debit_minor, k.pending_credit_minor)
      ORDER BY 1, 2 LIMIT 1
    )
    SELECT b.number, encode(b.previous, 'hex') AS previous, encode(b.hash, 'hex') AS hash, b.postings,
           encode(sha256(b.previous
                         || convert_to(weir_digested(b.number::text) || weir_digested(b.postings::text)
                                       || weir_digested(b.transfers::text), 'UTF8')
                         || d.members), 'hex') AS "computedHash",
           coalesce((b.postings, b.transfers, b.first_posted_at, b.last_posted_at)
                    = (d.postings, d.transfers, d.first_posted_at, d.last_posted_at), false) AS fits,
           (SELECT json_build_object('position', c.position, 'posting', c.posting, 'sealed', encode(c.sealed, 'hex'),
                                     'found', encode(c.found, 'hex'))
            FROM digested c WHERE c.found IS DISTINCT FROM c.sealed ORDER BY c.position LIMIT 1) AS changed,
           (SELECT json_build_object('code', code, 'currency', currency) FROM differing) AS differing
    FROM ledger_blocks b
    CROSS JOIN (SELECT count(*)::int AS postings, (sum(length(sealed)) / 32 - count(*))::int AS transfers,
                       min(posted_at) AS first_posted_at, max(posted_at) AS last_posted_at,
                       string_agg(sha256(convert_to(posting, 'UTF8') || sealed), ''::bytea ORDER BY position) AS members
                FROM digested) d
    WHERE b.organization = ${organization} AND b.number = ${number}`;
  return rows[0];
}

/** How many blocks there are: the number of the last, whether or not those before it are there. */
export async function countBlocks(sql: Sql): Promise<number> {
  const rows = await sql<{ blocks: number }[]>`
    SELECT coalesce(max(block), 0) AS blocks
    FROM (SELECT max(number) AS block FROM ledger_blocks UNION ALL SELECT max(block) FROM ledger_sealed_postings) last`;
  return rows[0]?.blocks ?? 0;
}
