import type { Readable } from "node:stream";
import { recordAudit, runOnce } from "../audit/index.js";
import { ObjectsFull, ObjectTooLarge, type Objects } from "../engines/objects/index.js";
import type { Postgres, Sql } from "../engines/postgres/index.js";
import type { RunOutcome, Workflows } from "../engines/workflow/index.js";
import type { Caller } from "../identity/index.js";
import type { Clocks } from "../kernel/clock.js";
import { newId, type OrganizationId, type ProviderAccountId, type SettlementFileId } from "../kernel/ids.js";
import type { Instant } from "../kernel/instant.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import type { Wakes } from "../time/index.js";
import { findFormat, settlementFormats, type SettlementRecord } from "./core/index.js";
import type { StagedRecord } from "./core/staging/index.js";
import { FileReading } from "./file-reading.js";
import { objectKeyOf, objectsOf } from "./file-readings.js";
import { file_kind, runOf } from "./kinds.js";
import type { SettlementAccount, SettlementPayments } from "./payments-port.js";
import type { Reconciliation } from "./reconciliation.js";
import { unknownAccount } from "./refusals.js";
import { readAllotments, type StoredAllotment } from "./store/allotments.js";
import { closeExceptionsAbout } from "./store/exceptions.js";
import {
  findFile,
  findFileOfContent,
  findNextFile,
  insertFile,
  listFiles,
  listKeptFiles,
  lockAccountFiles,
  lockFile,
  runsOfOpenFiles,
  saveFile,
  sumWaitingFiles,
  type FilePage,
  type FileState,
  type StoredFile,
} from "./store/files.js";
import { readRecords } from "./store/records.js";

export interface SettlementFilesOptions {
  readonly postgres: Postgres;
  readonly workflows: Workflows;
  readonly wakes: Wakes;
  readonly objects: Objects;
  readonly payments: SettlementPayments;
  readonly reconciliation: Pick<Reconciliation, "begin">;
  readonly clocks: Clocks;
  /** Names this process's data directory: its objects are read by no other. */
  readonly writer: string;
  readonly limits: {
    readonly fileBytesMax: number;
    /** Files of one organization that wait or are at work, and their bytes. */
    readonly filesMax: number;
    readonly filesBytesMax: number;
  };
}

export interface LandedFile {
  /** Id or key. */
  readonly account: string;
  readonly name: string;
  /** Found by the content when left out. */
  readonly format?: string | undefined;
  readonly body: Readable;
}

/** A file, and what its run says of it beyond its state: one that failed or was canceled does nothing more by itself. */
export type SettlementFile = StoredFile & { readonly stopped: RunOutcome | undefined };

/** A record of a file, and what it turned out to be. */
export interface RecordWithParts {
  readonly file: SettlementFileId;
  readonly record: StagedRecord;
  readonly parts: readonly StoredAllotment[];
}

const reason_length_max = 512;

/** Files of providers, schemes and banks: landed, looked at, and decided on by people. A workflow reads them. */
export class SettlementFiles {
  readonly #on: SettlementFilesOptions;
  /** What arrives now. */
  readonly #arriving = new Map<OrganizationId, { files: number; bytes: number }>();

  constructor(options: SettlementFilesOptions) {
    this.#on = options;
  }

