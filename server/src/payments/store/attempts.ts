import { instantOfMicros, timestampText, type Sql } from "../../engines/postgres/index.js";
import type { Currency } from "../../kernel/currency.js";
import type {
  CustomerId,
  InvoiceId,
  OrganizationId,
  PaymentAttemptId,
  PaymentMethodId,
  ProviderAccountId,
  TopUpId,
} from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";
import type { AttemptState, AttemptStatus, Decline } from "../core/index.js";

/** What an attempt is to pay. */
export type AttemptTarget =
  | { readonly kind: "invoice"; readonly invoice: InvoiceId }
  | { readonly kind: "top_up"; readonly topUp: TopUpId };

/** A try to take money. What it is never changes; its status does. */
export interface PaymentAttempt extends AttemptStatus {
  readonly id: PaymentAttemptId;
  readonly target: AttemptTarget;
  /** 1, 2, 3 … of its target. */
  readonly number: number;
  readonly customer: CustomerId;
  readonly account: ProviderAccountId;
  readonly method: PaymentMethodId;
  readonly currency: Currency;
  /** In minor units. */
  readonly amount: bigint;
  /** Since when a person has to look at it. */
  readonly parkedAt: Instant | undefined;
  readonly createdAt: Instant;
  /** In real time. */
  readonly sentAt: Instant;
  readonly changedAt: Instant;
}

/** Writes one that is pending. @returns whether it was written: not when the target has an open attempt, or one of this number */
export async function insertAttempt(
  sql: Sql,
  organization: OrganizationId,
  attempt: Pick<
    PaymentAttempt,
    | "id"
    | "target"
    | "number"
    | "customer"
    | "account"
    | "method"
    | "currency"
    | "amount"
    | "createdAt"
    | "sentAt"
  >,
): Promise<boolean> {
  const { target } = attempt;
  const rows = await sql`
    INSERT INTO payment_attempts (organization, id, invoice, top_up, number, customer, account, method, currency, amount_minor, state,
                                  created_at, sent_at, changed_at)
    VALUES (${organization}, ${attempt.id}, ${target.kind === "invoice" ? target.invoice : null},
            ${target.kind === "top_up" ? target.topUp : null}, ${attempt.number}, ${attempt.customer}, ${attempt.account},
            ${attempt.method}, ${attempt.currency}, ${attempt.amount.toString()}::text::numeric, 'pending',
            ${timestampText(attempt.createdAt)}::text::timestamptz, ${timestampText(attempt.sentAt)}::text::timestamptz,
            ${timestampText(attempt.createdAt)}::text::timestamptz)
    ON CONFLICT DO NOTHING
    RETURNING id`;
  return rows.length > 0;
}

export async function findAttempt(
  sql: Sql,
  id: string,
  { lock = false } = {},
): Promise<PaymentAttempt | undefined> {
  const rows = await sql<AttemptRow[]>`
    SELECT id, invoice, top_up, number, customer, account, method, currency, amount_minor::text AS amount, state, ref, decline, action_url,
           (extract(epoch FROM unknown_since) * 1000000)::bigint::text AS unknown_since,
           (extract(epoch FROM parked_at) * 1000000)::bigint::text AS parked_at,
           (extract(epoch FROM created_at) * 1000000)::bigint::text AS created_at,
           (extract(epoch FROM sent_at) * 1000000)::bigint::text AS sent_at,
           (extract(epoch FROM changed_at) * 1000000)::bigint::text AS changed_at
    FROM payment_attempts WHERE id = ${id} ${lock ? sql`FOR NO KEY UPDATE` : sql``}`;
  return rows.map(attemptOf)[0];
}

/** What keeps an attempt of this number from being begun: the one that has it, or else the one that may still take money. */
export async function findStandingAttempt(
  sql: Sql,
  target: string,
  number: number,
): Promise<PaymentAttempt | undefined> {
  const rows = await sql<AttemptRow[]>`
    SELECT id, invoice, top_up, number, customer, account, method, currency, amount_minor::text AS amount, state, ref, decline, action_url,
           (extract(epoch FROM unknown_since) * 1000000)::bigint::text AS unknown_since,
           (extract(epoch FROM parked_at) * 1000000)::bigint::text AS parked_at,
           (extract(epoch FROM created_at) * 1000000)::bigint::text AS created_at,
           (extract(epoch FROM sent_at) * 1000000)::bigint::text AS sent_at,
           (extract(epoch FROM changed_at) * 1000000)::bigint::text AS changed_at
    FROM payment_attempts
    WHERE target = ${target} AND (number = ${number} OR state IN ('pending', 'processing', 'requires_action', 'unknown'))
    ORDER BY number = ${number} DESC LIMIT 1`;
  return rows.map(attemptOf)[0];
}

export async function findAttemptByRef(
  sql: Sql,
  account: ProviderAccountId,
  ref: string,
): Promise<PaymentAttempt | undefined> {
  const rows = await sql<{ id: string }[]>`
    SELECT id FROM payment_attempts WHERE account = ${account} AND ref = ${ref}`;
  return rows[0] === undefined ? undefined : findAttempt(sql, rows[0].id);
}

/** The one that may still take money. */
export async function findOpenAttempt(sql: Sql, target: string): Promise<PaymentAttempt | undefined> {
  const rows = await sql<{ id: string }[]>`
    SELECT id FROM payment_attempts
    WHERE target = ${target} AND state IN ('pending', 'processing', 'requires_action', 'unknown')`;
  return rows[0] === undefined ? undefined : findAttempt(sql, rows[0].id);
}

export interface AttemptPage {
  readonly invoice?: string;
  readonly customer?: CustomerId;
  readonly state?: AttemptState;
  readonly parked?: boolean;
  readonly after?: string;
  readonly limit: number;
}

