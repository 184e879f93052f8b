import { arrayText, instantOfMicros, timestampText, type Sql } from "../../engines/postgres/index.js";
import type { BillingProfile } from "../../identity/index.js";
import type { Currency } from "../../kernel/currency.js";
import type { CustomerId, InvoiceId, OrganizationId, SubscriptionId } from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";
import type { TimeZone } from "../../kernel/time-zone.js";
import type { SectionKind } from "../core/index.js";
import type { StandingDraft } from "../invoicing/invoice-order.js";
import type {
  Buyer,
  Finalization,
  Invoice,
  InvoiceHead,
  InvoiceStatus,
  InvoiceTax,
} from "../invoicing/invoice.js";
import { taxRateFromJson, taxRateToJson, type TaxRateJson } from "../invoicing/tax-rate-json.js";
import type { UsageWatermark } from "../usage-port.js";
import { readLines } from "./invoice-lines.js";
import { readSections } from "./invoice-sections.js";

/** What is stored of an invoice itself. */
export type InvoiceRow = Omit<InvoiceHead, "sections">;

/** Writes new invoices; those that are finalized already after their sections and lines. */
export async function insertInvoices(
  sql: Sql,
  organization: OrganizationId,
  invoices: readonly InvoiceRow[],
): Promise<void> {
  if (invoices.length === 0) return;
  await sql`
    INSERT INTO invoices
      (organization, id, customer, kind, status, currency, time_zone, boundary, issue_at, watermark, subtotal_minor,
       promotional_minor, tax_minor, total_minor, paid_credits_minor, balance_used_minor, to_balance_minor, due_minor, taxes,
       notices, sequence, number, buyer, seller, payment_due_at, revision, created_at, refreshed_at, finalized_at)
    SELECT ${organization}, i.id, i.customer, i.kind, i.status, i.currency, i.time_zone, i.boundary::timestamptz,
           i.issue_at::timestamptz, i.watermark::jsonb, i.subtotal::numeric, i.promotional::numeric, i.tax::numeric,
           i.total::numeric, i.paid::numeric, i.balance::numeric, i.to_balance::numeric, i.due::numeric, i.taxes::jsonb,
           i.notices::jsonb, nullif(i.sequence, 0), nullif(i.number, ''), nullif(i.buyer, '')::jsonb,
           nullif(i.seller, '')::jsonb, nullif(i.payment_due, '')::timestamptz, i.revision, i.created::timestamptz,
           i.refreshed::timestamptz, nullif(i.finalized, '')::timestamptz
    FROM ${rowsFor(sql, invoices)}`;
}

/** Writes drafts anew, with what finalizing adds for those that are finalized with it. */
export async function updateDrafts(sql: Sql, invoices: readonly InvoiceRow[]): Promise<void> {
  if (invoices.length === 0) return;
  await sql`
    UPDATE invoices AS d
    SET customer = i.customer, kind = i.kind, status = i.status, currency = i.currency, time_zone = i.time_zone,
        boundary = i.boundary::timestamptz, issue_at = i.issue_at::timestamptz, watermark = i.watermark::jsonb,
        subtotal_minor = i.subtotal::numeric, promotional_minor = i.promotional::numeric, tax_minor = i.tax::numeric,
        total_minor = i.total::numeric, paid_credits_minor = i.paid::numeric, balance_used_minor = i.balance::numeric,
        to_balance_minor = i.to_balance::numeric, due_minor = i.due::numeric, taxes = i.taxes::jsonb,
        notices = i.notices::jsonb, sequence = nullif(i.sequence, 0), number = nullif(i.number, ''),
        buyer = nullif(i.buyer, '')::jsonb, seller = nullif(i.seller, '')::jsonb,
        payment_due_at = nullif(i.payment_due, '')::timestamptz, revision = i.revision,
        refreshed_at = i.refreshed::timestamptz, finalized_at = nullif(i.finalized, '')::timestamptz
    FROM ${rowsFor(sql, invoices)}
    WHERE d.id = i.id`;
}