  /**
   * Keeps a file, encrypted, and has it read in its turn. The same bytes again are the file that is there.
   * @throws Refusal 400 for an unknown format, 404 for the account, 409 when the file landed for another account, 413 and 429 over
   *         limits, 503 when the disk is full
   */
  async land(
    caller: Caller,
    { account: idOrKey, name, format, body }: LandedFile,
  ): Promise<{ readonly file: SettlementFile; readonly isNew: boolean }> {
    const { organization } = caller;
    const { postgres, objects, clocks, writer } = this.#on;
    if (format !== undefined && findFormat(format) === undefined) throw unknownFormat(format);
    const account = await postgres.inOrganization(organization, (sql) => this.#account(sql, idOrKey));
    const at = clocks.of(organization).now();
    const id = newId("stf", at);
    const arrival = await this.#arrive(organization);
    let kept = false;
    try {
      const stored = await objects
        .put(objectKeyOf(organization, { id }), body, {
          bytesMax: this.#on.limits.fileBytesMax,
          onBytes: (bytes) => arrival.add(bytes),
        })
        .catch((error: unknown) => {
          throw refusalOfStore(error);
        });
      const found = await postgres.inOrganization(organization, async (sql) => {
        await lockAccountFiles(sql, account.id);
        const file = { id, account: account.id, name, ...stored, writer, askedFormat: format, landedAt: at };
        if (!(await insertFile(sql, organization, file))) return findFileOfContent(sql, stored.sha256);
        await recordAudit(sql, {
          organization,
          actor: caller,
          action: "settlement_file.land",
          target: id,
          before: undefined,
          after: { account: account.id, name, ...stored, format: format ?? null },
          at,
        });
        await this.#on.reconciliation.begin(sql, organization);
        await this.startNext(sql, organization, account.id, at);
        return findFile(sql, id);
      });
      if (found === undefined) throw new Error(`file ${id} is not there after it landed`);
      kept = found.id === id;
      if (found.account !== account.id) throw landedElsewhere(found);
      return { file: await this.#asItStands(organization, found), isNew: kept };
    } finally {
      arrival.end();
      if (!kept) await objects.delete(objectKeyOf(organization, { id }));
    }
  }

  /**
   * Has the next file of an account read, unless one is: one after the other, since what one has decides what the next repeats.
   * In the caller's transaction.
   */
  async startNext(
    sql: Sql,
    organization: OrganizationId,
    account: ProviderAccountId,
    at: Instant,
  ): Promise<void> {
    await lockAccountFiles(sql, account);
    const { isBusy, next } = await findNextFile(sql, account);
    if (isBusy || next === undefined) return;
    const file = await lockFile(sql, next);
    if (file === undefined) return;
    await this.#start(sql, organization, { ...file, state: "parsing", changedAt: at }, at);
  }

  /** Newest first. */
  async list(
    organization: OrganizationId,
    { account, ...page }: Omit<FilePage, "account"> & { readonly account?: string },
  ): Promise<SettlementFile[]> {
    const found = await this.#on.postgres.inOrganization(organization, async (sql) => {
      const of = account === undefined ? undefined : await this.#account(sql, account);
      return listFiles(sql, { ...page, ...(of === undefined ? {} : { account: of.id }) });
    });
    const open = found.filter(isAtWork).flatMap(({ run }) => run ?? []);
    const outcomes = open.length === 0 ? new Map() : await this.#on.workflows.outcomes(organization, open);
    return found.map((file) => ({ ...file, stopped: stoppedBy(file, outcomes) }));
  }

