import { instantOfMicros, timestampText, type Sql } from "../../engines/postgres/index.js";
import type { Currency } from "../../kernel/currency.js";
import type { CreditGrantId, CustomerId, OrganizationId } from "../../kernel/ids.js";
import { remainingOf, type CreditGrant, type CreditKind } from "../core/index.js";

/** A grant with what became of its amount. */
export interface StoredGrant extends CreditGrant {
  readonly used: bigint;
  readonly voided: bigint;
  /** Booked as expired, and not drawn by a late invoice since. */
  readonly expired: bigint;
}

export interface GrantPage {
  readonly customer?: CustomerId;
  /** Only grants of which something can still be drawn. */
  readonly open?: boolean;
  readonly after?: string;
  readonly limit: number;
}

/** Writes a grant and the row that keeps what becomes of it. */
export async function insertGrant(
  sql: Sql,
  organization: OrganizationId,
  grant: Omit<CreditGrant, "remaining">,
): Promise<void> {
  const expiresAt = grant.expiresAt === undefined ? null : timestampText(grant.expiresAt);
  await sql`
    INSERT INTO credit_grants
      (organization, id, customer, kind, currency, amount_minor, priority, effective_from, expires_at, note, created_at)
    VALUES (${organization}, ${grant.id}, ${grant.customer}, ${grant.kind}, ${grant.currency},
            ${grant.amount.toString()}::text::numeric, ${grant.priority},
            ${timestampText(grant.effectiveFrom)}::text::timestamptz, ${expiresAt}::text::timestamptz, ${grant.note ?? null},
            ${timestampText(grant.createdAt)}::text::timestamptz)`;
  await sql`
    INSERT INTO credit_grant_balances (organization, grant_id, customer, currency, amount_minor)
    SELECT organization, id, customer, currency, amount_minor FROM credit_grants WHERE id = ${grant.id}`;
}

export async function findGrant(sql: Sql, id: string): Promise<StoredGrant | undefined> {
  const rows = await sql<GrantRow[]>`
    SELECT g.id, g.customer, g.kind, g.currency, g.amount_minor::text AS amount, g.priority, g.note,
           (extract(epoch FROM g.effective_from) * 1000000)::bigint::text AS effective_from,
           (extract(epoch FROM g.expires_at) * 1000000)::bigint::text AS expires_at,
           (extract(epoch FROM g.created_at) * 1000000)::bigint::text AS created_at,
           b.used_minor::text AS used, b.voided_minor::text AS voided, b.expired_minor::text AS expired
    FROM credit_grants g JOIN credit_grant_balances b ON b.organization = g.organization AND b.grant_id = g.id
    WHERE g.id = ${id}`;
  return rows.map(grantOf)[0];
}

/** Grants by id, oldest first, after a grant. */
export async function listGrants(sql: Sql, page: GrantPage): Promise<StoredGrant[]> {
  const customer = page.customer ?? null;
  const rows = await sql<GrantRow[]>`
    SELECT g.id, g.customer, g.kind, g.currency, g.amount_minor::text AS amount, g.priority, g.note,
           (extract(epoch FROM g.effective_from) * 1000000)::bigint::text AS effective_from,
           (extract(epoch FROM g.expires_at) * 1000000)::bigint::text AS expires_at,
           (extract(epoch FROM g.created_at) * 1000000)::bigint::text AS created_at,
           b.used_minor::text AS used, b.voided_minor::text AS voided, b.expired_minor::text AS expired
    FROM credit_grants g JOIN credit_grant_balances b ON b.organization = g.organization AND b.grant_id = g.id
    WHERE g.id > ${page.after ?? ""} AND (${customer}::text IS NULL OR g.customer = ${customer})
      AND (NOT ${page.open ?? false}::boolean OR b.used_minor + b.voided_minor < b.amount_minor)
    ORDER BY g.id LIMIT ${page.limit}`;
  return rows.map(grantOf);
}

