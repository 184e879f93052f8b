import { arrayText, instantOfMicros, timestampText, type Sql } from "../../engines/postgres/index.js";
import type { Currency } from "../../kernel/currency.js";
import type { CustomerId, OrganizationId, PaymentMethodId } from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";
import type { TopUpRule } from "../core/index.js";

/** What is done about a customer's balance, in minor units of one currency. */
export interface WatchSettings {
  readonly currency: Currency;
  readonly lowAt: bigint | undefined;
  readonly topUp: (TopUpRule & { readonly method: PaymentMethodId | undefined }) | undefined;
}

/** The settings with how the last look found the balance. */
export interface BalanceWatch extends WatchSettings {
  readonly customer: CustomerId;
  readonly changedAt: Instant;
  readonly isLow: boolean;
  /** How often the organization was told. */
  readonly crossings: number;
  /** Since when, and by which decline's or problem's code, nothing is charged by itself. */
  readonly stopped: { readonly at: Instant; readonly by: string } | undefined;
  /** Until when the month's maximum was told to be reached. */
  readonly cappedUntil: Instant | undefined;
  /** Why the last look could not tell the balance. */
  readonly fault: string | undefined;
}

export function isWatched({ lowAt, topUp }: WatchSettings): boolean {
  return lowAt !== undefined || topUp !== undefined;
}

/** @param lock  holds whoever else acts on the balance until the transaction ends */
export async function findWatch(
  sql: Sql,
  customer: CustomerId,
  { lock = false } = {},
): Promise<BalanceWatch | undefined> {
  const rows = await sql<WatchRow[]>`
    SELECT customer, currency, low_at_minor::text AS low_at, threshold_minor::text AS threshold, amount_minor::text AS amount,
           monthly_max_minor::text AS monthly_max, method, is_low, crossings, stopped_by, fault,
           (extract(epoch FROM changed_at) * 1000000)::bigint::text AS changed_at,
           (extract(epoch FROM stopped_at) * 1000000)::bigint::text AS stopped_at,
           (extract(epoch FROM capped_until) * 1000000)::bigint::text AS capped_until
    FROM balance_watches WHERE customer = ${customer} ${lock ? sql`FOR NO KEY UPDATE` : sql``}`;
  return rows.map(watchOf)[0];
}

/** Those of these customers whose balance is watched, by customer. */
export async function readWatches(sql: Sql, customers: readonly CustomerId[]): Promise<BalanceWatch[]> {
  if (customers.length === 0) return [];
  const rows = await sql<WatchRow[]>`
    SELECT customer, currency, low_at_minor::text AS low_at, threshold_minor::text AS threshold, amount_minor::text AS amount,
           monthly_max_minor::text AS monthly_max, method, is_low, crossings, stopped_by, fault,
           (extract(epoch FROM changed_at) * 1000000)::bigint::text AS changed_at,
           (extract(epoch FROM stopped_at) * 1000000)::bigint::text AS stopped_at,
           (extract(epoch FROM capped_until) * 1000000)::bigint::text AS capped_until
    FROM unnest(${arrayText([...new Set(customers)])}::text[]) AS w (wanted)
    CROSS JOIN LATERAL (SELECT * FROM balance_watches WHERE customer = w.wanted OFFSET 0) b
    WHERE low_at_minor IS NOT NULL OR amount_minor IS NOT NULL
    ORDER BY customer`;
  return rows.map(watchOf);
}

/** Customers whose balance is watched, by id, after a customer. */
export async function listWatched(
  sql: Sql,
  page: { readonly after: string; readonly limit: number },
): Promise<CustomerId[]> {
  const rows = await sql<{ customer: CustomerId }[]>`
    SELECT customer FROM balance_watches
    WHERE customer > ${page.after} AND (low_at_minor IS NOT NULL OR amount_minor IS NOT NULL)
    ORDER BY customer LIMIT ${page.limit}`;
  return rows.map(({ customer }) => customer);
}

/** Whether anybody's balance is watched. */
export async function isAnyWatched(sql: Sql): Promise<boolean> {
  const rows = await sql`
    SELECT FROM balance_watches WHERE low_at_minor IS NOT NULL OR amount_minor IS NOT NULL LIMIT 1`;
  return rows.length > 0;
}

