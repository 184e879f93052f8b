import { instantOfMicros, timestampText, type Sql } from "../../engines/postgres/index.js";
import type { Currency } from "../../kernel/currency.js";
import type { OrganizationId, ProviderAccountId, SettlementFileId } from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";
import type { FileCheck, RecordKind, RowFault } from "../core/index.js";

export const file_states = [
  /** Stored; waits for its turn on the account. */
  "landed",
  /** Its records are read. */
  "parsing",
  /** They are all there, and the file's own checks hold. */
  "staged",
  /** It is known of each what it is. */
  "matched",
  /** In the books. */
  "posted",
  /** Something is wrong with the file as a whole: a person decides. Nothing of it is posted. */
  "held",
  /** It is not used. */
  "refused",
  /** A person gave it up: what is kept of its records goes. */
  "discarding",
] as const;
export type FileState = (typeof file_states)[number];

/** Why a file is refused, where it is wrong, and what to do. */
export interface FileRefusal {
  readonly line: number | null;
  readonly record: number | null;
  readonly field: string | null;
  readonly detail: string;
  readonly advice: string;
}

/** Sums over the records of a currency, in minor units; as text, since it rests as JSON. */
export interface StoredTotal {
  readonly currency: Currency;
  readonly records: number;
  readonly gross: string;
  readonly fee: string;
  readonly net: string;
}

/** What the whole file says of itself. */
export interface StoredSummary {
  readonly accounts: readonly string[];
  readonly kinds: Readonly<Partial<Record<RecordKind, number>>>;
  readonly totals: readonly StoredTotal[];
  readonly sequences: readonly { readonly series: string; readonly number: string }[];
  readonly checks: readonly FileCheck[];
  readonly leftOut: Readonly<Record<string, number>>;
  readonly refusedRows: readonly RowFault[];
}

export interface StoredFile {
  readonly id: SettlementFileId;
  readonly account: ProviderAccountId;
  readonly name: string;
  /** Hexadecimal. */
  readonly sha256: string;
  readonly bytes: number;
  /** Whose data directory it lies in. */
  readonly writer: string;
  readonly askedFormat: string | undefined;
  readonly state: FileState;
  readonly attempt: number;
  readonly run: string | undefined;
  readonly waiver: { readonly reason: string; readonly by: string } | undefined;
  readonly format: string | undefined;
  readonly variant: string | undefined;
  readonly logicalId: string | undefined;
  readonly bytesDone: number;
  readonly records: number;
  readonly repeated: number;
  readonly matched: number;
  readonly unmatched: number;
  readonly posted: number;
  readonly period: { readonly from: Instant; readonly to: Instant } | undefined;
  readonly summary: StoredSummary | undefined;
  readonly refusal: FileRefusal | undefined;
  readonly landedAt: Instant;
  readonly changedAt: Instant;
  readonly endedAt: Instant | undefined;
}

interface FileRow {
  readonly id: SettlementFileId;
  readonly account: ProviderAccountId;
  readonly name: string;
  readonly sha256: string;
  readonly bytes: string;
  readonly writer: string;
  readonly asked_format: string | null;
  readonly state: FileState;
  readonly attempt: number;
  readonly run: string | null;
  readonly waiver: string | null;
  readonly waived_by: string | null;
  readonly format: string | null;
  readonly variant: string | null;
  readonly logical_id: string | null;
  readonly bytes_done: string;
  readonly records: string;
  readonly repeated: string;
  readonly matched: string;
  readonly unmatched: string;
  readonly posted: string;
  readonly period_from: string | null;
  readonly period_to: string | null;
  readonly summary: StoredSummary | null;
  readonly refusal: FileRefusal | null;
  readonly landed_at: string;
  readonly changed_at: string;
  readonly ended_at: string | null;
}

/** @returns whether it was written: not when the same content is there */
export async function insertFile(
  sql: Sql,
  organization: OrganizationId,
  file: Pick<
    StoredFile,
    "id" | "account" | "name" | "sha256" | "bytes" | "writer" | "askedFormat" | "landedAt"
  >,
): Promise<boolean> {
  const at = timestampText(file.landedAt);
  const rows = await sql`
    INSERT INTO settlement_files (organization, id, account, name, sha256, bytes, writer, asked_format, state, landed_at, changed_at)
    VALUES (${organization}, ${file.id}, ${file.account}, ${file.name}, decode(${file.sha256}, 'hex'), ${file.bytes}, ${file.writer},
            ${file.askedFormat ?? null}, 'landed', ${at}::text::timestamptz, ${at}::text::timestamptz)
    ON CONFLICT ON CONSTRAINT settlement_files_once DO NOTHING RETURNING 1`;
  return rows.length > 0;
}

