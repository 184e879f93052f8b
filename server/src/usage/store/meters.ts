import { instantFromMs, msOf, type Instant } from "../../kernel/instant.js";
import type { MeterId, MeterVersionId, OrganizationId } from "../../kernel/ids.js";
import type { Sql } from "../../engines/postgres/index.js";
import type { MeterDefinition, MeterVersion } from "../core/index.js";

/** From which envelope of each writer on a version was measured at write time. */
export type LiveFrom = Readonly<Record<string, number>>;

export type BackfillState = "pending" | "running" | "done";

/** A meter version with what the store knows about its life. */
export interface StoredMeterVersion extends MeterVersion {
  readonly current: boolean;
  readonly liveFrom: LiveFrom;
  readonly retiredAt: Instant | undefined;
  readonly archivedAt: Instant | undefined;
  readonly updatedAt: Instant;
  readonly backfill: {
    readonly state: BackfillState;
    readonly events: number;
    readonly cursor: BackfillCursor | undefined;
  };
}

/** Where a backfill goes on: the key order of usage_events. */
export interface BackfillCursor {
  readonly subject: string;
  readonly time: string;
  readonly key: string;
  readonly revision: number;
}

interface MeterRow {
  readonly id: string;
  readonly meter: string;
  readonly slug: string;
  readonly name: string;
  readonly description: string;
  readonly version: number;
  readonly definition: MeterDefinition;
  readonly current: boolean;
  readonly live_from: LiveFrom;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly retired_at: Date | null;
  readonly archived_at: Date | null;
  readonly backfill_state: BackfillState;
  readonly backfill_events: string;
  readonly backfill_cursor: BackfillCursor | null;
}

/** Every version of every meter of the organization bound to the transaction, oldest first. */
export async function listMeterVersions(sql: Sql): Promise<StoredMeterVersion[]> {
  const rows = await sql<MeterRow[]>`
    SELECT v.id, v.meter, m.slug, m.name, m.description, v.version, v.definition, m.current_version = v.id AS current,
           v.live_from, v.created_at, m.updated_at, v.retired_at, m.archived_at,
           v.backfill_state, v.backfill_events::text, v.backfill_cursor
    FROM meter_versions v JOIN meters m ON m.organization = v.organization AND m.id = v.meter
    ORDER BY v.created_at, v.id`;
  return rows.map(fromRow);
}

/** Inserts a meter and its first version, in one statement list; the version's definition never changes again. */
export async function insertMeter(
  sql: Sql,
  organization: OrganizationId,
  version: MeterVersion,
  liveFrom: LiveFrom,
): Promise<void> {
  const at = new Date(msOf(version.createdAt));
  await sql`
    INSERT INTO meters (organization, id, slug, name, description, current_version, created_at, updated_at)
    VALUES (${organization}, ${version.meter}, ${version.slug}, ${version.name}, ${version.description}, ${version.id}, ${at}, ${at})`;
  await insertMeterVersion(sql, organization, version, liveFrom);
}

/** Inserts a version; the caller makes it current. */
export async function insertMeterVersion(
  sql: Sql,
  organization: OrganizationId,
  version: MeterVersion,
  liveFrom: LiveFrom,
): Promise<void> {
  const { eventType, aggregation, valueProperty, groupBy, filters } = version;
  const definition = JSON.stringify({ eventType, aggregation, valueProperty, groupBy, filters });
  await sql`
    INSERT INTO meter_versions (organization, id, meter, version, definition, created_at, live_from, backfill_state)
    VALUES (${organization}, ${version.id}, ${version.meter}, ${version.version}, ${definition}::text::jsonb,
            ${new Date(msOf(version.createdAt))}, ${JSON.stringify(liveFrom)}::text::jsonb, 'pending')`;
  await sql`
    INSERT INTO due_work (organization, kind, reference, due_at)
    VALUES (${organization}, 'meter_backfill', ${version.id}, ${new Date(msOf(version.createdAt))})`;
}

/** Makes a version the current one of its meter and retires the one before it. */
export async function makeVersionCurrent(
  sql: Sql,
  meter: MeterId,
  version: MeterVersionId,
  at: Instant,
): Promise<void> {
  const when = new Date(msOf(at));
  await sql`
    UPDATE meter_versions SET retired_at = ${when} WHERE meter = ${meter} AND id <> ${version} AND retired_at IS NULL`;
  await sql`UPDATE meters SET current_version = ${version}, updated_at = ${when} WHERE id = ${meter}`;
}

/** Renames a meter; what it measures is not touched. */
export async function renameMeter(
  sql: Sql,
  meter: MeterId,
  name: string,
  description: string,
  at: Instant,
): Promise<void> {
  await sql`
    UPDATE meters SET name = ${name}, description = ${description}, updated_at = ${new Date(msOf(at))} WHERE id = ${meter}`;
}

/**
 * Archives a meter: it is measured no more, its slug is free again, its past stays.
 * @returns false when it was archived before
 */
export async function archiveMeter(sql: Sql, meter: MeterId, at: Instant): Promise<boolean> {
  const when = new Date(msOf(at));
  await sql`UPDATE meter_versions SET retired_at = ${when} WHERE meter = ${meter} AND retired_at IS NULL`;
  const archived =
    await sql`UPDATE meters SET archived_at = ${when}, updated_at = ${when} WHERE id = ${meter} AND archived_at IS NULL`;
  return archived.count > 0;
}

export async function recordBackfillProgress(
  sql: Sql,
  version: MeterVersionId,
  progress: { state: BackfillState; events: number; cursor: BackfillCursor | undefined },
): Promise<void> {
  const cursor = progress.cursor === undefined ? null : JSON.stringify(progress.cursor);
  await sql`
    UPDATE meter_versions
    SET backfill_state = ${progress.state}, backfill_events = ${progress.events}, backfill_cursor = ${cursor}::text::jsonb
    WHERE id = ${version}`;
  if (progress.state === "done") {
    await sql`DELETE FROM due_work WHERE kind = 'meter_backfill' AND reference = ${version}`;
  }
}

/** Backfills that are not done, of every organization; for the system role. */
export async function listDueBackfills(
  sql: Sql,
): Promise<{ organization: OrganizationId; version: MeterVersionId }[]> {
  return sql<{ organization: OrganizationId; version: MeterVersionId }[]>`
    SELECT organization, reference AS version FROM due_work WHERE kind = 'meter_backfill' ORDER BY due_at LIMIT 1000`;
}

function fromRow(row: MeterRow): StoredMeterVersion {
  const { definition } = row;
  return {
    id: row.id as MeterVersionId,
    meter: row.meter as MeterId,
    slug: row.slug,
    name: row.name,
    description: row.description,
    version: row.version,
    eventType: definition.eventType,
    aggregation: definition.aggregation,
    ...(definition.valueProperty === undefined ? {} : { valueProperty: definition.valueProperty }),
    groupBy: definition.groupBy,
    filters: definition.filters,
    createdAt: instantFromMs(row.created_at.getTime()),
    updatedAt: instantFromMs(row.updated_at.getTime()),
    current: row.current,
    liveFrom: row.live_from,
    retiredAt: row.retired_at === null ? undefined : instantFromMs(row.retired_at.getTime()),
    archivedAt: row.archived_at === null ? undefined : instantFromMs(row.archived_at.getTime()),
    backfill: {
      state: row.backfill_state,
      events: Number(row.backfill_events),
      cursor: row.backfill_cursor ?? undefined,
    },
  };
}
