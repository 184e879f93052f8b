import { arrayText, instantOfMicros, timestampText, type Sql } from "../../engines/postgres/index.js";
import type { OrganizationId } from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";
import type { JsonValue } from "../../kernel/json.js";
import type { Wake } from "../wake.js";

interface WakeRow {
  readonly kind: string;
  readonly key: string;
  readonly at: string;
  readonly payload: JsonValue;
}

/** Writes a wake, or moves the one of its key, also out of a chunk that its run has not taken yet. */
export async function upsertWake(sql: Sql, organization: OrganizationId, wake: Wake): Promise<void> {
  await sql`
    INSERT INTO wakes (organization, kind, key, at, payload)
    VALUES (${organization}, ${wake.kind}, ${wake.key}, ${timestampText(wake.at)}::text::timestamptz,
            ${JSON.stringify(wake.payload)}::text::jsonb)
    ON CONFLICT (organization, kind, key) DO UPDATE
      SET at = EXCLUDED.at, payload = EXCLUDED.payload`;
}

/** Writes wakes of one kind, without payload; one that is there stays where it is, or comes earlier. */
export async function upsertEarlierWakes(
  sql: Sql,
  organization: OrganizationId,
  kind: string,
  wakes: readonly { readonly key: string; readonly at: Instant }[],
): Promise<void> {
  await sql`
    INSERT INTO wakes AS known (organization, kind, key, at, payload)
    SELECT ${organization}, ${kind}, w.key, w.at::timestamptz, 'null'::jsonb
    FROM unnest(${arrayText(wakes.map(({ key }) => key))}::text[], ${arrayText(wakes.map(({ at }) => timestampText(at)))}::text[]) AS w (key, at)
    ORDER BY w.key
    ON CONFLICT (organization, kind, key) DO UPDATE SET at = least(known.at, excluded.at)`;
}

/** Writes a wake unless there is one of its key; whoever finds one does not wait for its row. */
export async function insertWake(sql: Sql, organization: OrganizationId, wake: Wake): Promise<void> {
  await sql`
    INSERT INTO wakes (organization, kind, key, at, payload)
    VALUES (${organization}, ${wake.kind}, ${wake.key}, ${timestampText(wake.at)}::text::timestamptz,
            ${JSON.stringify(wake.payload)}::text::jsonb)
    ON CONFLICT (organization, kind, key) DO NOTHING`;
}

/** Writes or moves many of one kind at once. */
export async function upsertWakes(
  sql: Sql,
  organization: OrganizationId,
  kind: string,
  wakes: readonly { key: string; at: Instant; payload: JsonValue }[],
): Promise<void> {
  await sql`
    INSERT INTO wakes (organization, kind, key, at, payload)
    SELECT ${organization}, ${kind}, w.key, w.at::timestamptz, w.payload::jsonb
    FROM unnest(${arrayText(wakes.map((wake) => wake.key))}::text[], ${arrayText(wakes.map((wake) => timestampText(wake.at)))}::text[],
                ${arrayText(wakes.map((wake) => JSON.stringify(wake.payload)))}::text[]) AS w (key, at, payload)
    ON CONFLICT (organization, kind, key) DO UPDATE
      SET at = EXCLUDED.at, payload = EXCLUDED.payload`;
}

export async function deleteWake(sql: Sql, kind: string, key: string): Promise<boolean> {
  const deleted = await sql`DELETE FROM wakes WHERE kind = ${kind} AND key = ${key} RETURNING 1`;
  return deleted.length > 0;
}

/** Takes a wake out of a chunk that its run has not taken yet. */
export async function withdrawWake(sql: Sql, kind: string, key: string): Promise<boolean> {
  const withdrawn = await sql`
    UPDATE wake_chunks SET keys = array_remove(keys, ${key}) WHERE kind = ${kind} AND ${key} = ANY (keys) RETURNING 1`;
  return withdrawn.length > 0;
}

