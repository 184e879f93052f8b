import { instantOfMicros, timestampText, type Sql } from "../../engines/postgres/index.js";
import type { Currency } from "../../kernel/currency.js";
import type { CreditNoteId, InvoiceId, OrganizationId, PaymentId, RefundId } from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";
import type { RefundSource, RefundState } from "../core/index.js";

/** Money that goes back. In minor units. */
export interface Refund {
  readonly id: RefundId;
  readonly payment: PaymentId;
  readonly source: RefundSource;
  /** That is owed again. */
  readonly invoice: InvoiceId | undefined;
  readonly creditNote: CreditNoteId | undefined;
  readonly currency: Currency;
  readonly amount: bigint;
  /** Of one that failed: what its invoice does not need any more, and is the customer's balance. */
  readonly toBalance: bigint;
  readonly reason: string;
  readonly state: RefundState;
  readonly ref: string | undefined;
  /** Whose account it goes to, sealed; undefined where it goes back as it came. */
  readonly payee: Uint8Array | undefined;
  readonly failure: string | undefined;
  /** Since when a person has to look at it. */
  readonly parkedAt: Instant | undefined;
  readonly createdAt: Instant;
  /** In real time: what the provider's key window counts from. Undefined for one that Weir did not send. */
  readonly sentAt: Instant | undefined;
  readonly changedAt: Instant;
}

export async function insertRefund(sql: Sql, organization: OrganizationId, refund: Refund): Promise<void> {
  const sent = refund.sentAt === undefined ? null : timestampText(refund.sentAt);
  await sql`
    INSERT INTO refunds (organization, id, payment, source, invoice, credit_note, currency, amount_minor, reason, state, ref, payee, failure,
                         created_at, sent_at, changed_at)
    VALUES (${organization}, ${refund.id}, ${refund.payment}, ${refund.source}, ${refund.invoice ?? null}, ${refund.creditNote ?? null},
            ${refund.currency}, ${refund.amount.toString()}::text::numeric, ${refund.reason}, ${refund.state}, ${refund.ref ?? null},
            ${refund.payee === undefined ? null : Buffer.from(refund.payee)}, ${refund.failure ?? null}, ${timestampText(refund.createdAt)}::text::timestamptz,
            ${sent}::text::timestamptz, ${timestampText(refund.changedAt)}::text::timestamptz)`;
}

/** Writes what changes of a refund that is locked. */
export async function updateRefund(sql: Sql, refund: Refund): Promise<void> {
  const parked = refund.parkedAt === undefined ? null : timestampText(refund.parkedAt);
  await sql`
    UPDATE refunds SET state = ${refund.state}, ref = ${refund.ref ?? null}, failure = ${refund.failure?.slice(0, 512) ?? null},
           to_balance_minor = ${refund.toBalance.toString()}::text::numeric,
           parked_at = ${parked}::text::timestamptz, changed_at = ${timestampText(refund.changedAt)}::text::timestamptz
    WHERE id = ${refund.id}`;
}

export async function findRefund(sql: Sql, id: string, { lock = false } = {}): Promise<Refund | undefined> {
  const rows = await sql<RefundRow[]>`
    SELECT id, payment, source, invoice, credit_note, currency, amount_minor::text AS amount, to_balance_minor::text AS to_balance, reason, state, ref, payee, failure,
           (extract(epoch FROM parked_at) * 1000000)::bigint::text AS parked_at,
           (extract(epoch FROM created_at) * 1000000)::bigint::text AS created_at,
           (extract(epoch FROM sent_at) * 1000000)::bigint::text AS sent_at,
           (extract(epoch FROM changed_at) * 1000000)::bigint::text AS changed_at
    FROM refunds WHERE id = ${id} ${lock ? sql`FOR NO KEY UPDATE` : sql``}`;
  return rows.map(refundOf)[0];
}

export async function findRefundByRef(sql: Sql, ref: string): Promise<Refund | undefined> {
  const rows = await sql<{ id: string }[]>`SELECT id FROM refunds WHERE ref = ${ref}`;
  return rows[0] === undefined ? undefined : findRefund(sql, rows[0].id);
}

/** By id, oldest first; of one payment, in one state when given. */
export async function listRefunds(
  sql: Sql,
  page: {
    readonly payment?: string;
    readonly state?: RefundState;
    readonly after?: string;
    readonly limit: number;
  },
): Promise<Refund[]> {
  const payment = page.payment ?? null;
  const state = page.state ?? null;
  const rows = await sql<RefundRow[]>`
    SELECT id, payment, source, invoice, credit_note, currency, amount_minor::text AS amount, to_balance_minor::text AS to_balance, reason, state, ref, payee, failure,
           (extract(epoch FROM parked_at) * 1000000)::bigint::text AS parked_at,
           (extract(epoch FROM created_at) * 1000000)::bigint::text AS created_at,
           (extract(epoch FROM sent_at) * 1000000)::bigint::text AS sent_at,
           (extract(epoch FROM changed_at) * 1000000)::bigint::text AS changed_at
    FROM refunds WHERE id > ${page.after ?? ""} AND (${payment}::text IS NULL OR payment = ${payment})
      AND (${state}::text IS NULL OR state = ${state})
    ORDER BY id LIMIT ${page.limit}`;
  return rows.map(refundOf);
}

interface RefundRow {
  readonly id: RefundId;
  readonly payment: PaymentId;
  readonly source: RefundSource;
  readonly invoice: InvoiceId | null;
  readonly credit_note: CreditNoteId | null;
  readonly currency: Currency;
  readonly amount: string;
  readonly to_balance: string;
  readonly reason: string;
  readonly state: RefundState;
  readonly ref: string | null;
  readonly payee: Uint8Array | null;
  readonly failure: string | null;
  readonly parked_at: string | null;
  readonly created_at: string;
  readonly sent_at: string | null;
  readonly changed_at: string;
}

function refundOf(row: RefundRow): Refund {
  return {
    id: row.id,
    payment: row.payment,
    source: row.source,
    invoice: row.invoice ?? undefined,
    creditNote: row.credit_note ?? undefined,
    currency: row.currency,
    amount: BigInt(row.amount),
    toBalance: BigInt(row.to_balance),
    reason: row.reason,
    state: row.state,
    ref: row.ref ?? undefined,
    payee: row.payee ?? undefined,
    failure: row.failure ?? undefined,
    parkedAt: row.parked_at === null ? undefined : instantOfMicros(row.parked_at),
    createdAt: instantOfMicros(row.created_at),
    sentAt: row.sent_at === null ? undefined : instantOfMicros(row.sent_at),
    changedAt: instantOfMicros(row.changed_at),
  };
}