export async function findFile(sql: Sql, id: string): Promise<StoredFile | undefined> {
  const rows = await sql<FileRow[]>`
    SELECT id, account, name, encode(sha256, 'hex') AS sha256, bytes::text, writer, asked_format, state, attempt, run, waiver, waived_by,
           format, variant, logical_id, bytes_done::text, records::text, repeated::text, matched::text, unmatched::text, posted::text,
           (extract(epoch FROM period_from) * 1000000)::bigint::text AS period_from,
           (extract(epoch FROM period_to) * 1000000)::bigint::text AS period_to, summary, refusal,
           (extract(epoch FROM landed_at) * 1000000)::bigint::text AS landed_at,
           (extract(epoch FROM changed_at) * 1000000)::bigint::text AS changed_at,
           (extract(epoch FROM ended_at) * 1000000)::bigint::text AS ended_at
    FROM settlement_files WHERE id = ${id}`;
  return rows[0] && fromRow(rows[0]);
}

/** The same, held until the transaction ends. */
export async function lockFile(sql: Sql, id: string): Promise<StoredFile | undefined> {
  const rows = await sql`SELECT FROM settlement_files WHERE id = ${id} FOR NO KEY UPDATE`;
  return rows.length === 0 ? undefined : findFile(sql, id);
}

/** @param sha256 hexadecimal */
export async function findFileOfContent(sql: Sql, sha256: string): Promise<StoredFile | undefined> {
  const rows = await sql<
    { id: string }[]
  >`SELECT id FROM settlement_files WHERE sha256 = decode(${sha256}, 'hex')`;
  return rows[0] && findFile(sql, rows[0].id);
}

export interface FilePage {
  readonly account?: ProviderAccountId;
  readonly state?: FileState;
  readonly after?: string;
  readonly limit: number;
}

/** Newest first. */
export async function listFiles(sql: Sql, page: FilePage): Promise<StoredFile[]> {
  const account = page.account ?? null;
  const state = page.state ?? null;
  const after = page.after ?? null;
  const rows = await sql<FileRow[]>`
    SELECT id, account, name, encode(sha256, 'hex') AS sha256, bytes::text, writer, asked_format, state, attempt, run, waiver, waived_by,
           format, variant, logical_id, bytes_done::text, records::text, repeated::text, matched::text, unmatched::text, posted::text,
           (extract(epoch FROM period_from) * 1000000)::bigint::text AS period_from,
           (extract(epoch FROM period_to) * 1000000)::bigint::text AS period_to, summary, refusal,
           (extract(epoch FROM landed_at) * 1000000)::bigint::text AS landed_at,
           (extract(epoch FROM changed_at) * 1000000)::bigint::text AS changed_at,
           (extract(epoch FROM ended_at) * 1000000)::bigint::text AS ended_at
    FROM settlement_files
    WHERE (${account}::text IS NULL OR account = ${account}) AND (${state}::text IS NULL OR state = ${state})
      AND (${after}::text IS NULL OR id < ${after})
    ORDER BY id DESC LIMIT ${page.limit}`;
  return rows.map(fromRow);
}

/** Writes all that changes of a file; whoever does holds it. */
export async function saveFile(sql: Sql, file: StoredFile): Promise<void> {
  const { period, summary, refusal, waiver } = file;
  await sql`
    UPDATE settlement_files
    SET account = ${file.account}, state = ${file.state}, attempt = ${file.attempt}, run = ${file.run ?? null},
        waiver = ${waiver?.reason ?? null}, waived_by = ${waiver?.by ?? null},
        format = ${file.format ?? null}, variant = ${file.variant ?? null}, logical_id = ${file.logicalId ?? null},
        bytes_done = ${file.bytesDone}, records = ${file.records}, repeated = ${file.repeated}, matched = ${file.matched},
        unmatched = ${file.unmatched}, posted = ${file.posted},
        period_from = ${period === undefined ? null : timestampText(period.from)}::text::timestamptz,
        period_to = ${period === undefined ? null : timestampText(period.to)}::text::timestamptz,
        summary = ${summary === undefined ? null : JSON.stringify(summary)}::text::jsonb,
        refusal = ${refusal === undefined ? null : JSON.stringify(refusal)}::text::jsonb,
        changed_at = ${timestampText(file.changedAt)}::text::timestamptz,
        ended_at = ${file.endedAt === undefined ? null : timestampText(file.endedAt)}::text::timestamptz
    WHERE id = ${file.id}`;
}

