import type { Sql } from "../../engines/postgres/index.js";
import type { PostingId } from "../../kernel/ids.js";
import type { AccountInCurrency } from "./sums.js";

/** What is wrong within some postings, in the order of their ids. */
export interface CheckedRows {
  /** The last posting of these; undefined when there are no more. */
  readonly until: string | undefined;
  readonly postings: number;
  /** A posting that is in no block, though those of later transactions are. */
  readonly unsealed: string | undefined;
  /** A transfer of a posting that is not there. */
  readonly orphan: { readonly posting: string; readonly position: number } | undefined;
}

/** Looks for what no block knows of: rows that were put in past the ledger. */
export async function checkRows(
  sql: Sql,
  { after, limit }: { after: string; limit: number },
): Promise<CheckedRows> {
  const rows = await sql<RowsRow[]>`
    WITH looked_at AS MATERIALIZED (
      SELECT id FROM ledger_postings WHERE id > ${after} ORDER BY id LIMIT ${limit}
    ), bound AS MATERIALIZED (
      SELECT count(*)::int AS postings, CASE WHEN count(*) = ${limit} THEN max(id) END AS until FROM looked_at
    )
    SELECT b.postings, b.until,
           (SELECT s.id FROM looked_at s
            WHERE NOT EXISTS (SELECT FROM ledger_sealed_postings m WHERE m.posting = s.id OFFSET 0)
              AND NOT EXISTS (SELECT FROM ledger_unsealed u WHERE u.id = s.id)
            ORDER BY s.id LIMIT 1) AS unsealed,
           (SELECT json_build_object('posting', t.posting, 'position', t.position) FROM ledger_transfers t
            WHERE t.posting > ${after} AND (b.until IS NULL OR t.posting <= b.until)
              AND NOT EXISTS (SELECT FROM ledger_postings p WHERE p.organization = t.organization AND p.id = t.posting)
            LIMIT 1) AS orphan
    FROM bound b`;
  const [row] = rows;
  return {
    until: row?.until ?? undefined,
    postings: row?.postings ?? 0,
    unsealed: row?.unsealed ?? undefined,
    orphan: row?.orphan ?? undefined,
  };
}

interface RowsRow {
  readonly postings: number;
  readonly until: string | null;
  readonly unsealed: string | null;
  readonly orphan: { readonly posting: string; readonly position: number } | null;
}

/** Postings that are in no block yet, by id. */
export async function selectUnsealedIds(
  sql: Sql,
  { after, limit }: { after: string; limit: number },
): Promise<PostingId[]> {
  const rows = await sql<{ id: PostingId }[]>`
    SELECT id FROM ledger_unsealed WHERE id > ${after} ORDER BY id LIMIT ${limit}`;
  return rows.map(({ id }) => id);
}

/** A customer's account, what is kept of it, and what its transfers add up to. */
export interface ReplayedAccount {
  readonly code: string;
  readonly currency: string;
  readonly kept: readonly string[];
  readonly replayed: readonly string[];
}

/** Adds customers' accounts up anew from all of their transfers; kept sums and these are of one snapshot. */
export async function replayAccounts(
  sql: Sql,
  { after, limit }: { after: AccountInCurrency; limit: number },
): Promise<ReplayedAccount[]> {
  return sql<ReplayedAccount[]>`
    SELECT a.code, a.currency,
           ARRAY[k.debit, k.credit, k.pending_debit, k.pending_credit]::text[] AS kept,
           ARRAY[coalesce(t.debit, 0), coalesce(t.credit, 0), coalesce(t.pending_debit, 0), coalesce(t.pending_credit, 0)]::text[]
             AS replayed
    FROM (SELECT code, currency FROM ledger_accounts
          WHERE (code, currency) > (${after.code}, ${after.currency}) AND weir_control_code(code) <> code
          ORDER BY code, currency LIMIT ${limit}) a
    CROSS JOIN LATERAL (
      SELECT coalesce(sum(debit_minor), 0) AS debit, coalesce(sum(credit_minor), 0) AS credit,
             coalesce(sum(pending_debit_minor), 0) AS pending_debit, coalesce(sum(pending_credit_minor), 0) AS pending_credit
      FROM ledger_balances WHERE account = a.code AND currency = a.currency OFFSET 0) k
    CROSS JOIN LATERAL (
      SELECT sum(side.debit) FILTER (WHERE p.counts) AS debit, sum(side.credit) FILTER (WHERE p.counts) AS credit,
             sum(side.debit) FILTER (WHERE NOT p.counts) AS pending_debit,
             sum(side.credit) FILTER (WHERE NOT p.counts) AS pending_credit
      FROM (SELECT posting, amount_minor AS debit, 0 AS credit FROM ledger_transfers
            WHERE debit = a.code AND currency = a.currency
            UNION ALL
            SELECT posting, 0, amount_minor FROM ledger_transfers WHERE credit = a.code AND currency = a.currency) side
      CROSS JOIN LATERAL (
        SELECT NOT pending AS counts FROM ledger_postings p
        WHERE id = side.posting
          AND (NOT pending OR NOT EXISTS (SELECT FROM ledger_postings r WHERE r.resolves = p.id OFFSET 0))
        OFFSET 0) p
      OFFSET 0) t
    ORDER BY a.code, a.currency`;
}
