import { arrayText, type Sql } from "../../engines/postgres/index.js";
import type { Currency } from "../../kernel/currency.js";
import type { AccountSums, AccountType } from "../core/index.js";

interface SumsRow {
  readonly code: string;
  readonly type: AccountType;
  readonly currency: Currency;
  readonly debit: string;
  readonly credit: string;
  readonly pending_debit: string;
  readonly pending_credit: string;
}

/** The kept sums of accounts by code and currency; those whose code begins with a prefix when given. */
export async function readBalances(
  sql: Sql,
  page: { prefix?: string; after?: AccountInCurrency; limit: number },
): Promise<AccountSums[]> {
  const { prefix = "", after = before_all, limit } = page;
  const rows = await sql<SumsRow[]>`
    SELECT a.code, a.type, a.currency, coalesce(b.debit, 0)::text AS debit, coalesce(b.credit, 0)::text AS credit,
           coalesce(b.pending_debit, 0)::text AS pending_debit, coalesce(b.pending_credit, 0)::text AS pending_credit
    FROM (SELECT code, type, currency FROM ledger_accounts
          WHERE (code, currency) > (${after.code}, ${after.currency}) AND code >= ${prefix} AND starts_with(code, ${prefix})
          ORDER BY code, currency LIMIT ${limit}) a
    CROSS JOIN LATERAL (
      SELECT sum(debit_minor) AS debit, sum(credit_minor) AS credit, sum(pending_debit_minor) AS pending_debit,
             sum(pending_credit_minor) AS pending_credit
      FROM ledger_balances WHERE account = a.code AND currency = a.currency OFFSET 0) b
    ORDER BY a.code, a.currency`;
  return rows.map(sumsOf);
}

const before_all = { code: "", currency: "" };

/** One account in one currency. */
export interface AccountInCurrency {
  readonly code: string;
  readonly currency: string;
}

// LATERAL and OFFSET, here and below: looked up one by one by their keys, whatever the planner thinks of how many there are.

/** The kept sums of these accounts; those without a transfer are left out. */
export async function readSums(sql: Sql, of: readonly AccountInCurrency[]): Promise<AccountSums[]> {
  const rows = await sql<SumsRow[]>`
    SELECT b.account AS code, a.type, b.currency, sum(b.debit_minor)::text AS debit, sum(b.credit_minor)::text AS credit,
           sum(b.pending_debit_minor)::text AS pending_debit, sum(b.pending_credit_minor)::text AS pending_credit
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

function sumsOf(row: SumsRow): AccountSums {
  return {
    code: row.code,
    type: row.type,
    currency: row.currency,
    debit: BigInt(row.debit),
    credit: BigInt(row.credit),
    pendingDebit: BigInt(row.pending_debit),
    pendingCredit: BigInt(row.pending_credit),
  };
}
