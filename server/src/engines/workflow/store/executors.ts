import type { Sql } from "../../postgres/index.js";

/** Says that a process lives, by the database's clock; as weir_system. */
export async function markSeen(sql: Sql, id: string): Promise<void> {
  await sql`
    INSERT INTO workflow_executors (id, seen_at) VALUES (${id}, clock_timestamp())
    ON CONFLICT (id) DO UPDATE SET seen_at = EXCLUDED.seen_at`;
}

export async function markGone(sql: Sql, id: string): Promise<void> {
  await sql`DELETE FROM workflow_executors WHERE id = ${id}`;
}

/** Gives the runs of processes that were not seen for so long, never `own`, to whoever is free. @returns how many */
export async function adoptRuns(sql: Sql, own: string, silent_seconds: number): Promise<number> {
  const dead = await sql<{ id: string }[]>`
    SELECT DISTINCT s.executor_id AS id FROM weir_workflow.workflow_status s
    LEFT JOIN workflow_executors e ON e.id = s.executor_id
    WHERE s.status = 'PENDING' AND s.executor_id <> ${own}
      AND (e.id IS NULL OR e.seen_at < clock_timestamp() - make_interval(secs => ${silent_seconds}))`;
  if (dead.length === 0) return 0;
  const [adopted] = await sql<{ count: string }[]>`
    SELECT weir_workflow.weir_adopt(${dead.map((row) => row.id)}::text[]) AS count`;
  return Number(adopted?.count ?? 0);
}
