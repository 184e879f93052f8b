import { recordAudit, runOnce } from "../audit/index.js";
import type { Postgres } from "../engines/postgres/index.js";
import type { Caller } from "../identity/index.js";
import type { Clocks } from "../kernel/clock.js";
import { checkReason } from "../kernel/reason.js";
import type { FileQueue } from "./file-queue.js";
import { unknownFile, wrongState } from "./file-refusals.js";
import { mustFindAccount } from "./must-find-account.js";
import type { SettlementPayments } from "./payments-port.js";
import { aboutFile, type SettlementFile, type SettlementFiles } from "./settlement-files.js";
import { closeExceptionsAbout } from "./store/exceptions.js";
import {
  findFile,
  lockAccountFiles,
  lockFile,
  saveFile,
  type FileState,
  type StoredFile,
} from "./store/files.js";

export interface FileDecisionsOptions {
  readonly postgres: Postgres;
  readonly payments: SettlementPayments;
  readonly files: Pick<SettlementFiles, "get">;
  readonly queue: FileQueue;
  readonly clocks: Clocks;
}

/** What people decide on files: each is audited, and closes what is open about the file. */
export class FileDecisions {
  readonly #on: FileDecisionsOptions;

  constructor(options: FileDecisionsOptions) {
    this.#on = options;
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
            mustFindAccount(sql, this.#on.payments, input.account ?? ""),
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
    const before = await this.#on.files.get(organization, input.file);
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
    checkReason(input.reason, "invalid-reason");
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
        if (after.state === "discarding") await this.#on.queue.start(sql, organization, after, at);
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
        await this.#on.queue.startNext(sql, organization, after.account, at);
        return before.id;
      });
    });
    return this.#on.files.get(organization, input.file);
  }
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
