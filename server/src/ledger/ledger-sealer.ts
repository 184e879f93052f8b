import type { Postgres } from "../engines/postgres/index.js";
import type { Clock } from "../kernel/clock.js";
import type { OrganizationId } from "../kernel/ids.js";
import type { Log } from "../kernel/log.js";
import { block_postings_max, cutBlocks } from "./core/index.js";
import { insertBlock, lastBlock, listBlocks, type LedgerBlock } from "./store/blocks.js";
import { lockSealing, moveSealing, selectUnsealed, selectUnsealedOrganizations } from "./store/sealing.js";

export interface LedgerSealerOptions {
  readonly postgres: Postgres;
  /** Real time. */
  readonly clock: Clock;
  readonly log: Log;
}

const look_every_ms = 5_000;
// A block that is not full by then is sealed as it is: a day has at most 288 of them.
const wait_ms_max = 300_000;
const organizations_page = 200;
// In one transaction: postings of these many blocks are put in order of time, and their ids are held in memory.
const blocks_per_transaction = 8;
const waiting_organizations_max = 10_000;

/**
 * Chains hashes over blocks of postings, behind those who post: a block is sealed when it is full, or when its first
 * posting has waited five minutes. Several processes may do so at once: a row of the organization's is their lock.
 */
export class LedgerSealer {
  readonly #on: LedgerSealerOptions;
  /** Since when postings of an organization wait, in real time. */
  readonly #waiting = new Map<OrganizationId, number>();
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<unknown> | undefined;
  #stopped = false;

  constructor(options: LedgerSealerOptions) {
    this.#on = options;
  }

  start(): void {
    this.#lookAfter(look_every_ms);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#looking;
  }

  /** Seals everything that is committed. @returns how many blocks that made */
  seal(organization: OrganizationId): Promise<number> {
    return this.#seal(organization, { all: true, wait: true });
  }

  /** The blocks that are sealed, newest first. */
  blocks(organization: OrganizationId, page: { before?: number; limit: number }): Promise<LedgerBlock[]> {
    return this.#on.postgres.inOrganization(organization, (sql) => listBlocks(sql, page));
  }

  /** Seals what is due of all organizations. @returns how many blocks that made */
  async sealDue(): Promise<number> {
    let sealed = 0;
    let after: OrganizationId | undefined;
    const now = performance.now();
    const seen = new Set<OrganizationId>();
    do {
      const page = { after, organizations: organizations_page, limit: block_postings_max };
      const found = await this.#on.postgres.asSystem((sql) => selectUnsealedOrganizations(sql, page));
      for (const { organization, postings } of found) {
        if (this.#stopped) return sealed;
        seen.add(organization);
        const since = this.#waiting.get(organization) ?? now;
        if (this.#waiting.size < waiting_organizations_max) this.#waiting.set(organization, since);
        const all = now - since >= wait_ms_max || !this.#waiting.has(organization);
        if (!all && postings < block_postings_max) continue;
        const blocks = await this.#seal(organization, { all, wait: false });
        sealed += blocks;
        if (all) this.#waiting.delete(organization);
        else if (blocks > 0) this.#waiting.set(organization, now);
      }
      after = found.length < organizations_page ? undefined : found.at(-1)?.organization;
    } while (after !== undefined);
    for (const organization of this.#waiting.keys())
      if (!seen.has(organization)) this.#waiting.delete(organization);
    return sealed;
  }

  async #seal(organization: OrganizationId, how: { all: boolean; wait: boolean }): Promise<number> {
    let sealed = 0;
    for (;;) {
      const { blocks, isDone } = await this.#sealSome(organization, how);
      sealed += blocks;
      if (isDone || this.#stopped) return sealed;
    }
  }

  /** Some blocks, in one transaction. */
  #sealSome(
    organization: OrganizationId,
    { all, wait }: { all: boolean; wait: boolean },
  ): Promise<{ blocks: number; isDone: boolean }> {
    const { postgres, clock } = this.#on;
    return postgres.inOrganization(organization, async (sql) => {
      if (!(await lockSealing(sql, organization, { wait }))) return { blocks: 0, isDone: true };
      const limit = blocks_per_transaction * block_postings_max;
      const { unsealed, horizon, isRenumbered } = await selectUnsealed(sql, limit);
      const isLast = unsealed.length < limit;
      const { blocks, rest } = cutBlocks(unsealed, { all: isLast && (all || isRenumbered) });
      let { number, hash } = await lastBlock(sql, organization);
      for (const block of blocks) {
        number += 1;
        hash = await insertBlock(sql, organization, {
          number,
          previous: hash,
          postings: block.map(({ id }) => id),
          sealedAt: clock.now(),
        });
      }
      // What is written by transactions that are under way, and what waits for its block to fill, is looked at again.
      const first = isLast ? rest : [...rest, ...unsealed.slice(-1)];
      if (isLast || !isRenumbered) await moveSealing(sql, least([horizon, ...first.map(({ xact }) => xact)]));
      return { blocks: blocks.length, isDone: isLast };
    });
  }

  #lookAfter(wait_ms: number): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#looking = this.sealDue()
        .catch((error: unknown) => this.#on.log.warn("sealing the ledger failed", { error: String(error) }))
        .finally(() => this.#lookAfter(look_every_ms));
    }, wait_ms);
    this.#timer.unref();
  }
}

function least(values: readonly bigint[]): bigint {
  return values.reduce((lowest, value) => (value < lowest ? value : lowest));
}
