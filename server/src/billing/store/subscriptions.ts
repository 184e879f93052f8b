import { arrayText, instantOfMicros, timestampText, type Sql } from "../../engines/postgres/index.js";
import type { Currency } from "../../kernel/currency.js";
import type { CustomerId, OrganizationId, SubscriptionId } from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";
import type { TimeZone } from "../../kernel/time-zone.js";
import type { Subscription } from "../core/index.js";
import { readSubscriptionParts } from "./subscription-parts.js";

/** A page of subscriptions by id, oldest first; of one customer when given. */
export interface SubscriptionPage {
  readonly customer?: CustomerId;
  readonly after?: string;
  readonly limit: number;
}

export async function listSubscriptions(sql: Sql, page: SubscriptionPage): Promise<Subscription[]> {
  const rows = await sql<{ id: SubscriptionId }[]>`
    SELECT id FROM subscriptions
    WHERE id > ${page.after ?? ""} AND (${page.customer ?? null}::text IS NULL OR customer = ${page.customer ?? null})
    ORDER BY id LIMIT ${page.limit}`;
  return readSubscriptions(
    sql,
    rows.map((row) => row.id),
  );
}

export async function findSubscription(sql: Sql, id: string): Promise<Subscription | undefined> {
  return (await readSubscriptions(sql, [id]))[0];
}

/** Holds a subscription until the transaction ends: its changes come one after another. */
export async function lockSubscription(sql: Sql, id: string): Promise<{ revision: number } | undefined> {
  const rows = await sql<{ revision: number }[]>`
    SELECT revision FROM subscriptions WHERE id = ${id} FOR NO KEY UPDATE`;
  return rows[0];
}

/** Those of a customer and of the customers that it pays for which have not ended by an instant, by id. */
export async function listRunningOfPayer(
  sql: Sql,
  payer: CustomerId,
  at: Instant,
  limit: number,
): Promise<SubscriptionId[]> {
  const rows = await sql<{ id: SubscriptionId }[]>`
    SELECT s.id FROM subscriptions s JOIN customers c ON c.organization = s.organization AND c.id = s.customer
    WHERE ((c.id = ${payer} AND c.payer IS NULL) OR c.payer = ${payer})
      AND (s.ends_at IS NULL OR s.ends_at > ${timestampText(at)}::text::timestamptz)
    ORDER BY s.id LIMIT ${limit}`;
  return rows.map((row) => row.id);
}

/** The same for many payers at once, at most `limit` of each. */
export async function listRunningOfPayers(
  sql: Sql,
  payers: readonly CustomerId[],
  at: Instant,
  limit: number,
): Promise<{ payer: CustomerId; id: SubscriptionId }[]> {
  return sql<{ payer: CustomerId; id: SubscriptionId }[]>`
    SELECT w.payer, s.id FROM unnest(${arrayText(payers)}::text[]) AS w (payer)
    CROSS JOIN LATERAL (
      SELECT s.id FROM (
        SELECT organization, id FROM customers WHERE id = w.payer AND payer IS NULL
        UNION ALL
        SELECT organization, id FROM customers WHERE payer = w.payer) c
      JOIN subscriptions s ON s.organization = c.organization AND s.customer = c.id
      WHERE s.ends_at IS NULL OR s.ends_at > ${timestampText(at)}::text::timestamptz
      ORDER BY s.id LIMIT ${limit}) s
    ORDER BY w.payer, s.id`;
}

/** A customer's own that have not ended by an instant, by id. */
export async function listRunningOfCustomer(
  sql: Sql,
  customer: CustomerId,
  at: Instant,
  limit: number,
): Promise<SubscriptionId[]> {
  const rows = await sql<{ id: SubscriptionId }[]>`
    SELECT id FROM subscriptions
    WHERE customer = ${customer} AND (ends_at IS NULL OR ends_at > ${timestampText(at)}::text::timestamptz)
    ORDER BY id LIMIT ${limit}`;
  return rows.map((row) => row.id);
}

/** The currencies of customers' subscriptions that have not ended by an instant. */
export async function listRunningCurrencies(
  sql: Sql,
  customers: readonly CustomerId[],
  at: Instant,
): Promise<Currency[]> {
  const rows = await sql<{ currency: Currency }[]>`
    SELECT DISTINCT currency FROM subscriptions
    WHERE customer = ANY(${[...customers]}::text[])
      AND (ends_at IS NULL OR ends_at > ${timestampText(at)}::text::timestamptz)
    ORDER BY currency`;
  return rows.map((row) => row.currency);
}

