import type { MappingOptions, SourceFormat } from "@weir/sdk/files";
import type { Sql } from "../../engines/postgres/index.js";
import { instantFromMs, msOf, type Instant } from "../../kernel/instant.js";
import type { ImportId, OrganizationId } from "../../kernel/ids.js";

export type ImportStatus = "running" | "completed" | "failed" | "canceled";

/** What became of the events of an import so far. */
export interface ImportCounts {
  readonly accepted: number;
  readonly duplicates: number;
  readonly conflicts: number;
  readonly unmetered: number;
  readonly rejected: number;
}

/** A named import of history and how far it got. Counts are of rows sent so far. */
export interface StoredImport extends ImportCounts {
  readonly id: ImportId;
  readonly name: string;
  /** What identifies the file and its mapping, as whoever began it computed it. */
  readonly fingerprint: string;
  readonly status: ImportStatus;
  readonly rowsDone: number;
  /** Of an uploaded file; undefined when the client sends the rows. */
  readonly file: ImportedFile | undefined;
  /** Why it ended before the end of its file. */
  readonly failure: string | undefined;
  readonly createdAt: Instant;
  readonly completedAt: Instant | undefined;
}

export interface ImportedFile {
  /** The workflow run that takes it in. */
  readonly run: string;
  readonly bytes: number;
  readonly bytesDone: number;
  /** Whose data directory it lies in. */
  readonly writer: string;
  readonly kept: boolean;
  readonly shape: ImportedShape;
}

/** How an uploaded file is read. */
export interface ImportedShape {
  readonly format: SourceFormat;
  readonly delimiter: string;
  readonly mapping: MappingOptions;
}

/** A line of a file that was not taken. */
export interface ImportRejection {
  readonly line: number;
  readonly reason: string;
}

interface ImportRow {
  readonly id: ImportId;
  readonly name: string;
  readonly fingerprint: string;
  readonly status: ImportStatus;
  readonly rows_done: string;
  readonly accepted: string;
  readonly duplicates: string;
  readonly conflicts: string;
  readonly unmetered: string;
  readonly rejected: string;
  readonly run: string | null;
  readonly writer: string | null;
  readonly file_bytes: string | null;
  readonly bytes_done: string;
  readonly file_kept: boolean;
  readonly shape: ImportedShape | null;
  readonly failure: string | null;
  readonly created_at: Date;
  readonly completed_at: Date | null;
}

export async function insertImport(
  sql: Sql,
  organization: OrganizationId,
  entry: {
    id: ImportId;
    name: string;
    fingerprint: string;
    at: Instant;
    file?: { run: string; writer: string; bytes: number; shape: ImportedShape };
  },
): Promise<void> {
  const at = new Date(msOf(entry.at));
  const { run = null, writer = null, bytes = null, shape } = entry.file ?? {};
  await sql`
    INSERT INTO imports (organization, id, name, fingerprint, status, run, writer, file_bytes, file_kept, shape, created_at,
                         updated_at)
    VALUES (${organization}, ${entry.id}, ${entry.name}, ${entry.fingerprint}, 'running', ${run}, ${writer}, ${bytes},
            ${entry.file !== undefined}, ${shape === undefined ? null : JSON.stringify(shape)}::text::jsonb, ${at}, ${at})`;
}

/** Newest first; one page. */
export async function listImports(
  sql: Sql,
  { after = null, limit }: { after?: string | null | undefined; limit: number },
): Promise<StoredImport[]> {
  const rows = await sql<ImportRow[]>`
    SELECT id, name, fingerprint, status, rows_done::text, accepted::text, duplicates::text, conflicts::text,
           unmetered::text, rejected::text, run, writer, file_bytes::text, bytes_done::text, file_kept, shape, failure,
           created_at, completed_at
    FROM imports
    WHERE ${after}::text IS NULL
       OR (created_at, id) < (SELECT last.created_at, last.id FROM imports last WHERE last.id = ${after}::text)
    ORDER BY created_at DESC, id DESC LIMIT ${limit}`;
  return rows.map(fromRow);
}

/** Finds an import by id or by name. */
export async function findImport(sql: Sql, idOrName: string): Promise<StoredImport | undefined> {
  const rows = await sql<ImportRow[]>`
    SELECT id, name, fingerprint, status, rows_done::text, accepted::text, duplicates::text, conflicts::text,
           unmetered::text, rejected::text, run, writer, file_bytes::text, bytes_done::text, file_kept, shape, failure,
           created_at, completed_at
    FROM imports WHERE id = ${idOrName} OR name = ${idOrName} ORDER BY id = ${idOrName} DESC LIMIT 1`;
  const [row] = rows;
  return row === undefined ? undefined : fromRow(row);
}

