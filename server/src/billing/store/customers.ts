import { arrayText, instantOfMicros, timestampText, type Sql } from "../../engines/postgres/index.js";
import type { Currency } from "../../kernel/currency.js";
import type { CustomerId, OrganizationId } from "../../kernel/ids.js";
import type { TimeZone } from "../../kernel/time-zone.js";
import type { BillingAddress, Customer, TaxExemption } from "../customer.js";

/** @returns false when the key is taken */
export async function insertCustomer(
  sql: Sql,
  organization: OrganizationId,
  customer: Customer,
): Promise<boolean> {
  const inserted = await sql`
    INSERT INTO customers
      (organization, id, key, name, currency, time_zone, email, address, tax_id, tax_exempt, payment_terms_days, locale,
       electronic_address, registration_number, buyer_reference, payer, created_at)
    VALUES (${organization}, ${customer.id}, ${customer.key}, ${customer.name}, ${customer.currency ?? null},
            ${customer.timeZone}, ${customer.email ?? null}, ${addressText(customer)}::text::jsonb,
            ${customer.taxId ?? null}, ${customer.taxExempt}, ${customer.paymentTermsDays}, ${customer.locale ?? null},
            ${customer.electronicAddress ?? null}, ${customer.registrationNumber ?? null}, ${customer.buyerReference ?? null},
            ${customer.payer ?? null}, ${timestampText(customer.createdAt)}::text::timestamptz)
    ON CONFLICT (organization, key) DO NOTHING RETURNING id`;
  return inserted.length === 1;
}

/** Writes everything of a customer but its id and what was at its creation. */
export async function updateCustomer(sql: Sql, customer: Customer): Promise<void> {
  await sql`
    UPDATE customers
    SET key = ${customer.key}, name = ${customer.name}, currency = ${customer.currency ?? null},
        time_zone = ${customer.timeZone}, email = ${customer.email ?? null},
        address = ${addressText(customer)}::text::jsonb, tax_id = ${customer.taxId ?? null},
        tax_exempt = ${customer.taxExempt}, payment_terms_days = ${customer.paymentTermsDays},
        locale = ${customer.locale ?? null}, electronic_address = ${customer.electronicAddress ?? null},
        registration_number = ${customer.registrationNumber ?? null},
        buyer_reference = ${customer.buyerReference ?? null}, payer = ${customer.payer ?? null},
        erased_at = ${customer.erasedAt === undefined ? null : timestampText(customer.erasedAt)}::text::timestamptz
    WHERE id = ${customer.id}`;
}

/** Customers by id, oldest first, after a customer; only those that another pays for, when given. */
export async function listCustomers(
  sql: Sql,
  page: { payer?: CustomerId; after?: string; limit: number },
): Promise<Customer[]> {
  const rows = await sql<CustomerRow[]>`
    SELECT id, key, name, currency, time_zone, email, address, tax_id, tax_exempt, payment_terms_days, locale,
           electronic_address, registration_number, buyer_reference, payer,
           (extract(epoch FROM erased_at) * 1000000)::bigint::text AS erased_at,
           (extract(epoch FROM created_at) * 1000000)::bigint::text AS created_at
    FROM customers
    WHERE id > ${page.after ?? ""} AND (${page.payer ?? null}::text IS NULL OR payer = ${page.payer ?? null})
    ORDER BY id LIMIT ${page.limit}`;
  return rows.map(fromRow);
}

export async function findCustomer(sql: Sql, idOrKey: string): Promise<Customer | undefined> {
  const rows = await sql<CustomerRow[]>`
    SELECT id, key, name, currency, time_zone, email, address, tax_id, tax_exempt, payment_terms_days, locale,
           electronic_address, registration_number, buyer_reference, payer,
           (extract(epoch FROM erased_at) * 1000000)::bigint::text AS erased_at,
           (extract(epoch FROM created_at) * 1000000)::bigint::text AS created_at
    FROM customers
    WHERE id = ${idOrKey} OR key = ${idOrKey} ORDER BY id = ${idOrKey} DESC LIMIT 1`;
  return rows.map(fromRow)[0];
}

/** Customers of these ids, in no particular order. */
export async function readCustomers(sql: Sql, ids: readonly CustomerId[]): Promise<Customer[]> {
  const rows = await sql<CustomerRow[]>`
    SELECT id, key, name, currency, time_zone, email, address, tax_id, tax_exempt, payment_terms_days, locale,
           electronic_address, registration_number, buyer_reference, payer,
           (extract(epoch FROM erased_at) * 1000000)::bigint::text AS erased_at,
           (extract(epoch FROM created_at) * 1000000)::bigint::text AS created_at
    FROM customers WHERE id = ANY(${[...ids]}::text[])`;
  return rows.map(fromRow);
}

/** Holds customers until the transaction ends, in one order, so that two who want the same do not wait for each other. */
export async function lockCustomers(sql: Sql, ids: readonly CustomerId[]): Promise<void> {
  await sql`SELECT id FROM customers WHERE id = ANY(${[...ids]}::text[]) ORDER BY id FOR UPDATE`;
}

/** Which of these pay for others too. */
export async function findPayersOfOthers(
  sql: Sql,
  customers: readonly CustomerId[],
): Promise<ReadonlySet<CustomerId>> {
  if (customers.length === 0) return new Set();
  const rows = await sql<{ id: CustomerId }[]>`
    SELECT DISTINCT c.id FROM unnest(${arrayText(customers)}::text[]) AS c (id)
    CROSS JOIN LATERAL (SELECT FROM customers WHERE payer = c.id LIMIT 1 OFFSET 0) paid`;
  return new Set(rows.map(({ id }) => id));
}

/** For how many customers a customer pays. */
export async function countPaidFor(sql: Sql, payer: CustomerId): Promise<number> {
  const rows = await sql<
    { count: string }[]
  >`SELECT count(*)::text AS count FROM customers WHERE payer = ${payer}`;
  return Number(rows[0]?.count ?? 0);
}

interface CustomerRow {
  readonly id: CustomerId;
  readonly key: string;
  readonly name: string;
  readonly currency: Currency | null;
  readonly time_zone: TimeZone;
  readonly email: string | null;
  readonly address: BillingAddress | null;
  readonly tax_id: string | null;
  readonly tax_exempt: TaxExemption;
  readonly payment_terms_days: number;
  readonly locale: string | null;
  readonly electronic_address: string | null;
  readonly registration_number: string | null;
  readonly buyer_reference: string | null;
  readonly payer: CustomerId | null;
  readonly erased_at: string | null;
  readonly created_at: string;
}

function fromRow(row: CustomerRow): Customer {
  return {
    id: row.id,
    key: row.key,
    name: row.name,
    currency: row.currency ?? undefined,
    timeZone: row.time_zone,
    email: row.email ?? undefined,
    address: row.address ?? undefined,
    taxId: row.tax_id ?? undefined,
    taxExempt: row.tax_exempt,
    paymentTermsDays: row.payment_terms_days,
    locale: row.locale ?? undefined,
    electronicAddress: row.electronic_address ?? undefined,
    registrationNumber: row.registration_number ?? undefined,
    buyerReference: row.buyer_reference ?? undefined,
    payer: row.payer ?? undefined,
    erasedAt: row.erased_at === null ? undefined : instantOfMicros(row.erased_at),
    createdAt: instantOfMicros(row.created_at),
  };
}

function addressText({ address }: Customer): string | null {
  return address === undefined ? null : JSON.stringify(address);
}