/** Whole subscriptions of these ids, by id; unknown ones are left out. Six queries, however many there are. */
export async function readSubscriptions(sql: Sql, ids: readonly string[]): Promise<Subscription[]> {
  if (ids.length === 0) return [];
  const rows = await sql<SubscriptionRow[]>`
    SELECT s.id, s.customer, s.currency,
           coalesce((SELECT c.payer FROM customers c WHERE c.organization = s.organization AND c.id = s.customer), s.customer) AS payer,
           s.anchor_day, s.anchor_month, s.anchor_weekday, s.time_zone,
           (extract(epoch FROM s.started_at) * 1000000)::bigint::text AS started_at,
           (extract(epoch FROM s.trial_end) * 1000000)::bigint::text AS trial_end,
           (extract(epoch FROM s.ends_at) * 1000000)::bigint::text AS ends_at,
           (extract(epoch FROM s.canceled_at) * 1000000)::bigint::text AS canceled_at,
           (extract(epoch FROM s.created_at) * 1000000)::bigint::text AS created_at
    FROM subscriptions s WHERE s.id = ANY(${[...ids]}::text[]) ORDER BY s.id`;
  const parts = await readSubscriptionParts(
    sql,
    rows.map((row) => row.id),
  );
  return rows.map((row) => {
    const { schedule, quantities, addOns, coupons, zoneChanges } = parts;
    return {
      id: row.id,
      customer: row.customer,
      payer: row.payer,
      currency: row.currency,
      anchor: {
        day: row.anchor_day,
        ...(row.anchor_month === null ? {} : { month: row.anchor_month }),
        ...(row.anchor_weekday === null ? {} : { weekday: row.anchor_weekday }),
      },
      timeZone: row.time_zone,
      zoneChanges: zoneChanges.get(row.id) ?? [],
      startedAt: instantOfMicros(row.started_at),
      trialEnd: instantOrNone(row.trial_end),
      endsAt: instantOrNone(row.ends_at),
      canceledAt: instantOrNone(row.canceled_at),
      schedule: schedule.get(row.id) ?? [],
      quantities: quantities.get(row.id) ?? [],
      addOns: addOns.get(row.id) ?? [],
      coupons: coupons.get(row.id) ?? [],
      createdAt: instantOfMicros(row.created_at),
    };
  });
}

export async function insertSubscription(
  sql: Sql,
  organization: OrganizationId,
  subscription: Subscription,
): Promise<void> {
  const { anchor } = subscription;
  await sql`
    INSERT INTO subscriptions
      (organization, id, customer, currency, anchor_day, anchor_month, anchor_weekday, time_zone, started_at, trial_end,
       revision, created_at)
    VALUES (${organization}, ${subscription.id}, ${subscription.customer}, ${subscription.currency}, ${anchor.day},
            ${anchor.month ?? null}, ${anchor.weekday ?? null}, ${subscription.timeZone},
            ${timestampText(subscription.startedAt)}::text::timestamptz,
            ${textOrNull(subscription.trialEnd)}::text::timestamptz, 1,
            ${timestampText(subscription.createdAt)}::text::timestamptz)`;
}

export async function updateSubscription(
  sql: Sql,
  subscription: Subscription,
  revision: number,
): Promise<void> {
  await sql`
    UPDATE subscriptions
    SET trial_end = ${textOrNull(subscription.trialEnd)}::text::timestamptz,
        ends_at = ${textOrNull(subscription.endsAt)}::text::timestamptz,
        canceled_at = ${textOrNull(subscription.canceledAt)}::text::timestamptz, revision = ${revision}
    WHERE id = ${subscription.id}`;
}

interface SubscriptionRow {
  readonly id: SubscriptionId;
  readonly customer: CustomerId;
  readonly payer: CustomerId;
  readonly currency: Currency;
  readonly anchor_day: number;
  readonly anchor_month: number | null;
  readonly anchor_weekday: number | null;
  readonly time_zone: TimeZone;
  readonly started_at: string;
  readonly trial_end: string | null;
  readonly ends_at: string | null;
  readonly canceled_at: string | null;
  readonly created_at: string;
}

function instantOrNone(micros: string | null): Instant | undefined {
  return micros === null ? undefined : instantOfMicros(micros);
}

function textOrNull(at: Instant | undefined): string | null {
  return at === undefined ? null : timestampText(at);
}
