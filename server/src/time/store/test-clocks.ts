import { instantOfMicros, timestampText, type Sql } from "../../engines/postgres/index.js";
import type { OrganizationId } from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";
import type { TestClockState } from "../test-clock.js";

interface ClockRow {
  readonly organization: OrganizationId;
  readonly now: string;
  readonly started_at: string;
  readonly state: TestClockState["state"];
  readonly target: string | null;
  readonly advance: number;
  readonly stopped_by: string | null;
  readonly reason: string | null;
}

/** The organization's test clock, which nobody moves before the transaction ends. */
export async function shareTestClock(
  sql: Sql,
): Promise<{ now: Instant; state: TestClockState["state"] } | undefined> {
  const [row] = await sql<{ now: string; state: TestClockState["state"] }[]>`
    SELECT (extract(epoch FROM now) * 1000000)::bigint AS now, state FROM test_clocks FOR SHARE`;
  return row === undefined ? undefined : { now: instantOfMicros(row.now), state: row.state };
}

export async function findTestClock(sql: Sql): Promise<TestClockState | undefined> {
  const [row] = await sql<ClockRow[]>`
    SELECT organization, (extract(epoch FROM now) * 1000000)::bigint AS now,
           (extract(epoch FROM started_at) * 1000000)::bigint AS started_at, state,
           (extract(epoch FROM target) * 1000000)::bigint AS target, advance, stopped_by, reason FROM test_clocks`;
  return row === undefined ? undefined : fromRow(row);
}

/** The same, for the transaction alone. */
export async function lockTestClock(sql: Sql): Promise<TestClockState | undefined> {
  await sql`SELECT FROM test_clocks FOR UPDATE`;
  return findTestClock(sql);
}

/** @returns false when there is one */
export async function insertTestClock(
  sql: Sql,
  organization: OrganizationId,
  { now, startedAt }: { now: Instant; startedAt: Instant },
): Promise<boolean> {
  const inserted = await sql`
    INSERT INTO test_clocks (organization, now, started_at, state, changed_at)
    VALUES (${organization}, ${timestampText(now)}::text::timestamptz, ${timestampText(startedAt)}::text::timestamptz, 'idle',
            clock_timestamp())
    ON CONFLICT DO NOTHING RETURNING 1`;
  if (inserted.length === 0) return false;
  await sql`UPDATE organizations SET mode = 'test' WHERE id = ${organization}`;
  return true;
}

export async function beginAdvance(sql: Sql, target: Instant): Promise<void> {
  await sql`
    UPDATE test_clocks SET state = 'advancing', target = ${timestampText(target)}::text::timestamptz, advance = advance + 1,
           stopped_by = NULL, reason = NULL, changed_at = clock_timestamp()`;
}

/** Moves the clock of an advance that is under way. @returns false when it is not, any more */
export async function moveTestClock(sql: Sql, advance: number, now: Instant): Promise<boolean> {
  const moved = await sql`
    UPDATE test_clocks SET now = ${timestampText(now)}::text::timestamptz, changed_at = clock_timestamp()
    WHERE advance = ${advance} AND state = 'advancing' RETURNING 1`;
  return moved.length > 0;
}

export async function endAdvance(
  sql: Sql,
  advance: number,
  stopped: { by: string | undefined; reason: string } | undefined,
): Promise<void> {
  await sql`
    UPDATE test_clocks SET state = ${stopped === undefined ? "idle" : "stopped"}, stopped_by = ${stopped?.by ?? null},
           reason = ${stopped?.reason ?? null}, changed_at = clock_timestamp()
    WHERE advance = ${advance} AND state = 'advancing'`;
}

/** Clocks that changed since an instant of the database's own time; as weir_system. */
export async function selectChangedClocks(
  sql: Sql,
  since: string | null,
): Promise<{ clocks: { organization: OrganizationId; now: Instant }[]; until: string | null }> {
  const rows = await sql<{ organization: OrganizationId; now: string; changed: string }[]>`
    SELECT organization, (extract(epoch FROM now) * 1000000)::bigint AS now, (changed_at - interval '1 minute')::text AS changed
    FROM test_clocks WHERE ${since}::text IS NULL OR changed_at > ${since}::text::timestamptz ORDER BY changed_at`;
  return {
    clocks: rows.map((row) => ({ organization: row.organization, now: instantOfMicros(row.now) })),
    // A minute before the last: a transaction that took long becomes visible later than it was stamped.
    until: rows.at(-1)?.changed ?? since,
  };
}

/** Advances that were under way when a process ended; as weir_system. */
export async function selectAdvancing(
  sql: Sql,
): Promise<{ organization: OrganizationId; advance: number }[]> {
  return sql<{ organization: OrganizationId; advance: number }[]>`
    SELECT organization, advance FROM test_clocks WHERE state = 'advancing' LIMIT 1000`;
}

/** The database's time, in milliseconds: what runs' ends are stamped with. */
export async function databaseTime_ms(sql: Sql): Promise<number> {
  const [row] = await sql<
    { now: string }[]
  >`SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now`;
  return Number(row?.now ?? 0);
}

function fromRow(row: ClockRow): TestClockState {
  return {
    now: instantOfMicros(row.now),
    startedAt: instantOfMicros(row.started_at),
    state: row.state,
    target: row.target === null ? undefined : instantOfMicros(row.target),
    advance: row.advance,
    stoppedBy: row.stopped_by ?? undefined,
    reason: row.reason ?? undefined,
  };
}
