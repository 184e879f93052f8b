import { instantOfMicros, timestampText, type Sql } from "../../engines/postgres/index.js";
import type { Currency } from "../../kernel/currency.js";
import type { OrganizationId, ProviderAccountId, ReconciliationReportId } from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";
import type { JsonValue } from "../../kernel/json.js";
import { formatDate, type LocalDate } from "../../kernel/local-date.js";
import { lineOfRecord, type LineSum } from "../core/reconciliation/index.js";
import type { RecordKind } from "../core/index.js";

export interface ReconciliationSettings {
  /** Whose days the reports are of. */
  readonly timeZone: string;
  /** By then a provider's file has a charge, and the bank's statement a payout. */
  readonly fileLagDays: number;
  readonly bankLagDays: number;
}

/** How an organization's books are compared, and how far that has come. */
export interface ReconciliationState {
  readonly settings: ReconciliationSettings;
  /** Charges before it were looked for in the files. */
  readonly lookedUntil: Instant | undefined;
  /** Whose report comes next. */
  readonly nextDay: LocalDate;
  /** Where the last report ends, and the next one begins. */
  readonly reportedUntil: Instant | undefined;
}

interface SettingsRow {
  readonly time_zone: string;
  readonly file_lag_days: number;
  readonly bank_lag_days: number;
  readonly looked_until: string | null;
  readonly next_day: string;
  readonly reported_until: string | null;
}

/** Locked: a report that is made and a change of the settings wait for each other. */
export async function lockState(sql: Sql): Promise<ReconciliationState | undefined> {
  const rows = await sql<SettingsRow[]>`
    SELECT time_zone, file_lag_days, bank_lag_days, (extract(epoch FROM looked_until) * 1000000)::bigint::text AS looked_until,
           (next_day - date '1970-01-01')::text AS next_day, (extract(epoch FROM reported_until) * 1000000)::bigint::text AS reported_until
    FROM reconciliation_settings FOR UPDATE`;
  return rows.map((row) => ({
    settings: settingsOf(row),
    lookedUntil: row.looked_until === null ? undefined : instantOfMicros(row.looked_until),
    nextDay: Number(row.next_day) as LocalDate,
    reportedUntil: row.reported_until === null ? undefined : instantOfMicros(row.reported_until),
  }))[0];
}

export async function findSettings(sql: Sql): Promise<ReconciliationSettings | undefined> {
  const rows = await sql<SettingsRow[]>`
    SELECT time_zone, file_lag_days, bank_lag_days FROM reconciliation_settings`;
  return rows.map(settingsOf)[0];
}

export async function saveState(
  sql: Sql,
  organization: OrganizationId,
  { settings, lookedUntil, nextDay, reportedUntil }: ReconciliationState,
  at: Instant,
): Promise<void> {
  const looked = lookedUntil === undefined ? null : timestampText(lookedUntil);
  const reported = reportedUntil === undefined ? null : timestampText(reportedUntil);
  await sql`
    INSERT INTO reconciliation_settings (organization, time_zone, file_lag_days, bank_lag_days, looked_until, next_day, reported_until,
                                         updated_at)
    VALUES (${organization}, ${settings.timeZone}, ${settings.fileLagDays}, ${settings.bankLagDays}, ${looked}::text::timestamptz,
            ${formatDate(nextDay)}::text::date, ${reported}::text::timestamptz, ${timestampText(at)}::text::timestamptz)
    ON CONFLICT (organization)
    DO UPDATE SET time_zone = excluded.time_zone, file_lag_days = excluded.file_lag_days, bank_lag_days = excluded.bank_lag_days,
                  looked_until = excluded.looked_until, next_day = excluded.next_day, reported_until = excluded.reported_until,
                  updated_at = excluded.updated_at`;
}

export interface StoredReport {
  readonly id: ReconciliationReportId;
  readonly day: LocalDate;
  readonly from: Instant;
  readonly to: Instant;
  readonly report: JsonValue;
  readonly madeAt: Instant;
}

/** @returns whether it was written: a day has one */
export async function insertReport(
  sql: Sql,
  organization: OrganizationId,
  report: StoredReport,
): Promise<boolean> {
  const rows = await sql`
    INSERT INTO reconciliation_reports (organization, id, day, period_from, period_to, report, made_at)
    VALUES (${organization}, ${report.id}, ${formatDate(report.day)}::text::date, ${timestampText(report.from)}::text::timestamptz,
            ${timestampText(report.to)}::text::timestamptz, ${JSON.stringify(report.report)}::text::jsonb,
            ${timestampText(report.madeAt)}::text::timestamptz)
    ON CONFLICT ON CONSTRAINT reconciliation_reports_once DO NOTHING RETURNING 1`;
  return rows.length > 0;
}

interface ReportRow {
  readonly id: ReconciliationReportId;
  readonly day: string;
  readonly period_from: string;
  readonly period_to: string;
  readonly report: JsonValue;
  readonly made_at: string;
}

/** Newest first. */
export async function listReports(
  sql: Sql,
  page: { readonly after?: string; readonly limit: number },
): Promise<StoredReport[]> {
  const after = page.after ?? null;
  const rows = await sql<ReportRow[]>`
    SELECT id, (day - date '1970-01-01')::text AS day, (extract(epoch FROM period_from) * 1000000)::bigint::text AS period_from,
           (extract(epoch FROM period_to) * 1000000)::bigint::text AS period_to, report,
           (extract(epoch FROM made_at) * 1000000)::bigint::text AS made_at
    FROM reconciliation_reports WHERE ${after}::text IS NULL OR id < ${after}
    ORDER BY id DESC LIMIT ${page.limit}`;
  return rows.map(reportOf);
}

