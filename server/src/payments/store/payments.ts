import { arrayText, instantOfMicros, timestampText, type Sql } from "../../engines/postgres/index.js";
import type { Currency } from "../../kernel/currency.js";
import type {
  CustomerId,
  InvoiceId,
  OrganizationId,
  PaymentId,
  ProviderAccountId,
  TopUpId,
} from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";
import type { SettledAmounts } from "../provider.js";

export type PaymentSource = "attempt" | "bank" | "file" | "manual";

/** Money that came in. Amounts are in minor units of its currency. */
export interface Payment {
  readonly id: PaymentId;
  readonly customer: CustomerId;
  /** Undefined when it was received outside of Weir. */
  readonly account: ProviderAccountId | undefined;
  readonly source: PaymentSource;
  /** The attempt's, bank line's or file record's id, or what a person gave: once per source. */
  readonly sourceId: string;
  readonly currency: Currency;
  readonly amount: bigint;
  /** What no invoice took: the customer's balance, or a top-up. */
  readonly excess: bigint;
  readonly topUp: TopUpId | undefined;
  /** The provider's id of the money: what refunds and disputes name. */
  readonly ref: string | undefined;
  readonly note: string | undefined;
  readonly receivedAt: Instant;
}

/** What of a payment went to an invoice. */
export interface Allocation {
  readonly payment: PaymentId;
  readonly invoice: InvoiceId;
  readonly amount: bigint;
  readonly at: Instant;
}

/** @returns whether it was written: not when its source has one */
export async function insertPayment(
  sql: Sql,
  organization: OrganizationId,
  payment: Payment,
): Promise<boolean> {
  const rows = await sql`
    WITH paid AS (
      INSERT INTO payments (organization, id, customer, account, source, source_id, currency, amount_minor, excess_minor, top_up, ref, note,
                            received_at)
      VALUES (${organization}, ${payment.id}, ${payment.customer}, ${payment.account ?? null}, ${payment.source}, ${payment.sourceId},
              ${payment.currency}, ${payment.amount.toString()}::text::numeric, ${payment.excess.toString()}::text::numeric,
              ${payment.topUp ?? null}, ${payment.ref ?? null}, ${payment.note ?? null},
              ${timestampText(payment.receivedAt)}::text::timestamptz)
      ON CONFLICT ON CONSTRAINT payments_source_once DO NOTHING
      RETURNING organization, id, amount_minor
    )
    INSERT INTO payment_refunded (organization, payment, amount_minor)
    SELECT organization, id, amount_minor FROM paid
    RETURNING payment`;
  return rows.length > 0;
}

/** Holds whoever else gives back of a payment until the transaction ends. */
export async function lockPayment(sql: Sql, id: PaymentId): Promise<void> {
  await sql`SELECT FROM payment_refunded WHERE payment = ${id} FOR NO KEY UPDATE`;
}

/** Counts what is given back of a payment that is locked; below zero what came back. The table refuses more than came in. */
export async function addRefunded(sql: Sql, id: PaymentId, amount: bigint): Promise<void> {
  await sql`
    UPDATE payment_refunded SET refunded_minor = refunded_minor + ${amount.toString()}::text::numeric WHERE payment = ${id}`;
}

export async function insertAllocations(
  sql: Sql,
  organization: OrganizationId,
  allocations: readonly Allocation[],
): Promise<void> {
  if (allocations.length === 0) return;
  await sql`
    INSERT INTO payment_allocations (organization, payment, invoice, amount_minor, at)
    SELECT ${organization}, a.payment, a.invoice, a.amount, a.at
    FROM unnest(${arrayText(allocations.map(({ payment }) => payment))}::text[], ${arrayText(allocations.map(({ invoice }) => invoice))}::text[],
                ${arrayText(allocations.map(({ amount }) => amount))}::numeric[],
                ${arrayText(allocations.map(({ at }) => timestampText(at)))}::timestamptz[]) AS a (payment, invoice, amount, at)`;
}

export async function findPayment(sql: Sql, id: string): Promise<Payment | undefined> {
  const rows = await sql<PaymentRow[]>`
    SELECT id, customer, account, source, source_id, currency, amount_minor::text AS amount, excess_minor::text AS excess, top_up, ref, note,
           (extract(epoch FROM received_at) * 1000000)::bigint::text AS received_at
    FROM payments WHERE id = ${id}`;
  return rows.map(paymentOf)[0];
}

export async function findPaymentByRef(
  sql: Sql,
  account: ProviderAccountId,
  ref: string,
): Promise<Payment | undefined> {
  const rows = await sql<
    { id: string }[]
  >`SELECT id FROM payments WHERE account = ${account} AND ref = ${ref}`;
  return rows[0] === undefined ? undefined : findPayment(sql, rows[0].id);
}

