import type { Postgres } from "../engines/postgres/index.js";
import type { AuditEntryId, OrganizationId } from "../kernel/ids.js";
import { selectAuditEntries, type AuditEntry } from "./store/audit-log.js";

export interface AuditPageRequest {
  /** 1 to 200, default 50 */
  readonly first?: number | undefined;
  /** the last id of the page before */
  readonly after?: AuditEntryId | undefined;
  /** only entries about this id, by this key, of this action */
  readonly target?: string | undefined;
  readonly actor?: string | undefined;
  readonly action?: string | undefined;
}

export interface AuditPage {
  readonly entries: readonly AuditEntry[];
  readonly hasNext: boolean;
}

const page_default = 50;
const page_max = 200;

/** The organization's audit log, newest first. */
export async function listAudit(
  postgres: Postgres,
  organization: OrganizationId,
  request: AuditPageRequest = {},
): Promise<AuditPage> {
  const first = Math.min(Math.max(Math.trunc(request.first ?? page_default), 1), page_max);
  const found = await postgres.inOrganization(organization, (sql) =>
    selectAuditEntries(sql, {
      limit: first + 1,
      after: request.after ?? null,
      target: request.target ?? null,
      actor: request.actor ?? null,
      action: request.action ?? null,
    }),
  );
  return { entries: found.slice(0, first), hasNext: found.length > first };
}