/** By id, or by its day: 2026-01-31. */
export async function findReport(sql: Sql, idOrDay: string): Promise<StoredReport | undefined> {
  const rows = await sql<ReportRow[]>`
    SELECT id, (day - date '1970-01-01')::text AS day, (extract(epoch FROM period_from) * 1000000)::bigint::text AS period_from,
           (extract(epoch FROM period_to) * 1000000)::bigint::text AS period_to, report,
           (extract(epoch FROM made_at) * 1000000)::bigint::text AS made_at
    FROM reconciliation_reports WHERE id = ${idOrDay} OR day::text = ${idOrDay} LIMIT 1`;
  return rows.map(reportOf)[0];
}

/** What the files of an account say moved in [from, to), in the currency that our books have it in; fees by themselves. */
export async function sumReported(
  sql: Sql,
  account: ProviderAccountId,
  { from, to }: { readonly from: Instant; readonly to: Instant },
): Promise<LineSum[]> {
  const starts = timestampText(from);
  const ends = timestampText(to);
  // By the files of the time, each a range of the primary key: an index by time would cost every record of every file.
  const rows = await sql<
    {
      kind: RecordKind;
      currency: Currency;
      count: string;
      minor: string;
      fee_currency: Currency;
      fees: string;
      fee: string;
    }[]
  >`
    SELECT r.kind, CASE r.kind WHEN 'chargeback' THEN coalesce(r.settled_currency, r.currency)
                               WHEN 'chargeback_reversal' THEN coalesce(r.settled_currency, r.currency) ELSE r.currency END AS currency,
           count(*)::text AS count,
           sum(CASE WHEN r.kind IN ('chargeback', 'chargeback_reversal') THEN coalesce(r.settled_minor, r.gross_minor) ELSE r.gross_minor END)::text AS minor,
           coalesce(r.fee_currency, r.currency) AS fee_currency,
           (count(*) FILTER (WHERE r.fee_minor <> 0))::text AS fees, coalesce(sum(-r.fee_minor), 0)::text AS fee
    FROM settlement_files f
    CROSS JOIN LATERAL (
      SELECT * FROM settlement_records
      WHERE organization = f.organization AND file = f.id AND at >= ${starts}::text::timestamptz AND at < ${ends}::text::timestamptz
        AND repeats IS NULL AND kind <> 'decline' OFFSET 0) r
    WHERE f.account = ${account} AND f.state = 'posted' AND f.period_to >= ${starts}::text::timestamptz
      AND f.period_from < ${ends}::text::timestamptz
    GROUP BY 1, 2, 5`;
  return rows.flatMap(({ kind, currency, count, minor, fee_currency, fees, fee }): LineSum[] => [
    { line: lineOfRecord(kind), currency, count: Number(count), minor: BigInt(minor) },
    ...(fee === "0"
      ? []
      : [{ line: "fees" as const, currency: fee_currency, count: Number(fees), minor: BigInt(fee) }]),
  ]);
}

/** What of an account's payouts is on the bank's statements of a time, signed as the account sees it. */
export async function sumReceivedPayouts(
  sql: Sql,
  account: ProviderAccountId,
  { from, to }: { readonly from: Instant; readonly to: Instant },
): Promise<LineSum[]> {
  const starts = timestampText(from);
  const ends = timestampText(to);
  const rows = await sql<{ currency: Currency; count: string; minor: string }[]>`
    SELECT a.currency, count(*)::text AS count, sum(-a.amount_minor)::text AS minor
    FROM settlement_files f
    JOIN settlement_allotments a ON a.organization = f.organization AND a.file = f.id AND a.effect = 'receive_payout' AND NOT a.is_void
      AND a.target_account = ${account}
    JOIN settlement_records r ON r.organization = a.organization AND r.file = a.file AND r.position = a.position
    WHERE f.state = 'posted' AND f.period_to >= ${starts}::text::timestamptz AND f.period_from < ${ends}::text::timestamptz
      AND r.at >= ${starts}::text::timestamptz AND r.at < ${ends}::text::timestamptz
    GROUP BY a.currency`;
  return rows.map(({ currency, count, minor }) => ({
    line: "payouts",
    currency,
    count: Number(count),
    minor: BigInt(minor),
  }));
}

/** Files that ended in a time, by account and state. */
export async function countFiles(
  sql: Sql,
  { from, to }: { readonly from: Instant; readonly to: Instant },
): Promise<{ readonly account: ProviderAccountId; readonly state: string; readonly count: number }[]> {
  const rows = await sql<{ account: ProviderAccountId; state: string; count: string }[]>`
    SELECT account, state, count(*)::text AS count FROM settlement_files
    WHERE changed_at >= ${timestampText(from)}::text::timestamptz AND changed_at < ${timestampText(to)}::text::timestamptz
    GROUP BY account, state ORDER BY account, state`;
  return rows.map((row) => ({ ...row, count: Number(row.count) }));
}

function settingsOf(
  row: Pick<SettingsRow, "time_zone" | "file_lag_days" | "bank_lag_days">,
): ReconciliationSettings {
  return { timeZone: row.time_zone, fileLagDays: row.file_lag_days, bankLagDays: row.bank_lag_days };
}

function reportOf(row: ReportRow): StoredReport {
  return {
    id: row.id,
    day: Number(row.day) as LocalDate,
    from: instantOfMicros(row.period_from),
    to: instantOfMicros(row.period_to),
    report: row.report,
    madeAt: instantOfMicros(row.made_at),
  };
}
