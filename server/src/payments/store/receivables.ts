import { arrayText, instantOfMicros, timestampText, type Sql } from "../../engines/postgres/index.js";
import type { Currency } from "../../kernel/currency.js";
import type { CustomerId, InvoiceId, OrganizationId, PaymentAttemptId } from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";
import type { ReceivableState, ReceivableSums } from "../core/index.js";

export const dunning_states = ["none", "retrying", "waiting", "ended"] as const;
/** `waiting`: no retry will do before the customer gives another way to pay. */
export type DunningState = (typeof dunning_states)[number];

/** What is owed of a finalized invoice, and how far its collection has come. */
export interface Receivable extends ReceivableSums {
  readonly invoice: InvoiceId;
  readonly customer: CustomerId;
  readonly currency: Currency;
  readonly state: ReceivableState;
  readonly dueAt: Instant;
  /** How many attempts were made: the last one's number. */
  readonly attempts: number;
  readonly dunning: {
    readonly state: DunningState;
    readonly since: Instant | undefined;
    readonly retries: number;
    readonly nextAttemptAt: Instant | undefined;
  };
  readonly settledAt: Instant | undefined;
}

export type NewReceivable = Pick<Receivable, "invoice" | "customer" | "currency" | "due" | "dueAt">;

/** Many at once, in one statement. */
export async function insertReceivables(
  sql: Sql,
  organization: OrganizationId,
  receivables: readonly NewReceivable[],
): Promise<void> {
  if (receivables.length === 0) return;
  await sql`
    INSERT INTO receivables (organization, invoice, customer, currency, state, due_minor, due_at)
    SELECT ${organization}, r.invoice, r.customer, r.currency, 'open', r.due, r.due_at
    FROM unnest(${arrayText(receivables.map(({ invoice }) => invoice))}::text[], ${arrayText(receivables.map(({ customer }) => customer))}::text[],
                ${arrayText(receivables.map(({ currency }) => currency))}::text[], ${arrayText(receivables.map(({ due }) => due))}::numeric[],
                ${arrayText(receivables.map(({ dueAt }) => timestampText(dueAt)))}::timestamptz[])
         AS r (invoice, customer, currency, due, due_at)`;
}

/** Locked until the transaction ends, in one order everywhere; those that there are none of are left out. */
export async function lockReceivables(sql: Sql, invoices: readonly InvoiceId[]): Promise<Receivable[]> {
  if (invoices.length === 0) return [];
  const rows = await sql<ReceivableRow[]>`
    SELECT invoice, customer, currency, state, due_minor::text AS due, credited_minor::text AS credited, paid_minor::text AS paid,
           written_off_minor::text AS written_off, (extract(epoch FROM due_at) * 1000000)::bigint::text AS due_at, attempts,
           dunning_state, (extract(epoch FROM dunning_since) * 1000000)::bigint::text AS dunning_since, dunning_retries,
           (extract(epoch FROM next_attempt_at) * 1000000)::bigint::text AS next_attempt_at,
           (extract(epoch FROM settled_at) * 1000000)::bigint::text AS settled_at
    FROM receivables WHERE invoice = ANY (${[...invoices]}::text[]) ORDER BY invoice FOR NO KEY UPDATE`;
  return rows.map(receivableOf);
}

/** Locks that of the invoice which an attempt is to pay, if it is to pay one. */
export async function lockReceivableOf(sql: Sql, attempt: PaymentAttemptId): Promise<void> {
  await sql`
    SELECT FROM receivables WHERE invoice = (SELECT invoice FROM payment_attempts WHERE id = ${attempt}) FOR NO KEY UPDATE`;
}

export async function findReceivable(sql: Sql, invoice: string): Promise<Receivable | undefined> {
  const rows = await sql<ReceivableRow[]>`
    SELECT invoice, customer, currency, state, due_minor::text AS due, credited_minor::text AS credited, paid_minor::text AS paid,
           written_off_minor::text AS written_off, (extract(epoch FROM due_at) * 1000000)::bigint::text AS due_at, attempts,
           dunning_state, (extract(epoch FROM dunning_since) * 1000000)::bigint::text AS dunning_since, dunning_retries,
           (extract(epoch FROM next_attempt_at) * 1000000)::bigint::text AS next_attempt_at,
           (extract(epoch FROM settled_at) * 1000000)::bigint::text AS settled_at
    FROM receivables WHERE invoice = ${invoice}`;
  return rows.map(receivableOf)[0];
}

