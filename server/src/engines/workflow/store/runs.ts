import { arrayText, type Sql } from "../../postgres/index.js";
import { instantFromMs } from "../../../kernel/instant.js";
import type { JsonValue } from "../../../kernel/json.js";
import type { Run, RunFilter, RunState, RunStep } from "../workflow.js";

/** Milliseconds come as text: they are bigint. */
interface RunRow {
  readonly id: string;
  readonly kind: string;
  readonly version: number;
  readonly state: RunState;
  readonly waits_for: string | null;
  readonly error: string | null;
  readonly created_at: string;
  readonly updated_at: string;
  readonly completed_at: string | null;
}

/** Newest first; one page. */
export async function selectRuns(sql: Sql, filter: RunFilter): Promise<Run[]> {
  const { state = null, kind = null, after = null } = filter;
  const rows = await sql<RunRow[]>`
    SELECT id, kind, version, state, waits_for, error, created_at, updated_at, completed_at
    FROM weir_workflow.weir_runs
    WHERE organization = current_setting('weir.organization', true)
      AND (${state}::text IS NULL OR state = ${state}::text)
      AND (${kind}::text IS NULL OR kind = ${kind}::text)
      AND (${after}::text IS NULL OR (created_at, workflow_uuid) < (
        SELECT last.created_at, last.workflow_uuid FROM weir_workflow.weir_runs last
        WHERE last.workflow_uuid = current_setting('weir.organization', true) || '/' || ${after}::text))
    ORDER BY created_at DESC, workflow_uuid DESC LIMIT ${filter.limit}`;
  return rows.map(toRun);
}

/** The runs of these ids. */
export async function selectRunsOf(sql: Sql, ids: readonly string[]): Promise<Run[]> {
  const rows = await sql<RunRow[]>`
    SELECT id, kind, version, state, waits_for, error, created_at, updated_at, completed_at
    FROM weir_workflow.weir_runs
    WHERE workflow_uuid IN (SELECT current_setting('weir.organization', true) || '/' || asked.id FROM unnest(${ids}::text[]) AS asked (id))`;
  return rows.map(toRun);
}

export async function findRun(
  sql: Sql,
  id: string,
): Promise<(Run & { readonly input: JsonValue; readonly output: JsonValue }) | undefined> {
  const [row] = await sql<(RunRow & { inputs: string | null; output: string | null })[]>`
    SELECT id, kind, version, state, waits_for, error, created_at, updated_at, completed_at, inputs, output
    FROM weir_workflow.weir_runs
    WHERE workflow_uuid = current_setting('weir.organization', true) || '/' || ${id}`;
  if (row === undefined) return undefined;
  const inputs = JSON.parse(row.inputs ?? "[]") as [{ input?: JsonValue }?];
  return {
    ...toRun(row),
    input: inputs[0]?.input ?? null,
    output: row.output === null ? null : (JSON.parse(row.output) as JsonValue),
  };
}

/** The kinds of those of these runs that there are, by id. */
export async function findKinds(sql: Sql, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const rows = await sql<{ id: string; kind: string }[]>`
    SELECT asked.id, s.attributes ->> 'kind' AS kind FROM unnest(${arrayText(ids)}::text[]) AS asked (id)
    JOIN weir_workflow.workflow_status s ON s.workflow_uuid = current_setting('weir.organization', true) || '/' || asked.id
    WHERE s.authenticated_user = current_setting('weir.organization', true)`;
  return new Map(rows.map(({ id, kind }) => [id, kind]));
}

/** What became of a run; undefined when there is none. Cheaper than the whole. */
export async function findState(
  sql: Sql,
  id: string,
): Promise<{ kind: string; state: RunState } | undefined> {
  const [row] = await sql<{ kind: string; state: RunState }[]>`
    SELECT kind, state FROM weir_workflow.weir_runs
    WHERE workflow_uuid = current_setting('weir.organization', true) || '/' || ${id}`;
  return row;
}

export async function countBusyRuns(sql: Sql, exceptKind: string | undefined): Promise<number> {
  const [row] = await sql<{ count: string }[]>`
    SELECT count(*) FROM weir_workflow.weir_runs
    WHERE organization = current_setting('weir.organization', true) AND status IN ('PENDING', 'ENQUEUED', 'DELAYED')
      AND state <> 'waiting' AND kind IS DISTINCT FROM ${exceptKind ?? null}::text`;
  return Number(row?.count ?? 0);
}

