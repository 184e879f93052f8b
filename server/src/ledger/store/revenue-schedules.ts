import { arrayText, instantOfMicros, timestampText, type Sql } from "../../engines/postgres/index.js";
import type { Currency } from "../../kernel/currency.js";
import type {
  CustomerId,
  InvoiceId,
  InvoiceLineId,
  OrganizationId,
  RevenueScheduleId,
} from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";
import { formatDate, type LocalDate } from "../../kernel/local-date.js";
import type { TimeZone } from "../../kernel/time-zone.js";
import type { LedgerMonth, StraightLine } from "../core/index.js";

/** Revenue of an invoice's line that was billed before the service was given. */
export interface RevenueSchedule extends StraightLine {
  readonly id: RevenueScheduleId;
  readonly invoice: InvoiceId;
  readonly line: InvoiceLineId;
  /** Who pays. */
  readonly customer: CustomerId;
  readonly currency: Currency;
  readonly service: { readonly start: Instant; readonly end: Instant };
  readonly timeZone: TimeZone;
  /** What was deferred; `total` is that less what was taken back. */
  readonly amount: bigint;
  readonly isOpen: boolean;
  readonly createdAt: Instant;
}

interface ScheduleRow {
  readonly id: RevenueScheduleId;
  readonly invoice: InvoiceId;
  readonly line: InvoiceLineId;
  readonly customer: CustomerId;
  readonly currency: Currency;
  readonly service_start: string;
  readonly service_end: string;
  readonly time_zone: TimeZone;
  readonly first_day: number;
  readonly days: number;
  readonly amount: string;
  readonly taken_back: string;
  readonly recognized: string;
  readonly recognized_days: number;
  readonly is_open: boolean;
  readonly created_at: string;
}

/** Writes new schedules, in one statement however many there are. */
export async function insertSchedules(
  sql: Sql,
  organization: OrganizationId,
  schedules: readonly Omit<RevenueSchedule, "total" | "recognized" | "recognizedDays" | "isOpen">[],
): Promise<void> {
  const each = (of: (schedule: (typeof schedules)[number]) => string | number | bigint) =>
    arrayText(schedules.map(of));
  await sql`
    INSERT INTO revenue_schedules
      (organization, id, invoice, line, customer, currency, service_start, service_end, time_zone, first_day, days,
       amount_minor, created_at)
    SELECT ${organization}, s.*
    FROM unnest(${each(({ id }) => id)}::text[], ${each(({ invoice }) => invoice)}::text[], ${each(({ line }) => line)}::text[],
                ${each(({ customer }) => customer)}::text[], ${each(({ currency }) => currency)}::text[],
                ${each(({ service }) => timestampText(service.start))}::timestamptz[],
                ${each(({ service }) => timestampText(service.end))}::timestamptz[],
                ${each(({ timeZone }) => timeZone)}::text[], ${each(({ firstDay }) => formatDate(firstDay))}::date[],
                ${each(({ days }) => days)}::int[], ${each(({ amount }) => amount)}::numeric[],
                ${each(({ createdAt }) => timestampText(createdAt))}::timestamptz[]) AS s`;
}

export interface SchedulePage {
  readonly invoice?: string;
  readonly customer?: string;
  /** Only those of which something is to be recognised still. */
  readonly open?: boolean;
  readonly after?: string;
  readonly limit: number;
}

/** By id, oldest first; of an invoice or a customer when given. */
export async function listSchedules(sql: Sql, page: SchedulePage): Promise<RevenueSchedule[]> {
  const invoice = page.invoice ?? null;
  const customer = page.customer ?? null;
  const rows = await sql<ScheduleRow[]>`
    SELECT id, invoice, line, customer, currency, time_zone, first_day - date '1970-01-01' AS first_day, days, recognized_days,
           is_open, amount_minor::text AS amount, taken_back_minor::text AS taken_back, recognized_minor::text AS recognized,
           (extract(epoch FROM service_start) * 1000000)::bigint::text AS service_start,
           (extract(epoch FROM service_end) * 1000000)::bigint::text AS service_end,
           (extract(epoch FROM created_at) * 1000000)::bigint::text AS created_at
    FROM revenue_schedules
    WHERE id > ${page.after ?? ""} AND (${invoice}::text IS NULL OR invoice = ${invoice})
      AND (${customer}::text IS NULL OR customer = ${customer}) AND (is_open OR NOT ${page.open ?? false})
    ORDER BY id LIMIT ${page.limit}`;
  return rows.map(scheduleOf);
}

/** The schedules of lines, held until the transaction ends. */
export async function lockSchedules(sql: Sql, lines: readonly string[]): Promise<RevenueSchedule[]> {
  const rows = await sql<ScheduleRow[]>`
    SELECT id, invoice, line, customer, currency, time_zone, first_day - date '1970-01-01' AS first_day, days, recognized_days,
           is_open, amount_minor::text AS amount, taken_back_minor::text AS taken_back, recognized_minor::text AS recognized,
           (extract(epoch FROM service_start) * 1000000)::bigint::text AS service_start,
           (extract(epoch FROM service_end) * 1000000)::bigint::text AS service_end,
           (extract(epoch FROM created_at) * 1000000)::bigint::text AS created_at
    FROM revenue_schedules WHERE line = ANY (${arrayText(lines)}::text[])
    ORDER BY id FOR NO KEY UPDATE`;
  return rows.map(scheduleOf);
}