  async find(organization: OrganizationId, id: string): Promise<SettlementFile | undefined> {
    const found = await this.#on.postgres.inOrganization(organization, (sql) => findFile(sql, id));
    return found && this.#asItStands(organization, found);
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
    const key = objectKeyOf(organization, file);
    if (!(await this.#on.objects.has(key))) throw fileElsewhere(file);
    const content = await this.#on.objects.get(key);
    const reading = new FileReading({ name: file.name, askedFormat: file.askedFormat, content });
    try {
      await reading.skip(position - 1);
      const { records } = await reading.next(1);
      const [record] = records;
      if (record === undefined) throw unknownRecord(id, position);
      return record.original;
    } finally {
      reading.close();
    }
  }

  /**
   * Has a file that is held posted, whatever is wrong with it.
   * @throws Refusal 400, 404; 409 for one that is not held
   */
  async accept(
    caller: Caller,
    input: { readonly file: string; readonly reason: string },
    idempotencyKey?: string,
  ): Promise<SettlementFile> {
    return this.#decide(caller, "settlement_file.accept", input, idempotencyKey, ["held"], (file) => ({
      ...readAgain(file),
      waiver: { reason: input.reason, by: caller.key },
    }));
  }

  /** Reads a file that is held or refused once more, as after a release that reads its format better; for another account when given. */
  async retry(
    caller: Caller,
    input: { readonly file: string; readonly reason: string; readonly account?: string },
    idempotencyKey?: string,
  ): Promise<SettlementFile> {
    const { organization } = caller;
    const account =
      input.account === undefined
        ? undefined
        : await this.#on.postgres.inOrganization(organization, (sql) =>
            this.#account(sql, input.account ?? ""),
          );
    return this.#decide(
      caller,
      "settlement_file.retry",
      input,
      idempotencyKey,
      ["held", "refused"],
      (file) => ({
        ...readAgain(file),
        account: account?.id ?? file.account,
      }),
    );
  }

  /**
   * Gives a file up of which nothing is posted: one that waits, is held, or whose run has failed or was canceled.
   * @throws Refusal 400, 404; 409 for one that is being read or in the books
   */
  async discard(
    caller: Caller,
    input: { readonly file: string; readonly reason: string },
    idempotencyKey?: string,
  ): Promise<SettlementFile> {
    const { organization } = caller;
    const before = await this.get(organization, input.file);
    const states: FileState[] = ["landed", "held"];
    if (before.stopped !== undefined && before.posted === 0) states.push("parsing", "staged", "matched");
    return this.#decide(caller, "settlement_file.discard", input, idempotencyKey, states, (file) => ({
      ...file,
      state: "discarding",
      attempt: file.attempt + 1,
    }));
  }

  async #decide(
    caller: Caller,
    action: string,
    input: { readonly file: string; readonly reason: string },
    idempotencyKey: string | undefined,
    states: readonly FileState[],
    change: (file: StoredFile) => StoredFile,
  ): Promise<SettlementFile> {
    const { organization } = caller;
    checkReason(input.reason);
    const at = this.#on.clocks.of(organization).now();
    await this.#on.postgres.inOrganization(organization, async (sql) => {
      await runOnce(sql, { organization, idempotencyKey, action, input }, async () => {
        const seen = await findFile(sql, input.file);
        if (seen === undefined) throw unknownFile(input.file);
        await lockAccountFiles(sql, seen.account);
        const before = await lockFile(sql, input.file);
        if (before === undefined) throw unknownFile(input.file);
        if (!states.includes(before.state)) throw wrongState(before, action);
        const after = { ...change(before), changedAt: at };
        if (after.state === "discarding") await this.#start(sql, organization, after, at);
        else await saveFile(sql, after);
        await closeExceptionsAbout(sql, [aboutFile(before.id)], {
          resolution: {
            kind: after.state === "discarding" ? "discard_file" : "accept_file",
            note: input.reason,
            to: before.id,
            actions: [],
            parts: [],
          },
          by: caller.key,
          at,
        });
        await recordAudit(sql, {
          organization,
          actor: caller,
          action,
          target: before.id,
          before: { state: before.state, account: before.account },
          after: { state: after.state, account: after.account, reason: input.reason },
          at,
        });
        await this.startNext(sql, organization, after.account, at);
        return before.id;
      });
    });
    return this.get(organization, input.file);
  }

  async #start(sql: Sql, organization: OrganizationId, file: StoredFile, at: Instant): Promise<void> {
    await saveFile(sql, { ...file, run: runOf(organization, file) });
    await this.#on.wakes.wake(sql, organization, at, file_kind, `${file.id}:${file.attempt}`);
  }

  /** Which of these runs are of files that are still read. */
  runsInUse(sql: Sql, runs: readonly { readonly id: string }[]): Promise<string[]> {
    return runsOfOpenFiles(
      sql,
      runs.map(({ id }) => id),
    );
  }

  /** Deletes the objects that no file has: a crash came between the two. */
  async sweep(): Promise<void> {
    const { objects, postgres, writer } = this.#on;
    const keys = await objects.list("settlement");
    const byOrganization = new Map<OrganizationId, string[]>();
    for (const key of keys) {
      const organization = key.split("/")[1] as OrganizationId;
      byOrganization.set(organization, [...(byOrganization.get(organization) ?? []), key]);
    }
    for (const [organization, found] of byOrganization) {
      if (this.#arriving.has(organization)) continue;
      const known = new Set<string>(
        await postgres.inOrganization(organization, (sql) => listKeptFiles(sql, writer)),
      );
      for (const key of found)
        if (!known.has(key.slice(objectsOf(organization).length + 1))) await objects.delete(key);
    }
  }

  async #asItStands(organization: OrganizationId, file: StoredFile): Promise<SettlementFile> {
    if (!isAtWork(file) || file.run === undefined) return { ...file, stopped: undefined };
    const outcomes = await this.#on.workflows.outcomes(organization, [file.run]);
    return { ...file, stopped: stoppedBy(file, outcomes) };
  }

  async #account(sql: Sql, idOrKey: string): Promise<SettlementAccount> {
    const found = await this.#on.payments.findAccount(sql, idOrKey);
    if (found === undefined) throw unknownAccount(idOrKey);
    return found;
  }

  /** @throws Refusal 429 when there is no room for another file; it may be refused later too, as it grows */
  async #arrive(organization: OrganizationId): Promise<{ add(bytes: number): void; end(): void }> {
    const { filesMax, filesBytesMax } = this.#on.limits;
    const arriving = this.#arriving.get(organization) ?? { files: 0, bytes: 0 };
    this.#arriving.set(organization, arriving);
    arriving.files += 1;
    let own = 0;
    const end = () => {
      arriving.files -= 1;
      arriving.bytes -= own;
      if (arriving.files === 0) this.#arriving.delete(organization);
    };
    try {
      const waiting = await this.#on.postgres.inOrganization(organization, sumWaitingFiles);
      if (waiting.files + arriving.files > filesMax) throw tooMany(`${filesMax} files`);
      return {
        add(bytes) {
          own += bytes;
          arriving.bytes += bytes;
          if (waiting.bytes + arriving.bytes > filesBytesMax) throw tooMany(`${filesBytesMax} bytes`);
        },
        end,
      };
    } catch (error) {
      end();
      throw error;
    }
  }
}

