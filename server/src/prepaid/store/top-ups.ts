import { instantOfMicros, timestampText, type Sql } from "../../engines/postgres/index.js";
import type { Currency } from "../../kernel/currency.js";
import type {
  CreditGrantId,
  CustomerId,
  OrganizationId,
  PaymentId,
  PaymentMethodId,
  TopUpId,
} from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";

/** `open`: an attempt may take money, or it waits for another. Money that turns up later makes one of any state succeeded. */
export const top_up_states = ["open", "succeeded", "failed", "canceled"] as const;
export type TopUpState = (typeof top_up_states)[number];

/** Money that a customer is charged in advance. In minor units. */
export interface TopUp {
  readonly id: TopUpId;
  readonly customer: CustomerId;
  readonly currency: Currency;
  readonly amount: bigint;
  /** By the customer's rule, or because somebody asked for it. */
  readonly isAutomatic: boolean;
  /** That was asked for; the customer's default when undefined. */
  readonly method: PaymentMethodId | undefined;
  readonly state: TopUpState;
  /** How many there were: the last one's number. */
  readonly attempts: number;
  /** When it is tried again; undefined while an attempt may take money. */
  readonly retryAt: Instant | undefined;
  /** A decline's or problem's code. */
  readonly failedBy: string | undefined;
  readonly createdAt: Instant;
  readonly changedAt: Instant;
}

/** @returns whether it was written: not when the customer has an open one in the currency */
export async function insertTopUp(sql: Sql, organization: OrganizationId, topUp: TopUp): Promise<boolean> {
  const rows = await sql`
    INSERT INTO top_ups (organization, id, customer, currency, amount_minor, is_automatic, method, state, created_at, changed_at)
    VALUES (${organization}, ${topUp.id}, ${topUp.customer}, ${topUp.currency}, ${topUp.amount.toString()}::text::numeric,
            ${topUp.isAutomatic}, ${topUp.method ?? null}, ${topUp.state}, ${timestampText(topUp.createdAt)}::text::timestamptz,
            ${timestampText(topUp.changedAt)}::text::timestamptz)
    ON CONFLICT (customer, currency, organization) WHERE state = 'open' DO NOTHING
    RETURNING id`;
  return rows.length > 0;
}

/** Writes what changes of a top-up that is locked. */
export async function updateTopUp(sql: Sql, topUp: TopUp): Promise<void> {
  const retryAt = topUp.retryAt === undefined ? null : timestampText(topUp.retryAt);
  await sql`
    UPDATE top_ups
    SET state = ${topUp.state}, attempts = ${topUp.attempts}, retry_at = ${retryAt}::text::timestamptz,
        failed_by = ${topUp.failedBy?.slice(0, 128) ?? null}, changed_at = ${timestampText(topUp.changedAt)}::text::timestamptz
    WHERE id = ${topUp.id}`;
}

export async function findTopUp(sql: Sql, id: string, { lock = false } = {}): Promise<TopUp | undefined> {
  const rows = await sql<TopUpRow[]>`
    SELECT id, customer, currency, amount_minor::text AS amount, is_automatic, method, state, attempts, failed_by,
           (extract(epoch FROM retry_at) * 1000000)::bigint::text AS retry_at,
           (extract(epoch FROM created_at) * 1000000)::bigint::text AS created_at,
           (extract(epoch FROM changed_at) * 1000000)::bigint::text AS changed_at
    FROM top_ups WHERE id = ${id} ${lock ? sql`FOR NO KEY UPDATE` : sql``}`;
  return rows.map(topUpOf)[0];
}

/** The customer's one that has not ended. */
export async function findOpenTopUp(
  sql: Sql,
  of: { readonly customer: CustomerId; readonly currency: Currency },
  { lock = false } = {},
): Promise<TopUp | undefined> {
  const rows = await sql<{ id: string }[]>`
    SELECT id FROM top_ups WHERE customer = ${of.customer} AND currency = ${of.currency} AND state = 'open'`;
  const found = rows[0] === undefined ? undefined : await findTopUp(sql, rows[0].id, { lock });
  // It may have ended while its lock was waited for.
  return found?.state === "open" ? found : undefined;
}

/** What a payment of a top-up became. */
export interface TopUpPayment {
  readonly payment: PaymentId;
  readonly topUp: TopUpId;
  readonly grant: CreditGrantId;
}