/** Invoices as rows `i` of a statement. */
function rowsFor(sql: Sql, invoices: readonly InvoiceRow[]) {
  const columns = columnsOf(invoices);
  return sql`
    unnest(${arrayText(columns.id)}::text[], ${arrayText(columns.customer)}::text[], ${arrayText(columns.kind)}::text[], ${arrayText(columns.status)}::text[],
                ${arrayText(columns.currency)}::text[], ${arrayText(columns.timeZone)}::text[], ${arrayText(columns.boundary)}::text[], ${arrayText(columns.issueAt)}::text[],
                ${arrayText(columns.watermark)}::text[], ${arrayText(columns.subtotal)}::text[], ${arrayText(columns.promotional)}::text[], ${arrayText(columns.tax)}::text[],
                ${arrayText(columns.total)}::text[], ${arrayText(columns.paidCredits)}::text[], ${arrayText(columns.balanceUsed)}::text[],
                ${arrayText(columns.toBalance)}::text[], ${arrayText(columns.due)}::text[], ${arrayText(columns.taxes)}::text[], ${arrayText(columns.notices)}::text[],
                ${arrayText(columns.sequence)}::bigint[], ${arrayText(columns.number)}::text[], ${arrayText(columns.buyer)}::text[], ${arrayText(columns.seller)}::text[],
                ${arrayText(columns.paymentDueAt)}::text[], ${arrayText(columns.revision)}::int[], ${arrayText(columns.createdAt)}::text[],
                ${arrayText(columns.refreshedAt)}::text[], ${arrayText(columns.finalizedAt)}::text[])
         AS i (id, customer, kind, status, currency, time_zone, boundary, issue_at, watermark, subtotal, promotional, tax, total,
               paid, balance, to_balance, due, taxes, notices, sequence, number, buyer, seller, payment_due, revision, created,
               refreshed, finalized)`;
}

function columnsOf(invoices: readonly InvoiceRow[]) {
  const texts = (of: (invoice: InvoiceRow) => string) => invoices.map(of);
  const instants = (of: (invoice: InvoiceRow) => Instant | undefined) =>
    invoices.map((invoice) => {
      const at = of(invoice);
      return at === undefined ? "" : timestampText(at);
    });
  return {
    id: texts(({ id }) => id),
    customer: texts(({ customer }) => customer),
    kind: texts(({ kind }) => kind),
    status: texts(({ status }) => status),
    currency: texts(({ currency }) => currency),
    timeZone: texts(({ timeZone }) => timeZone),
    boundary: instants(({ boundary }) => boundary),
    issueAt: instants(({ issueAt }) => issueAt),
    watermark: texts(({ watermark }) => JSON.stringify(watermark)),
    subtotal: texts(({ totals }) => totals.subtotal.toString()),
    promotional: texts(({ totals }) => totals.promotional.toString()),
    tax: texts(({ totals }) => totals.tax.toString()),
    total: texts(({ totals }) => totals.total.toString()),
    paidCredits: texts(({ totals }) => totals.paidCredits.toString()),
    balanceUsed: texts(({ totals }) => totals.balanceUsed.toString()),
    toBalance: texts(({ totals }) => totals.toBalance.toString()),
    due: texts(({ totals }) => totals.due.toString()),
    taxes: texts(({ taxes }) => JSON.stringify(taxes.map(taxToJson))),
    notices: texts(({ notices }) => JSON.stringify(notices)),
    sequence: invoices.map(({ finalized }) => finalized?.sequence ?? 0),
    number: texts(({ finalized }) => finalized?.number ?? ""),
    buyer: texts(({ finalized }) => (finalized === undefined ? "" : JSON.stringify(finalized.buyer))),
    seller: texts(({ finalized }) =>
      finalized?.seller === undefined ? "" : JSON.stringify(finalized.seller),
    ),
    paymentDueAt: instants(({ finalized }) => finalized?.paymentDueAt),
    revision: invoices.map(({ revision }) => revision),
    createdAt: instants(({ createdAt }) => createdAt),
    refreshedAt: instants(({ refreshedAt }) => refreshedAt),
    finalizedAt: instants(({ finalized }) => finalized?.at),
  };
}

