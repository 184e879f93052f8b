import type { Sql } from "../../engines/postgres/index.js";
import type { Currency } from "../../kernel/currency.js";
import type { CustomerId, OrganizationId } from "../../kernel/ids.js";
import { instantFromMs, msOf } from "../../kernel/instant.js";
import type { TimeZone } from "../../kernel/time-zone.js";
import type { Customer } from "../customer.js";

/** @returns false when the key is taken */
export async function insertCustomer(
  sql: Sql,
  organization: OrganizationId,
  customer: Customer,
): Promise<boolean> {
  const inserted = await sql`
    INSERT INTO customers (organization, id, key, name, currency, time_zone, email, created_at)
    VALUES (${organization}, ${customer.id}, ${customer.key}, ${customer.name}, ${customer.currency ?? null},
            ${customer.timeZone}, ${customer.email ?? null}, ${new Date(msOf(customer.createdAt))})
    ON CONFLICT (organization, key) DO NOTHING RETURNING id`;
  return inserted.length === 1;
}

/** Customers by id, oldest first, after a customer. */
export async function listCustomers(sql: Sql, page: { after?: string; limit: number }): Promise<Customer[]> {
  const rows = await sql<CustomerRow[]>`
    SELECT id, key, name, currency, time_zone, email, created_at FROM customers
    WHERE id > ${page.after ?? ""} ORDER BY id LIMIT ${page.limit}`;
  return rows.map(fromRow);
}

export async function findCustomer(sql: Sql, idOrKey: string): Promise<Customer | undefined> {
  const rows = await sql<CustomerRow[]>`
    SELECT id, key, name, currency, time_zone, email, created_at FROM customers
    WHERE id = ${idOrKey} OR key = ${idOrKey} ORDER BY id = ${idOrKey} DESC LIMIT 1`;
  return rows.map(fromRow)[0];
}

interface CustomerRow {
  readonly id: CustomerId;
  readonly key: string;
  readonly name: string;
  readonly currency: Currency | null;
  readonly time_zone: TimeZone;
  readonly email: string | null;
  readonly created_at: Date;
}

function fromRow(row: CustomerRow): Customer {
  return {
    id: row.id,
    key: row.key,
    name: row.name,
    currency: row.currency ?? undefined,
    timeZone: row.time_zone,
    email: row.email ?? undefined,
    createdAt: instantFromMs(row.created_at.getTime()),
  };
}
