import { recordAudit } from "../audit/index.js";
import type { Postgres, Sql } from "../engines/postgres/index.js";
import type { Caller } from "../identity/index.js";
import type { Clock } from "../kernel/clock.js";
import { newId, type OrganizationId } from "../kernel/ids.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import { importTimes, type BodyFormat } from "./core/index.js";
import type { IngestReceipt, UsageIngest } from "./ingest.js";
import {
  completeImport,
  insertImport,
  listImports,
  lockImport,
  recordImportChunk,
  type StoredImport,
} from "./store/imports.js";

export interface ImportsDependencies {
  readonly postgres: Postgres;
  readonly ingest: UsageIngest;
  readonly clock: Clock;
}

/** A chunk's receipt and where to go on. */
export interface ImportChunkReceipt extends IngestReceipt {
  readonly rowsDone: number;
}

const listed_max = 200;

/**
 * Imports of history: named, so that starting one again resumes it, and exactly once, because events keep the
 * identity they would have had live: a chunk that is sent twice counts as duplicates.
 */
export class Imports {
  readonly #on: ImportsDependencies;

  constructor(dependencies: ImportsDependencies) {
    this.#on = dependencies;
  }

  async list(organization: OrganizationId): Promise<StoredImport[]> {
    return this.#on.postgres.inOrganization(organization, (sql) => listImports(sql, listed_max));
  }

  async get(organization: OrganizationId, idOrName: string): Promise<StoredImport> {
    return this.#on.postgres.inOrganization(organization, (sql) => mustFind(sql, idOrName));
  }

  /** Starts an import, or finds the one of this name to go on with. Another file under the name is refused. */
  async start(caller: Caller, input: { name: string; fingerprint: string }): Promise<StoredImport> {
    const { organization } = caller;
    const at = this.#on.clock.now();
    return this.#on.postgres.inOrganization(organization, async (sql) => {
      const existing = await lockImport(sql, input.name);
      if (existing !== undefined) {
        if (existing.fingerprint === input.fingerprint) return existing;
        const detail = `The import "${input.name}" was started with another file or mapping (${existing.rowsDone} rows done). Use another name for this one.`;
        throw new Refusal(
          makeProblem("import-differs", 409, "An import of this name has other content", detail),
        );
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
    const receipt = await this.#on.ingest.acceptHistory(
      organization,
      chunk.body,
      chunk.format,
      importTimes(now),
    );
    const rowsDone = Math.max(current.rowsDone, chunk.firstRow + chunk.rows);
    await this.#on.postgres.inOrganization(organization, (sql) =>
      recordImportChunk(sql, current.id, {
        rowsDone,
        accepted: receipt.accepted,
        duplicates: receipt.duplicates,
        conflicts: receipt.conflicts.length,
        unmetered: receipt.unmetered.length,
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
      if (before.status === "completed") return before;
      await completeImport(sql, before.id, at);
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
  throw new Refusal(
    makeProblem(
      "import-not-found",
      404,
      "No such import",
      `There is no import "${idOrName}"; list them with \`weir imports list\`.`,
    ),
  );
}
