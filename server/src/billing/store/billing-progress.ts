import { arrayText, instantOfMicros, timestampText, type Sql } from "../../engines/postgres/index.js";
import type { OrganizationId, SubscriptionId } from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";

/** How far a subscription's billing has come. */
export interface Progress {
  /** Counts every change of the subscription and of what is billed of it; 0 before the first. */
  readonly version: number;
  /** The boundaries up to here have had their turn; undefined before the first. */
  readonly doneUntil: Instant | undefined;
}

/** Of those that have any. */
export async function readProgress(
  sql: Sql,
  subscriptions: readonly SubscriptionId[],
): Promise<Map<SubscriptionId, Progress>> {
  const rows = await sql<{ subscription: SubscriptionId; version: string; done_until: string | null }[]>`
    SELECT subscription, version::text, (extract(epoch FROM done_until) * 1000000)::bigint::text AS done_until
    FROM billing_progress WHERE subscription = ANY (${arrayText(subscriptions)}::text[])`;
  return new Map(
    rows.map(({ subscription, version, done_until }) => [
      subscription,
      { version: Number(version), doneUntil: done_until === null ? undefined : instantOfMicros(done_until) },
    ]),
  );
}

/**
 * Takes subscriptions' progress until the transaction ends and counts it up, in one order everywhere, so that two who
 * want the same do not wait for each other in a circle.
 *
 * @param done  the boundaries that have had their turn with this
 * @returns what the versions are now; unknown subscriptions are left out
 */
export async function takeProgress(
  sql: Sql,
  organization: OrganizationId,
  subscriptions: readonly SubscriptionId[],
  done: ReadonlyMap<SubscriptionId, Instant> = new Map(),
): Promise<Map<SubscriptionId, number>> {
  const ids = [...new Set(subscriptions)].sort();
  const rows = await sql<{ subscription: SubscriptionId; version: string }[]>`
    INSERT INTO billing_progress AS known (organization, subscription, done_until, version)
    SELECT ${organization}, t.id, nullif(t.done, '')::timestamptz, 1
    FROM unnest(${arrayText(ids)}::text[], ${arrayText(ids.map((id) => textOf(done.get(id))))}::text[]) AS t (id, done)
    WHERE EXISTS (SELECT FROM subscriptions s WHERE s.organization = ${organization} AND s.id = t.id OFFSET 0)
    ORDER BY t.id
    ON CONFLICT (organization, subscription) DO UPDATE
    SET version = known.version + 1, done_until = greatest(known.done_until, excluded.done_until)
    RETURNING subscription, version::text`;
  return new Map(rows.map(({ subscription, version }) => [subscription, Number(version)]));
}

function textOf(at: Instant | undefined): string {
  return at === undefined ? "" : timestampText(at);
}
