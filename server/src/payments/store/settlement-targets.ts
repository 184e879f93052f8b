import { arrayText, timestampText, type Sql } from "../../engines/postgres/index.js";
import type { Currency } from "../../kernel/currency.js";
import type { Instant } from "../../kernel/instant.js";
import type { ProviderAccountId } from "../../kernel/ids.js";

/*
 * What settlement files look for, many at once. LATERAL and OFFSET where a thing is looked up by its name, one index probe each,
 * whatever the planner thinks of how many there are: a file has a million. By amount there are ten thousand at most, and one
 * pass over what is open around them is cheaper than an index that everything would have to keep.
 */

export interface NamedPayment {
  readonly reference: string;
  readonly id: string;
  readonly source: string;
  readonly source_id: string;
  readonly currency: Currency;
  readonly amount: string;
  readonly at: string;
  readonly settled_currency: Currency | null;
  readonly settled: string | null;
  readonly fee: string | null;
}

/** By the provider's id, which is unique in an account. */
export async function findPaymentsByRefs(
  sql: Sql,
  account: ProviderAccountId,
  references: readonly string[],
): Promise<NamedPayment[]> {
  return sql<NamedPayment[]>`
    SELECT w.ref AS reference, p.id, p.source, p.source_id, p.currency, p.amount_minor::text AS amount,
           (extract(epoch FROM p.received_at) * 1000000)::bigint::text AS at,
           s.currency AS settled_currency, s.gross_minor::text AS settled, s.fee_minor::text AS fee
    FROM unnest(${arrayText(references)}::text[]) AS w (ref)
    CROSS JOIN LATERAL (SELECT * FROM payments WHERE account = ${account} AND ref = w.ref AND ref IS NOT NULL OFFSET 0) p
    LEFT JOIN LATERAL (
      SELECT * FROM payment_settlements WHERE organization = p.organization AND payment = p.id OFFSET 0) s ON true`;
}

/** By our ids, or those of the attempts that made them. */
export async function findPaymentsByIds(
  sql: Sql,
  account: ProviderAccountId | undefined,
  ids: readonly string[],
): Promise<NamedPayment[]> {
  const of = account ?? null;
  return sql<NamedPayment[]>`
    SELECT w.id AS reference, p.id, p.source, p.source_id, p.currency, p.amount_minor::text AS amount,
           (extract(epoch FROM p.received_at) * 1000000)::bigint::text AS at,
           s.currency AS settled_currency, s.gross_minor::text AS settled, s.fee_minor::text AS fee
    FROM unnest(${arrayText(ids)}::text[]) AS w (id)
    CROSS JOIN LATERAL (
      SELECT * FROM payments WHERE id = w.id
      UNION ALL
      SELECT * FROM payments WHERE source = 'attempt' AND source_id = w.id OFFSET 0) p
    LEFT JOIN LATERAL (
      SELECT * FROM payment_settlements WHERE organization = p.organization AND payment = p.id OFFSET 0) s ON true
    WHERE ${of}::text IS NULL OR p.account = ${of}`;
}

/** By a card transaction's acquirer reference number, as a file told it. */
export async function findPaymentsByArns(
  sql: Sql,
  account: ProviderAccountId,
  arns: readonly string[],
): Promise<NamedPayment[]> {
  return sql<NamedPayment[]>`
    SELECT w.arn AS reference, p.id, p.source, p.source_id, p.currency, p.amount_minor::text AS amount,
           (extract(epoch FROM p.received_at) * 1000000)::bigint::text AS at,
           s.currency AS settled_currency, s.gross_minor::text AS settled, s.fee_minor::text AS fee
    FROM unnest(${arrayText(arns)}::text[]) AS w (arn)
    CROSS JOIN LATERAL (SELECT * FROM payment_settlements WHERE arn = w.arn AND arn IS NOT NULL OFFSET 0) s
    JOIN payments p ON p.organization = s.organization AND p.id = s.payment
    WHERE p.account = ${account}`;
}

/** Transfers that came in on a bank account and went to these invoices, by the invoices' ids; those given back apart. */
export async function findTransfersOfInvoices(
  sql: Sql,
  account: ProviderAccountId,
  invoices: readonly string[],
): Promise<NamedPayment[]> {
  return sql<NamedPayment[]>`
    SELECT w.invoice AS reference, p.id, p.source, p.source_id, p.currency, p.amount_minor::text AS amount,
           (extract(epoch FROM p.received_at) * 1000000)::bigint::text AS at,
           NULL AS settled_currency, NULL AS settled, NULL AS fee
    FROM unnest(${arrayText(invoices)}::text[]) AS w (invoice)
    CROSS JOIN LATERAL (SELECT * FROM payment_allocations WHERE invoice = w.invoice OFFSET 0) a
    JOIN payments p ON p.organization = a.organization AND p.id = a.payment
    JOIN payment_refunded r ON r.organization = p.organization AND r.payment = p.id AND r.refunded_minor = 0
    WHERE p.account = ${account} AND p.source = 'bank'`;
}

