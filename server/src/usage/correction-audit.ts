import { recordAudit } from "../audit/index.js";
import type { Columnar } from "../engines/columnar/index.js";
import type { Postgres } from "../engines/postgres/index.js";
import type { Clock } from "../kernel/clock.js";
import { day, type Instant } from "../kernel/instant.js";
import type { ApiKeyId, OrganizationId } from "../kernel/ids.js";
import type { Log } from "../kernel/log.js";
import { auditTargetOf } from "./corrections.js";

interface RecordedCorrection {
  readonly organization: OrganizationId;
  readonly source: string;
  readonly id: string;
  readonly revision: number;
  readonly voided: boolean;
  readonly reason: string;
  readonly actor: ApiKeyId;
  readonly at: Instant;
}

const looked_back = 35 * day;
const corrections_max = 100_000;

/**
 * Writes the audit entries that are missing for corrections: a correction is durable in the stream a moment before the
 * transaction of its entry commits, and a process can die in between. The correction itself says who, what and why.
 *
 * @returns how many were written
 */
export async function auditMissingCorrections(options: {
  readonly columnar: Columnar;
  readonly postgres: Postgres;
  readonly clock: Clock;
  readonly log: Log;
}): Promise<number> {
  const { columnar, postgres, clock, log } = options;
  const from = clock.now() - looked_back;
  const recorded = await columnar.system.query(
    "corrections to audit",
    `SELECT organization, source, id, revision, void, reason, actor, toString(toUnixTimestamp64Micro(created_at)) AS created_us
     FROM weir.usage_corrections WHERE created_at >= fromUnixTimestamp64Micro({from:Int64}, 'UTC')
     ORDER BY created_at DESC LIMIT {limit:UInt32}`,
    { from, limit: corrections_max },
    (row): RecordedCorrection => ({
      organization: row["organization"] as OrganizationId,
      source: row["source"] as string,
      id: row["id"] as string,
      revision: Number(row["revision"]),
      voided: row["void"] === true,
      reason: row["reason"] as string,
      actor: row["actor"] as ApiKeyId,
      at: Number(row["created_us"]) as Instant,
    }),
  );
  let written = 0;
  for (const organization of new Set(recorded.map((correction) => correction.organization))) {
    const ofOrganization = recorded.filter((correction) => correction.organization === organization);
    written += await postgres.inOrganization(organization, async (sql) => {
      const known = await sql<{ target: string; revision: string | null }[]>`
        SELECT target, after ->> 'revision' AS revision FROM audit_log
        WHERE action IN ('event.void', 'event.amend')
          AND target = ANY (${ofOrganization.map(auditTargetOf)}::text[])`;
      const audited = new Set(known.map(({ target, revision }) => `${target} ${revision}`));
      const missing = ofOrganization.filter(
        (correction) => !audited.has(`${auditTargetOf(correction)} ${correction.revision}`),
      );
      for (const { actor, reason, revision, voided, at, ...event } of missing) {
        await recordAudit(sql, {
          organization,
          actor: { key: actor },
          action: voided ? "event.void" : "event.amend",
          target: auditTargetOf(event),
          before: undefined,
          after: { reason, revision, recovered: true },
          at,
        });
      }
      return missing.length;
    });
  }
  if (written > 0) log.warn("audit entries of corrections were missing and are written", { written });
  return written;
}
