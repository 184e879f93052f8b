import { createHash } from "node:crypto";
import type { Readable } from "node:stream";
import { FileFault, MappingFault, mapRows, openRows, type FilePosition } from "@weir/sdk/files";
import { recordAudit } from "../../audit/index.js";
import type { Postgres, Sql } from "../../engines/postgres/index.js";
import type { RunOutcome, Workflows } from "../../engines/workflow/index.js";
import type { Caller } from "../../identity/index.js";
import { Arrivals, type ArrivalLimits, type KeptFiles } from "../../kernel/arrivals.js";
import type { Clock, Clocks } from "../../kernel/clock.js";
import { newId, type ImportId, type OrganizationId } from "../../kernel/ids.js";
import { day, type Instant } from "../../kernel/instant.js";
import { canonicalJson, type JsonValue } from "../../kernel/json.js";
import type { Log } from "../../kernel/log.js";
import { makeProblem, Refusal } from "../../kernel/problem.js";
import type { Wakes } from "../../time/index.js";
import { refuseOther } from "../imports.js";
import type { UsageIngest } from "../ingest.js";
import {
  endImport,
  findImport,
  insertImport,
  insertRejections,
  listKeptFiles,
  lockImport,
  markFileDeleted,
  recordImportChunk,
  type ImportedShape,
  type ImportStatus,
  type StoredImport,
} from "../store/imports.js";
import type { ImportFolder } from "./import-folder.js";
import { takePiece, type TakenPiece } from "./import-piece.js";

export interface FileImportsOptions {
  readonly postgres: Postgres;
  readonly workflows: Workflows;
  readonly wakes: Wakes;
  readonly ingest: UsageIngest;
  readonly folder: ImportFolder;
  /** Names this process's data directory: its files are read by no other. */
  readonly writer: string;
  readonly clock: Clock;
  readonly clocks: Clocks;
  readonly log: Log;
  readonly limits: ArrivalLimits & { readonly fileBytesMax: number };
}

export interface UploadedImport {
  readonly name: string;
  readonly shape: ImportedShape;
  /** Decompressed. */
  readonly body: Readable;
}

/** The file of an import is not where it is looked for: trying again by itself is useless, an operator can help. */
class ImportFileMissing extends Error {
  override readonly name = "ImportFileMissing";
  readonly retry = false;
}

export const import_kind = "usage-import";
/** Lines that were not taken, named at most. */
export const rejections_listed_max = 200;
/** How long the file of a canceled or failed run is kept, for a retry. */
export const kept_days = 7;

/** Imports whose file is uploaded whole and taken in by a workflow: piece by piece, exactly once. */
export class FileImports {
  readonly #on: FileImportsOptions;
  readonly #arrivals: Arrivals;

  constructor(options: FileImportsOptions) {
    this.#on = options;
    this.#arrivals = new Arrivals(options.limits, refuseMore);
  }

