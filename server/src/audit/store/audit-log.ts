import { arrayText, type Sql } from "../../engines/postgres/index.js";
import type { AuditEntryId, OrganizationId } from "../../kernel/ids.js";
import { instantFromMs, msOf, type Instant } from "../../kernel/instant.js";
import type { JsonValue } from "../../kernel/json.js";

/** One change: who, when, what, before and after. */
export interface AuditEntry {
  readonly id: AuditEntryId;
  readonly at: Instant;
  /** an API key's id, or "system" */
  readonly actor: string;
  readonly action: string;
  readonly target: string;
  readonly before: JsonValue;
  readonly after: JsonValue;
}

interface AuditRow {
  readonly id: AuditEntryId;
  readonly at: Date;
  readonly actor: string;
  readonly action: string;
  readonly target: string;
  readonly before: JsonValue;
  readonly after: JsonValue;
}

export interface NewAuditEntry {
  readonly organization: OrganizationId;
  readonly id: string;
  readonly at: Instant;
  readonly actor: string;
  readonly action: string;
  readonly target: string;
  /** JSON text. */
  readonly before: string | null;
  readonly after: string | null;
}

export async function insertAuditEntries(sql: Sql, entries: readonly NewAuditEntry[]): Promise<void> {
  await sql`
    INSERT INTO audit_log (organization, id, at, actor, action, target, before, after)
    SELECT e.organization, e.id, e.at::timestamptz, e.actor, e.action, e.target, nullif(e.before, '')::jsonb, nullif(e.after, '')::jsonb
    FROM unnest(${arrayText(entries.map(({ organization }) => organization))}::text[], ${arrayText(entries.map(({ id }) => id))}::text[],
                ${arrayText(entries.map(({ at }) => new Date(msOf(at)).toISOString()))}::text[], ${arrayText(entries.map(({ actor }) => actor))}::text[],
                ${arrayText(entries.map(({ action }) => action))}::text[], ${arrayText(entries.map(({ target }) => target))}::text[],
                ${arrayText(entries.map(({ before }) => before ?? ""))}::text[], ${arrayText(entries.map(({ after }) => after ?? ""))}::text[])
         AS e (organization, id, at, actor, action, target, before, after)`;
}

/** Newest first, from after a given id on; ids hold their time, so the primary key is the order. */
export async function selectAuditEntries(
  sql: Sql,
  page: {
    limit: number;
    after: string | null;
    target: string | null;
    actor: string | null;
    action: string | null;
  },
): Promise<AuditEntry[]> {
  const rows = await sql<AuditRow[]>`
    SELECT id, at, actor, action, target, before, after
    FROM audit_log
    WHERE (${page.after}::text IS NULL OR id < ${page.after}::text)
      AND (${page.target}::text IS NULL OR target = ${page.target}::text)
      AND (${page.actor}::text IS NULL OR actor = ${page.actor}::text)
      AND (${page.action}::text IS NULL OR action = ${page.action}::text)
    ORDER BY id DESC LIMIT ${page.limit}`;
  return rows.map((row) => ({ ...row, at: instantFromMs(row.at.getTime()) }));
}