export interface NamedAttempt {
  readonly reference: string;
  readonly id: string;
  readonly state: string;
  readonly currency: Currency;
  readonly amount: string;
  readonly at: string;
}

/** Those that made no payment, by the provider's id or ours. */
export async function findAttemptsByNames(
  sql: Sql,
  account: ProviderAccountId | undefined,
  names: readonly string[],
): Promise<NamedAttempt[]> {
  const of = account ?? null;
  return sql<NamedAttempt[]>`
    SELECT w.name AS reference, a.id, a.state, a.currency, a.amount_minor::text AS amount,
           (extract(epoch FROM a.created_at) * 1000000)::bigint::text AS at
    FROM unnest(${arrayText(names)}::text[]) AS w (name)
    CROSS JOIN LATERAL (
      SELECT * FROM payment_attempts WHERE id = w.name
      UNION ALL
      SELECT * FROM payment_attempts WHERE account = ${of}::text AND ref = w.name AND ref IS NOT NULL OFFSET 0) a
    WHERE (${of}::text IS NULL OR a.account = ${of}) AND a.state <> 'succeeded'`;
}

export interface NamedRefund extends NamedAttempt {
  readonly account: ProviderAccountId | null;
}

export async function findRefundsByNames(
  sql: Sql,
  account: ProviderAccountId | undefined,
  names: readonly string[],
): Promise<NamedRefund[]> {
  const of = account ?? null;
  return sql<NamedRefund[]>`
    SELECT w.name AS reference, r.id, r.state, r.currency, r.amount_minor::text AS amount, p.account,
           (extract(epoch FROM r.created_at) * 1000000)::bigint::text AS at
    FROM unnest(${arrayText(names)}::text[]) AS w (name)
    CROSS JOIN LATERAL (
      SELECT * FROM refunds WHERE id = w.name
      UNION ALL
      SELECT * FROM refunds WHERE ref = w.name AND ref IS NOT NULL OFFSET 0) r
    JOIN payments p ON p.organization = r.organization AND p.id = r.payment
    WHERE ${of}::text IS NULL OR p.account = ${of}`;
}

export interface NamedDispute extends NamedAttempt {
  readonly held_currency: Currency;
  readonly held: string;
  readonly fee_currency: Currency;
  readonly fee: string;
}

export async function findDisputesByNames(
  sql: Sql,
  account: ProviderAccountId | undefined,
  names: readonly string[],
): Promise<NamedDispute[]> {
  const of = account ?? null;
  return sql<NamedDispute[]>`
    SELECT w.name AS reference, d.id, d.state, d.currency, d.amount_minor::text AS amount, d.held_currency, d.held_minor::text AS held,
           d.fee_currency, d.fee_minor::text AS fee, (extract(epoch FROM d.opened_at) * 1000000)::bigint::text AS at
    FROM unnest(${arrayText(names)}::text[]) AS w (name)
    CROSS JOIN LATERAL (
      SELECT * FROM disputes WHERE id = w.name
      UNION ALL
      SELECT * FROM disputes WHERE account = ${of}::text AND ref = w.name OFFSET 0) d
    WHERE ${of}::text IS NULL OR d.account = ${of}`;
}

export interface NamedPayout extends NamedAttempt {
  readonly account: ProviderAccountId;
  readonly received: boolean;
}

/** Of one account, or of all of them: the bank's lines name payouts of any. */
export async function findPayoutsByNames(
  sql: Sql,
  account: ProviderAccountId | undefined,
  names: readonly string[],
): Promise<NamedPayout[]> {
  const of = account ?? null;
  return sql<NamedPayout[]>`
    SELECT w.name AS reference, o.id, o.account, o.state, o.currency, o.amount_minor::text AS amount, o.received_at IS NOT NULL AS received,
           (extract(epoch FROM o.created_at) * 1000000)::bigint::text AS at
    FROM unnest(${arrayText(names)}::text[]) AS w (name)
    CROSS JOIN LATERAL (
      SELECT * FROM payouts WHERE id = w.name
      UNION ALL
      SELECT o.* FROM provider_accounts c JOIN payouts o ON o.organization = c.organization AND o.account = c.id AND o.ref = w.name
      OFFSET 0) o
    WHERE ${of}::text IS NULL OR o.account = ${of}`;
}

export interface NamedInvoice {
  readonly reference: string;
  readonly id: string;
  readonly number: string;
  readonly customer: string;
  readonly customer_name: string;
  readonly currency: Currency;
  readonly open: string;
  readonly at: string;
}