export async function insertTopUpPayment(
  sql: Sql,
  organization: OrganizationId,
  { payment, topUp, grant }: TopUpPayment,
): Promise<void> {
  await sql`
    INSERT INTO top_up_payments (organization, payment, top_up, grant_id)
    VALUES (${organization}, ${payment}, ${topUp}, ${grant})`;
}

export async function findTopUpPayment(sql: Sql, payment: PaymentId): Promise<TopUpPayment | undefined> {
  const rows = await sql<TopUpPayment[]>`
    SELECT payment, top_up AS "topUp", grant_id AS "grant" FROM top_up_payments WHERE payment = ${payment}`;
  return rows[0];
}

/** Of a top-up, oldest first: one, or two when an attempt that had ended took money all the same. */
export async function listTopUpPayments(sql: Sql, topUp: TopUpId, limit: number): Promise<TopUpPayment[]> {
  return sql<TopUpPayment[]>`
    SELECT payment, top_up AS "topUp", grant_id AS "grant" FROM top_up_payments
    WHERE top_up = ${topUp} ORDER BY payment LIMIT ${limit}`;
}

/** What automatic top-ups begun from an instant on took, or may still take, and how many were begun since another. */
export async function sumAutomatic(
  sql: Sql,
  of: {
    readonly customer: CustomerId;
    readonly currency: Currency;
    readonly from: Instant;
    readonly countFrom: Instant;
  },
): Promise<{ readonly amount: bigint; readonly count: number }> {
  const [row] = await sql<{ amount: string; count: number }[]>`
    SELECT coalesce(sum(amount_minor) FILTER (
             WHERE state IN ('open', 'succeeded') AND created_at >= ${timestampText(of.from)}::text::timestamptz), 0)::text AS amount,
           count(*) FILTER (WHERE created_at > ${timestampText(of.countFrom)}::text::timestamptz)::int AS count
    FROM top_ups
    WHERE customer = ${of.customer} AND currency = ${of.currency} AND is_automatic
      AND created_at >= least(${timestampText(of.from)}::text::timestamptz, ${timestampText(of.countFrom)}::text::timestamptz)`;
  return { amount: BigInt(row?.amount ?? "0"), count: row?.count ?? 0 };
}

export interface TopUpPage {
  readonly customer?: CustomerId;
  readonly state?: TopUpState;
  readonly after?: string;
  readonly limit: number;
}

/** By id, oldest first. */
export async function listTopUps(sql: Sql, page: TopUpPage): Promise<TopUp[]> {
  const customer = page.customer ?? null;
  const state = page.state ?? null;
  const rows = await sql<TopUpRow[]>`
    SELECT id, customer, currency, amount_minor::text AS amount, is_automatic, method, state, attempts, failed_by,
           (extract(epoch FROM retry_at) * 1000000)::bigint::text AS retry_at,
           (extract(epoch FROM created_at) * 1000000)::bigint::text AS created_at,
           (extract(epoch FROM changed_at) * 1000000)::bigint::text AS changed_at
    FROM top_ups
    WHERE id > ${page.after ?? ""} AND (${customer}::text IS NULL OR customer = ${customer})
      AND (${state}::text IS NULL OR state = ${state})
    ORDER BY id LIMIT ${page.limit}`;
  return rows.map(topUpOf);
}

interface TopUpRow {
  readonly id: TopUpId;
  readonly customer: CustomerId;
  readonly currency: Currency;
  readonly amount: string;
  readonly is_automatic: boolean;
  readonly method: PaymentMethodId | null;
  readonly state: TopUpState;
  readonly attempts: number;
  readonly failed_by: string | null;
  readonly retry_at: string | null;
  readonly created_at: string;
  readonly changed_at: string;
}

function topUpOf(row: TopUpRow): TopUp {
  return {
    id: row.id,
    customer: row.customer,
    currency: row.currency,
    amount: BigInt(row.amount),
    isAutomatic: row.is_automatic,
    method: row.method ?? undefined,
    state: row.state,
    attempts: row.attempts,
    retryAt: row.retry_at === null ? undefined : instantOfMicros(row.retry_at),
    failedBy: row.failed_by ?? undefined,
    createdAt: instantOfMicros(row.created_at),
    changedAt: instantOfMicros(row.changed_at),
  };
}