/** What is due, in order, locked; what another process is at is left out. */
export async function lockDueWakes(
  sql: Sql,
  { now, kinds, limit }: { now: Instant; kinds: readonly string[]; limit: number },
): Promise<Wake[]> {
  const rows = await sql<WakeRow[]>`
    SELECT kind, key, (extract(epoch FROM at) * 1000000)::bigint AS at, payload FROM wakes
    WHERE organization = current_setting('weir.organization', true)
      AND at <= ${timestampText(now)}::text::timestamptz AND kind = ANY (${arrayText(kinds)}::text[])
    ORDER BY wakes.at, kind, key LIMIT ${limit} FOR UPDATE SKIP LOCKED`;
  return rows.map(fromRow);
}

export async function deleteWakes(sql: Sql, wakes: readonly Wake[]): Promise<void> {
  await sql`
    DELETE FROM wakes USING unnest(${arrayText(wakes.map((wake) => wake.kind))}::text[], ${arrayText(wakes.map((wake) => wake.key))}::text[]) AS gone (kind, key)
    WHERE wakes.organization = current_setting('weir.organization', true)
      AND wakes.kind = gone.kind AND wakes.key = gone.key`;
}

/** Gives up to `limit` wakes of a kind at one instant to a new run. @returns its number; undefined when none was left */
export async function claimChunk(
  sql: Sql,
  { kind, at, limit, runOf }: { kind: string; at: Instant; limit: number; runOf: (chunk: string) => string },
): Promise<{ run: string; chunk: string } | undefined> {
  const [numbered] = await sql<{ chunk: string }[]>`SELECT nextval('wake_chunk_numbers') AS chunk`;
  const chunk = numbered?.chunk ?? "0";
  const run = runOf(chunk);
  // Chosen first and once: as `key IN (SELECT … LIMIT … FOR UPDATE)` it was run again for each of 2,345 rows, for 20 s.
  const claimed = await sql`
    WITH chosen AS MATERIALIZED (
      SELECT organization, kind, key FROM wakes
      WHERE organization = current_setting('weir.organization', true) AND kind = ${kind}
        AND at = ${timestampText(at)}::text::timestamptz
      ORDER BY key LIMIT ${limit} FOR UPDATE SKIP LOCKED
    ), claimed AS (
      DELETE FROM wakes USING chosen
      WHERE wakes.organization = chosen.organization AND wakes.kind = chosen.kind AND wakes.key = chosen.key
      RETURNING wakes.key
    )
    INSERT INTO wake_chunks (organization, run, kind, at, keys)
    SELECT current_setting('weir.organization', true), ${run}, ${kind}, ${timestampText(at)}::text::timestamptz,
           array_agg(key ORDER BY key)
    FROM claimed HAVING count(*) > 0
    RETURNING 1`;
  return claimed.length === 0 ? undefined : { run, chunk };
}

/** Runs that were given chunks and may not exist yet. */
export async function selectUnbegun(
  sql: Sql,
  limit: number,
): Promise<{ run: string; kind: string; at: Instant }[]> {
  const rows = await sql<{ run: string; kind: string; at: string }[]>`
    SELECT run, kind, (extract(epoch FROM at) * 1000000)::bigint AS at FROM wake_chunks
    WHERE organization = current_setting('weir.organization', true) AND NOT begun
    ORDER BY wake_chunks.at, run LIMIT ${limit}`;
  return rows.map((row) => ({ ...row, at: instantOfMicros(row.at) }));
}

export async function markBegun(sql: Sql, run: string): Promise<void> {
  await sql`UPDATE wake_chunks SET begun = true WHERE run = ${run} AND NOT begun`;
}

/** Takes the keys of a run's chunk, in their order; those whose wakes have been moved since are left out. */
export async function takeChunk(sql: Sql, run: string): Promise<string[]> {
  // OFFSET keeps the planner from joining: it would compare each key with every wake of the organization.
  const rows = await sql<{ key: string }[]>`
    WITH taken AS (
      DELETE FROM wake_chunks WHERE run = ${run} RETURNING kind, keys
    )
    SELECT k.key FROM taken CROSS JOIN unnest(taken.keys) AS k (key)
    WHERE NOT EXISTS (SELECT FROM wakes w WHERE w.organization = current_setting('weir.organization', true)
                        AND w.kind = taken.kind AND w.key = k.key OFFSET 0)
    ORDER BY k.key`;
  return rows.map(({ key }) => key);
}

