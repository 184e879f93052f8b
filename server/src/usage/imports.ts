import { recordAudit } from "../audit/index.js";
import type { Postgres, Sql } from "../engines/postgres/index.js";
import type { RunOutcome, Workflows } from "../engines/workflow/index.js";
import type { Caller } from "../identity/index.js";
import type { Clock } from "../kernel/clock.js";
import { newId, type ImportId, type OrganizationId } from "../kernel/ids.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import type { BodyFormat } from "./core/index.js";
import type { IngestReceipt, UsageIngest } from "./ingest.js";
import {
  endImport,
  findImport,
  insertImport,
  listImports,
  listRejections,
  lockImport,
  recordImportChunk,
  runsOfOpenImports,
  type ImportRejection,
  type StoredImport,
} from "./store/imports.js";

export interface ImportsDependencies {
  readonly postgres: Postgres;
  readonly workflows: Workflows;
  readonly ingest: UsageIngest;
  readonly clock: Clock;
}

/** A chunk's receipt and where to go on. */
export interface ImportChunkReceipt extends IngestReceipt {
  readonly rowsDone: number;
}

/**
 * Imports of history: named, so that starting one again resumes it, and exactly once, because events keep the
 * identity they would have had live: a chunk that is sent twice counts as duplicates.
 */
export class Imports {
  readonly #on: ImportsDependencies;

  constructor(dependencies: ImportsDependencies) {
    this.#on = dependencies;
  }

  /** Newest first. */
  async list(
    organization: OrganizationId,
    page: { after?: string | undefined; limit: number },
  ): Promise<StoredImport[]> {
    const found = await this.#on.postgres.inOrganization(organization, (sql) => listImports(sql, page));
    const open = found.flatMap(({ status, file }) => (status === "running" && file ? [file.run] : []));
    if (open.length === 0) return found;
    const outcomes = await this.#on.workflows.outcomes(organization, open);
    return found.map((entry) => asItStands(entry, outcomes));
  }

  async find(organization: OrganizationId, idOrName: string): Promise<StoredImport | undefined> {
    const entry = await this.#on.postgres.inOrganization(organization, (sql) => findImport(sql, idOrName));
    if (entry?.status !== "running" || entry.file === undefined) return entry;
    return asItStands(entry, await this.#on.workflows.outcomes(organization, [entry.file.run]));
  }

  /** @throws Refusal 404 */
  async get(organization: OrganizationId, idOrName: string): Promise<StoredImport> {
    const found = await this.find(organization, idOrName);
    if (found === undefined) throw unknownImport(idOrName);
    return found;
  }

  /** The first lines of its file that an import did not take. */
  async rejections(organization: OrganizationId, id: ImportId): Promise<readonly ImportRejection[]> {
    return this.#on.postgres.inOrganization(organization, (sql) => listRejections(sql, id));
  }

  /** Which of these runs are of imports that are still open. */
  runsInUse(sql: Sql, runs: readonly { readonly id: string }[]): Promise<string[]> {
    return runsOfOpenImports(
      sql,
      runs.map(({ id }) => id),
    );
  }

  /** Starts an import, or finds the one of this name to go on with. Another file under the name is refused. */
  async start(caller: Caller, input: { name: string; fingerprint: string }): Promise<StoredImport> {
    const { organization } = caller;
    const at = this.#on.clock.now();
    return this.#on.postgres.inOrganization(organization, async (sql) => {
      const existing = await lockImport(sql, input.name);
      if (existing !== undefined) {
        if (existing.fingerprint === input.fingerprint) return existing;
        throw refuseOther(existing);
      }
      const id = newId("imp", at);
      await insertImport(sql, organization, { id, ...input, at });
      await recordAudit(sql, {
        organization,
        actor: caller,
        action: "import.start",
        target: id,
        before: undefined,
        after: input,
        at,
      });
      return mustFind(sql, id);
    });
  }

  /**
   * Takes the rows from `firstRow` (0-based) on. Rows already done may come again; a gap is refused, so that an
   * import that says completed has seen every row.
   */
  async takeChunk(
    caller: Caller,
    idOrName: string,
    chunk: { firstRow: number; rows: number; body: Uint8Array; format: BodyFormat },
  ): Promise<ImportChunkReceipt> {
    const { organization } = caller;
    const current = await this.get(organization, idOrName);
    refuseFile(current);
    if (current.status === "completed") {
      throw new Refusal(
        makeProblem("import-completed", 409, "The import is completed", "Start another name to import more."),
      );
    }
    if (chunk.firstRow > current.rowsDone) {
      const detail = `This import goes on at row ${current.rowsDone}, the chunk begins at ${chunk.firstRow}.`;
      throw new Refusal(
        makeProblem("import-gap", 409, "Rows are missing before this chunk", detail, {
          rowsDone: current.rowsDone,
        }),
      );
    }
    const now = this.#on.clock.now();
    const receipt = await this.#on.ingest.acceptHistory(organization, chunk.body, chunk.format);
    const rowsDone = Math.max(current.rowsDone, chunk.firstRow + chunk.rows);
    await this.#on.postgres.inOrganization(organization, (sql) =>
      recordImportChunk(sql, current.id, {
        rowsDone,
        accepted: receipt.accepted,
        duplicates: receipt.duplicates,
        conflicts: receipt.conflicts.length,
        unmetered: receipt.unmetered.length,
        rejected: 0,
        bytesDone: 0,
        at: now,
      }),
    );
    return { ...receipt, rowsDone };
  }

  /** Ends an import. Ending it twice changes nothing. */
  async complete(caller: Caller, idOrName: string): Promise<StoredImport> {
    const { organization } = caller;
    const at = this.#on.clock.now();
    return this.#on.postgres.inOrganization(organization, async (sql) => {
      const before = await mustFind(sql, idOrName);
      refuseFile(before);
      if (before.status === "completed") return before;
      await endImport(sql, before.id, { status: "completed", at });
      const after = await mustFind(sql, before.id);
      await recordAudit(sql, {
        organization,
        actor: caller,
        action: "import.complete",
        target: before.id,
        before,
        after,
        at,
      });
      return after;
    });
  }
}

async function mustFind(sql: Sql, idOrName: string): Promise<StoredImport> {
  const found = await lockImport(sql, idOrName);
  if (found !== undefined) return found;
  throw unknownImport(idOrName);
}

/** An import whose run was canceled, or failed, does not run; retrying the run makes it do so again. */
function asItStands(entry: StoredImport, outcomes: ReadonlyMap<string, RunOutcome>): StoredImport {
  const outcome = entry.file && outcomes.get(entry.file.run);
  if (outcome?.state !== "canceled" && outcome?.state !== "failed") return entry;
  return { ...entry, status: outcome.state, failure: outcome.error, completedAt: outcome.endedAt };
}

function unknownImport(idOrName: string): Refusal {
  const detail = `There is no import "${idOrName}"; list them with \`weir imports list\`.`;
  return new Refusal(makeProblem("import-not-found", 404, "No such import", detail));
}

export function refuseOther({ name, rowsDone }: StoredImport): Refusal {
  const detail = `The import "${name}" was started with another file or mapping (${rowsDone} rows done). Use another name for this one.`;
  return new Refusal(makeProblem("import-differs", 409, "An import of this name has other content", detail));
}

/** @throws Refusal 409 when Weir itself takes the rows from an uploaded file */
function refuseFile({ name, file }: StoredImport): void {
  if (file === undefined) return;
  const detail = `"${name}" was uploaded as a file, which Weir takes in by itself: run ${file.run}.`;
  throw new Refusal(makeProblem("import-of-file", 409, "This import has its file", detail));
}
