import { instantOfMicros, timestampText, type Sql } from "../../engines/postgres/index.js";
import type { CustomerId, OrganizationId, PaymentMethodId, ProviderAccountId } from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";
import type { ReportedMethod } from "../provider.js";

/** A customer's way to pay. */
export interface PaymentMethod extends Omit<ReportedMethod, "customerRef"> {
  readonly id: PaymentMethodId;
  readonly customer: CustomerId;
  readonly account: ProviderAccountId;
  readonly isDefault: boolean;
  readonly createdAt: Instant;
  readonly detachedAt: Instant | undefined;
}

export async function insertMethod(
  sql: Sql,
  organization: OrganizationId,
  method: PaymentMethod,
): Promise<boolean> {
  const rows = await sql`
    INSERT INTO payment_methods (organization, id, customer, account, ref, kind, brand, last4, expires, is_default, created_at)
    VALUES (${organization}, ${method.id}, ${method.customer}, ${method.account}, ${method.ref}, ${method.kind},
            ${method.brand ?? null}, ${method.last4 ?? null}, ${method.expires ?? null}, ${method.isDefault},
            ${timestampText(method.createdAt)}::text::timestamptz)
    ON CONFLICT (account, ref, organization) WHERE detached_at IS NULL DO NOTHING
    RETURNING id`;
  return rows.length > 0;
}

/** Holds whoever else attaches, or chooses, a method of the customer until the transaction ends. */
export async function lockMethodsOf(sql: Sql, customer: CustomerId): Promise<void> {
  await sql`SELECT pg_advisory_xact_lock(hashtextextended('payment_methods/' || ${customer}::text, 0))`;
}

/** Makes one the customer's default, and no other: under the customer's lock. */
export async function setDefaultMethod(sql: Sql, customer: CustomerId, id: PaymentMethodId): Promise<void> {
  await sql`UPDATE payment_methods SET is_default = false WHERE customer = ${customer} AND is_default AND id <> ${id}`;
  await sql`UPDATE payment_methods SET is_default = true WHERE id = ${id}`;
}

export async function markDetached(sql: Sql, id: PaymentMethodId, at: Instant): Promise<void> {
  await sql`
    UPDATE payment_methods SET detached_at = ${timestampText(at)}::text::timestamptz, is_default = false WHERE id = ${id}`;
}

export async function updateMethodDetails(
  sql: Sql,
  id: PaymentMethodId,
  { brand, last4, expires }: Pick<ReportedMethod, "brand" | "last4" | "expires">,
): Promise<void> {
  await sql`
    UPDATE payment_methods SET brand = ${brand ?? null}, last4 = ${last4 ?? null}, expires = ${expires ?? null} WHERE id = ${id}`;
}

export async function findMethod(
  sql: Sql,
  id: string,
  { lock = false } = {},
): Promise<PaymentMethod | undefined> {
  const rows = await sql<MethodRow[]>`
    SELECT id, customer, account, ref, kind, brand, last4, expires, is_default,
           (extract(epoch FROM created_at) * 1000000)::bigint::text AS created_at,
           (extract(epoch FROM detached_at) * 1000000)::bigint::text AS detached_at
    FROM payment_methods WHERE id = ${id} ${lock ? sql`FOR NO KEY UPDATE` : sql``}`;
  return rows.map(methodOf)[0];
}

/** The attached one that a provider names so. */
export async function findMethodByRef(
  sql: Sql,
  account: ProviderAccountId,
  ref: string,
): Promise<PaymentMethod | undefined> {
  const rows = await sql<MethodRow[]>`
    SELECT id, customer, account, ref, kind, brand, last4, expires, is_default,
           (extract(epoch FROM created_at) * 1000000)::bigint::text AS created_at,
           (extract(epoch FROM detached_at) * 1000000)::bigint::text AS detached_at
    FROM payment_methods WHERE account = ${account} AND ref = ${ref} AND detached_at IS NULL`;
  return rows.map(methodOf)[0];
}

