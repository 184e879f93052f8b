import type { Sql } from "../../postgres/index.js";
import type { OrganizationId } from "../../../kernel/ids.js";
import type { JsonValue } from "../../../kernel/json.js";
import type { Signal } from "../workflow.js";
import type { StepPlace } from "./checkpoints.js";

export async function insertSignal(sql: Sql, organization: OrganizationId, signal: Signal): Promise<void> {
  await sql`
    INSERT INTO workflow_signals (organization, run, name, key, payload, sent_at)
    VALUES (${organization}, ${signal.run}, ${signal.name}, ${signal.key}, ${JSON.stringify(signal.payload)}::text::jsonb, now())
    ON CONFLICT (organization, run, name, key) DO NOTHING`;
}

/** Takes the oldest signal of a name, once: the same wait, asking again after a crash, gets the one that it took. */
export async function takeSignal(
  sql: Sql,
  { run, position }: StepPlace,
  name: string,
): Promise<{ payload: JsonValue } | undefined> {
  const [row] = await sql<{ payload: JsonValue }[]>`
    WITH chosen AS (
      SELECT key FROM workflow_signals
      WHERE run = ${run} AND name = ${name} AND (taken_by IS NULL OR taken_by = ${position})
      ORDER BY taken_by NULLS LAST, number LIMIT 1 FOR UPDATE
    ), ended AS (
      DELETE FROM workflow_waits WHERE run = ${run} AND position = ${position} AND EXISTS (SELECT FROM chosen)
    )
    UPDATE workflow_signals SET taken_by = ${position}
    FROM chosen WHERE workflow_signals.run = ${run} AND workflow_signals.name = ${name} AND workflow_signals.key = chosen.key
    RETURNING payload`;
  return row;
}

/** Notes that a run waits; one that was noted before keeps its deadline. @returns whether that is over */
export async function recordWait(
  sql: Sql,
  { organization, run, position }: StepPlace,
  name: string,
  deadline: Date | undefined,
): Promise<boolean> {
  const [row] = await sql<{ over: boolean }[]>`
    INSERT INTO workflow_waits (organization, run, position, name, since, deadline)
    VALUES (${organization}, ${run}, ${position}, ${name}, now(), ${deadline ?? null})
    ON CONFLICT (organization, run, position) DO UPDATE SET name = EXCLUDED.name
    RETURNING coalesce(deadline <= clock_timestamp(), false) AS over`;
  return row?.over === true;
}

export async function deleteWait(sql: Sql, { run, position }: StepPlace): Promise<void> {
  await sql`DELETE FROM workflow_waits WHERE run = ${run} AND position = ${position}`;
}

/** Which of these runs have a signal that nobody took; as weir_system. */
export async function selectSignaled(
  sql: Sql,
  runs: readonly { organization: string; run: string }[],
): Promise<{ organization: string; run: string }[]> {
  return sql<{ organization: string; run: string }[]>`
    SELECT DISTINCT s.organization, s.run FROM workflow_signals s
    JOIN unnest(${runs.map((run) => run.organization)}::text[], ${runs.map((run) => run.run)}::text[]) AS asked (organization, run)
      ON asked.organization = s.organization AND asked.run = s.run
    WHERE s.taken_by IS NULL`;
}