/** Files of an account are read one after the other: what one has decides what another repeats. Until the transaction ends. */
export async function lockAccountFiles(sql: Sql, account: ProviderAccountId): Promise<void> {
  await sql`SELECT pg_advisory_xact_lock(hashtextextended('settlement/' || ${account}::text, 0))`;
}

/** Whether one is being read, and else which comes next: the one that landed first. */
export async function findNextFile(
  sql: Sql,
  account: ProviderAccountId,
): Promise<{ readonly isBusy: boolean; readonly next: SettlementFileId | undefined }> {
  const [row] = await sql<{ busy: boolean; next: SettlementFileId | null }[]>`
    SELECT EXISTS (SELECT FROM settlement_files
                   WHERE account = ${account} AND state IN ('parsing', 'staged', 'matched', 'discarding')) AS busy,
           (SELECT id FROM settlement_files WHERE account = ${account} AND state = 'landed' ORDER BY landed_at, id LIMIT 1) AS next`;
  return { isBusy: row?.busy ?? false, next: row?.next ?? undefined };
}

/** The file that is in the books under a sender's name, if there is one. */
export async function findPostedFile(
  sql: Sql,
  file: { account: ProviderAccountId; format: string; logicalId: string },
): Promise<SettlementFileId | undefined> {
  const [row] = await sql<{ id: SettlementFileId }[]>`
    SELECT id FROM settlement_files
    WHERE logical_id = ${file.logicalId} AND format = ${file.format} AND account = ${file.account} AND state = 'posted'
    ORDER BY id LIMIT 1`;
  return row?.id;
}

/** Files of this data directory that are there to be read again, and of what state. */
export async function listKeptFiles(sql: Sql, writer: string): Promise<readonly SettlementFileId[]> {
  const rows = await sql<
    { id: SettlementFileId }[]
  >`SELECT id FROM settlement_files WHERE writer = ${writer} ORDER BY id`;
  return rows.map(({ id }) => id);
}

/** Of one organization: files that wait or are at work, and their bytes. */
export async function sumWaitingFiles(sql: Sql): Promise<{ readonly files: number; readonly bytes: number }> {
  const [row] = await sql<{ files: string; bytes: string }[]>`
    SELECT count(*)::text AS files, coalesce(sum(bytes), 0)::text AS bytes FROM settlement_files
    WHERE state IN ('landed', 'parsing', 'staged', 'matched')`;
  return { files: Number(row?.files ?? 0), bytes: Number(row?.bytes ?? 0) };
}

/** Which of these runs a file is still read by. */
export async function runsOfOpenFiles(sql: Sql, runs: readonly string[]): Promise<string[]> {
  const rows = await sql<{ run: string }[]>`
    SELECT run FROM settlement_files
    WHERE state IN ('parsing', 'staged', 'matched', 'discarding') AND run = ANY (${[...runs]}::text[])`;
  return rows.map(({ run }) => run);
}

function fromRow(row: FileRow): StoredFile {
  const { waiver, waived_by, period_from, period_to, ended_at } = row;
  return {
    id: row.id,
    account: row.account,
    name: row.name,
    sha256: row.sha256,
    bytes: Number(row.bytes),
    writer: row.writer,
    askedFormat: row.asked_format ?? undefined,
    state: row.state,
    attempt: row.attempt,
    run: row.run ?? undefined,
    waiver: waiver === null || waived_by === null ? undefined : { reason: waiver, by: waived_by },
    format: row.format ?? undefined,
    variant: row.variant ?? undefined,
    logicalId: row.logical_id ?? undefined,
    bytesDone: Number(row.bytes_done),
    records: Number(row.records),
    repeated: Number(row.repeated),
    matched: Number(row.matched),
    unmatched: Number(row.unmatched),
    posted: Number(row.posted),
    period:
      period_from === null || period_to === null
        ? undefined
        : { from: instantOfMicros(period_from), to: instantOfMicros(period_to) },
    summary: row.summary ?? undefined,
    refusal: row.refusal ?? undefined,
    landedAt: instantOfMicros(row.landed_at),
    changedAt: instantOfMicros(row.changed_at),
    endedAt: ended_at === null ? undefined : instantOfMicros(ended_at),
  };
}
