import type { Sql } from "../engines/postgres/index.js";
import { newId, type ApiKeyId, type OrganizationId } from "../kernel/ids.js";
import type { Instant } from "../kernel/instant.js";
import { insertAuditEntries } from "./store/audit-log.js";

/** Who changed something: the holder of a key, or Weir itself. */
export type AuditActor = { readonly key: ApiKeyId } | "system";

export interface AuditRecord {
  readonly organization: OrganizationId;
  readonly actor: AuditActor;
  /** thing.verb, such as meter.create */
  readonly action: string;
  /** the id of what was changed */
  readonly target: string;
  /** Its state, as plain data without secrets; undefined when there was or is none. */
  readonly before: unknown;
  readonly after: unknown;
  readonly at: Instant;
}

/** Writes to the append-only log, in the transaction of the change: there is no change without its entry, nor the reverse. */
export function recordAudit(sql: Sql, record: AuditRecord): Promise<void> {
  return recordAudits(sql, [record]);
}

/** The same for many changes of one transaction, in one statement. */
export async function recordAudits(sql: Sql, records: readonly AuditRecord[]): Promise<void> {
  if (records.length === 0) return;
  await insertAuditEntries(
    sql,
    records.map((record) => ({
      organization: record.organization,
      id: newId("aud", record.at),
      at: record.at,
      actor: record.actor === "system" ? "system" : record.actor.key,
      action: record.action,
      target: record.target,
      before: encode(record.before),
      after: encode(record.after),
    })),
  );
}

/** JSON text; bigints as strings, as decimals are, so that nothing is rounded. */
function encode(state: unknown): string | null {
  if (state === undefined || state === null) return null;
  const text = JSON.stringify(state, (_key, value: unknown) =>
    typeof value === "bigint" ? value.toString() : value,
  );
  // jsonb cannot hold U+0000, which the data of an event may: it is kept as the six characters that stand for it.
  return text.replace(/(?<!\\)((?:\\\\)*)\\u0000/g, "$1\\\\u0000");
}
