import type { Sql } from "../../postgres/index.js";
import type { StepPlace } from "./checkpoints.js";

/** Counts a failed attempt of a step. @param nextAt  undefined when there is no further attempt */
export async function recordFailedAttempt(
  sql: Sql,
  { organization, run, position }: StepPlace,
  failure: { name: string; error: string; startedAt: Date; nextAt: Date | undefined },
): Promise<void> {
  await sql`
    INSERT INTO workflow_attempts (organization, run, position, name, failed, error, first_at, last_at, next_at)
    VALUES (${organization}, ${run}, ${position}, ${failure.name}, 1, ${failure.error}, ${failure.startedAt}, now(),
            ${failure.nextAt ?? null})
    ON CONFLICT (organization, run, position) DO UPDATE SET
      failed = workflow_attempts.failed + 1, name = EXCLUDED.name, error = EXCLUDED.error, last_at = EXCLUDED.last_at,
      next_at = EXCLUDED.next_at`;
}
