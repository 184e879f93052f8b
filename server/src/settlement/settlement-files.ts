import type { Objects } from "../engines/objects/index.js";
import type { Postgres, Sql } from "../engines/postgres/index.js";
import type { RunOutcome, Workflows } from "../engines/workflow/index.js";
import type { OrganizationId, SettlementFileId } from "../kernel/ids.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import type { SettlementRecord } from "./core/index.js";
import type { StagedRecord } from "./core/staging/index.js";
import { fileElsewhere, unknownFile, unknownRecord } from "./file-refusals.js";
import { mustFindAccount } from "./must-find-account.js";
import type { SettlementPayments } from "./payments-port.js";
import { readRecordAt } from "./read-record.js";
import { readAllotments, type StoredAllotment } from "./store/allotments.js";
import { findFile, listFiles, runsOfOpenFiles, type FilePage, type StoredFile } from "./store/files.js";
import { readRecords } from "./store/records.js";

export interface SettlementFilesOptions {
  readonly postgres: Postgres;
  readonly workflows: Workflows;
  readonly objects: Objects;
  readonly payments: SettlementPayments;
}

/** A file, and what its run says of it beyond its state: one that failed or was canceled does nothing more by itself. */
export type SettlementFile = StoredFile & { readonly stopped: RunOutcome | undefined };

/** A record of a file, and what it turned out to be. */
export interface RecordWithParts {
  readonly file: SettlementFileId;
  readonly record: StagedRecord;
  readonly parts: readonly StoredAllotment[];
}

/** Files of providers, schemes and banks, and the records in them, as they stand. */
export class SettlementFiles {
  readonly #on: SettlementFilesOptions;

  constructor(options: SettlementFilesOptions) {
    this.#on = options;
  }

  /** Newest first. */
  async list(
    organization: OrganizationId,
    { account, ...page }: Omit<FilePage, "account"> & { readonly account?: string },
  ): Promise<SettlementFile[]> {
    const found = await this.#on.postgres.inOrganization(organization, async (sql) => {
      const of = account === undefined ? undefined : await mustFindAccount(sql, this.#on.payments, account);
      return listFiles(sql, { ...page, ...(of === undefined ? {} : { account: of.id }) });
    });
    const open = found.filter(isAtWork).flatMap(({ run }) => run ?? []);
    const outcomes = open.length === 0 ? new Map() : await this.#on.workflows.outcomes(organization, open);
    return found.map((file) => ({ ...file, stopped: stoppedBy(file, outcomes) }));
  }

  async find(organization: OrganizationId, id: string): Promise<SettlementFile | undefined> {
    const found = await this.#on.postgres.inOrganization(organization, (sql) => findFile(sql, id));
    return found && this.asItStands(organization, found);
  }

  /** @throws Refusal 404 */
  async get(organization: OrganizationId, id: string): Promise<SettlementFile> {
    const found = await this.find(organization, id);
    if (found === undefined) throw unknownFile(id);
    return found;
  }

  /** The records of a file, in its order, from behind a position. */
  async records(
    organization: OrganizationId,
    file: SettlementFileId,
    page: { readonly after?: string; readonly limit: number },
  ): Promise<RecordWithParts[]> {
    const after = Number(page.after ?? 0);
    if (!Number.isSafeInteger(after) || after < 0) throw invalidCursor();
    return this.#on.postgres.inOrganization(organization, async (sql) => {
      const all = { after, through: 2 ** 31 - 1, limit: page.limit };
      const records = await readRecords(sql, file, all);
      const through = records.at(-1)?.position ?? after;
      const parts = await readAllotments(sql, file, { after, through });
      return records.map((record) => ({
        file,
        record,
        parts: parts.filter(({ position }) => position === record.position),
      }));
    });
  }

  /**
   * What the file says of a record, word for word but for masked numbers: read again from the file, up to there.
   * @throws Refusal 404 when the record or the file itself is not there
   */
  async original(
    organization: OrganizationId,
    id: SettlementFileId,
    position: number,
  ): Promise<SettlementRecord["original"]> {
    const file = await this.get(organization, id);
    const found = await readRecordAt(this.#on.objects, organization, file, position);
    if (found === "elsewhere") throw fileElsewhere(file);
    if (found === undefined) throw unknownRecord(id, position);
    return found.original;
  }

  /** Which of these runs are of files that are still read. */
  runsInUse(sql: Sql, runs: readonly { readonly id: string }[]): Promise<string[]> {
    return runsOfOpenFiles(
      sql,
      runs.map(({ id }) => id),
    );
  }

  async asItStands(organization: OrganizationId, file: StoredFile): Promise<SettlementFile> {
    if (!isAtWork(file) || file.run === undefined) return { ...file, stopped: undefined };
    const outcomes = await this.#on.workflows.outcomes(organization, [file.run]);
    return { ...file, stopped: stoppedBy(file, outcomes) };
  }
}

/** What an exception about a file as a whole is about. */
export function aboutFile(file: SettlementFileId): string {
  return `file:${file}`;
}

function isAtWork({ state }: StoredFile): boolean {
  return state === "parsing" || state === "staged" || state === "matched" || state === "discarding";
}

function stoppedBy(file: StoredFile, outcomes: ReadonlyMap<string, RunOutcome>): RunOutcome | undefined {
  const outcome = file.run === undefined || !isAtWork(file) ? undefined : outcomes.get(file.run);
  return outcome?.state === "failed" || outcome?.state === "canceled" ? outcome : undefined;
}

function invalidCursor(): Refusal {
  const detail = "`after` is the position of a record: a whole number.";
  return new Refusal(makeProblem("invalid-page", 400, "The cursor is not valid", detail));
}
