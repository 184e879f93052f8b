import { arrayText, type Sql } from "../../engines/postgres/index.js";
import type { Currency } from "../../kernel/currency.js";
import type { AccountSums, AccountType } from "../core/index.js";

interface SumsRow {
  readonly code: string;
  readonly type: AccountType;
  readonly currency: Currency;
  readonly debit: string;
  readonly credit: string;
}

/** The kept sums of accounts by code and currency; those whose code begins with a prefix when given. */
export async function readBalances(
  sql: Sql,
  page: { prefix?: string; after?: string; limit: number },
): Promise<AccountSums[]> {
  const rows = await sql<SumsRow[]>`
    SELECT a.code, a.type, a.currency, coalesce(sum(b.debit_minor), 0)::text AS debit, coalesce(sum(b.credit_minor), 0)::text AS credit
    FROM ledger_accounts a
    LEFT JOIN ledger_balances b ON b.organization = a.organization AND b.account = a.code AND b.currency = a.currency
    WHERE a.code || ' ' || a.currency > ${page.after ?? ""} AND starts_with(a.code, ${page.prefix ?? ""})
    GROUP BY a.code, a.type, a.currency
    ORDER BY a.code || ' ' || a.currency LIMIT ${page.limit}`;
  return rows.map(sumsOf);
}

/** One account in one currency. */
export interface AccountInCurrency {
  readonly code: string;
  readonly currency: Currency;
}

// LATERAL and OFFSET, here and below: looked up one by one by their keys, whatever the planner thinks of how many there are.

/** The kept sums of these accounts; those without a transfer are left out. */
export async function readSums(sql: Sql, of: readonly AccountInCurrency[]): Promise<AccountSums[]> {
  const rows = await sql<SumsRow[]>`
    SELECT b.account AS code, a.type, b.currency, sum(b.debit_minor)::text AS debit, sum(b.credit_minor)::text AS credit
    FROM unnest(${arrayText(of.map(({ code }) => code))}::text[], ${arrayText(of.map(({ currency }) => currency))}::text[]) AS w (code, currency)
    CROSS JOIN LATERAL (
      SELECT * FROM ledger_balances WHERE account = w.code AND currency = w.currency OFFSET 0) b
    CROSS JOIN LATERAL (
      SELECT type FROM ledger_accounts
      WHERE organization = b.organization AND code = b.account AND currency = b.currency OFFSET 0) a
    GROUP BY b.account, a.type, b.currency`;
  return rows.map(sumsOf);
}

/** Holds the kept sums of these accounts until the transaction ends, in one order everywhere. */
export async function lockSums(sql: Sql, of: readonly AccountInCurrency[]): Promise<void> {
  const keyOf = ({ code, currency }: AccountInCurrency) => `${code} ${currency}`;
  const sorted = [...of].sort((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1));
  await sql`
    SELECT 1
    FROM unnest(${arrayText(sorted.map(({ code }) => code))}::text[],
                ${arrayText(sorted.map(({ currency }) => currency))}::text[]) AS w (code, currency)
    CROSS JOIN LATERAL (
      SELECT 1 FROM ledger_balances WHERE account = w.code AND currency = w.currency ORDER BY shard FOR NO KEY UPDATE) b`;
}

/** Kept sums and what the transfers add up to, in one statement and so in one snapshot: what a trial balance compares. */
export async function readTrialBalance(
  sql: Sql,
): Promise<{ kept: AccountSums[]; transferred: AccountSums[] }> {
  const rows = await sql<TrialRow[]>`
    SELECT a.code, a.type, a.currency,
           coalesce(k.debit, 0)::text AS debit, coalesce(k.credit, 0)::text AS credit,
           coalesce(t.debit, 0)::text AS moved_debit, coalesce(t.credit, 0)::text AS moved_credit
    FROM ledger_accounts a
    LEFT JOIN (
      SELECT account, currency, sum(debit_minor) AS debit, sum(credit_minor) AS credit
      FROM ledger_balances GROUP BY account, currency
    ) k ON k.account = a.code AND k.currency = a.currency
    LEFT JOIN (
      SELECT account, currency, sum(debit) AS debit, sum(credit) AS credit
      FROM (SELECT debit AS account, currency, amount_minor AS debit, 0 AS credit FROM ledger_transfers
            UNION ALL
            SELECT credit, currency, 0, amount_minor FROM ledger_transfers) AS sides
      GROUP BY account, currency
    ) t ON t.account = a.code AND t.currency = a.currency
    ORDER BY a.code, a.currency`;
  return {
    kept: rows.map(sumsOf),
    transferred: rows.map((row) => sumsOf({ ...row, debit: row.moved_debit, credit: row.moved_credit })),
  };
}

interface TrialRow extends SumsRow {
  readonly moved_debit: string;
  readonly moved_credit: string;
}

function sumsOf(row: SumsRow): AccountSums {
  return {
    code: row.code,
    type: row.type,
    currency: row.currency,
    debit: BigInt(row.debit),
    credit: BigInt(row.credit),
  };
}