export async function findPaymentBySource(
  sql: Sql,
  source: PaymentSource,
  sourceId: string,
): Promise<Payment | undefined> {
  const rows = await sql<PaymentRow[]>`
    SELECT id, customer, account, source, source_id, currency, amount_minor::text AS amount, excess_minor::text AS excess, top_up, ref, note,
           (extract(epoch FROM received_at) * 1000000)::bigint::text AS received_at
    FROM payments WHERE source = ${source} AND source_id = ${sourceId}`;
  return rows.map(paymentOf)[0];
}

export interface PaymentPage {
  readonly customer?: CustomerId;
  /** That something went to. */
  readonly invoice?: string;
  readonly after?: string;
  readonly limit: number;
}

/** By id, oldest first. */
export async function listPayments(sql: Sql, page: PaymentPage): Promise<Payment[]> {
  const customer = page.customer ?? null;
  const invoice = page.invoice ?? null;
  const rows = await sql<PaymentRow[]>`
    SELECT id, customer, account, source, source_id, currency, amount_minor::text AS amount, excess_minor::text AS excess, top_up, ref, note,
           (extract(epoch FROM received_at) * 1000000)::bigint::text AS received_at
    FROM payments p
    WHERE id > ${page.after ?? ""} AND (${customer}::text IS NULL OR customer = ${customer})
      AND (${invoice}::text IS NULL OR EXISTS (
        SELECT FROM payment_allocations a WHERE a.organization = p.organization AND a.payment = p.id AND a.invoice = ${invoice}))
    ORDER BY id LIMIT ${page.limit}`;
  return rows.map(paymentOf);
}

export async function listAllocations(sql: Sql, payments: readonly PaymentId[]): Promise<Allocation[]> {
  if (payments.length === 0) return [];
  const rows = await sql<{ payment: PaymentId; invoice: InvoiceId; amount: string; at: string }[]>`
    SELECT payment, invoice, amount_minor::text AS amount, (extract(epoch FROM at) * 1000000)::bigint::text AS at
    FROM payment_allocations WHERE payment = ANY (${[...payments]}::text[]) ORDER BY payment, invoice`;
  return rows.map((row) => ({ ...row, amount: BigInt(row.amount), at: instantOfMicros(row.at) }));
}

/** What the provider booked for a payment. @returns whether it was written: not when it is known */
export async function insertSettlement(
  sql: Sql,
  organization: OrganizationId,
  payment: PaymentId,
  { ref, gross, fee, rate, arn }: SettledAmounts,
  at: Instant,
): Promise<boolean> {
  const rows = await sql`
    INSERT INTO payment_settlements (organization, payment, ref, currency, gross_minor, fee_minor, rate, arn, settled_at)
    VALUES (${organization}, ${payment}, ${ref}, ${gross.currency}, ${gross.minor.toString()}::text::numeric,
            ${fee.minor.toString()}::text::numeric, ${rate ?? null}, ${arn ?? null}, ${timestampText(at)}::text::timestamptz)
    ON CONFLICT (organization, payment) DO NOTHING
    RETURNING payment`;
  return rows.length > 0;
}

export async function findSettlement(
  sql: Sql,
  payment: PaymentId,
): Promise<(SettledAmounts & { readonly settledAt: Instant }) | undefined> {
  const rows = await sql<
    { ref: string; currency: Currency; gross: string; fee: string; rate: string | null; settled_at: string }[]
  >`
    SELECT ref, currency, gross_minor::text AS gross, fee_minor::text AS fee, rate,
           (extract(epoch FROM settled_at) * 1000000)::bigint::text AS settled_at
    FROM payment_settlements WHERE payment = ${payment}`;
  return rows.map(({ ref, currency, gross, fee, rate, settled_at: at }) => ({
    ref,
    gross: { currency, minor: BigInt(gross) },
    fee: { currency, minor: BigInt(fee) },
    rate: rate ?? undefined,
    settledAt: instantOfMicros(at),
  }))[0];
}

interface PaymentRow {
  readonly id: PaymentId;
  readonly customer: CustomerId;
  readonly account: ProviderAccountId | null;
  readonly source: PaymentSource;
  readonly source_id: string;
  readonly currency: Currency;
  readonly amount: string;
  readonly excess: string;
  readonly top_up: TopUpId | null;
  readonly ref: string | null;
  readonly note: string | null;
  readonly received_at: string;
}

function paymentOf(row: PaymentRow): Payment {
  return {
    id: row.id,
    customer: row.customer,
    account: row.account ?? undefined,
    source: row.source,
    sourceId: row.source_id,
    currency: row.currency,
    amount: BigInt(row.amount),
    excess: BigInt(row.excess),
    topUp: row.top_up ?? undefined,
    ref: row.ref ?? undefined,
    note: row.note ?? undefined,
    receivedAt: instantOfMicros(row.received_at),
  };
}