/** Organizations in which balances are watched, by id, after one; as weir_system. */
export async function listWatchingOrganizations(
  sql: Sql,
  page: { readonly after: string; readonly limit: number },
): Promise<OrganizationId[]> {
  const rows = await sql<{ organization: OrganizationId }[]>`
    SELECT DISTINCT organization FROM balance_watches
    WHERE organization > ${page.after} AND (low_at_minor IS NOT NULL OR amount_minor IS NOT NULL)
    ORDER BY organization LIMIT ${page.limit}`;
  return rows.map(({ organization }) => organization);
}

/** Writes settings as a whole: what a look found in another currency, and why it stopped, counts no more. */
export async function writeWatch(
  sql: Sql,
  organization: OrganizationId,
  customer: CustomerId,
  { currency, lowAt, topUp }: WatchSettings,
  at: Instant,
): Promise<void> {
  await sql`
    INSERT INTO balance_watches AS known
      (organization, customer, currency, low_at_minor, threshold_minor, amount_minor, monthly_max_minor, method, changed_at)
    VALUES (${organization}, ${customer}, ${currency}, ${textOf(lowAt)}::text::numeric, ${textOf(topUp?.threshold)}::text::numeric,
            ${textOf(topUp?.amount)}::text::numeric, ${textOf(topUp?.monthlyMax)}::text::numeric, ${topUp?.method ?? null},
            ${timestampText(at)}::text::timestamptz)
    ON CONFLICT (organization, customer) DO UPDATE
    SET currency = excluded.currency, low_at_minor = excluded.low_at_minor, threshold_minor = excluded.threshold_minor,
        amount_minor = excluded.amount_minor, monthly_max_minor = excluded.monthly_max_minor, method = excluded.method,
        changed_at = excluded.changed_at, is_low = known.is_low AND known.currency = excluded.currency,
        stopped_at = NULL, stopped_by = NULL, capped_until = NULL, fault = NULL`;
}

/** Writes what changes of a watch that is locked. */
export async function updateWatch(
  sql: Sql,
  { customer, isLow, crossings, stopped, cappedUntil, fault }: BalanceWatch,
): Promise<void> {
  const instant = (at: Instant | undefined) => (at === undefined ? null : timestampText(at));
  await sql`
    UPDATE balance_watches
    SET is_low = ${isLow}, crossings = ${crossings}, stopped_at = ${instant(stopped?.at)}::text::timestamptz,
        stopped_by = ${stopped?.by.slice(0, 128) ?? null}, capped_until = ${instant(cappedUntil)}::text::timestamptz,
        fault = ${fault?.slice(0, 1024) ?? null}
    WHERE customer = ${customer}`;
}

interface WatchRow {
  readonly customer: CustomerId;
  readonly currency: Currency;
  readonly low_at: string | null;
  readonly threshold: string | null;
  readonly amount: string | null;
  readonly monthly_max: string | null;
  readonly method: PaymentMethodId | null;
  readonly is_low: boolean;
  readonly crossings: number;
  readonly stopped_by: string | null;
  readonly fault: string | null;
  readonly changed_at: string;
  readonly stopped_at: string | null;
  readonly capped_until: string | null;
}

function watchOf(row: WatchRow): BalanceWatch {
  const instant = (micros: string | null) => (micros === null ? undefined : instantOfMicros(micros));
  const whole = (text: string | null) => (text === null ? undefined : BigInt(text));
  const [threshold, amount, stoppedAt] = [whole(row.threshold), whole(row.amount), instant(row.stopped_at)];
  return {
    customer: row.customer,
    currency: row.currency,
    lowAt: whole(row.low_at),
    topUp:
      threshold === undefined || amount === undefined
        ? undefined
        : { threshold, amount, monthlyMax: whole(row.monthly_max), method: row.method ?? undefined },
    changedAt: instantOfMicros(row.changed_at),
    isLow: row.is_low,
    crossings: row.crossings,
    stopped:
      stoppedAt === undefined || row.stopped_by === null ? undefined : { at: stoppedAt, by: row.stopped_by },
    cappedUntil: instant(row.capped_until),
    fault: row.fault ?? undefined,
  };
}

function textOf(amount: bigint | undefined): string | null {
  return amount?.toString() ?? null;
}
