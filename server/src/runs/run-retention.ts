import type { Postgres, Sql } from "../engines/postgres/index.js";
import type { EndedRun, Workflows } from "../engines/workflow/index.js";
import type { Clock } from "../kernel/clock.js";
import type { OrganizationId } from "../kernel/ids.js";
import { day, type Instant } from "../kernel/instant.js";
import type { Log } from "../kernel/log.js";
import { Sweeps } from "../kernel/sweeps.js";

/** Which of these runs something else still refers to; in a transaction of their organization. */
export type RunHolder = (sql: Sql, runs: readonly EndedRun[]) => Promise<readonly string[]>;

export interface RunRetentionOptions {
  readonly postgres: Postgres;
  readonly workflows: Workflows;
  /** Real time, by which runs end. */
  readonly clock: Clock;
  readonly log: Log;
  readonly days: number;
  readonly holders: readonly RunHolder[];
}

const sweep_every_ms = 3_600_000;
// After the start, so that what was in flight is taken up first.
const first_sweep_ms = 60_000;
const runs_page = 500;
const organizations_page = 200;

/**
 * Deletes runs that succeeded or were canceled so many days ago, with all that is kept of them. One that failed stays until it
 * is retried or canceled, since what it was to do is undone; and so does one that something refers to.
 */
export class RunRetention {
  readonly #on: RunRetentionOptions;
  readonly #sweeps: Sweeps;

  constructor(options: RunRetentionOptions) {
    this.#on = options;
    this.#sweeps = new Sweeps({
      first_after_ms: first_sweep_ms,
      every_ms: sweep_every_ms,
      sweep: () => this.sweep(),
      onFailure: (error) => options.log.warn("deleting ended runs failed", { error: String(error) }),
    });
  }

  start(): void {
    this.#sweeps.start();
  }

  stop(): Promise<void> {
    return this.#sweeps.stop();
  }

  /** Deletes what is due, some hundred runs at a time. @returns how many */
  async sweep(): Promise<number> {
    const { workflows, clock, days, log } = this.#on;
    const before = (clock.now() - days * day) as Instant;
    let deleted = 0;
    let after: OrganizationId | undefined;
    do {
      const organizations: readonly OrganizationId[] = await workflows.organizationsWithEnded({
        before,
        after,
        limit: organizations_page,
      });
      for (const organization of organizations) deleted += await this.#sweepOf(organization, before);
      after = organizations.at(-1);
    } while (after !== undefined && !this.#sweeps.stopped);
    if (deleted > 0) log.info("deleted ended runs", { runs: deleted, days });
    return deleted;
  }

  async #sweepOf(organization: OrganizationId, before: Instant): Promise<number> {
    const { postgres, workflows, holders } = this.#on;
    let deleted = 0;
    let after: EndedRun | undefined;
    do {
      const page = { before, after, limit: runs_page };
      after = await postgres.inOrganization(organization, async (sql) => {
        const runs = await workflows.listEnded(sql, page);
        if (runs.length === 0) return undefined;
        const held = new Set<string>();
        for (const holder of holders) for (const id of await holder(sql, runs)) held.add(id);
        const free = runs.map(({ id }) => id).filter((id) => !held.has(id));
        deleted += await workflows.forget(sql, free, before);
        return runs.at(-1);
      });
    } while (after !== undefined && !this.#sweeps.stopped);
    return deleted;
  }
}