/**
 * The open grants of customers in their currencies, locked until the transaction ends: what remains of them changes under
 * nobody's hands. In one order everywhere, so that two invoice runs do not wait for one another in a circle.
 */
export async function lockOpenGrants(
  sql: Sql,
  of: readonly { readonly customer: CustomerId; readonly currency: Currency }[],
): Promise<StoredGrant[]> {
  const rows = await sql<GrantRow[]>`
    SELECT g.id, g.customer, g.kind, g.currency, g.amount_minor::text AS amount, g.priority, g.note,
           (extract(epoch FROM g.effective_from) * 1000000)::bigint::text AS effective_from,
           (extract(epoch FROM g.expires_at) * 1000000)::bigint::text AS expires_at,
           (extract(epoch FROM g.created_at) * 1000000)::bigint::text AS created_at,
           b.used_minor::text AS used, b.voided_minor::text AS voided, b.expired_minor::text AS expired
    FROM credit_grant_balances b JOIN credit_grants g ON g.organization = b.organization AND g.id = b.grant_id
    WHERE (b.customer, b.currency) IN (
        SELECT w.customer, w.currency
        FROM unnest(${of.map(({ customer }) => customer)}::text[], ${of.map(({ currency }) => currency)}::text[]) AS w (customer, currency))
      AND b.used_minor + b.voided_minor < b.amount_minor
    ORDER BY b.grant_id FOR NO KEY UPDATE OF b`;
  return rows.map(grantOf);
}

/** Grants by their ids, locked until the transaction ends, in the same order; unknown ones are left out. */
export async function lockGrantsById(sql: Sql, ids: readonly string[]): Promise<StoredGrant[]> {
  const rows = await sql<GrantRow[]>`
    SELECT g.id, g.customer, g.kind, g.currency, g.amount_minor::text AS amount, g.priority, g.note,
           (extract(epoch FROM g.effective_from) * 1000000)::bigint::text AS effective_from,
           (extract(epoch FROM g.expires_at) * 1000000)::bigint::text AS expires_at,
           (extract(epoch FROM g.created_at) * 1000000)::bigint::text AS created_at,
           b.used_minor::text AS used, b.voided_minor::text AS voided, b.expired_minor::text AS expired
    FROM credit_grant_balances b JOIN credit_grants g ON g.organization = b.organization AND g.id = b.grant_id
    WHERE b.grant_id = ANY (${[...ids]}::text[])
    ORDER BY b.grant_id FOR NO KEY UPDATE OF b`;
  return rows.map(grantOf);
}

/** Of how many grants of a customer in a currency something can still be drawn. */
export async function countOpenGrants(sql: Sql, customer: CustomerId, currency: Currency): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    SELECT count(*)::int AS count FROM credit_grant_balances
    WHERE customer = ${customer} AND currency = ${currency} AND used_minor + voided_minor < amount_minor`;
  return row?.count ?? 0;
}

interface GrantRow {
  readonly id: CreditGrantId;
  readonly customer: CustomerId;
  readonly kind: CreditKind;
  readonly currency: Currency;
  readonly amount: string;
  readonly priority: number;
  readonly note: string | null;
  readonly effective_from: string;
  readonly expires_at: string | null;
  readonly created_at: string;
  readonly used: string;
  readonly voided: string;
  readonly expired: string;
}

function grantOf(row: GrantRow): StoredGrant {
  const balance = {
    amount: BigInt(row.amount),
    used: BigInt(row.used),
    voided: BigInt(row.voided),
    expired: BigInt(row.expired),
  };
  return {
    id: row.id,
    customer: row.customer,
    kind: row.kind,
    currency: row.currency,
    ...balance,
    remaining: remainingOf(balance),
    priority: row.priority,
    effectiveFrom: instantOfMicros(row.effective_from),
    expiresAt: row.expires_at === null ? undefined : instantOfMicros(row.expires_at),
    note: row.note ?? undefined,
    createdAt: instantOfMicros(row.created_at),
  };
}