/** Which of these runs wakes are still to be taken by, or to start again, or a test clock was stopped by. */
export async function runsInUse(
  sql: Sql,
  runs: readonly { readonly id: string; readonly kind: string }[],
): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    SELECT r.id FROM unnest(${runs.map((run) => run.id)}::text[], ${runs.map((run) => run.kind)}::text[]) AS r (id, kind)
    WHERE EXISTS (SELECT FROM wake_chunks c WHERE c.organization = current_setting('weir.organization', true) AND c.run = r.id)
       OR EXISTS (SELECT FROM wakes w WHERE w.organization = current_setting('weir.organization', true) AND w.kind = r.kind
                    AND w.key = substr(r.id, length(r.kind || ':' || w.organization || ':') + 1))
       OR EXISTS (SELECT FROM test_clocks c WHERE c.organization = current_setting('weir.organization', true) AND c.stopped_by = r.id)`;
  return rows.map(({ id }) => id);
}

/** How many wakes are still to be acted on at an instant, and when the next one after it is. */
export async function lookAhead(
  sql: Sql,
  { now, until, kinds }: { now: Instant; until: Instant; kinds: readonly string[] },
): Promise<{ due: number; next: Instant | undefined }> {
  const [row] = await sql<{ due: string; next: string | null }[]>`
    SELECT (SELECT count(*) FROM wakes WHERE organization = current_setting('weir.organization', true)
              AND kind = ANY (${arrayText(kinds)}::text[]) AND at <= ${timestampText(now)}::text::timestamptz)
           + (SELECT count(*) FROM wake_chunks WHERE organization = current_setting('weir.organization', true)
                AND NOT begun) AS due,
           (SELECT (extract(epoch FROM min(at)) * 1000000)::bigint FROM wakes
            WHERE organization = current_setting('weir.organization', true) AND kind = ANY (${arrayText(kinds)}::text[])
              AND at > ${timestampText(now)}::text::timestamptz AND at <= ${timestampText(until)}::text::timestamptz) AS next`;
  return {
    due: Number(row?.due ?? 0),
    next: row?.next == null ? undefined : instantOfMicros(row.next),
  };
}

/**
 * Organizations with something to do, by their own clock, longest waiting first; as weir_system. Those whose clock is
 * being advanced are left to the advance.
 */
export async function selectDueOrganizations(
  sql: Sql,
  { now, kinds, limit }: { now: Instant; kinds: readonly string[]; limit: number },
): Promise<OrganizationId[]> {
  const rows = await sql<{ organization: OrganizationId }[]>`
    SELECT organization FROM (
      SELECT w.organization, min(w.at) AS at FROM wakes w
      WHERE w.at <= ${timestampText(now)}::text::timestamptz AND w.kind = ANY (${arrayText(kinds)}::text[])
        AND NOT EXISTS (SELECT FROM test_clocks c WHERE c.organization = w.organization)
      GROUP BY w.organization
      UNION ALL
      SELECT c.organization, c.now FROM test_clocks c
      WHERE c.state <> 'advancing' AND EXISTS (
        SELECT FROM wakes w WHERE w.organization = c.organization AND w.at <= c.now AND w.kind = ANY (${arrayText(kinds)}::text[]))
      UNION ALL
      SELECT DISTINCT k.organization, '-infinity'::timestamptz FROM wake_chunks k WHERE NOT k.begun
    ) due GROUP BY organization ORDER BY min(at) LIMIT ${limit}`;
  return rows.map((row) => row.organization);
}

function fromRow(row: WakeRow): Wake {
  return { kind: row.kind, key: row.key, at: instantOfMicros(row.at), payload: row.payload };
}
