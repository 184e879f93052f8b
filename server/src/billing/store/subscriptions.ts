import { instantOfMicros, timestampText, type Sql } from "../../engines/postgres/index.js";
import type { CustomerId, OrganizationId, PlanVersionId, SubscriptionId } from "../../kernel/ids.js";
import { instantFromMs, msOf } from "../../kernel/instant.js";
import type { TimeZone } from "../../kernel/time-zone.js";
import type { Subscription } from "../subscription.js";

export async function insertSubscription(
  sql: Sql,
  organization: OrganizationId,
  subscription: Subscription,
): Promise<void> {
  await sql`
    INSERT INTO subscriptions
      (organization, id, customer, plan_version, started_at, anchor_day, time_zone, created_at)
    VALUES (${organization}, ${subscription.id}, ${subscription.customer}, ${subscription.planVersion},
            ${timestampText(subscription.startedAt)}::text::timestamptz, ${subscription.anchor.day},
            ${subscription.timeZone}, ${new Date(msOf(subscription.createdAt))})`;
}

/** Subscriptions by id, oldest first, after a subscription; of one customer when given. */
export async function listSubscriptions(
  sql: Sql,
  page: { customer?: CustomerId; after?: string; limit: number },
): Promise<Subscription[]> {
  const rows = await sql<SubscriptionRow[]>`
    SELECT id, customer, plan_version, (extract(epoch FROM started_at) * 1000000)::bigint::text AS started_at,
           anchor_day, time_zone, created_at
    FROM subscriptions
    WHERE id > ${page.after ?? ""} AND (${page.customer ?? null}::text IS NULL OR customer = ${page.customer ?? null})
    ORDER BY id LIMIT ${page.limit}`;
  return rows.map(fromRow);
}

export async function findSubscription(sql: Sql, id: string): Promise<Subscription | undefined> {
  const rows = await sql<SubscriptionRow[]>`
    SELECT id, customer, plan_version, (extract(epoch FROM started_at) * 1000000)::bigint::text AS started_at,
           anchor_day, time_zone, created_at
    FROM subscriptions WHERE id = ${id}`;
  return rows.map(fromRow)[0];
}

interface SubscriptionRow {
  readonly id: SubscriptionId;
  readonly customer: CustomerId;
  readonly plan_version: PlanVersionId;
  readonly started_at: string;
  readonly anchor_day: number;
  readonly time_zone: TimeZone;
  readonly created_at: Date;
}

function fromRow(row: SubscriptionRow): Subscription {
  return {
    id: row.id,
    customer: row.customer,
    planVersion: row.plan_version,
    startedAt: instantOfMicros(row.started_at),
    anchor: { day: row.anchor_day },
    timeZone: row.time_zone,
    createdAt: instantFromMs(row.created_at.getTime()),
  };
}