/** Holds invoices until the transaction ends, in one order everywhere. */
export async function lockInvoices(
  sql: Sql,
  ids: readonly InvoiceId[],
): Promise<Map<InvoiceId, { readonly status: InvoiceStatus; readonly revision: number }>> {
  const rows = await sql<{ id: InvoiceId; status: InvoiceStatus; revision: number }[]>`
    SELECT id, status, revision FROM invoices WHERE id = ANY (${arrayText(ids)}::text[]) ORDER BY id FOR NO KEY UPDATE`;
  return new Map(rows.map(({ id, ...rest }) => [id, rest]));
}

export async function markVoided(sql: Sql, id: InvoiceId, at: Instant): Promise<void> {
  await sql`UPDATE invoice_sections SET is_void = true WHERE invoice = ${id}`;
  await sql`
    UPDATE invoices SET status = 'voided', voided_at = ${timestampText(at)}::text::timestamptz WHERE id = ${id}`;
}

export interface InvoiceFilter {
  /** Who pays, or whose subscriptions are on it. */
  readonly customer?: CustomerId | undefined;
  readonly subscription?: SubscriptionId | undefined;
  readonly status?: InvoiceStatus | undefined;
}

/** Invoices by id, newest first, after an invoice. */
export async function listInvoices(
  sql: Sql,
  page: InvoiceFilter & { readonly after?: string; readonly limit: number },
): Promise<Invoice[]> {
  const after = page.after ?? null;
  const customer = page.customer ?? null;
  const subscription = page.subscription ?? null;
  const rows = await sql<{ id: InvoiceId }[]>`
    SELECT id FROM invoices i
    WHERE (${after}::text IS NULL OR id < ${after}) AND (${page.status ?? null}::text IS NULL OR status = ${page.status ?? null})
      AND (${customer}::text IS NULL OR customer = ${customer} OR EXISTS (
        SELECT FROM invoice_sections s WHERE s.organization = i.organization AND s.customer = ${customer} AND s.invoice = i.id))
      AND (${subscription}::text IS NULL OR EXISTS (
        SELECT FROM invoice_sections s WHERE s.organization = i.organization AND s.invoice = i.id AND s.subscription = ${subscription}))
    ORDER BY id DESC LIMIT ${page.limit}`;
  return readInvoices(
    sql,
    rows.map(({ id }) => id),
  );
}

export async function findInvoice(sql: Sql, id: string): Promise<Invoice | undefined> {
  return (await readInvoices(sql, [id as InvoiceId]))[0];
}

/** By its number, such as "INV-000042". */
export async function findInvoiceByNumber(sql: Sql, number: string): Promise<Invoice | undefined> {
  const [row] = await sql<{ id: InvoiceId }[]>`SELECT id FROM invoices WHERE number = ${number}`;
  return row === undefined ? undefined : findInvoice(sql, row.id);
}

/** Drafts of payers in a currency and of a kind, for a boundary: what falls due together joins them. */
export async function findOpenDrafts(
  sql: Sql,
  of: readonly {
    readonly customer: CustomerId;
    readonly currency: Currency;
    readonly kind: SectionKind;
    readonly boundary: Instant;
  }[],
): Promise<
  {
    id: InvoiceId;
    customer: CustomerId;
    currency: Currency;
    kind: SectionKind;
    boundary: Instant;
  }[]