/** What an exception about a file as a whole is about. */
export function aboutFile(file: SettlementFileId): string {
  return `file:${file}`;
}

/** From the beginning, in its turn. */
function readAgain(file: StoredFile): StoredFile {
  return {
    ...file,
    state: "landed",
    attempt: file.attempt + 1,
    waiver: undefined,
    bytesDone: 0,
    records: 0,
    repeated: 0,
    matched: 0,
    unmatched: 0,
    period: undefined,
    summary: undefined,
    refusal: undefined,
    endedAt: undefined,
  };
}

function isAtWork({ state }: StoredFile): boolean {
  return state === "parsing" || state === "staged" || state === "matched" || state === "discarding";
}

function stoppedBy(file: StoredFile, outcomes: ReadonlyMap<string, RunOutcome>): RunOutcome | undefined {
  const outcome = file.run === undefined || !isAtWork(file) ? undefined : outcomes.get(file.run);
  return outcome?.state === "failed" || outcome?.state === "canceled" ? outcome : undefined;
}

function checkReason(reason: string): void {
  if (reason.length > 0 && reason.length <= reason_length_max) return;
  const errors = [{ field: "reason", message: `1 to ${reason_length_max} characters` }];
  const detail = `reason: 1 to ${reason_length_max} characters`;
  throw new Refusal(makeProblem("invalid-reason", 400, "The reason is not valid", detail, { errors }));
}

function refusalOfStore(error: unknown): unknown {
  if (error instanceof ObjectTooLarge) return refuseSize(error.bytesMax);
  if (!(error instanceof ObjectsFull)) return error;
  const detail = "The disk of Weir has too little room for a file. Free some of it, then send it again.";
  return new Refusal(
    makeProblem("unavailable", 503, "Temporarily unavailable", detail, {
      reason: "disk_full",
      retryAfterSeconds: 30,
    }),
  );
}

export function refuseSize(bytes_max: number): Refusal {
  const detail = `A settlement file holds at most ${bytes_max} bytes, decompressed (WEIR_SETTLEMENT_BYTES_MAX).`;
  return new Refusal(
    makeProblem("settlement-file-too-large", 413, "The file is too large", detail, { limit: bytes_max }),
  );
}

function tooMany(limit: string): Refusal {
  const detail = `Settlement files of this organization that wait may come to ${limit}. Let some of them end, or discard them.`;
  return new Refusal(
    makeProblem("too-many-settlement-files", 429, "Too many files wait", detail, { retryAfterSeconds: 30 }),
  );
}

function unknownFormat(format: string): Refusal {
  const known = settlementFormats.map(({ name }) => name).join(", ");
  const detail = `There is no format "${format.slice(0, 64)}". Known are ${known}; leave it out to have it found.`;
  return new Refusal(makeProblem("unknown-settlement-format", 400, "No such format", detail));
}

function unknownFile(id: string): Refusal {
  const detail = `There is no settlement file "${id.slice(0, 64)}"; list them with \`weir settle list\`.`;
  return new Refusal(makeProblem("settlement-file-not-found", 404, "No such settlement file", detail));
}

function unknownRecord(id: string, position: number): Refusal {
  const detail = `File ${id} has no record ${position}.`;
  return new Refusal(makeProblem("settlement-record-not-found", 404, "No such record", detail));
}

function fileElsewhere({ id, writer }: StoredFile): Refusal {
  const detail = `What file ${id} holds lies in the data directory of writer ${writer}, which is not this one's.`;
  return new Refusal(makeProblem("settlement-file-elsewhere", 409, "The file is not here", detail));
}

function landedElsewhere({ id, account, state }: StoredFile): Refusal {
  const detail = `The same file landed for account ${account} before: ${id}, ${state}. If it was meant for this one, discard it there and retry it with this account.`;
  return new Refusal(
    makeProblem("settlement-file-of-other-account", 409, "The file is another account's", detail, {
      file: id,
    }),
  );
}

function wrongState({ id, state }: StoredFile, action: string): Refusal {
  const verb = action.split(".")[1] ?? action;
  const detail = `File ${id} is ${state}: there is nothing to ${verb}.`;
  return new Refusal(makeProblem("settlement-file-state", 409, `The file is ${state}`, detail, { state }));
}

function invalidCursor(): Refusal {
  const detail = "`after` is the position of a record: a whole number.";
  return new Refusal(makeProblem("invalid-page", 400, "The cursor is not valid", detail));
}
