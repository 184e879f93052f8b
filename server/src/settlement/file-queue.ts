import type { Sql } from "../engines/postgres/index.js";
import type { OrganizationId, ProviderAccountId } from "../kernel/ids.js";
import type { Instant } from "../kernel/instant.js";
import type { Wakes } from "../time/index.js";
import { file_kind, runOf } from "./kinds.js";
import { findNextFile, lockAccountFiles, lockFile, saveFile, type StoredFile } from "./store/files.js";

/** The files of each account, which are read one after the other. */
export class FileQueue {
  readonly #wakes: Wakes;

  constructor(wakes: Wakes) {
    this.#wakes = wakes;
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
    await this.start(sql, organization, { ...file, state: "parsing", changedAt: at }, at);
  }

  /** Saves a file, and has a run of its own take it up. In the caller's transaction. */
  async start(sql: Sql, organization: OrganizationId, file: StoredFile, at: Instant): Promise<void> {
    await saveFile(sql, { ...file, run: runOf(organization, file) });
    await this.#wakes.wake(sql, organization, at, file_kind, `${file.id}:${file.attempt}`);
  }
}