/** By id or number; what was written off is owed all the same. */
export async function findInvoicesByNames(sql: Sql, names: readonly string[]): Promise<NamedInvoice[]> {
  return sql<NamedInvoice[]>`
    SELECT w.name AS reference, i.id, i.number, r.customer, c.name AS customer_name, r.currency,
           greatest(r.due_minor - r.credited_minor - r.paid_minor, 0)::text AS open,
           (extract(epoch FROM i.finalized_at) * 1000000)::bigint::text AS at
    FROM unnest(${arrayText(names)}::text[]) AS w (name)
    CROSS JOIN LATERAL (
      SELECT * FROM invoices WHERE id = w.name
      UNION ALL
      SELECT * FROM invoices WHERE number = w.name AND number IS NOT NULL OFFSET 0) i
    JOIN receivables r ON r.organization = i.organization AND r.invoice = i.id AND r.state <> 'void'
    JOIN customers c ON c.organization = r.organization AND c.id = r.customer`;
}

/** By the number's number: the candidates for a structured reference, whose text is the invoice's number without punctuation. */
export async function findInvoicesBySequences(
  sql: Sql,
  sequences: readonly bigint[],
): Promise<NamedInvoice[]> {
  return sql<NamedInvoice[]>`
    SELECT w.sequence::text AS reference, i.id, i.number, r.customer, c.name AS customer_name, r.currency,
           greatest(r.due_minor - r.credited_minor - r.paid_minor, 0)::text AS open,
           (extract(epoch FROM i.finalized_at) * 1000000)::bigint::text AS at
    FROM unnest(${arrayText(sequences)}::bigint[]) AS w (sequence)
    CROSS JOIN LATERAL (SELECT * FROM invoices WHERE sequence = w.sequence OFFSET 0) i
    JOIN receivables r ON r.organization = i.organization AND r.invoice = i.id AND r.state <> 'void'
    JOIN customers c ON c.organization = r.organization AND c.id = r.customer`;
}

/** What is of an amount around a time. */
export interface AmountSought {
  readonly position: number;
  readonly currency: Currency;
  readonly minor: bigint;
  readonly from: Instant;
  readonly to: Instant;
}

interface Sought {
  readonly positions: string;
  readonly currencies: string;
  readonly amounts: string;
  readonly froms: string;
  readonly tos: string;
}

function soughtTexts(all: readonly AmountSought[]): Sought {
  return {
    positions: arrayText(all.map(({ position }) => position)),
    currencies: arrayText(all.map(({ currency }) => currency)),
    amounts: arrayText(all.map(({ minor }) => minor)),
    froms: arrayText(all.map(({ from }) => timestampText(from))),
    tos: arrayText(all.map(({ to }) => timestampText(to))),
  };
}

export async function findPaymentsByAmounts(
  sql: Sql,
  account: ProviderAccountId,
  sought: readonly AmountSought[],
): Promise<NamedPayment[]> {
  const { positions, currencies, amounts, froms, tos } = soughtTexts(sought);
  return sql<NamedPayment[]>`
    SELECT w.position::text AS reference, p.id, p.source, p.source_id, p.currency, p.amount_minor::text AS amount,
           (extract(epoch FROM p.received_at) * 1000000)::bigint::text AS at,
           s.currency AS settled_currency, s.gross_minor::text AS settled, s.fee_minor::text AS fee
    FROM unnest(${positions}::int[], ${currencies}::text[], ${amounts}::numeric[], ${froms}::timestamptz[], ${tos}::timestamptz[])
         AS w (position, currency, amount, starts, ends)
    JOIN payments p ON p.account = ${account} AND p.currency = w.currency AND p.amount_minor = w.amount
      AND p.received_at >= w.starts AND p.received_at < w.ends
    LEFT JOIN payment_settlements s ON s.organization = p.organization AND s.payment = p.id
    WHERE p.account = ${account} AND p.received_at >= (SELECT min(f) FROM unnest(${froms}::timestamptz[]) f)
      AND p.received_at < (SELECT max(t) FROM unnest(${tos}::timestamptz[]) t)
    ORDER BY w.position, p.id`;
}

export async function findAttemptsByAmounts(
  sql: Sql,
  account: ProviderAccountId,
  sought: readonly AmountSought[],
): Promise<NamedAttempt[]> {
  const { positions, currencies, amounts, froms, tos } = soughtTexts(sought);
  return sql<NamedAttempt[]>`
    SELECT w.position::text AS reference, a.id, a.state, a.currency, a.amount_minor::text AS amount,
           (extract(epoch FROM a.created_at) * 1000000)::bigint::text AS at
    FROM unnest(${positions}::int[], ${currencies}::text[], ${amounts}::numeric[], ${froms}::timestamptz[], ${tos}::timestamptz[])
         AS w (position, currency, amount, starts, ends)
    JOIN payment_attempts a ON a.currency = w.currency AND a.amount_minor = w.amount AND a.created_at >= w.starts AND a.created_at < w.ends
    WHERE a.account = ${account} AND a.state IN ('pending', 'processing', 'requires_action', 'unknown')
    ORDER BY w.position, a.id`;
}