/** By id, oldest first. */
export async function listAttempts(sql: Sql, page: AttemptPage): Promise<PaymentAttempt[]> {
  const target = page.invoice ?? null;
  const customer = page.customer ?? null;
  const state = page.state ?? null;
  const rows = await sql<AttemptRow[]>`
    SELECT id, invoice, top_up, number, customer, account, method, currency, amount_minor::text AS amount, state, ref, decline, action_url,
           (extract(epoch FROM unknown_since) * 1000000)::bigint::text AS unknown_since,
           (extract(epoch FROM parked_at) * 1000000)::bigint::text AS parked_at,
           (extract(epoch FROM created_at) * 1000000)::bigint::text AS created_at,
           (extract(epoch FROM sent_at) * 1000000)::bigint::text AS sent_at,
           (extract(epoch FROM changed_at) * 1000000)::bigint::text AS changed_at
    FROM payment_attempts
    WHERE id > ${page.after ?? ""} AND (${target}::text IS NULL OR target = ${target})
      AND (${customer}::text IS NULL OR customer = ${customer}) AND (${state}::text IS NULL OR state = ${state})
      AND (NOT ${page.parked ?? false}::boolean OR parked_at IS NOT NULL)
    ORDER BY id LIMIT ${page.limit}`;
  return rows.map(attemptOf);
}

/** Writes the status of an attempt that is locked. */
export async function updateAttempt(
  sql: Sql,
  attempt: Pick<PaymentAttempt, "id" | "parkedAt" | "changedAt"> & AttemptStatus,
): Promise<void> {
  const text = (at: Instant | undefined) => (at === undefined ? null : timestampText(at));
  const decline = attempt.decline === undefined ? null : JSON.stringify(attempt.decline);
  await sql`
    UPDATE payment_attempts
    SET state = ${attempt.state}, ref = ${attempt.ref ?? null}, decline = ${decline}::text::jsonb,
        action_url = ${attempt.actionUrl ?? null}, unknown_since = ${text(attempt.unknownSince)}::text::timestamptz,
        parked_at = ${text(attempt.parkedAt)}::text::timestamptz, changed_at = ${timestampText(attempt.changedAt)}::text::timestamptz
    WHERE id = ${attempt.id}`;
}

/** One thing that became known of an attempt. */
export interface AttemptEvent {
  readonly position: number;
  readonly input: string;
  readonly outcome: "accepted" | "ignored" | "stale" | "contradicts";
  readonly state: AttemptState;
  readonly detail: string | undefined;
  readonly at: Instant;
}

/** Of an attempt that is locked. */
export async function insertAttemptEvent(
  sql: Sql,
  organization: OrganizationId,
  attempt: PaymentAttemptId,
  event: Omit<AttemptEvent, "position">,
): Promise<void> {
  await sql`
    INSERT INTO payment_attempt_events (organization, attempt, position, input, outcome, state, detail, at)
    SELECT ${organization}, ${attempt}, coalesce(max(position), 0) + 1, ${event.input}, ${event.outcome}, ${event.state},
           ${event.detail?.slice(0, 1024) ?? null}, ${timestampText(event.at)}::text::timestamptz
    FROM payment_attempt_events WHERE attempt = ${attempt}`;
}

export async function listAttemptEvents(
  sql: Sql,
  attempt: PaymentAttemptId,
  limit: number,
): Promise<AttemptEvent[]> {
  const rows = await sql<(Omit<AttemptEvent, "at" | "detail"> & { at: string; detail: string | null })[]>`
    SELECT position, input, outcome, state, detail, (extract(epoch FROM at) * 1000000)::bigint::text AS at
    FROM payment_attempt_events WHERE attempt = ${attempt} ORDER BY position LIMIT ${limit}`;
  return rows.map((row) => ({ ...row, detail: row.detail ?? undefined, at: instantOfMicros(row.at) }));
}

interface AttemptRow {
  readonly id: PaymentAttemptId;
  readonly invoice: InvoiceId | null;
  readonly top_up: TopUpId | null;
  readonly number: number;
  readonly customer: CustomerId;
  readonly account: ProviderAccountId;
  readonly method: PaymentMethodId;
  readonly currency: Currency;
  readonly amount: string;
  readonly state: AttemptState;
  readonly ref: string | null;
  readonly decline: Decline | null;
  readonly action_url: string | null;
  readonly unknown_since: string | null;
  readonly parked_at: string | null;
  readonly created_at: string;
  readonly sent_at: string;
  readonly changed_at: string;
}

function attemptOf(row: AttemptRow): PaymentAttempt {
  const instant = (micros: string | null) => (micros === null ? undefined : instantOfMicros(micros));
  return {
    id: row.id,
    target: targetOf(row),
    number: row.number,
    customer: row.customer,
    account: row.account,
    method: row.method,
    currency: row.currency,
    amount: BigInt(row.amount),
    state: row.state,
    ref: row.ref ?? undefined,
    decline: row.decline ?? undefined,
    actionUrl: row.action_url ?? undefined,
    unknownSince: instant(row.unknown_since),
    parkedAt: instant(row.parked_at),
    createdAt: instantOfMicros(row.created_at),
    sentAt: instantOfMicros(row.sent_at),
    changedAt: instantOfMicros(row.changed_at),
  };
}

function targetOf({ id, invoice, top_up: topUp }: AttemptRow): AttemptTarget {
  if (invoice !== null) return { kind: "invoice", invoice };
  if (topUp !== null) return { kind: "top_up", topUp };
  throw new RangeError(`attempt ${id} is to pay nothing`);
}

/** The id of what an attempt is to pay. */
export function targetId(target: AttemptTarget): string {
  return target.kind === "invoice" ? target.invoice : target.topUp;
}
