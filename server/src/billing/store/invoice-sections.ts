import { arrayText, instantOfMicros, timestampText, type Sql } from "../../engines/postgres/index.js";
import type {
  CustomerId,
  InvoiceId,
  OrganizationId,
  PlanVersionId,
  SubscriptionId,
} from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";
import type { TimeZone } from "../../kernel/time-zone.js";
import { section_ranks, type Period, type SectionKind } from "../core/index.js";
import type { OrderedSection } from "../invoicing/invoice-order.js";
import type { InvoiceSection, InvoiceStatus } from "../invoicing/invoice.js";

/** What earlier sections of a subscription have claimed. */
export interface Claims {
  /** The end of the last period that has a section before. */
  readonly claimedUntil: Instant | undefined;
  /** The last of the earlier sections that is still a draft. */
  readonly draft: { readonly invoice: InvoiceId; readonly issueAt: Instant } | undefined;
}

// LATERAL and OFFSET, here and below: looked up one by one by their keys. Joined, each question for 500 read all sections and
// invoices of the organization.

/** By subscription, of those that have earlier sections. */
export async function readClaims(
  sql: Sql,
  sections: readonly OrderedSection[],
): Promise<Map<SubscriptionId, Claims>> {
  const rows = await sql<
    {
      subscription: SubscriptionId;
      claimed: string | null;
      draft: InvoiceId | null;
      issue_at: string | null;
    }[]
  >`
    SELECT a.subscription,
           (extract(epoch FROM max(s.period_end) FILTER (WHERE s.kind IN ('start', 'period'))) * 1000000)::bigint::text AS claimed,
           (array_agg(i.id ORDER BY i.issue_at DESC, i.id) FILTER (WHERE i.status = 'draft'))[1] AS draft,
           (extract(epoch FROM max(i.issue_at) FILTER (WHERE i.status = 'draft')) * 1000000)::bigint::text AS issue_at
    FROM unnest(${arrayText(sections.map(({ subscription }) => subscription))}::text[],
                ${arrayText(sections.map(({ period }) => timestampText(period.end)))}::text[],
                ${arrayText(sections.map(({ kind }) => section_ranks[kind]))}::int[]) AS a (subscription, section_end, rank)
    CROSS JOIN LATERAL (
      SELECT organization, invoice, kind, period_end FROM invoice_sections
      WHERE subscription = a.subscription AND NOT is_void
        AND (period_end, rank::int) < (a.section_end::timestamptz, a.rank) OFFSET 0) s
    CROSS JOIN LATERAL (
      SELECT id, status, issue_at FROM invoices WHERE organization = s.organization AND id = s.invoice OFFSET 0) i
    GROUP BY a.subscription`;
  return new Map(
    rows.map(({ subscription, claimed, draft, issue_at }) => [
      subscription,
      {
        claimedUntil: claimed === null ? undefined : instantOfMicros(claimed),
        draft:
          draft === null || issue_at === null
            ? undefined
            : { invoice: draft, issueAt: instantOfMicros(issue_at) },
      },
    ]),
  );
}

/** A section that stands, and the invoice that it is on. */
export interface StandingSection extends OrderedSection {
  readonly invoice: InvoiceId;
  readonly status: InvoiceStatus;
}

/** The sections that stand for a subscription, kind and period's beginning, of those that are asked for. */
export async function findSections(
  sql: Sql,
  sections: readonly OrderedSection[],
): Promise<StandingSection[]> {
  const rows = await sql<SectionOfInvoiceRow[]>`
    SELECT s.subscription, s.kind, (extract(epoch FROM s.period_start) * 1000000)::bigint::text AS period_start,
           (extract(epoch FROM s.period_end) * 1000000)::bigint::text AS period_end, s.invoice, i.status
    FROM unnest(${arrayText(sections.map(({ subscription }) => subscription))}::text[], ${arrayText(sections.map(({ kind }) => kind))}::text[],
                ${arrayText(sections.map(({ period }) => timestampText(period.start)))}::text[]) AS a (subscription, kind, period_start)
    CROSS JOIN LATERAL (
      SELECT * FROM invoice_sections
      WHERE subscription = a.subscription AND kind = a.kind AND period_start = a.period_start::timestamptz AND NOT is_void
      OFFSET 0) s
    CROSS JOIN LATERAL (
      SELECT status FROM invoices WHERE organization = s.organization AND id = s.invoice OFFSET 0) i`;
  return rows.map(standingOf);
}

