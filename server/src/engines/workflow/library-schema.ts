import type { Sql } from "../postgres/index.js";

/** The library's tables. They are its own to change; what we read of them is the view `weir_runs` and the steps. */
export const library_schema = "weir_workflow";

// Changes when the library's version or anything below does: then it is all set up again.
const set_up_mark = "dbos-sdk 4.27.6, weir 2";

/**
 * Puts the library's tables under the rule of tenancy, and adds what it lacks: an index and a view to list runs by, and
 * two changes that must commit with their audit entry. Every run carries its organization as the library's
 * "authenticated user". Runs as the owner, whom row-level security does not bind here: the library works with it.
 */
export async function setUpLibrarySchema(sql: Sql): Promise<void> {
  const [marked] = await sql<{ mark: string | null }[]>`
    SELECT obj_description(oid, 'pg_namespace') AS mark FROM pg_namespace WHERE nspname = ${library_schema}`;
  if (marked?.mark === set_up_mark) return;
  await sql.unsafe(set_up).simple();
  await sql.unsafe(`COMMENT ON SCHEMA ${library_schema} IS '${set_up_mark}'`);
}

const set_up = `
  GRANT USAGE ON SCHEMA weir_workflow TO weir_app, weir_system;
  REVOKE ALL ON ALL TABLES IN SCHEMA weir_workflow FROM PUBLIC, weir_app, weir_system;
  GRANT SELECT ON weir_workflow.workflow_status, weir_workflow.operation_outputs TO weir_app;
  GRANT SELECT (executor_id, status, authenticated_user, completed_at) ON weir_workflow.workflow_status TO weir_system;
  ALTER TABLE weir_workflow.workflow_status ENABLE ROW LEVEL SECURITY;
  ALTER TABLE weir_workflow.operation_outputs ENABLE ROW LEVEL SECURITY;
  DROP POLICY IF EXISTS organization_isolation ON weir_workflow.workflow_status;
  CREATE POLICY organization_isolation ON weir_workflow.workflow_status FOR SELECT TO weir_app
    USING (authenticated_user = current_setting('weir.organization', true));
  DROP POLICY IF EXISTS system ON weir_workflow.workflow_status;
  CREATE POLICY system ON weir_workflow.workflow_status FOR SELECT TO weir_system USING (true);
  DROP POLICY IF EXISTS organization_isolation ON weir_workflow.operation_outputs;
  CREATE POLICY organization_isolation ON weir_workflow.operation_outputs FOR SELECT TO weir_app
    USING (starts_with(workflow_uuid, current_setting('weir.organization', true) || '/')
           AND current_setting('weir.organization', true) <> '');
  CREATE INDEX IF NOT EXISTS weir_runs_by_organization
    ON weir_workflow.workflow_status (authenticated_user, created_at, workflow_uuid);
  CREATE INDEX IF NOT EXISTS weir_runs_in_flight
    ON weir_workflow.workflow_status (authenticated_user) WHERE status IN ('PENDING', 'ENQUEUED', 'DELAYED');
  CREATE INDEX IF NOT EXISTS weir_runs_failed
    ON weir_workflow.workflow_status (authenticated_user, completed_at) WHERE status IN ('ERROR', 'MAX_RECOVERY_ATTEMPTS_EXCEEDED');
  CREATE INDEX IF NOT EXISTS weir_runs_over
    ON weir_workflow.workflow_status (authenticated_user, completed_at, workflow_uuid) WHERE status IN ('SUCCESS', 'CANCELLED');

  DROP VIEW IF EXISTS weir_workflow.weir_runs;
  CREATE VIEW weir_workflow.weir_runs WITH (security_invoker = true) AS
    SELECT s.workflow_uuid, s.authenticated_user AS organization,
           substr(s.workflow_uuid, length(s.authenticated_user) + 2) AS id,
           s.attributes ->> 'kind' AS kind, (s.attributes ->> 'version')::int AS version,
           CASE WHEN s.status IN ('ENQUEUED', 'DELAYED') THEN 'queued'
                WHEN s.status = 'PENDING' AND w.name IS NOT NULL THEN 'waiting'
                WHEN s.status = 'PENDING' THEN 'running'
                WHEN s.status = 'SUCCESS' THEN 'succeeded'
                WHEN s.status = 'CANCELLED' THEN 'canceled'
                ELSE 'failed' END AS state,
           w.name AS waits_for, s.status, s.error, s.inputs, s.output, s.created_at, s.updated_at, s.completed_at
    FROM weir_workflow.workflow_status s
    LEFT JOIN LATERAL (
      SELECT w.name FROM weir.workflow_waits w
      WHERE s.status = 'PENDING' AND w.organization = s.authenticated_user
        AND w.run = substr(s.workflow_uuid, length(s.authenticated_user) + 2)
        AND NOT EXISTS (SELECT FROM weir.workflow_signals g
                        WHERE g.organization = w.organization AND g.run = w.run AND g.name = w.name AND g.taken_by IS NULL)
      ORDER BY w.position LIMIT 1
    ) w ON true;
  GRANT SELECT ON weir_workflow.weir_runs TO weir_app;

  -- As the library's own cancel, in the caller's transaction, for the organization that is bound to it. A failed run can be
  -- given up so too: it will not be retried then, and is deleted in time.
  CREATE OR REPLACE FUNCTION weir_workflow.weir_cancel(run text) RETURNS text LANGUAGE sql
    SECURITY DEFINER SET search_path = weir_workflow, pg_temp AS $$
    UPDATE workflow_status SET status = 'CANCELLED', queue_name = NULL, deduplication_id = NULL, started_at_epoch_ms = NULL,
           updated_at = (extract(epoch FROM now()) * 1000)::bigint, completed_at = (extract(epoch FROM now()) * 1000)::bigint
    WHERE workflow_uuid = current_setting('weir.organization', true) || '/' || run
      AND authenticated_user = current_setting('weir.organization', true)
      AND status IN ('PENDING', 'ENQUEUED', 'DELAYED', 'ERROR', 'MAX_RECOVERY_ATTEMPTS_EXCEEDED')
    RETURNING status $$;

  -- Deletes runs of the organization that is bound that succeeded or were canceled before an instant, with their steps; those
  -- that failed have left something undone.
  CREATE OR REPLACE FUNCTION weir_workflow.weir_forget(runs text[], before_ms bigint) RETURNS SETOF text LANGUAGE sql
    SECURITY DEFINER SET search_path = weir_workflow, pg_temp AS $$
    DELETE FROM workflow_status s
    USING (SELECT current_setting('weir.organization', true) AS id) organization
    WHERE s.authenticated_user = organization.id AND s.workflow_uuid = ANY (SELECT organization.id || '/' || unnest(runs))
      AND s.status IN ('SUCCESS', 'CANCELLED') AND s.completed_at < before_ms
    RETURNING substr(s.workflow_uuid, length(organization.id) + 2) $$;

  -- The library resumes only what was canceled. A failed run goes on likewise, once the failure that was recorded last is
  -- taken away: its step is then done again, and all before it keep their results.
  CREATE OR REPLACE FUNCTION weir_workflow.weir_retry(run text) RETURNS text LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = weir_workflow, pg_temp AS $$
    DECLARE
      uuid text := current_setting('weir.organization', true) || '/' || run;
    BEGIN
      PERFORM FROM workflow_status
        WHERE workflow_uuid = uuid AND authenticated_user = current_setting('weir.organization', true)
          AND status IN ('ERROR', 'CANCELLED', 'MAX_RECOVERY_ATTEMPTS_EXCEEDED') FOR UPDATE;
      IF NOT FOUND THEN RETURN NULL; END IF;
      DELETE FROM operation_outputs o WHERE o.workflow_uuid = uuid AND o.error IS NOT NULL
        AND o.function_id = (SELECT max(l.function_id) FROM operation_outputs l WHERE l.workflow_uuid = uuid);
      UPDATE workflow_status SET status = 'ENQUEUED', queue_name = '_dbos_internal_queue', error = NULL, recovery_attempts = 0,
             workflow_deadline_epoch_ms = NULL, deduplication_id = NULL, started_at_epoch_ms = NULL, completed_at = NULL,
             updated_at = (extract(epoch FROM now()) * 1000)::bigint
        WHERE workflow_uuid = uuid;
      RETURN 'ENQUEUED';
    END $$;
  -- As the library's own recovery, for processes that will not come back.
  CREATE OR REPLACE FUNCTION weir_workflow.weir_adopt(executors text[]) RETURNS bigint LANGUAGE sql
    SECURITY DEFINER SET search_path = weir_workflow, pg_temp AS $$
    WITH adopted AS (
      UPDATE workflow_status SET status = 'ENQUEUED', queue_name = coalesce(queue_name, '_dbos_internal_queue'),
             started_at_epoch_ms = NULL, updated_at = (extract(epoch FROM now()) * 1000)::bigint
      WHERE status = 'PENDING' AND executor_id = ANY (executors) RETURNING 1
    ) SELECT count(*) FROM adopted $$;
  GRANT EXECUTE ON FUNCTION weir_workflow.weir_adopt(text[]) TO weir_system;
  REVOKE EXECUTE ON FUNCTION weir_workflow.weir_cancel(text), weir_workflow.weir_retry(text), weir_workflow.weir_adopt(text[]),
    weir_workflow.weir_forget(text[], bigint) FROM PUBLIC;
  GRANT EXECUTE ON FUNCTION weir_workflow.weir_cancel(text), weir_workflow.weir_retry(text),
    weir_workflow.weir_forget(text[], bigint) TO weir_app;
`;
