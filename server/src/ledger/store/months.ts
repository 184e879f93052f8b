import { arrayText, instantOfMicros, timestampText, type Sql } from "../../engines/postgres/index.js";
import type { Currency } from "../../kernel/currency.js";
import type { OrganizationId } from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";
import { utc, type TimeZone } from "../../kernel/time-zone.js";
import { accountOf, chart, type AccountSums, type LedgerMonth } from "../core/index.js";

/** A month that nothing is posted into any more. */
export interface ClosedMonth {
  readonly month: LedgerMonth;
  readonly timeZone: TimeZone;
  readonly start: Instant;
  readonly end: Instant;
  readonly closedAt: Instant;
  /** The key that closed it. */
  readonly closedBy: string;
  /** The last sealed block by then and its hash; undefined while what was under way when it was closed is waited for. */
  readonly closing: { readonly block: number; readonly hash: string } | undefined;
}

interface MonthRow {
  readonly month: LedgerMonth;
  readonly time_zone: TimeZone;
  readonly starts_at: string;
  readonly ends_at: string;
  readonly closed_at: string;
  readonly closed_by: string;
  readonly block: number | null;
  readonly hash: string | null;
}

/** Months that are closed, latest first; one, or those up to one, when given. */
export async function listClosedMonths(
  sql: Sql,
  page: { month?: LedgerMonth; until?: LedgerMonth; limit: number },
): Promise<ClosedMonth[]> {
  const month = page.month ?? null;
  const rows = await sql<MonthRow[]>`
    SELECT m.month, m.time_zone, m.closed_by, c.block, encode(c.hash, 'hex') AS hash,
           (extract(epoch FROM m.starts_at) * 1000000)::bigint::text AS starts_at,
           (extract(epoch FROM m.ends_at) * 1000000)::bigint::text AS ends_at,
           (extract(epoch FROM m.closed_at) * 1000000)::bigint::text AS closed_at
    FROM ledger_months m
    LEFT JOIN ledger_closings c ON c.organization = m.organization AND c.month = m.month
    WHERE (${month}::text IS NULL OR m.month = ${month}) AND m.month <= ${page.until ?? "9999-99"}
    ORDER BY m.month DESC LIMIT ${page.limit}`;
  return rows.map((row) => ({
    month: row.month,
    timeZone: row.time_zone,
    start: instantOfMicros(row.starts_at),
    end: instantOfMicros(row.ends_at),
    closedAt: instantOfMicros(row.closed_at),
    closedBy: row.closed_by,
    closing: row.block === null || row.hash === null ? undefined : { block: row.block, hash: row.hash },
  }));
}

/** The first closed month after one, by time. */
export async function nextClosedMonth(sql: Sql, after: string): Promise<ClosedMonth | undefined> {
  const rows = await sql<{ month: LedgerMonth }[]>`
    SELECT month FROM ledger_months WHERE month > ${after} ORDER BY month LIMIT 1`;
  const [row] = rows;
  return row && (await listClosedMonths(sql, { month: row.month, limit: 1 }))[0];
}

/** Up to when everything is closed. */
export async function closedUntil(sql: Sql): Promise<Instant | undefined> {
  const rows = await sql<{ ends_at: string | null }[]>`
    SELECT (extract(epoch FROM max(ends_at)) * 1000000)::bigint::text AS ends_at FROM ledger_months`;
  return rows[0]?.ends_at == null ? undefined : instantOfMicros(rows[0].ends_at);
}

/** When the first posting counts. */
export async function firstPostedAt(sql: Sql): Promise<Instant | undefined> {
  const rows = await sql<{ posted_at: string }[]>`
    SELECT (extract(epoch FROM posted_at) * 1000000)::bigint::text AS posted_at
    FROM ledger_postings WHERE posted_at > '-infinity'
      AND organization = current_setting('weir.organization', true)
    ORDER BY organization, ledger_postings.posted_at LIMIT 1`;
  return rows[0] && instantOfMicros(rows[0].posted_at);
}

