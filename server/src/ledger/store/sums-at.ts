import { timestampText, type Sql } from "../../engines/postgres/index.js";
import type { Currency } from "../../kernel/currency.js";
import type { Instant } from "../../kernel/instant.js";
import { accountOf, chart, type AccountSums } from "../core/index.js";
import type { AccountInCurrency } from "./sums.js";

/** Sums of a control account, at an instant and as they are kept now. */
export interface ControlSums {
  /** What the transfers up to the instant add up to. */
  readonly transferred: readonly AccountSums[];
  /** What is kept now, of the same snapshot. */
  readonly kept: readonly AccountSums[];
}

interface ControlRow {
  readonly is_kept: boolean;
  readonly code: string;
  readonly currency: Currency;
  readonly debit: string;
  readonly credit: string;
  readonly pending_debit: string;
  readonly pending_credit: string;
}

/**
 * What control accounts hold at an instant, postings of that very instant included: the accounts of customers added up
 * under their kind, every other by itself. Blocks that lie before the instant count whole by their sums; only what is
 * in a block that holds the instant, and what is in none yet, is added up from transfers.
 *
 * @param at    as of now when left out
 * @param kept  whether to read what is kept too, in the same snapshot
 */
export async function readControlSums(
  sql: Sql,
  { at, kept }: { at: Instant | undefined; kept: boolean },
): Promise<ControlSums> {
  const instant = at === undefined ? "infinity" : timestampText(at);
  // LATERAL and OFFSET: one by one by their keys, whatever the planner thinks of how many there are.
  const rows = await sql<ControlRow[]>`
    WITH reached AS MATERIALIZED (
      SELECT number, last_posted_at <= ${instant}::text::timestamptz AS is_whole
      FROM ledger_blocks WHERE first_posted_at <= ${instant}::text::timestamptz
    ), single AS MATERIALIZED (
      SELECT p.id, p.pending, p.resolves
      FROM reached r
      CROSS JOIN LATERAL (SELECT posting FROM ledger_sealed_postings WHERE block = r.number OFFSET 0) s
      CROSS JOIN LATERAL (SELECT id, pending, resolves FROM ledger_postings
                          WHERE id = s.posting AND posted_at <= ${instant}::text::timestamptz OFFSET 0) p
      WHERE NOT r.is_whole
      UNION ALL
      SELECT id, pending, resolves FROM ledger_unsealed WHERE posted_at <= ${instant}::text::timestamptz
    ), effect AS (
      SELECT s.code, s.currency, s.debit_minor AS debit, s.credit_minor AS credit, s.pending_debit_minor AS pending_debit,
             s.pending_credit_minor AS pending_credit
      FROM ledger_block_sums s JOIN reached r ON r.number = s.block AND r.is_whole
      UNION ALL
      SELECT weir_control_code(side.code), t.currency,
             CASE WHEN p.pending THEN 0 ELSE side.debit END, CASE WHEN p.pending THEN 0 ELSE side.credit END,
             CASE WHEN p.pending THEN side.debit ELSE 0 END, CASE WHEN p.pending THEN side.credit ELSE 0 END
      FROM single p
      CROSS JOIN LATERAL (SELECT * FROM ledger_transfers WHERE posting = p.id OFFSET 0) t
      CROSS JOIN LATERAL (VALUES (t.debit, t.amount_minor, 0), (t.credit, 0, t.amount_minor)) AS side (code, debit, credit)
      UNION ALL
      SELECT weir_control_code(side.code), t.currency, 0, 0, -side.debit, -side.credit
      FROM single p
      CROSS JOIN LATERAL (SELECT * FROM ledger_transfers WHERE posting = p.resolves OFFSET 0) t
      CROSS JOIN LATERAL (VALUES (t.debit, t.amount_minor, 0), (t.credit, 0, t.amount_minor)) AS side (code, debit, credit)
      WHERE p.resolves IS NOT NULL
    )
    SELECT false AS is_kept, code, currency, sum(debit)::text AS debit, sum(credit)::text AS credit,
           sum(pending_debit)::text AS pending_debit, sum(pending_credit)::text AS pending_credit
    FROM effect GROUP BY code, currency
    UNION ALL
    SELECT true, weir_control_code(account), currency, sum(debit_minor)::text, sum(credit_minor)::text,
           sum(pending_debit_minor)::text, sum(pending_credit_minor)::text
    FROM ledger_balances WHERE ${kept} GROUP BY weir_control_code(account), currency
    ORDER BY is_kept, code, currency`;
  const sumsOf = (isKept: boolean) => rows.filter(({ is_kept }) => is_kept === isKept).map(controlSumsOf);
  return { transferred: sumsOf(false), kept: sumsOf(true) };
}

function controlSumsOf(row: ControlRow): AccountSums {
  return {
    code: row.code,
    type: chart[accountOf(row.code).kind].type,
    currency: row.currency,
    debit: BigInt(row.debit),
    credit: BigInt(row.credit),
    pendingDebit: BigInt(row.pending_debit),
    pendingCredit: BigInt(row.pending_credit),
  };
}

interface AccountRow extends Omit<ControlRow, "is_kept"> {
  readonly is_control: boolean;
}

/**
 * Accounts by code and currency, with what their transfers up to an instant add up to. Those that are no customer's are their
 * own control accounts: `readControlSums` knows them, and their sums are nothing here.
 */
export async function readAccountsAt(
  sql: Sql,
  page: { at: Instant; prefix?: string; after?: AccountInCurrency; limit: number },
): Promise<{ sums: AccountSums; isControl: boolean }[]> {
  const { prefix = "", after = { code: "", currency: "" }, limit } = page;
  const at = timestampText(page.at);
  const rows = await sql<AccountRow[]>`
    SELECT a.code, a.currency, a.is_control, coalesce(t.debit, 0)::text AS debit, coalesce(t.credit, 0)::text AS credit,
           coalesce(t.pending_debit, 0)::text AS pending_debit, coalesce(t.pending_credit, 0)::text AS pending_credit
    FROM (SELECT code, currency, weir_control_code(code) = code AS is_control,
                 CASE WHEN weir_control_code(code) <> code THEN code END AS own
          FROM ledger_accounts
          WHERE (code, currency) > (${after.code}, ${after.currency}) AND code >= ${prefix} AND starts_with(code, ${prefix})
          ORDER BY code, currency LIMIT ${limit}) a
    LEFT JOIN LATERAL (
      SELECT sum(side.debit) FILTER (WHERE p.counts) AS debit, sum(side.credit) FILTER (WHERE p.counts) AS credit,
             sum(side.debit) FILTER (WHERE NOT p.counts) AS pending_debit,
             sum(side.credit) FILTER (WHERE NOT p.counts) AS pending_credit
      FROM (SELECT posting, amount_minor AS debit, 0 AS credit FROM ledger_transfers
            WHERE debit = a.own AND currency = a.currency
            UNION ALL
            SELECT posting, 0, amount_minor FROM ledger_transfers WHERE credit = a.own AND currency = a.currency) side
      CROSS JOIN LATERAL (
        SELECT NOT pending AS counts FROM ledger_postings p
        WHERE id = side.posting AND posted_at <= ${at}::text::timestamptz
          AND (NOT pending OR NOT EXISTS (SELECT FROM ledger_postings r
                                          WHERE r.resolves = p.id AND r.posted_at <= ${at}::text::timestamptz OFFSET 0))
        OFFSET 0) p
      OFFSET 0) t ON true
    ORDER BY a.code, a.currency`;
  return rows.map((row) => ({ sums: controlSumsOf({ ...row, is_kept: false }), isControl: row.is_control }));
}