/** Default methods of customers; those without one are left out. */
export async function findDefaultMethods(
  sql: Sql,
  customers: readonly CustomerId[],
): Promise<ReadonlyMap<CustomerId, PaymentMethod>> {
  const rows = await sql<MethodRow[]>`
    SELECT id, customer, account, ref, kind, brand, last4, expires, is_default,
           (extract(epoch FROM created_at) * 1000000)::bigint::text AS created_at, NULL AS detached_at
    FROM unnest(${[...new Set(customers)]}::text[]) AS w (wanted)
    CROSS JOIN LATERAL (SELECT * FROM payment_methods WHERE customer = w.wanted AND is_default OFFSET 0) m`;
  return new Map(rows.map((row) => [row.customer, methodOf(row)]));
}

/** Methods by id; of one customer when given. Those that were detached are left out unless asked for. */
export async function listMethods(
  sql: Sql,
  page: {
    readonly customer?: CustomerId;
    readonly detached?: boolean;
    readonly after?: string;
    readonly limit: number;
  },
): Promise<PaymentMethod[]> {
  const customer = page.customer ?? null;
  const rows = await sql<MethodRow[]>`
    SELECT id, customer, account, ref, kind, brand, last4, expires, is_default,
           (extract(epoch FROM created_at) * 1000000)::bigint::text AS created_at,
           (extract(epoch FROM detached_at) * 1000000)::bigint::text AS detached_at
    FROM payment_methods
    WHERE id > ${page.after ?? ""} AND (${customer}::text IS NULL OR customer = ${customer})
      AND (${page.detached ?? false}::boolean OR detached_at IS NULL)
    ORDER BY id LIMIT ${page.limit}`;
  return rows.map(methodOf);
}

export async function findProviderCustomer(
  sql: Sql,
  account: ProviderAccountId,
  customer: CustomerId,
): Promise<string | undefined> {
  const rows = await sql<{ ref: string }[]>`
    SELECT ref FROM provider_customers WHERE account = ${account} AND customer = ${customer}`;
  return rows[0]?.ref;
}

export async function findCustomerByRef(
  sql: Sql,
  account: ProviderAccountId,
  ref: string,
): Promise<CustomerId | undefined> {
  const rows = await sql<{ customer: CustomerId }[]>`
    SELECT customer FROM provider_customers WHERE account = ${account} AND ref = ${ref}`;
  return rows[0]?.customer;
}

/** @returns the reference that stands: another's when one came first */
export async function insertProviderCustomer(
  sql: Sql,
  organization: OrganizationId,
  row: { account: ProviderAccountId; customer: CustomerId; ref: string; at: Instant },
): Promise<string> {
  await sql`
    INSERT INTO provider_customers (organization, account, customer, ref, created_at)
    VALUES (${organization}, ${row.account}, ${row.customer}, ${row.ref}, ${timestampText(row.at)}::text::timestamptz)
    ON CONFLICT (organization, account, customer) DO NOTHING`;
  return (await findProviderCustomer(sql, row.account, row.customer)) ?? row.ref;
}

interface MethodRow {
  readonly id: PaymentMethodId;
  readonly customer: CustomerId;
  readonly account: ProviderAccountId;
  readonly ref: string;
  readonly kind: ReportedMethod["kind"];
  readonly brand: string | null;
  readonly last4: string | null;
  readonly expires: string | null;
  readonly is_default: boolean;
  readonly created_at: string;
  readonly detached_at: string | null;
}

function methodOf(row: MethodRow): PaymentMethod {
  return {
    id: row.id,
    customer: row.customer,
    account: row.account,
    ref: row.ref,
    kind: row.kind,
    brand: row.brand ?? undefined,
    last4: row.last4 ?? undefined,
    expires: row.expires ?? undefined,
    isDefault: row.is_default,
    createdAt: instantOfMicros(row.created_at),
    detachedAt: row.detached_at === null ? undefined : instantOfMicros(row.detached_at),
  };
}