  /**
   * Keeps the file, and starts to take it in. The same file and mapping again under the name finds the import.
   * @throws Refusal 400 for a mapping that does not fit the file, 409 for another file of the name, 413 and 429 over limits
   */
  async upload(caller: Caller, { name, shape, body }: UploadedImport): Promise<StoredImport> {
    const { organization } = caller;
    const { folder, clock } = this.#on;
    const at = clock.now();
    const id = newId("imp", at);
    const arrival = await this.#arrivals.begin(organization, (files_max) =>
      this.#makeRoom(organization, files_max),
    );
    let kept = false;
    try {
      const { bytes, sha256 } = await folder.spool(organization, id, body, (bytes) => arrival.add(bytes));
      await checkShape(folder.pathOf(organization, id), shape);
      const fingerprint = createHash("sha256")
        .update(canonicalJson(shape as unknown as JsonValue))
        .update(`\0${sha256}`)
        .digest("hex");
      const entry = await this.#on.postgres.inOrganization(organization, async (sql) => {
        const existing = await lockImport(sql, name);
        if (existing !== undefined) {
          if (existing.fingerprint === `file:${fingerprint}`) return existing;
          throw refuseOther(existing);
        }
        await this.#insert(sql, caller, { id, name, fingerprint: `file:${fingerprint}`, bytes, shape, at });
        return findImport(sql, id);
      });
      if (entry === undefined) throw new Error(`import ${id} is not there after it was made`);
      kept = entry.id === id;
      return entry;
    } finally {
      arrival.end();
      if (!kept) await folder.delete(organization, id);
    }
  }

  async #insert(
    sql: Sql,
    caller: Caller,
    entry: {
      id: ImportId;
      name: string;
      fingerprint: string;
      bytes: number;
      shape: ImportedShape;
      at: Instant;
    },
  ): Promise<void> {
    const { organization } = caller;
    const { id, name, fingerprint, bytes, shape, at } = entry;
    const file = { run: runOf(organization, id), writer: this.#on.writer, bytes, shape };
    await insertImport(sql, organization, { id, name, fingerprint, at, file });
    await recordAudit(sql, {
      organization,
      actor: caller,
      action: "import.start",
      target: id,
      before: undefined,
      after: { name, fingerprint, bytes, ...shape },
      at,
    });
    const now = this.#on.clocks.of(organization).now();
    await this.#on.wakes.wake(sql, organization, now, import_kind, id);
  }

  /** Lets go of files that are kept only for a retry, oldest first, while there is no room for so many and a whole one. */
  async #makeRoom(organization: OrganizationId, files_max: number): Promise<KeptFiles> {
    const { postgres, workflows, writer, limits } = this.#on;
    const bytes_max = limits.filesBytesMax - limits.fileBytesMax;
    const kept = await postgres.inOrganization(organization, (sql) => listKeptFiles(sql, writer));
    let files = kept.length;
    let bytes = kept.reduce((sum, file) => sum + file.bytes, 0);
    const isFull = () => files > files_max || bytes > bytes_max;
    if (!isFull()) return { files, bytes };
    const outcomes = await workflows.outcomes(
      organization,
      kept.map(({ run }) => run),
    );
    for (const file of kept) {
      if (!isFull()) break;
      if (!(await this.#letGo(organization, file, outcomes.get(file.run)))) continue;
      files -= 1;
      bytes -= file.bytes;
    }
    return { files, bytes };
  }

  /** Takes the next piece. @param listed  how many lines are named already */
  async take(
    organization: OrganizationId,
    id: ImportId,
    from: FilePosition | undefined,
    listed: number,
  ): Promise<TakenPiece> {
    const { postgres, folder, ingest, writer } = this.#on;
    const entry = await postgres.inOrganization(organization, (sql) => findImport(sql, id));
    if (entry?.file === undefined) throw new ImportFileMissing(`there is no import ${id} of a file`);
    if (entry.file.writer !== writer) {
      const where = `the data directory of writer ${entry.file.writer}`;
      throw new ImportFileMissing(`the file lies in ${where}; retry the run once that Weir is back`);
    }
    if (!entry.file.kept || !(await folder.isThere(organization, id)))
      throw new ImportFileMissing("the file is not kept any more; upload it again under another name");
    const path = folder.pathOf(organization, id);
    return takePiece(ingest, organization, path, entry.file.shape, from, rejections_listed_max - listed);
  }

  /** Books what became of a piece, in the transaction of its step. */
  async record(sql: Sql, organization: OrganizationId, id: ImportId, piece: TakenPiece): Promise<void> {
    const { to, rejections } = piece;
    const at = this.#on.clock.now();
    await recordImportChunk(sql, id, { ...piece, rowsDone: to.row, bytesDone: to.bytes, at });
    await insertRejections(sql, organization, id, rejections);
  }

  /** Ends an import, in the transaction of its step. */
  async end(sql: Sql, organization: OrganizationId, id: ImportId, failure: string | null): Promise<void> {
    const status = failure === null ? "completed" : "failed";
    await this.#end(sql, organization, id, status, failure ?? undefined);
  }

  async #end(
    sql: Sql,
    organization: OrganizationId,
    id: ImportId,
    status: Exclude<ImportStatus, "running">,
    failure: string | undefined,
  ): Promise<void> {
    const at = this.#on.clock.now();
    const before = await lockImport(sql, id);
    const end = { status, at, ...(failure === undefined ? {} : { failure }) };
    if (before === undefined || !(await endImport(sql, id, end))) return;
    await recordAudit(sql, {
      organization,
      actor: "system",
      action:
        status === "completed" ? "import.complete" : status === "failed" ? "import.fail" : "import.cancel",
      target: id,
      before,
      after: await findImport(sql, id),
      at,
    });
  }

  async deleteFile(organization: OrganizationId, id: ImportId): Promise<void> {
    await this.#on.folder.delete(organization, id);
    await this.#on.postgres.inOrganization(organization, (sql) => markFileDeleted(sql, id));
  }

  /** Deletes the files of runs that ended too long ago to be retried, and those that no import has. */
  async sweep(): Promise<void> {
    const { folder, postgres, workflows, writer, clock } = this.#on;
    for (const [organization, ids] of await folder.list()) {
      if (this.#arrivals.has(organization)) continue;
      const kept = await postgres.inOrganization(organization, (sql) => listKeptFiles(sql, writer));
      const known = new Set<string>(kept.map(({ id }) => id));
      for (const id of ids) if (!known.has(id)) await folder.delete(organization, id);
      const outcomes = await workflows.outcomes(
        organization,
        kept.map(({ run }) => run),
      );
      for (const file of kept) {
        const outcome = outcomes.get(file.run);
        const over = (outcome?.endedAt ?? Infinity) < clock.now() - kept_days * day;
        if (over) await this.#letGo(organization, file, outcome);
      }
    }
  }

  /** Deletes the file of a run that has ended; the import then ends as its run did. */
  async #letGo(
    organization: OrganizationId,
    { id }: { id: ImportId },
    outcome: RunOutcome | undefined,
  ): Promise<boolean> {
    if (outcome === undefined || outcome.endedAt === undefined) return false;
    if (outcome.state === "canceled" || outcome.state === "failed") {
      const { state, error } = outcome;
      await this.#on.postgres.inOrganization(organization, (sql) =>
        this.#end(sql, organization, id, state, error),
      );
    }
    await this.deleteFile(organization, id);
    return true;
  }
}

export function runOf(organization: OrganizationId, id: ImportId): string {
  return `${import_kind}:${organization}:${id}`;
}

/** @throws Refusal 400 when the mapping does not fit the file */
async function checkShape(file: string, { format, delimiter, mapping }: ImportedShape): Promise<void> {
  try {
    const { shape } = await openRows(file, format, delimiter);
    mapRows(mapping, shape);
  } catch (error) {
    if (!(error instanceof FileFault)) throw error;
    const detail = error instanceof MappingFault ? `${error.option}: ${error.message}` : error.message;
    throw new Refusal(makeProblem("invalid-import", 400, "The file cannot be imported so", detail));
  }
}

function refuseMore(limit: string): Refusal {
  const detail = `Files of this organization that wait to be imported may come to ${limit}. Let some of them end, or cancel their runs.`;
  return new Refusal(
    makeProblem("too-many-imports", 429, "Too many imports wait", detail, { retryAfterSeconds: 30 }),
  );
}
