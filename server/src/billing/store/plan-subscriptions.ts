import { timestampText, type Sql } from "../../engines/postgres/index.js";
import type { PlanId, SubscriptionId } from "../../kernel/ids.js";
import type { Period } from "../core/index.js";

/**
 * Subscriptions that were on a plan at some time within a period, by id, after a subscription.
 *
 * OFFSET 0 keeps the phases a look-up by subscription. As a join, and before the tables were analyzed, all phases were
 * read for each subscription: a page of 500 of 1,000 took 3.2 s.
 */
export async function listSubscriptionsOnPlan(
  sql: Sql,
  page: { plan: PlanId; period: Period; after?: string; limit: number },
): Promise<SubscriptionId[]> {
  const rows = await sql<{ id: SubscriptionId }[]>`
    SELECT s.id FROM subscriptions s
    WHERE s.id > ${page.after ?? ""}
      AND (s.ends_at IS NULL OR s.ends_at > ${timestampText(page.period.start)}::text::timestamptz)
      AND EXISTS (
        SELECT FROM subscription_phases p
        WHERE p.organization = s.organization AND p.subscription = s.id AND p.removed_in IS NULL
          AND p.plan_version = ANY(ARRAY(SELECT v.id FROM plan_versions v WHERE v.plan = ${page.plan}))
          AND p.valid_from < ${timestampText(page.period.end)}::text::timestamptz
          AND (p.valid_to IS NULL OR p.valid_to > ${timestampText(page.period.start)}::text::timestamptz)
        OFFSET 0)
    ORDER BY s.id LIMIT ${page.limit}`;
  return rows.map((row) => row.id);
}

/** How many there are. OFFSET 0 as above. */
export async function countSubscriptionsOnPlan(
  sql: Sql,
  of: { plan: PlanId; period: Period },
): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    SELECT count(*)::int AS count FROM subscriptions s
    WHERE (s.ends_at IS NULL OR s.ends_at > ${timestampText(of.period.start)}::text::timestamptz)
      AND EXISTS (
        SELECT FROM subscription_phases p
        WHERE p.organization = s.organization AND p.subscription = s.id AND p.removed_in IS NULL
          AND p.plan_version = ANY(ARRAY(SELECT v.id FROM plan_versions v WHERE v.plan = ${of.plan}))
          AND p.valid_from < ${timestampText(of.period.end)}::text::timestamptz
          AND (p.valid_to IS NULL OR p.valid_to > ${timestampText(of.period.start)}::text::timestamptz)
        OFFSET 0)`;
  return row?.count ?? 0;
}

/** Whether a plan that a subscription is, was or will be on bills usage ahead from a threshold on. */
export async function hasSpendThreshold(sql: Sql, subscription: SubscriptionId): Promise<boolean> {
  const rows = await sql`
    SELECT FROM subscription_phases p
    JOIN plan_versions v ON v.organization = p.organization AND v.id = p.plan_version
    WHERE p.subscription = ${subscription} AND p.removed_in IS NULL AND v.terms -> 'spendThreshold' IS NOT NULL LIMIT 1`;
  return rows.length > 0;
}
