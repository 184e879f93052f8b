import type { Sql } from "../../engines/postgres/index.js";
import { instantFromMs, msOf, type Instant } from "../../kernel/instant.js";
import type { ImportId, OrganizationId } from "../../kernel/ids.js";

/** A named import of history and how far it got. Counts are of rows sent so far. */
export interface StoredImport {
  readonly id: ImportId;
  readonly name: string;
  /** What identifies the file and its mapping, as the client computed it. */
  readonly fingerprint: string;
  readonly status: "running" | "completed";
  readonly rowsDone: number;
  readonly accepted: number;
  readonly duplicates: number;
  readonly conflicts: number;
  readonly unmetered: number;
  readonly createdAt: Instant;
  readonly completedAt: Instant | undefined;
}

interface ImportRow {
  readonly id: ImportId;
  readonly name: string;
  readonly fingerprint: string;
  readonly status: "running" | "completed";
  readonly rows_done: string;
  readonly accepted: string;
  readonly duplicates: string;
  readonly conflicts: string;
  readonly unmetered: string;
  readonly created_at: Date;
  readonly completed_at: Date | null;
}

export async function insertImport(
  sql: Sql,
  organization: OrganizationId,
  entry: { id: ImportId; name: string; fingerprint: string; at: Instant },
): Promise<void> {
  const at = new Date(msOf(entry.at));
  await sql`
    INSERT INTO imports (organization, id, name, fingerprint, status, created_at, updated_at)
    VALUES (${organization}, ${entry.id}, ${entry.name}, ${entry.fingerprint}, 'running', ${at}, ${at})`;
}

/** Newest first. */
export async function listImports(sql: Sql, limit: number): Promise<StoredImport[]> {
  const rows = await sql<ImportRow[]>`
    SELECT id, name, fingerprint, status, rows_done::text, accepted::text, duplicates::text, conflicts::text,
           unmetered::text, created_at, completed_at
    FROM imports ORDER BY created_at DESC, id DESC LIMIT ${limit}`;
  return rows.map(fromRow);
}

/** Finds an import by id or by name, and locks it until the transaction ends. */
export async function lockImport(sql: Sql, idOrName: string): Promise<StoredImport | undefined> {
  const rows = await sql<ImportRow[]>`
    SELECT id, name, fingerprint, status, rows_done::text, accepted::text, duplicates::text, conflicts::text,
           unmetered::text, created_at, completed_at
    FROM imports WHERE id = ${idOrName} OR name = ${idOrName} FOR UPDATE`;
  const [row] = rows;
  return row === undefined ? undefined : fromRow(row);
}

/** Adds one chunk's counts and moves rows_done forward. */
export async function recordImportChunk(
  sql: Sql,
  id: ImportId,
  chunk: {
    rowsDone: number;
    accepted: number;
    duplicates: number;
    conflicts: number;
    unmetered: number;
    at: Instant;
  },
): Promise<void> {
  await sql`
    UPDATE imports
    SET rows_done = greatest(rows_done, ${chunk.rowsDone}), accepted = accepted + ${chunk.accepted},
        duplicates = duplicates + ${chunk.duplicates}, conflicts = conflicts + ${chunk.conflicts},
        unmetered = unmetered + ${chunk.unmetered}, updated_at = ${new Date(msOf(chunk.at))}
    WHERE id = ${id}`;
}

export async function completeImport(sql: Sql, id: ImportId, at: Instant): Promise<void> {
  const when = new Date(msOf(at));
  await sql`
    UPDATE imports SET status = 'completed', completed_at = ${when}, updated_at = ${when} WHERE id = ${id}`;
}

function fromRow(row: ImportRow): StoredImport {
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
    createdAt: instantFromMs(row.created_at.getTime()),
    completedAt: row.completed_at === null ? undefined : instantFromMs(row.completed_at.getTime()),
  };
}