/** The same, locked until the transaction ends. */
export async function lockImport(sql: Sql, idOrName: string): Promise<StoredImport | undefined> {
  const rows = await sql<ImportRow[]>`
    SELECT id, name, fingerprint, status, rows_done::text, accepted::text, duplicates::text, conflicts::text,
           unmetered::text, rejected::text, run, writer, file_bytes::text, bytes_done::text, file_kept, shape, failure,
           created_at, completed_at
    FROM imports WHERE id = ${idOrName} OR name = ${idOrName} ORDER BY id = ${idOrName} DESC LIMIT 1 FOR UPDATE`;
  const [row] = rows;
  return row === undefined ? undefined : fromRow(row);
}

/** Adds one chunk's counts and moves rows_done, and of a file bytes_done, forward. */
export async function recordImportChunk(
  sql: Sql,
  id: ImportId,
  chunk: ImportCounts & { rowsDone: number; bytesDone: number; at: Instant },
): Promise<void> {
  await sql`
    UPDATE imports
    SET rows_done = greatest(rows_done, ${chunk.rowsDone}), bytes_done = greatest(bytes_done, ${chunk.bytesDone}),
        accepted = accepted + ${chunk.accepted}, duplicates = duplicates + ${chunk.duplicates},
        conflicts = conflicts + ${chunk.conflicts}, unmetered = unmetered + ${chunk.unmetered},
        rejected = rejected + ${chunk.rejected}, updated_at = ${new Date(msOf(chunk.at))}
    WHERE id = ${id}`;
}

/** Ends an import that runs. @returns whether it did */
export async function endImport(
  sql: Sql,
  id: ImportId,
  end: { status: Exclude<ImportStatus, "running">; failure?: string; at: Instant },
): Promise<boolean> {
  const when = new Date(msOf(end.at));
  const ended = await sql`
    UPDATE imports SET status = ${end.status}, failure = ${end.failure ?? null}, completed_at = ${when}, updated_at = ${when}
    WHERE id = ${id} AND status = 'running' RETURNING 1`;
  return ended.length > 0;
}

/** The files of the organization that lie in a data directory, oldest first. */
export async function listKeptFiles(
  sql: Sql,
  writer: string,
): Promise<{ id: ImportId; run: string; bytes: number; status: ImportStatus }[]> {
  const rows = await sql<{ id: ImportId; run: string; bytes: string; status: ImportStatus }[]>`
    SELECT id, run, file_bytes::text AS bytes, status FROM imports
    WHERE file_kept AND writer = ${writer} ORDER BY created_at, id`;
  return rows.map((row) => ({ ...row, bytes: Number(row.bytes) }));
}

export async function markFileDeleted(sql: Sql, id: ImportId): Promise<void> {
  await sql`UPDATE imports SET file_kept = false WHERE id = ${id}`;
}

export async function insertRejections(
  sql: Sql,
  organization: OrganizationId,
  id: ImportId,
  rejections: readonly ImportRejection[],
): Promise<void> {
  if (rejections.length === 0) return;
  await sql`
    INSERT INTO import_rejections (organization, import, line, reason)
    SELECT ${organization}, ${id}, r.line, r.reason
    FROM unnest(${rejections.map(({ line }) => line)}::bigint[], ${rejections.map(({ reason }) => reason)}::text[]) AS r (line, reason)
    ON CONFLICT DO NOTHING`;
}

/** In the order of the file; there are never more than were kept. */
export async function listRejections(sql: Sql, id: ImportId): Promise<ImportRejection[]> {
  const rows = await sql<{ line: string; reason: string }[]>`
    SELECT line::text, reason FROM import_rejections WHERE import = ${id} ORDER BY import_rejections.line`;
  return rows.map(({ line, reason }) => ({ line: Number(line), reason }));
}

/** Which of these runs an import is still open on. */
export async function runsOfOpenImports(sql: Sql, runs: readonly string[]): Promise<string[]> {
  const rows = await sql<{ run: string }[]>`
    SELECT run FROM imports WHERE status = 'running' AND run = ANY (${runs}::text[])`;
  return rows.map(({ run }) => run);
}

function fromRow(row: ImportRow): StoredImport {
  const { run, writer, file_bytes, shape } = row;
  return {
    id: row.id,
    name: row.name,
    fingerprint: row.fingerprint,
    status: row.status,
    rowsDone: Number(row.rows_done),
    accepted: Number(row.accepted),
    duplicates: Number(row.duplicates),
    conflicts: Number(row.conflicts),
    unmetered: Number(row.unmetered),
    rejected: Number(row.rejected),
    file:
      run === null || writer === null || file_bytes === null || shape === null
        ? undefined
        : {
            run,
            writer,
            bytes: Number(file_bytes),
            bytesDone: Number(row.bytes_done),
            kept: row.file_kept,
            shape,
          },
    failure: row.failure ?? undefined,
    createdAt: instantFromMs(row.created_at.getTime()),
    completedAt: row.completed_at === null ? undefined : instantFromMs(row.completed_at.getTime()),
  };
}
