import { instantOfMicros, timestampText, type Sql } from "../../engines/postgres/index.js";
import type { CreditGrantId, CreditMovementId, InvoiceId, OrganizationId } from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";
import type { GrantBalance } from "../core/index.js";

/**
 * use: an invoice draws. restore: it gives back. revive: what it draws was booked as expired before. reinstate: what was voided
 * for a refund is there again, since the refund did not arrive.
 */
export type MovementKind = "use" | "restore" | "void" | "expire" | "revive" | "reinstate";

/** Something that happened to a grant; it never changes. */
export interface CreditMovement {
  readonly id: CreditMovementId;
  readonly grant: CreditGrantId;
  readonly kind: MovementKind;
  /** Above zero. */
  readonly amount: bigint;
  readonly invoice: InvoiceId | undefined;
  readonly reason: string | undefined;
  readonly at: Instant;
}

/** How much of a grant an invoice draws, or drew. */
export interface GrantUse {
  readonly grant: CreditGrantId;
  readonly invoice: InvoiceId;
  readonly amount: bigint;
}

export async function insertMovements(
  sql: Sql,
  organization: OrganizationId,
  movements: readonly CreditMovement[],
): Promise<void> {
  if (movements.length === 0) return;
  await sql`
    INSERT INTO credit_movements (organization, id, grant_id, kind, amount_minor, invoice, reason, at)
    SELECT ${organization}, m.id, m.grant_id, m.kind, m.amount::numeric, nullif(m.invoice, ''), nullif(m.reason, ''), m.at::timestamptz
    FROM unnest(${movements.map(({ id }) => id)}::text[], ${movements.map(({ grant }) => grant)}::text[],
                ${movements.map(({ kind }) => kind)}::text[], ${movements.map(({ amount }) => amount.toString())}::text[],
                ${movements.map(({ invoice }) => invoice ?? "")}::text[], ${movements.map(({ reason }) => reason ?? "")}::text[],
                ${movements.map(({ at }) => timestampText(at))}::text[])
         AS m (id, grant_id, kind, amount, invoice, reason, at)`;
}

/** Keeps what the movements of grants add up to; the caller holds their locks. */
export async function updateBalances(
  sql: Sql,
  balances: ReadonlyMap<CreditGrantId, GrantBalance>,
): Promise<void> {
  if (balances.size === 0) return;
  const kept = [...balances.values()];
  await sql`
    UPDATE credit_grant_balances b
    SET used_minor = n.used::numeric, voided_minor = n.voided::numeric, expired_minor = n.expired::numeric
    FROM unnest(${[...balances.keys()]}::text[], ${kept.map(({ used }) => used.toString())}::text[],
                ${kept.map(({ voided }) => voided.toString())}::text[], ${kept.map(({ expired }) => expired.toString())}::text[])
         AS n (grant_id, used, voided, expired)
    WHERE b.grant_id = n.grant_id`;
}

/** What these invoices drew, restored or not, by grant and invoice. */
export async function selectUses(
  sql: Sql,
  invoices: readonly string[],
): Promise<(GrantUse & { readonly restored: boolean })[]> {
  const rows = await sql<
    { grant_id: CreditGrantId; invoice: InvoiceId; amount: string; restored: boolean }[]
  >`
    SELECT u.grant_id, u.invoice, u.amount_minor::text AS amount, EXISTS (
             SELECT FROM credit_movements r
             WHERE r.organization = u.organization AND r.grant_id = u.grant_id AND r.invoice = u.invoice AND r.kind = 'restore'
           ) AS restored
    FROM credit_movements u
    WHERE u.invoice = ANY (${[...invoices]}::text[]) AND u.kind = 'use'
    ORDER BY u.grant_id, u.invoice`;
  return rows.map(({ grant_id: grant, amount, ...rest }) => ({ grant, amount: BigInt(amount), ...rest }));
}

/** A grant's movements by id, oldest first, after a movement. */
export async function listMovements(
  sql: Sql,
  page: { grant: string; after?: string; limit: number },
): Promise<CreditMovement[]> {
  const rows = await sql<MovementRow[]>`
    SELECT id, grant_id, kind, amount_minor::text AS amount, invoice, reason,
           (extract(epoch FROM at) * 1000000)::bigint::text AS at
    FROM credit_movements WHERE grant_id = ${page.grant} AND id > ${page.after ?? ""} ORDER BY id LIMIT ${page.limit}`;
  return rows.map((row) => ({
    id: row.id,
    grant: row.grant_id,
    kind: row.kind,
    amount: BigInt(row.amount),
    invoice: row.invoice ?? undefined,
    reason: row.reason ?? undefined,
    at: instantOfMicros(row.at),
  }));
}

interface MovementRow {
  readonly id: CreditMovementId;
  readonly grant_id: CreditGrantId;
  readonly kind: MovementKind;
  readonly amount: string;
  readonly invoice: InvoiceId | null;
  readonly reason: string | null;
  readonly at: string;
}