/** The sections of invoices, in each invoice's order. */
export async function sectionsOf(sql: Sql, invoices: readonly InvoiceId[]): Promise<StandingSection[]> {
  const rows = await sql<SectionOfInvoiceRow[]>`
    SELECT s.subscription, s.kind, (extract(epoch FROM s.period_start) * 1000000)::bigint::text AS period_start,
           (extract(epoch FROM s.period_end) * 1000000)::bigint::text AS period_end, s.invoice, i.status
    FROM invoice_sections s JOIN invoices i ON i.organization = s.organization AND i.id = s.invoice
    WHERE s.invoice = ANY (${arrayText(invoices)}::text[]) ORDER BY s.invoice, s.position`;
  return rows.map(standingOf);
}

interface SectionOfInvoiceRow {
  readonly subscription: SubscriptionId;
  readonly kind: SectionKind;
  readonly period_start: string;
  readonly period_end: string;
  readonly invoice: InvoiceId;
  readonly status: InvoiceStatus;
}

function standingOf(row: SectionOfInvoiceRow): StandingSection {
  const { subscription, kind, invoice, status } = row;
  return { subscription, kind, period: periodOf(row), invoice, status };
}

/** A section and whose it is. */
export type StoredSection = InvoiceSection & { readonly invoice: InvoiceId };

export async function insertSections(
  sql: Sql,
  organization: OrganizationId,
  sections: readonly StoredSection[],
): Promise<void> {
  await sql`
    INSERT INTO invoice_sections
      (organization, invoice, position, subscription, customer, kind, period_start, period_end, time_zone, plan_version)
    SELECT ${organization}, s.invoice, s.position, s.subscription, s.customer, s.kind, s.period_start::timestamptz,
           s.period_end::timestamptz, s.time_zone, s.plan_version
    FROM unnest(${arrayText(sections.map(({ invoice }) => invoice))}::text[], ${arrayText(sections.map(({ position }) => position))}::int[],
                ${arrayText(sections.map(({ subscription }) => subscription))}::text[], ${arrayText(sections.map(({ customer }) => customer))}::text[],
                ${arrayText(sections.map(({ kind }) => kind))}::text[], ${arrayText(sections.map(({ period }) => timestampText(period.start)))}::text[],
                ${arrayText(sections.map(({ period }) => timestampText(period.end)))}::text[],
                ${arrayText(sections.map(({ timeZone }) => timeZone))}::text[], ${arrayText(sections.map(({ planVersion }) => planVersion))}::text[])
         AS s (invoice, position, subscription, customer, kind, period_start, period_end, time_zone, plan_version)`;
}

/** Takes the lines and sections off drafts, to write them anew. */
export async function deleteParts(sql: Sql, drafts: readonly InvoiceId[]): Promise<void> {
  await sql`DELETE FROM invoice_lines WHERE invoice = ANY (${arrayText(drafts)}::text[])`;
  await sql`DELETE FROM invoice_sections WHERE invoice = ANY (${arrayText(drafts)}::text[])`;
}

export async function readSections(sql: Sql, invoices: readonly InvoiceId[]): Promise<StoredSection[]> {
  const rows = await sql<
    {
      invoice: InvoiceId;
      position: number;
      subscription: SubscriptionId;
      customer: CustomerId;
      kind: SectionKind;
      period_start: string;
      period_end: string;
      time_zone: TimeZone;
      plan_version: PlanVersionId;
    }[]
  >`
    SELECT invoice, position, subscription, customer, kind, time_zone, plan_version,
           (extract(epoch FROM period_start) * 1000000)::bigint::text AS period_start,
           (extract(epoch FROM period_end) * 1000000)::bigint::text AS period_end
    FROM invoice_sections WHERE invoice = ANY (${arrayText(invoices)}::text[]) ORDER BY invoice, position`;
  return rows.map((row) => ({
    invoice: row.invoice,
    position: row.position,
    subscription: row.subscription,
    customer: row.customer,
    kind: row.kind,
    period: periodOf(row),
    timeZone: row.time_zone,
    planVersion: row.plan_version,
  }));
}

function periodOf(row: { readonly period_start: string; readonly period_end: string }): Period {
  return { start: instantOfMicros(row.period_start), end: instantOfMicros(row.period_end) };
}