> {
  const rows = await sql<
    { id: InvoiceId; customer: CustomerId; currency: Currency; kind: SectionKind; boundary: string }[]
  >`
    SELECT i.id, i.customer, i.currency, i.kind, (extract(epoch FROM i.boundary) * 1000000)::bigint::text AS boundary
    FROM unnest(${arrayText(of.map(({ customer }) => customer))}::text[], ${arrayText(of.map(({ currency }) => currency))}::text[],
                ${arrayText(of.map(({ kind }) => kind))}::text[], ${arrayText(of.map(({ boundary }) => timestampText(boundary)))}::text[])
         AS a (customer, currency, kind, boundary)
    JOIN invoices i ON i.customer = a.customer AND i.currency = a.currency AND i.kind = a.kind
      AND i.boundary = a.boundary::timestamptz AND i.status = 'draft'
    ORDER BY i.id`;
  return rows.map((row) => ({ ...row, boundary: instantOfMicros(row.boundary) }));
}

/** What a draft comes to, as it was computed last. */
export interface DraftTotals {
  readonly id: InvoiceId;
  readonly customer: CustomerId;
  readonly currency: Currency;
  readonly boundary: Instant;
  readonly promotional: bigint;
  readonly total: bigint;
}

/** The drafts of payers, in the order in which they fall due. */
export async function readDraftTotals(sql: Sql, payers: readonly CustomerId[]): Promise<DraftTotals[]> {
  const rows = await sql<
    {
      id: InvoiceId;
      customer: CustomerId;
      currency: Currency;
      boundary: string;
      promotional: string;
      total: string;
    }[]
  >`
    SELECT i.id, i.customer, i.currency, (extract(epoch FROM i.boundary) * 1000000)::bigint::text AS boundary,
           i.promotional_minor::text AS promotional, i.total_minor::text AS total
    FROM unnest(${arrayText(payers)}::text[]) AS w (payer)
    CROSS JOIN LATERAL (
      SELECT * FROM invoices WHERE customer = w.payer AND status = 'draft' OFFSET 0) i
    ORDER BY i.boundary, i.id`;
  return rows.map(({ boundary, promotional, total, ...row }) => ({
    ...row,
    boundary: instantOfMicros(boundary),
    promotional: BigInt(promotional),
    total: BigInt(total),
  }));
}

/** Those of these invoices that are drafts. */
export async function readStandingDrafts(sql: Sql, ids: readonly InvoiceId[]): Promise<StandingDraft[]> {
  const rows = await sql<{ id: InvoiceId; revision: number; created_at: string; issue_at: string }[]>`
    SELECT id, revision, (extract(epoch FROM created_at) * 1000000)::bigint::text AS created_at,
           (extract(epoch FROM issue_at) * 1000000)::bigint::text AS issue_at
    FROM invoices WHERE id = ANY (${arrayText(ids)}::text[]) AND status = 'draft' ORDER BY id`;
  return rows.map(({ id, revision, created_at, issue_at }) => ({
    id,
    revision,
    createdAt: instantOfMicros(created_at),
    issueAt: instantOfMicros(issue_at),
  }));
}

/** Whole invoices of these ids, newest first; unknown ones are left out. */
export async function readInvoices(sql: Sql, ids: readonly InvoiceId[]): Promise<Invoice[]> {
  if (ids.length === 0) return [];
  const heads = await readHeads(sql, ids);
  const sections = await readSections(sql, ids);
  const lines = await readLines(sql, ids);
  return heads.map((head) => ({
    ...head,
    sections: sections
      .filter(({ invoice }) => invoice === head.id)
      .map(({ invoice: _invoice, ...section }) => section),
    lines: lines
      .filter(({ invoice }) => invoice === head.id)
      .map(({ invoice: _invoice, subscription: _subscription, position: _position, ...line }) => line),
  }));
}

