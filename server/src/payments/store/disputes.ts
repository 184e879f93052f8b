import { instantOfMicros, timestampText, type Sql } from "../../engines/postgres/index.js";
import type { Currency } from "../../kernel/currency.js";
import type { DisputeId, OrganizationId, PaymentId, ProviderAccountId } from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";
import type { Money } from "../../kernel/money.js";
import type { DisputeState } from "../core/index.js";

/** A chargeback. */
export interface Dispute {
  readonly id: DisputeId;
  readonly payment: PaymentId;
  readonly account: ProviderAccountId;
  readonly ref: string;
  readonly amount: Money;
  /** What the provider took off its balance, in the currency that it settles in. */
  readonly held: Money;
  /** What it kept so far. */
  readonly fee: Money;
  readonly reason: string;
  readonly state: DisputeState;
  readonly evidence: Readonly<Record<string, string>> | undefined;
  readonly evidenceDueAt: Instant | undefined;
  readonly submittedAt: Instant | undefined;
  readonly openedAt: Instant;
  readonly changedAt: Instant;
  readonly closedAt: Instant | undefined;
}

export async function insertDispute(sql: Sql, organization: OrganizationId, dispute: Dispute): Promise<void> {
  await sql`
    INSERT INTO disputes (organization, id, payment, account, ref, currency, amount_minor, held_currency, held_minor, fee_currency, fee_minor,
                          reason, state, evidence_due_at, opened_at, changed_at, closed_at)
    VALUES (${organization}, ${dispute.id}, ${dispute.payment}, ${dispute.account}, ${dispute.ref}, ${dispute.amount.currency},
            ${dispute.amount.minor.toString()}::text::numeric, ${dispute.held.currency}, ${dispute.held.minor.toString()}::text::numeric,
            ${dispute.fee.currency}, ${dispute.fee.minor.toString()}::text::numeric, ${dispute.reason}, ${dispute.state},
            ${text(dispute.evidenceDueAt)}::text::timestamptz, ${timestampText(dispute.openedAt)}::text::timestamptz,
            ${timestampText(dispute.changedAt)}::text::timestamptz, ${text(dispute.closedAt)}::text::timestamptz)`;
}

/** Writes what changes of a dispute that is locked. */
export async function updateDispute(sql: Sql, dispute: Dispute): Promise<void> {
  const evidence = dispute.evidence === undefined ? null : JSON.stringify(dispute.evidence);
  await sql`
    UPDATE disputes SET state = ${dispute.state}, held_currency = ${dispute.held.currency},
           held_minor = ${dispute.held.minor.toString()}::text::numeric, fee_currency = ${dispute.fee.currency}, fee_minor = ${dispute.fee.minor.toString()}::text::numeric,
           evidence = ${evidence}::text::jsonb, evidence_due_at = ${text(dispute.evidenceDueAt)}::text::timestamptz,
           submitted_at = ${text(dispute.submittedAt)}::text::timestamptz, changed_at = ${timestampText(dispute.changedAt)}::text::timestamptz,
           closed_at = ${text(dispute.closedAt)}::text::timestamptz
    WHERE id = ${dispute.id}`;
}

export async function findDispute(sql: Sql, id: string, { lock = false } = {}): Promise<Dispute | undefined> {
  const rows = await sql<DisputeRow[]>`
    SELECT id, payment, account, ref, currency, amount_minor::text AS amount, held_currency, held_minor::text AS held,
           fee_currency, fee_minor::text AS fee, reason, state, evidence,
           (extract(epoch FROM evidence_due_at) * 1000000)::bigint::text AS evidence_due_at,
           (extract(epoch FROM submitted_at) * 1000000)::bigint::text AS submitted_at,
           (extract(epoch FROM opened_at) * 1000000)::bigint::text AS opened_at,
           (extract(epoch FROM changed_at) * 1000000)::bigint::text AS changed_at,
           (extract(epoch FROM closed_at) * 1000000)::bigint::text AS closed_at
    FROM disputes WHERE id = ${id} ${lock ? sql`FOR NO KEY UPDATE` : sql``}`;
  return rows.map(disputeOf)[0];
}

export async function findDisputeByRef(
  sql: Sql,
  account: ProviderAccountId,
  ref: string,
): Promise<Dispute | undefined> {
  const rows = await sql<
    { id: string }[]
  >`SELECT id FROM disputes WHERE account = ${account} AND ref = ${ref}`;
  return rows[0] === undefined ? undefined : findDispute(sql, rows[0].id);
}

export interface DisputePage {
  readonly payment?: string;
  readonly state?: DisputeState;
  readonly after?: string;
  readonly limit: number;
}

/** By id, oldest first. */
export async function listDisputes(sql: Sql, page: DisputePage): Promise<Dispute[]> {
  const payment = page.payment ?? null;
  const state = page.state ?? null;
  const rows = await sql<DisputeRow[]>`
    SELECT id, payment, account, ref, currency, amount_minor::text AS amount, held_currency, held_minor::text AS held,
           fee_currency, fee_minor::text AS fee, reason, state, evidence,
           (extract(epoch FROM evidence_due_at) * 1000000)::bigint::text AS evidence_due_at,
           (extract(epoch FROM submitted_at) * 1000000)::bigint::text AS submitted_at,
           (extract(epoch FROM opened_at) * 1000000)::bigint::text AS opened_at,
           (extract(epoch FROM changed_at) * 1000000)::bigint::text AS changed_at,
           (extract(epoch FROM closed_at) * 1000000)::bigint::text AS closed_at
    FROM disputes
    WHERE id > ${page.after ?? ""} AND (${payment}::text IS NULL OR payment = ${payment})
      AND (${state}::text IS NULL OR state = ${state})
    ORDER BY id LIMIT ${page.limit}`;
  return rows.map(disputeOf);
}

interface DisputeRow {
  readonly id: DisputeId;
  readonly payment: PaymentId;
  readonly account: ProviderAccountId;
  readonly ref: string;
  readonly currency: Currency;
  readonly amount: string;
  readonly held_currency: Currency;
  readonly held: string;
  readonly fee_currency: Currency;
  readonly fee: string;
  readonly reason: string;
  readonly state: DisputeState;
  readonly evidence: Record<string, string> | null;
  readonly evidence_due_at: string | null;
  readonly submitted_at: string | null;
  readonly opened_at: string;
  readonly changed_at: string;
  readonly closed_at: string | null;
}

function disputeOf(row: DisputeRow): Dispute {
  const instant = (micros: string | null) => (micros === null ? undefined : instantOfMicros(micros));
  return {
    id: row.id,
    payment: row.payment,
    account: row.account,
    ref: row.ref,
    amount: { currency: row.currency, minor: BigInt(row.amount) },
    held: { currency: row.held_currency, minor: BigInt(row.held) },
    fee: { currency: row.fee_currency, minor: BigInt(row.fee) },
    reason: row.reason,
    state: row.state,
    evidence: row.evidence ?? undefined,
    evidenceDueAt: instant(row.evidence_due_at),
    submittedAt: instant(row.submitted_at),
    openedAt: instantOfMicros(row.opened_at),
    changedAt: instantOfMicros(row.changed_at),
    closedAt: instant(row.closed_at),
  };
}

function text(at: Instant | undefined): string | null {
  return at === undefined ? null : timestampText(at);
}
