import { instantOfMicros, timestampText, type Sql } from "../../engines/postgres/index.js";
import type { CustomerId, OrganizationId } from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";
import type { Period, SubjectSpan } from "../core/index.js";

/** A span and whose it is. */
export interface OwnedSpan extends SubjectSpan {
  readonly customer: CustomerId;
}

/** A customer's spans by subject and time; only those that touch the period when one is given. */
export async function listSpans(sql: Sql, customer: CustomerId, period?: Period): Promise<OwnedSpan[]> {
  const from = period === undefined ? null : timestampText(period.start);
  const to = period === undefined ? null : timestampText(period.end);
  const rows = await sql<SpanRow[]>`
    SELECT customer, subject, (extract(epoch FROM valid_from) * 1000000)::bigint::text AS valid_from,
           (extract(epoch FROM valid_to) * 1000000)::bigint::text AS valid_to
    FROM customer_subjects
    WHERE customer = ${customer}
      AND (${to}::text IS NULL OR valid_from < ${to}::text::timestamptz)
      AND (${from}::text IS NULL OR valid_to IS NULL OR valid_to > ${from}::text::timestamptz)
    ORDER BY subject, valid_from`;
  return rows.map(fromRow);
}

/** The spans of many customers, by customer, subject and time. */
export async function listSpansOf(sql: Sql, customers: readonly CustomerId[]): Promise<OwnedSpan[]> {
  if (customers.length === 0) return [];
  const rows = await sql<SpanRow[]>`
    SELECT customer, subject, (extract(epoch FROM valid_from) * 1000000)::bigint::text AS valid_from,
           (extract(epoch FROM valid_to) * 1000000)::bigint::text AS valid_to
    FROM customer_subjects WHERE customer = ANY (${[...customers]}::text[])
    ORDER BY customer, subject, valid_from`;
  return rows.map(fromRow);
}

/**
 * Holds a subject until the transaction ends. The exclusion constraint alone would keep its owners apart, but of two
 * racing calls one would fail without knowing whose it is now, or both would wait for each other.
 */
export async function lockSubject(sql: Sql, organization: OrganizationId, subject: string): Promise<void> {
  await sql`SELECT pg_advisory_xact_lock(hashtextextended(${organization}::text || '/' || ${subject}::text, 0))`;
}

/** The first span of a subject, whoever owns it, that shares an instant with the given one. */
export async function findOverlap(sql: Sql, span: SubjectSpan): Promise<OwnedSpan | undefined> {
  const to = span.to === undefined ? null : timestampText(span.to);
  const rows = await sql<SpanRow[]>`
    SELECT customer, subject, (extract(epoch FROM valid_from) * 1000000)::bigint::text AS valid_from,
           (extract(epoch FROM valid_to) * 1000000)::bigint::text AS valid_to
    FROM customer_subjects
    WHERE subject = ${span.subject}
      AND tstzrange(valid_from, valid_to) && tstzrange(${timestampText(span.from)}::text::timestamptz, ${to}::text::timestamptz)
    ORDER BY valid_from LIMIT 1`;
  return rows.map(fromRow)[0];
}

/** The span of a subject that covers an instant, whoever owns it. */
export async function findCovering(sql: Sql, subject: string, at: Instant): Promise<OwnedSpan | undefined> {
  const rows = await sql<SpanRow[]>`
    SELECT customer, subject, (extract(epoch FROM valid_from) * 1000000)::bigint::text AS valid_from,
           (extract(epoch FROM valid_to) * 1000000)::bigint::text AS valid_to
    FROM customer_subjects
    WHERE subject = ${subject} AND valid_from <= ${timestampText(at)}::text::timestamptz
      AND (valid_to IS NULL OR valid_to > ${timestampText(at)}::text::timestamptz)`;
  return rows.map(fromRow)[0];
}

/** Gives a customer's spans of a subject another name, and ends them. */
export async function replaceSubject(
  sql: Sql,
  customer: CustomerId,
  subject: string,
  name: string,
  at: Instant,
): Promise<void> {
  const end = timestampText(at);
  await sql`
    DELETE FROM customer_subjects
    WHERE customer = ${customer} AND subject = ${subject} AND valid_from >= ${end}::text::timestamptz`;
  await sql`
    UPDATE customer_subjects
    SET subject = ${name}, valid_to = least(valid_to, ${end}::text::timestamptz)
    WHERE customer = ${customer} AND subject = ${subject}`;
}

/**
 * Inserts a span. That a subject has one owner at a time is the table's exclusion constraint: a span that shares an
 * instant with another fails with SQLSTATE 23P01.
 */
export async function insertSpan(sql: Sql, organization: OrganizationId, span: OwnedSpan): Promise<void> {
  const to = span.to === undefined ? null : timestampText(span.to);
  await sql`
    INSERT INTO customer_subjects (organization, customer, subject, valid_from, valid_to)
    VALUES (${organization}, ${span.customer}, ${span.subject}, ${timestampText(span.from)}::text::timestamptz,
            ${to}::text::timestamptz)`;
}

/** Ends the span that begins at `from`; ended where it begins, it was never there. */
export async function endSpan(sql: Sql, span: OwnedSpan, at: Instant): Promise<void> {
  const from = timestampText(span.from);
  if (at <= span.from) {
    await sql`
      DELETE FROM customer_subjects
      WHERE customer = ${span.customer} AND subject = ${span.subject} AND valid_from = ${from}::text::timestamptz`;
    return;
  }
  await sql`
    UPDATE customer_subjects SET valid_to = ${timestampText(at)}::text::timestamptz
    WHERE customer = ${span.customer} AND subject = ${span.subject} AND valid_from = ${from}::text::timestamptz`;
}

interface SpanRow {
  readonly customer: CustomerId;
  readonly subject: string;
  readonly valid_from: string;
  readonly valid_to: string | null;
}

function fromRow(row: SpanRow): OwnedSpan {
  return {
    customer: row.customer,
    subject: row.subject,
    from: instantOfMicros(row.valid_from),
    to: row.valid_to === null ? undefined : instantOfMicros(row.valid_to),
  };
}