/** Open schedules with days up to a date that are not recognised, held until the transaction ends. */
export async function lockDueSchedules(
  sql: Sql,
  { through, limit }: { through: LocalDate; limit: number },
): Promise<RevenueSchedule[]> {
  const rows = await sql<ScheduleRow[]>`
    SELECT id, invoice, line, customer, currency, time_zone, first_day - date '1970-01-01' AS first_day, days, recognized_days,
           is_open, amount_minor::text AS amount, taken_back_minor::text AS taken_back, recognized_minor::text AS recognized,
           (extract(epoch FROM service_start) * 1000000)::bigint::text AS service_start,
           (extract(epoch FROM service_end) * 1000000)::bigint::text AS service_end,
           (extract(epoch FROM created_at) * 1000000)::bigint::text AS created_at
    FROM revenue_schedules
    WHERE is_open AND organization = current_setting('weir.organization', true)
      AND first_day + recognized_days <= ${formatDate(through)}::date
    ORDER BY id LIMIT ${limit} FOR NO KEY UPDATE`;
  return rows.map(scheduleOf);
}

/** Writes what is recognised and taken back. */
export async function updateSchedules(
  sql: Sql,
  schedules: readonly Pick<RevenueSchedule, "id" | "amount" | "total" | "recognized" | "recognizedDays">[],
): Promise<void> {
  const each = (of: (schedule: (typeof schedules)[number]) => string | number | bigint) =>
    arrayText(schedules.map(of));
  await sql`
    UPDATE revenue_schedules
    SET taken_back_minor = s.taken_back, recognized_minor = s.recognized, recognized_days = s.recognized_days
    FROM unnest(${each(({ id }) => id)}::text[], ${each(({ amount, total }) => amount - total)}::numeric[],
                ${each(({ recognized }) => recognized)}::numeric[],
                ${each(({ recognizedDays }) => recognizedDays)}::int[]) AS s (id, taken_back, recognized, recognized_days)
    WHERE organization = current_setting('weir.organization', true) AND revenue_schedules.id = s.id`;
}

/** What is to be recognised in a month, in one currency. */
export interface MonthOfRevenue {
  readonly month: LedgerMonth;
  readonly currency: Currency;
  /** In minor units. */
  readonly amount: bigint;
  readonly schedules: number;
}

/**
 * What open schedules will bring, month by month, by the rule of core/straight-line.ts; what could be recognised before the
 * first month falls to that.
 */
export async function sumUpcoming(
  sql: Sql,
  { from, months }: { from: LedgerMonth; months: number },
): Promise<MonthOfRevenue[]> {
  const rows = await sql<{ month: LedgerMonth; currency: Currency; amount: string; schedules: number }[]>`
    WITH schedule AS MATERIALIZED (
      SELECT currency, first_day, days, recognized_days, recognized_minor, amount_minor - taken_back_minor AS total,
             greatest(date_trunc('month', first_day::timestamp)::date, ${`${from}-01`}::text::date) AS first_month,
             least(date_trunc('month', (first_day + days - 1)::timestamp)::date,
                   (${`${from}-01`}::text::date + make_interval(months => ${months - 1}::int))::date) AS last_month
      FROM revenue_schedules WHERE is_open AND organization = current_setting('weir.organization', true)
    ), part AS (
      SELECT to_char(m.month, 'YYYY-MM') AS month, s.currency,
             round(s.total * p.through / s.days)
             - CASE WHEN p.before <= s.recognized_days THEN s.recognized_minor ELSE round(s.total * p.before / s.days) END AS amount
      FROM schedule s
      CROSS JOIN LATERAL generate_series(least(s.first_month, s.last_month)::timestamp, s.last_month::timestamp, interval '1 month') AS m (month)
      CROSS JOIN LATERAL (
        SELECT least(greatest((m.month + interval '1 month')::date - s.first_day, 0), s.days) AS through,
               CASE WHEN m.month::date = least(s.first_month, s.last_month) THEN 0
                    ELSE least(greatest(m.month::date - s.first_day, 0), s.days) END AS before) p
      WHERE p.through > s.recognized_days
    )
    SELECT greatest(month, ${from}::text) AS month, currency, sum(amount)::text AS amount, count(*)::int AS schedules
    FROM part GROUP BY 1, 2 ORDER BY 1, 2`;
  return rows.map((row) => ({ ...row, amount: BigInt(row.amount) }));
}

function scheduleOf(row: ScheduleRow): RevenueSchedule {
  const amount = BigInt(row.amount);
  return {
    id: row.id,
    invoice: row.invoice,
    line: row.line,
    customer: row.customer,
    currency: row.currency,
    service: { start: instantOfMicros(row.service_start), end: instantOfMicros(row.service_end) },
    timeZone: row.time_zone,
    firstDay: row.first_day as LocalDate,
    days: row.days,
    amount,
    total: amount - BigInt(row.taken_back),
    recognized: BigInt(row.recognized),
    recognizedDays: row.recognized_days,
    isOpen: row.is_open,
    createdAt: instantOfMicros(row.created_at),
  };
}
