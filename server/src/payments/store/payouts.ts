import { instantOfMicros, timestampText, type Sql } from "../../engines/postgres/index.js";
import type { Currency } from "../../kernel/currency.js";
import type { OrganizationId, PayoutId, ProviderAccountId } from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";
import type { Money } from "../../kernel/money.js";
import type { PayoutState } from "../core/index.js";

/** What a provider sends to the bank. */
export interface Payout {
  readonly id: PayoutId;
  readonly account: ProviderAccountId;
  readonly ref: string;
  readonly amount: Money;
  readonly state: PayoutState;
  readonly failure: string | undefined;
  /** 2026-11-30 */
  readonly arrivesOn: string | undefined;
  readonly createdAt: Instant;
  readonly changedAt: Instant;
  /** When it was seen on the bank's statement. */
  readonly receivedAt: Instant | undefined;
}

export async function insertPayout(sql: Sql, organization: OrganizationId, payout: Payout): Promise<void> {
  await sql`
    INSERT INTO payouts (organization, id, account, ref, currency, amount_minor, state, failure, arrives_on, created_at, changed_at)
    VALUES (${organization}, ${payout.id}, ${payout.account}, ${payout.ref}, ${payout.amount.currency},
            ${payout.amount.minor.toString()}::text::numeric, ${payout.state}, ${payout.failure?.slice(0, 512) ?? null},
            ${payout.arrivesOn ?? null}::text::date, ${timestampText(payout.createdAt)}::text::timestamptz,
            ${timestampText(payout.changedAt)}::text::timestamptz)`;
}

/** Writes what changes of a payout that is locked. */
export async function updatePayout(sql: Sql, payout: Payout): Promise<void> {
  const received = payout.receivedAt === undefined ? null : timestampText(payout.receivedAt);
  await sql`
    UPDATE payouts SET state = ${payout.state}, failure = ${payout.failure?.slice(0, 512) ?? null}, arrives_on = ${payout.arrivesOn ?? null}::text::date,
           changed_at = ${timestampText(payout.changedAt)}::text::timestamptz, received_at = ${received}::text::timestamptz
    WHERE id = ${payout.id}`;
}

export async function findPayout(sql: Sql, id: string, { lock = false } = {}): Promise<Payout | undefined> {
  const rows = await sql<PayoutRow[]>`
    SELECT id, account, ref, currency, amount_minor::text AS amount, state, failure, arrives_on::text,
           (extract(epoch FROM created_at) * 1000000)::bigint::text AS created_at,
           (extract(epoch FROM changed_at) * 1000000)::bigint::text AS changed_at,
           (extract(epoch FROM received_at) * 1000000)::bigint::text AS received_at
    FROM payouts WHERE id = ${id} ${lock ? sql`FOR NO KEY UPDATE` : sql``}`;
  return rows.map(payoutOf)[0];
}

export async function findPayoutByRef(
  sql: Sql,
  account: ProviderAccountId,
  ref: string,
): Promise<Payout | undefined> {
  const rows = await sql<
    { id: string }[]
  >`SELECT id FROM payouts WHERE account = ${account} AND ref = ${ref}`;
  return rows[0] === undefined ? undefined : findPayout(sql, rows[0].id);
}

/** By id, oldest first; of one account, in one state when given. */
export async function listPayouts(
  sql: Sql,
  page: {
    readonly account?: string;
    readonly state?: PayoutState;
    readonly after?: string;
    readonly limit: number;
  },
): Promise<Payout[]> {
  const account = page.account ?? null;
  const state = page.state ?? null;
  const rows = await sql<PayoutRow[]>`
    SELECT id, account, ref, currency, amount_minor::text AS amount, state, failure, arrives_on::text,
           (extract(epoch FROM created_at) * 1000000)::bigint::text AS created_at,
           (extract(epoch FROM changed_at) * 1000000)::bigint::text AS changed_at,
           (extract(epoch FROM received_at) * 1000000)::bigint::text AS received_at
    FROM payouts WHERE id > ${page.after ?? ""} AND (${account}::text IS NULL OR account = ${account})
      AND (${state}::text IS NULL OR state = ${state})
    ORDER BY id LIMIT ${page.limit}`;
  return rows.map(payoutOf);
}

interface PayoutRow {
  readonly id: PayoutId;
  readonly account: ProviderAccountId;
  readonly ref: string;
  readonly currency: Currency;
  readonly amount: string;
  readonly state: PayoutState;
  readonly failure: string | null;
  readonly arrives_on: string | null;
  readonly created_at: string;
  readonly changed_at: string;
  readonly received_at: string | null;
}

function payoutOf(row: PayoutRow): Payout {
  return {
    id: row.id,
    account: row.account,
    ref: row.ref,
    amount: { currency: row.currency, minor: BigInt(row.amount) },
    state: row.state,
    failure: row.failure ?? undefined,
    arrivesOn: row.arrives_on ?? undefined,
    createdAt: instantOfMicros(row.created_at),
    changedAt: instantOfMicros(row.changed_at),
    receivedAt: row.received_at === null ? undefined : instantOfMicros(row.received_at),
  };
}