async function readHeads(sql: Sql, ids: readonly InvoiceId[]): Promise<InvoiceRow[]> {
  const rows = await sql<RawInvoice[]>`
    SELECT id, customer, kind, status, currency, time_zone, watermark, taxes, notices, sequence::text, number, buyer, seller, revision,
           subtotal_minor::text AS subtotal, promotional_minor::text AS promotional, tax_minor::text AS tax,
           total_minor::text AS total, paid_credits_minor::text AS paid, balance_used_minor::text AS balance,
           to_balance_minor::text AS to_balance, due_minor::text AS due,
           (extract(epoch FROM boundary) * 1000000)::bigint::text AS boundary,
           (extract(epoch FROM issue_at) * 1000000)::bigint::text AS issue_at,
           (extract(epoch FROM payment_due_at) * 1000000)::bigint::text AS payment_due_at,
           (extract(epoch FROM created_at) * 1000000)::bigint::text AS created_at,
           (extract(epoch FROM refreshed_at) * 1000000)::bigint::text AS refreshed_at,
           (extract(epoch FROM finalized_at) * 1000000)::bigint::text AS finalized_at,
           (extract(epoch FROM voided_at) * 1000000)::bigint::text AS voided_at
    FROM invoices WHERE id = ANY (${arrayText(ids)}::text[]) ORDER BY id DESC`;
  return rows.map(headOf);
}

interface RawInvoice {
  readonly id: InvoiceId;
  readonly customer: CustomerId;
  readonly kind: SectionKind;
  readonly status: InvoiceStatus;
  readonly currency: Currency;
  readonly time_zone: TimeZone;
  readonly watermark: UsageWatermark;
  readonly taxes: readonly InvoiceTaxJson[];
  readonly notices: readonly string[];
  readonly sequence: string | null;
  readonly number: string | null;
  readonly buyer: Buyer | null;
  readonly seller: BillingProfile | null;
  readonly revision: number;
  readonly subtotal: string;
  readonly promotional: string;
  readonly tax: string;
  readonly total: string;
  readonly paid: string;
  readonly balance: string;
  readonly to_balance: string;
  readonly due: string;
  readonly boundary: string;
  readonly issue_at: string;
  readonly payment_due_at: string | null;
  readonly created_at: string;
  readonly refreshed_at: string;
  readonly finalized_at: string | null;
  readonly voided_at: string | null;
}

function headOf(row: RawInvoice): InvoiceRow {
  return {
    id: row.id,
    customer: row.customer,
    kind: row.kind,
    status: row.status,
    currency: row.currency,
    timeZone: row.time_zone,
    boundary: instantOfMicros(row.boundary),
    issueAt: instantOfMicros(row.issue_at),
    watermark: row.watermark,
    totals: {
      subtotal: BigInt(row.subtotal),
      promotional: BigInt(row.promotional),
      tax: BigInt(row.tax),
      total: BigInt(row.total),
      paidCredits: BigInt(row.paid),
      balanceUsed: BigInt(row.balance),
      toBalance: BigInt(row.to_balance),
      due: BigInt(row.due),
    },
    taxes: row.taxes.map(taxFromJson),
    notices: row.notices,
    revision: row.revision,
    createdAt: instantOfMicros(row.created_at),
    refreshedAt: instantOfMicros(row.refreshed_at),
    finalized: finalizationOf(row),
    voidedAt: row.voided_at === null ? undefined : instantOfMicros(row.voided_at),
  };
}

function finalizationOf(row: RawInvoice): Finalization | undefined {
  const { sequence, number, buyer, finalized_at, payment_due_at } = row;
  if (sequence === null || number === null || buyer === null) return undefined;
  if (finalized_at === null || payment_due_at === null) return undefined;
  return {
    sequence: Number(sequence),
    number,
    buyer,
    seller: row.seller ?? undefined,
    at: instantOfMicros(finalized_at),
    paymentDueAt: instantOfMicros(payment_due_at),
  };
}

interface InvoiceTaxJson {
  readonly rate: TaxRateJson;
  readonly taxable: string;
  readonly tax: string;
}

function taxToJson({ rate, taxable, tax }: InvoiceTax): InvoiceTaxJson {
  return { rate: taxRateToJson(rate), taxable: taxable.toString(), tax: tax.toString() };
}

function taxFromJson({ rate, taxable, tax }: InvoiceTaxJson): InvoiceTax {
  return { rate: taxRateFromJson(rate), taxable: BigInt(taxable), tax: BigInt(tax) };
}
