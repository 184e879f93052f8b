import type { Sql } from "../../postgres/index.js";
import type { OrganizationId } from "../../../kernel/ids.js";
import type { EndedRun } from "../workflow.js";

/** Organizations with runs that are over since before an instant, in the order of their ids; as weir_system. */
export async function selectOrganizationsWithEnded(
  sql: Sql,
  { before_ms, after, limit }: { before_ms: number; after: string | undefined; limit: number },
): Promise<OrganizationId[]> {
  const rows = await sql<{ organization: OrganizationId }[]>`
    SELECT DISTINCT authenticated_user AS organization FROM weir_workflow.workflow_status
    WHERE status IN ('SUCCESS', 'CANCELLED') AND completed_at < ${before_ms} AND authenticated_user > ${after ?? ""}
    ORDER BY authenticated_user LIMIT ${limit}`;
  return rows.map(({ organization }) => organization);
}

/** Runs of the organization that are over since before an instant, longest first. */
export async function selectEnded(
  sql: Sql,
  { before_ms, after, limit }: { before_ms: number; after: EndedRun | undefined; limit: number },
): Promise<EndedRun[]> {
  const rows = await sql<{ id: string; kind: string; completed_at: string }[]>`
    SELECT id, kind, completed_at FROM weir_workflow.weir_runs
    WHERE organization = current_setting('weir.organization', true) AND status IN ('SUCCESS', 'CANCELLED')
      AND completed_at < ${before_ms}
      AND (completed_at, workflow_uuid) > (${after?.ended_ms ?? -1}, current_setting('weir.organization', true) || '/' || ${after?.id ?? ""}::text)
    ORDER BY completed_at, workflow_uuid LIMIT ${limit}`;
  return rows.map(({ id, kind, completed_at }) => ({ id, kind, ended_ms: Number(completed_at) }));
}

/** Deletes what is left of runs that are over: their steps, checkpoints, attempts, signals and waits. @returns how many */
export async function deleteEnded(sql: Sql, ids: readonly string[], before_ms: number): Promise<number> {
  const rows = await sql<{ run: string }[]>`
    SELECT run FROM weir_workflow.weir_forget(${ids}::text[], ${before_ms}) AS gone (run)`;
  const runs = rows.map(({ run }) => run);
  if (runs.length === 0) return 0;
  await sql`DELETE FROM workflow_checkpoints WHERE run = ANY (${runs}::text[])`;
  await sql`DELETE FROM workflow_attempts WHERE run = ANY (${runs}::text[])`;
  await sql`DELETE FROM workflow_signals WHERE run = ANY (${runs}::text[])`;
  await sql`DELETE FROM workflow_waits WHERE run = ANY (${runs}::text[])`;
  return runs.length;
}
