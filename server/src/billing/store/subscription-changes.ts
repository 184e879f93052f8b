import { instantOfMicros, timestampText, type Sql } from "../../engines/postgres/index.js";
import type { OrganizationId, SubscriptionId } from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";
import type { JsonValue } from "../../kernel/json.js";

/** One change of a subscription: what, from when on, by whom. */
export interface SubscriptionChange {
  /** 1 is its creation. */
  readonly revision: number;
  readonly action: string;
  readonly effectiveAt: Instant;
  readonly details: JsonValue;
  /** An API key's id, or "system". */
  readonly actor: string;
  readonly recordedAt: Instant;
}

export async function insertSubscriptionChange(
  sql: Sql,
  organization: OrganizationId,
  subscription: SubscriptionId,
  change: SubscriptionChange,
): Promise<void> {
  await sql`
    INSERT INTO subscription_changes
      (organization, subscription, revision, action, effective_at, details, actor, recorded_at)
    VALUES (${organization}, ${subscription}, ${change.revision}, ${change.action},
            ${timestampText(change.effectiveAt)}::text::timestamptz, ${JSON.stringify(change.details)}::text::jsonb,
            ${change.actor}, ${timestampText(change.recordedAt)}::text::timestamptz)`;
}

/** A subscription's changes, newest first, before a revision. */
export async function listSubscriptionChanges(
  sql: Sql,
  subscription: SubscriptionId,
  page: { before?: number; limit: number },
): Promise<SubscriptionChange[]> {
  const rows = await sql<ChangeRow[]>`
    SELECT revision, action, (extract(epoch FROM effective_at) * 1000000)::bigint::text AS effective_at, details, actor,
           (extract(epoch FROM recorded_at) * 1000000)::bigint::text AS recorded_at
    FROM subscription_changes
    WHERE subscription = ${subscription} AND (${page.before ?? null}::integer IS NULL OR revision < ${page.before ?? null})
    ORDER BY revision DESC LIMIT ${page.limit}`;
  return rows.map((row) => ({
    revision: row.revision,
    action: row.action,
    effectiveAt: instantOfMicros(row.effective_at),
    details: row.details,
    actor: row.actor,
    recordedAt: instantOfMicros(row.recorded_at),
  }));
}

interface ChangeRow {
  readonly revision: number;
  readonly action: string;
  readonly effective_at: string;
  readonly details: JsonValue;
  readonly actor: string;
  readonly recorded_at: string;
}
