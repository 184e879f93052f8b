import { instantOfMicros, timestampText, type Sql } from "../../engines/postgres/index.js";
import type { Currency } from "../../kernel/currency.js";
import type {
  CustomerId,
  InvoiceId,
  OrganizationId,
  PlanVersionId,
  SubscriptionId,
} from "../../kernel/ids.js";
import { instantFromMs, msOf, type Instant } from "../../kernel/instant.js";
import type { TimeZone } from "../../kernel/time-zone.js";
import type { Invoice, InvoiceKind, InvoiceStatus } from "../invoice.js";
import type { UsageWatermark } from "../usage-port.js";
import { readInvoiceLines } from "./invoice-lines.js";

/**
 * Inserts an invoice without its lines.
 *
 * @returns false when the subscription has one for this period and kind: the constraint `invoices_once` decides,
 *          whoever else is inserting
 */
export async function insertInvoice(
  sql: Sql,
  organization: OrganizationId,
  invoice: Omit<Invoice, "lines">,
): Promise<boolean> {
  const inserted = await sql`
    INSERT INTO invoices
      (organization, id, customer, subscription, kind, status, period_start, period_end, time_zone, currency,
       plan_version, watermark, subtotal_minor, total_minor, revision, created_at, refreshed_at)
    VALUES (${organization}, ${invoice.id}, ${invoice.customer}, ${invoice.subscription}, ${invoice.kind},
            ${invoice.status}, ${timestampText(invoice.period.start)}::text::timestamptz,
            ${timestampText(invoice.period.end)}::text::timestamptz, ${invoice.timeZone}, ${invoice.currency},
            ${invoice.planVersion}, ${JSON.stringify(invoice.watermark)}::text::jsonb,
            ${invoice.subtotal.minor.toString()}::text::numeric, ${invoice.total.minor.toString()}::text::numeric,
            ${invoice.revision}, ${new Date(msOf(invoice.createdAt))}, ${new Date(msOf(invoice.refreshedAt))})
    ON CONFLICT ON CONSTRAINT invoices_once DO NOTHING RETURNING id`;
  return inserted.length === 1;
}

/** Replaces a draft's figures. @returns false when it is no draft any more or another refresh came first */
export async function updateDraft(sql: Sql, invoice: Omit<Invoice, "lines">): Promise<boolean> {
  const updated = await sql`
    UPDATE invoices
    SET watermark = ${JSON.stringify(invoice.watermark)}::text::jsonb,
        subtotal_minor = ${invoice.subtotal.minor.toString()}::text::numeric,
        total_minor = ${invoice.total.minor.toString()}::text::numeric,
        revision = ${invoice.revision}, refreshed_at = ${new Date(msOf(invoice.refreshedAt))}
    WHERE id = ${invoice.id} AND status = 'draft' AND revision = ${invoice.revision - 1}
    RETURNING id`;
  return updated.length === 1;
}

export async function findInvoice(sql: Sql, id: string): Promise<Invoice | undefined> {
  const rows = await sql<InvoiceRow[]>`
    SELECT id, customer, subscription, kind, status,
           (extract(epoch FROM period_start) * 1000000)::bigint::text AS period_start,
           (extract(epoch FROM period_end) * 1000000)::bigint::text AS period_end,
           time_zone, currency, plan_version, watermark, subtotal_minor::text, total_minor::text, revision,
           created_at, refreshed_at
    FROM invoices WHERE id = ${id}`;
  return (await withLines(sql, rows))[0];
}

/** The invoice of a subscription for the period that begins at an instant. */
export async function findInvoiceOfPeriod(
  sql: Sql,
  subscription: SubscriptionId,
  periodStart: Instant,
  kind: InvoiceKind,
): Promise<Invoice | undefined> {
  const rows = await sql<InvoiceRow[]>`
    SELECT id, customer, subscription, kind, status,
           (extract(epoch FROM period_start) * 1000000)::bigint::text AS period_start,
           (extract(epoch FROM period_end) * 1000000)::bigint::text AS period_end,
           time_zone, currency, plan_version, watermark, subtotal_minor::text, total_minor::text, revision,
           created_at, refreshed_at
    FROM invoices
    WHERE subscription = ${subscription} AND kind = ${kind}
      AND period_start = ${timestampText(periodStart)}::text::timestamptz`;
  return (await withLines(sql, rows))[0];
}

/** Invoices by id, newest first, after an invoice; of one customer or subscription when given. */
export async function listInvoices(
  sql: Sql,
  page: { customer?: CustomerId; subscription?: SubscriptionId; after?: string; limit: number },
): Promise<Invoice[]> {
  const after = page.after ?? null;
  const customer = page.customer ?? null;
  const subscription = page.subscription ?? null;
  const rows = await sql<InvoiceRow[]>`
    SELECT id, customer, subscription, kind, status,
           (extract(epoch FROM period_start) * 1000000)::bigint::text AS period_start,
           (extract(epoch FROM period_end) * 1000000)::bigint::text AS period_end,
           time_zone, currency, plan_version, watermark, subtotal_minor::text, total_minor::text, revision,
           created_at, refreshed_at
    FROM invoices
    WHERE (${after}::text IS NULL OR id < ${after})
      AND (${customer}::text IS NULL OR customer = ${customer})
      AND (${subscription}::text IS NULL OR subscription = ${subscription})
    ORDER BY id DESC LIMIT ${page.limit}`;
  return withLines(sql, rows);
}

interface InvoiceRow {
  readonly id: InvoiceId;
  readonly customer: CustomerId;
  readonly subscription: SubscriptionId;
  readonly kind: InvoiceKind;
  readonly status: InvoiceStatus;
  readonly period_start: string;
  readonly period_end: string;
  readonly time_zone: TimeZone;
  readonly currency: Currency;
  readonly plan_version: PlanVersionId;
  readonly watermark: UsageWatermark;
  readonly subtotal_minor: string;
  readonly total_minor: string;
  readonly revision: number;
  readonly created_at: Date;
  readonly refreshed_at: Date;
}

async function withLines(sql: Sql, rows: readonly InvoiceRow[]): Promise<Invoice[]> {
  const lines = await readInvoiceLines(
    sql,
    rows.map((row) => row.id),
  );
  return rows.map((row) => ({
    id: row.id,
    customer: row.customer,
    subscription: row.subscription,
    kind: row.kind,
    status: row.status,
    period: { start: instantOfMicros(row.period_start), end: instantOfMicros(row.period_end) },
    timeZone: row.time_zone,
    currency: row.currency,
    planVersion: row.plan_version,
    watermark: row.watermark,
    subtotal: { currency: row.currency, minor: BigInt(row.subtotal_minor) },
    total: { currency: row.currency, minor: BigInt(row.total_minor) },
    revision: row.revision,
    createdAt: instantFromMs(row.created_at.getTime()),
    refreshedAt: instantFromMs(row.refreshed_at.getTime()),
    lines: lines
      .filter((line) => line.invoice === row.id)
      .map(({ invoice: _invoice, minor, ...line }) => ({
        ...line,
        money: { currency: row.currency, minor },
      })),
  }));
}
