import { instantOfMicros, timestampText, type Sql } from "../../engines/postgres/index.js";
import type { CustomerId, OrganizationId } from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";
import type { DunningSchedule } from "../core/index.js";

export async function findDunningSchedule(sql: Sql): Promise<DunningSchedule | undefined> {
  const rows = await sql<{ schedule: DunningSchedule }[]>`SELECT schedule FROM dunning_settings`;
  return rows[0]?.schedule;
}

export async function writeDunningSchedule(
  sql: Sql,
  organization: OrganizationId,
  schedule: DunningSchedule,
  at: Instant,
): Promise<void> {
  await sql`
    INSERT INTO dunning_settings (organization, schedule, changed_at)
    VALUES (${organization}, ${JSON.stringify(schedule)}::text::jsonb, ${timestampText(at)}::text::timestamptz)
    ON CONFLICT (organization) DO UPDATE SET schedule = excluded.schedule, changed_at = excluded.changed_at`;
}

export async function pauseCollection(
  sql: Sql,
  organization: OrganizationId,
  customer: CustomerId,
  reason: string,
  at: Instant,
): Promise<boolean> {
  const rows = await sql`
    INSERT INTO collection_pauses (organization, customer, reason, paused_at)
    VALUES (${organization}, ${customer}, ${reason}, ${timestampText(at)}::text::timestamptz)
    ON CONFLICT (organization, customer) DO NOTHING
    RETURNING customer`;
  return rows.length > 0;
}

/** @returns whether it was paused */
export async function resumeCollection(sql: Sql, customer: CustomerId): Promise<boolean> {
  const rows = await sql`DELETE FROM collection_pauses WHERE customer = ${customer} RETURNING customer`;
  return rows.length > 0;
}

/** Which of these customers are paused, and why. */
export async function findPauses(
  sql: Sql,
  customers: readonly CustomerId[],
): Promise<ReadonlyMap<CustomerId, string>> {
  if (customers.length === 0) return new Map();
  const rows = await sql<{ customer: CustomerId; reason: string }[]>`
    SELECT customer, reason FROM collection_pauses WHERE customer = ANY (${[...customers]}::text[])`;
  return new Map(rows.map(({ customer, reason }) => [customer, reason]));
}

/** Nothing is collected of a customer by itself. */
export interface CollectionPause {
  readonly reason: string;
  readonly pausedAt: Instant;
}

export async function findPause(sql: Sql, customer: CustomerId): Promise<CollectionPause | undefined> {
  const rows = await sql<{ reason: string; paused_at: string }[]>`
    SELECT reason, (extract(epoch FROM paused_at) * 1000000)::bigint::text AS paused_at
    FROM collection_pauses WHERE customer = ${customer}`;
  return rows.map(({ reason, paused_at: at }) => ({ reason, pausedAt: instantOfMicros(at) }))[0];
}
