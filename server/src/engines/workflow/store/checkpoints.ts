import type { Sql } from "../../postgres/index.js";
import type { OrganizationId } from "../../../kernel/ids.js";
import type { JsonValue } from "../../../kernel/json.js";

export interface StepPlace {
  readonly organization: OrganizationId;
  readonly run: string;
  readonly position: number;
}

/** What a transaction gave when it was committed. */
export async function findCheckpoint(
  sql: Sql,
  { run, position }: StepPlace,
): Promise<{ name: string; output: JsonValue } | undefined> {
  const [row] = await sql<{ name: string; output: JsonValue }[]>`
    SELECT name, output FROM workflow_checkpoints WHERE run = ${run} AND position = ${position}`;
  return row;
}

/** @throws a unique violation when another process committed the same step meanwhile */
export async function insertCheckpoint(
  sql: Sql,
  { organization, run, position }: StepPlace,
  name: string,
  output: string,
): Promise<void> {
  await sql`
    INSERT INTO workflow_checkpoints (organization, run, position, name, output, at)
    VALUES (${organization}, ${run}, ${position}, ${name}, ${output}::text::jsonb, now())`;
}