export async function findRefundsByAmounts(
  sql: Sql,
  account: ProviderAccountId,
  sought: readonly AmountSought[],
): Promise<NamedRefund[]> {
  const { positions, currencies, amounts, froms, tos } = soughtTexts(sought);
  return sql<NamedRefund[]>`
    SELECT w.position::text AS reference, r.id, r.state, r.currency, r.amount_minor::text AS amount, p.account,
           (extract(epoch FROM r.created_at) * 1000000)::bigint::text AS at
    FROM unnest(${positions}::int[], ${currencies}::text[], ${amounts}::numeric[], ${froms}::timestamptz[], ${tos}::timestamptz[])
         AS w (position, currency, amount, starts, ends)
    JOIN refunds r ON r.currency = w.currency AND r.amount_minor = w.amount AND r.created_at >= w.starts AND r.created_at < w.ends
    JOIN payments p ON p.organization = r.organization AND p.id = r.payment
    WHERE p.account = ${account}
    ORDER BY w.position, r.id`;
}

export async function findDisputesByAmounts(
  sql: Sql,
  account: ProviderAccountId,
  sought: readonly AmountSought[],
): Promise<NamedDispute[]> {
  const { positions, currencies, amounts, froms, tos } = soughtTexts(sought);
  return sql<NamedDispute[]>`
    SELECT w.position::text AS reference, d.id, d.state, d.currency, d.amount_minor::text AS amount, d.held_currency,
           d.held_minor::text AS held, d.fee_currency, d.fee_minor::text AS fee,
           (extract(epoch FROM d.opened_at) * 1000000)::bigint::text AS at
    FROM unnest(${positions}::int[], ${currencies}::text[], ${amounts}::numeric[], ${froms}::timestamptz[], ${tos}::timestamptz[])
         AS w (position, currency, amount, starts, ends)
    JOIN disputes d ON d.currency = w.currency AND d.amount_minor = w.amount AND d.opened_at >= w.starts AND d.opened_at < w.ends
    WHERE d.account = ${account}
    ORDER BY w.position, d.id`;
}

/** Of one account, or, undefined, of all: those that are not on a bank's statement yet. */
export async function findPayoutsByAmounts(
  sql: Sql,
  account: ProviderAccountId | undefined,
  sought: readonly AmountSought[],
): Promise<NamedPayout[]> {
  const of = account ?? null;
  const { positions, currencies, amounts, froms, tos } = soughtTexts(sought);
  return sql<NamedPayout[]>`
    SELECT w.position::text AS reference, o.id, o.account, o.state, o.currency, o.amount_minor::text AS amount, false AS received,
           (extract(epoch FROM o.created_at) * 1000000)::bigint::text AS at
    FROM unnest(${positions}::int[], ${currencies}::text[], ${amounts}::numeric[], ${froms}::timestamptz[], ${tos}::timestamptz[])
         AS w (position, currency, amount, starts, ends)
    JOIN payouts o ON o.currency = w.currency AND o.amount_minor = w.amount AND o.created_at >= w.starts AND o.created_at < w.ends
    WHERE o.received_at IS NULL AND (${of}::text IS NULL OR o.account = ${of})
    ORDER BY w.position, o.id`;
}

/** Those that are open, and of which so much is owed. */
export async function findInvoicesByAmounts(
  sql: Sql,
  sought: readonly AmountSought[],
): Promise<NamedInvoice[]> {
  const { positions, currencies, amounts, froms, tos } = soughtTexts(sought);
  return sql<NamedInvoice[]>`
    SELECT w.position::text AS reference, i.id, i.number, r.customer, c.name AS customer_name, r.currency,
           (r.due_minor - r.credited_minor - r.paid_minor - r.written_off_minor)::text AS open,
           (extract(epoch FROM i.finalized_at) * 1000000)::bigint::text AS at
    FROM unnest(${positions}::int[], ${currencies}::text[], ${amounts}::numeric[], ${froms}::timestamptz[], ${tos}::timestamptz[])
         AS w (position, currency, amount, starts, ends)
    JOIN receivables r ON r.currency = w.currency
      AND r.due_minor - r.credited_minor - r.paid_minor - r.written_off_minor = w.amount AND r.state = 'open'
    JOIN invoices i ON i.organization = r.organization AND i.id = r.invoice AND i.finalized_at >= w.starts AND i.finalized_at < w.ends
    JOIN customers c ON c.organization = r.organization AND c.id = r.customer
    ORDER BY w.position, i.id`;
}