export async function selectFailedSince(sql: Sql, since_ms: number, limit: number): Promise<Run[]> {
  const rows = await sql<RunRow[]>`
    SELECT id, kind, version, state, waits_for, error, created_at, updated_at, completed_at
    FROM weir_workflow.weir_runs
    WHERE organization = current_setting('weir.organization', true) AND completed_at >= ${since_ms}
      AND status IN ('ERROR', 'MAX_RECOVERY_ATTEMPTS_EXCEEDED')
    ORDER BY completed_at, workflow_uuid LIMIT ${limit}`;
  return rows.map(toRun);
}

export async function cancelRun(sql: Sql, id: string): Promise<boolean> {
  const [row] = await sql<{ done: string | null }[]>`SELECT weir_workflow.weir_cancel(${id}) AS done`;
  return row?.done != null;
}

export async function retryRun(sql: Sql, id: string): Promise<boolean> {
  const [row] = await sql<{ done: string | null }[]>`SELECT weir_workflow.weir_retry(${id}) AS done`;
  return row?.done != null;
}

interface StepRow {
  readonly position: number;
  readonly name: string;
  readonly state: RunStep["state"];
  readonly failed: number;
  readonly error: string | null;
  readonly started: string;
  readonly ended: string | null;
  readonly next: string | null;
}

/**
 * The steps that have ended, and the one that is tried again or waits, in order: from the library's records, our count
 * of failed attempts and the waits.
 */
export async function selectSteps(sql: Sql, id: string, limit: number): Promise<RunStep[]> {
  const rows = await sql<StepRow[]>`
    SELECT coalesce(o.function_id, a.position, w.position) AS position,
           coalesce(o.function_name, a.name, w.name) AS name,
           CASE WHEN o.error IS NOT NULL THEN 'failed' WHEN o.function_id IS NOT NULL THEN 'succeeded'
                WHEN w.position IS NOT NULL THEN 'waiting' WHEN a.next_at IS NULL THEN 'failed' ELSE 'retrying' END AS state,
           coalesce(a.failed, 0) AS failed, coalesce(o.error, a.error) AS error,
           coalesce(o.started_at_epoch_ms::numeric, extract(epoch FROM coalesce(a.first_at, w.since)) * 1000)::bigint AS started,
           o.completed_at_epoch_ms AS ended, (extract(epoch FROM a.next_at) * 1000)::bigint AS next
    FROM (SELECT * FROM weir_workflow.operation_outputs
          WHERE workflow_uuid = current_setting('weir.organization', true) || '/' || ${id}) o
    FULL JOIN (SELECT * FROM workflow_attempts WHERE run = ${id}) a ON a.position = o.function_id
    FULL JOIN (SELECT * FROM workflow_waits WHERE run = ${id}) w ON w.position = coalesce(o.function_id, a.position)
    ORDER BY 1 LIMIT ${limit}`;
  return rows.map((row) => ({
    position: row.position,
    name: row.name === "DBOS.sleep" ? "sleep" : row.name,
    state: row.state,
    attempts: row.failed + (row.state === "succeeded" ? 1 : 0),
    error: row.state === "succeeded" || row.error === null ? undefined : errorText(row.error),
    startedAt: instantFromMs(Number(row.started)),
    endedAt: row.ended === null ? undefined : instantFromMs(Number(row.ended)),
    nextAttemptAt:
      row.state !== "retrying" || row.next === null ? undefined : instantFromMs(Number(row.next)),
  }));
}

function toRun(row: RunRow): Run {
  return {
    id: row.id,
    kind: row.kind,
    version: row.version,
    state: row.state,
    waitsFor: row.waits_for ?? undefined,
    error: row.error === null ? undefined : errorText(row.error),
    createdAt: instantFromMs(Number(row.created_at)),
    updatedAt: instantFromMs(Number(row.updated_at)),
    endedAt: row.completed_at === null ? undefined : instantFromMs(Number(row.completed_at)),
  };
}

/** An error is kept as {name, message, …}; its stack is not for operators' eyes. */
function errorText(text: string): string {
  try {
    const { name, message } = JSON.parse(text) as { name?: string; message?: string };
    return message === undefined ? text : `${name ?? "Error"}: ${message}`;
  } catch {
    return text;
  }
}