export interface ReceivablePage {
  readonly customer?: CustomerId;
  readonly state?: ReceivableState;
  /** Due before. */
  readonly overdueAt?: Instant;
  readonly after?: string;
  readonly limit: number;
}

/** By invoice. */
export async function listReceivables(sql: Sql, page: ReceivablePage): Promise<Receivable[]> {
  const customer = page.customer ?? null;
  const state = page.state ?? null;
  const overdue = page.overdueAt === undefined ? null : timestampText(page.overdueAt);
  const rows = await sql<ReceivableRow[]>`
    SELECT invoice, customer, currency, state, due_minor::text AS due, credited_minor::text AS credited, paid_minor::text AS paid,
           written_off_minor::text AS written_off, (extract(epoch FROM due_at) * 1000000)::bigint::text AS due_at, attempts,
           dunning_state, (extract(epoch FROM dunning_since) * 1000000)::bigint::text AS dunning_since, dunning_retries,
           (extract(epoch FROM next_attempt_at) * 1000000)::bigint::text AS next_attempt_at,
           (extract(epoch FROM settled_at) * 1000000)::bigint::text AS settled_at
    FROM receivables
    WHERE invoice > ${page.after ?? ""} AND (${customer}::text IS NULL OR customer = ${customer})
      AND (${state}::text IS NULL OR state = ${state})
      AND (${overdue}::text IS NULL OR state = 'open' AND due_at < ${overdue}::text::timestamptz)
    ORDER BY invoice LIMIT ${page.limit}`;
  return rows.map(receivableOf);
}

/** The open ones of a customer in a currency, those due first coming first, locked; at most so many. */
export async function lockOpenReceivables(
  sql: Sql,
  customer: CustomerId,
  currency: Currency,
  limit: number,
): Promise<Receivable[]> {
  const rows = await sql<{ invoice: InvoiceId }[]>`
    SELECT invoice FROM receivables WHERE customer = ${customer} AND currency = ${currency} AND state = 'open'
    ORDER BY due_at, invoice LIMIT ${limit}`;
  const locked = await lockReceivables(
    sql,
    rows.map(({ invoice }) => invoice),
  );
  return locked
    .filter(({ state }) => state === "open")
    .sort((one, other) => one.dueAt - other.dueAt || (one.invoice < other.invoice ? -1 : 1));
}

/** Writes what changes of a receivable that is locked. */
export async function updateReceivable(sql: Sql, receivable: Receivable): Promise<void> {
  const { dunning } = receivable;
  const text = (at: Instant | undefined) => (at === undefined ? null : timestampText(at));
  await sql`
    UPDATE receivables
    SET state = ${receivable.state}, credited_minor = ${receivable.credited.toString()}::text::numeric,
        paid_minor = ${receivable.paid.toString()}::text::numeric, written_off_minor = ${receivable.writtenOff.toString()}::text::numeric,
        attempts = ${receivable.attempts}, dunning_state = ${dunning.state}, dunning_since = ${text(dunning.since)}::text::timestamptz,
        dunning_retries = ${dunning.retries}, next_attempt_at = ${text(dunning.nextAttemptAt)}::text::timestamptz,
        settled_at = ${text(receivable.settledAt)}::text::timestamptz
    WHERE invoice = ${receivable.invoice}`;
}

interface ReceivableRow {
  readonly invoice: InvoiceId;
  readonly customer: CustomerId;
  readonly currency: Currency;
  readonly state: ReceivableState;
  readonly due: string;
  readonly credited: string;
  readonly paid: string;
  readonly written_off: string;
  readonly due_at: string;
  readonly attempts: number;
  readonly dunning_state: DunningState;
  readonly dunning_since: string | null;
  readonly dunning_retries: number;
  readonly next_attempt_at: string | null;
  readonly settled_at: string | null;
}

function receivableOf(row: ReceivableRow): Receivable {
  const instant = (micros: string | null) => (micros === null ? undefined : instantOfMicros(micros));
  return {
    invoice: row.invoice,
    customer: row.customer,
    currency: row.currency,
    state: row.state,
    due: BigInt(row.due),
    credited: BigInt(row.credited),
    paid: BigInt(row.paid),
    writtenOff: BigInt(row.written_off),
    dueAt: instantOfMicros(row.due_at),
    attempts: row.attempts,
    dunning: {
      state: row.dunning_state,
      since: instant(row.dunning_since),
      retries: row.dunning_retries,
      nextAttemptAt: instant(row.next_attempt_at),
    },
    settledAt: instant(row.settled_at),
  };
}