export async function insertMonth(
  sql: Sql,
  organization: OrganizationId,
  month: Omit<ClosedMonth, "closing">,
): Promise<void> {
  await sql`
    INSERT INTO ledger_months (organization, month, time_zone, starts_at, ends_at, closed_at, closed_by)
    VALUES (${organization}, ${month.month}, ${month.timeZone}, ${timestampText(month.start)}::text::timestamptz,
            ${timestampText(month.end)}::text::timestamptz, ${timestampText(month.closedAt)}::text::timestamptz, ${month.closedBy})`;
}

/** Which transactions may be under way: all that come to an end later have a number below it. */
export async function nextTransaction(sql: Sql): Promise<bigint> {
  const rows = await sql<{ next: string }[]>`SELECT weir_next_transaction()::text AS next`;
  return BigInt(rows[0]?.next ?? 0);
}

/** Whether all transactions with numbers below one have ended. */
export async function haveEnded(sql: Sql, before: bigint): Promise<boolean> {
  const rows = await sql<{ ended: boolean }[]>`
    SELECT weir_horizon() >= ${before.toString()}::text::bigint AS ended`;
  return rows[0]?.ended ?? false;
}

/** Records what a month was closed with, once. @returns false when it is recorded already */
export async function insertClosing(
  sql: Sql,
  organization: OrganizationId,
  closing: { month: LedgerMonth; block: number; hash: string; sums: readonly AccountSums[] },
): Promise<boolean> {
  const { month, block, hash, sums } = closing;
  const written = await sql`
    INSERT INTO ledger_closings (organization, month, block, hash)
    VALUES (${organization}, ${month}, ${block}, decode(${hash}, 'hex'))
    ON CONFLICT DO NOTHING RETURNING 1`;
  if (written.length === 0) return false;
  await sql`
    INSERT INTO ledger_closing_sums (organization, month, code, currency, debit_minor, credit_minor)
    SELECT ${organization}, ${month}, s.code, s.currency, s.debit, s.credit
    FROM unnest(${arrayText(sums.map(({ code }) => code))}::text[], ${arrayText(sums.map(({ currency }) => currency))}::text[],
                ${arrayText(sums.map(({ debit }) => debit))}::numeric[], ${arrayText(sums.map(({ credit }) => credit))}::numeric[])
         AS s (code, currency, debit, credit)`;
  return true;
}

/** The trial balance that a month was closed with, by code and currency. */
export async function readClosingSums(sql: Sql, month: LedgerMonth): Promise<AccountSums[]> {
  const rows = await sql<{ code: string; currency: Currency; debit: string; credit: string }[]>`
    SELECT code, currency, debit_minor::text AS debit, credit_minor::text AS credit
    FROM ledger_closing_sums WHERE month = ${month} ORDER BY code, currency`;
  return rows.map(({ code, currency, debit, credit }) => ({
    code,
    type: chart[accountOf(code).kind].type,
    currency,
    debit: BigInt(debit),
    credit: BigInt(credit),
    pendingDebit: 0n,
    pendingCredit: 0n,
  }));
}

/** Where an organization's months begin. */
export async function readTimeZone(sql: Sql): Promise<TimeZone> {
  const rows = await sql<{ time_zone: TimeZone }[]>`SELECT time_zone FROM ledger_settings`;
  return rows[0]?.time_zone ?? utc;
}

/** The same, held until the transaction ends: months are closed, and the zone is changed, one after the other. */
export async function lockTimeZone(sql: Sql, organization: OrganizationId): Promise<TimeZone> {
  await sql`INSERT INTO ledger_settings (organization) VALUES (${organization}) ON CONFLICT DO NOTHING`;
  const rows = await sql<{ time_zone: TimeZone }[]>`SELECT time_zone FROM ledger_settings FOR UPDATE`;
  return rows[0]?.time_zone ?? utc;
}

export async function updateTimeZone(sql: Sql, zone: TimeZone): Promise<void> {
  await sql`UPDATE ledger_settings SET time_zone = ${zone}`;
}
