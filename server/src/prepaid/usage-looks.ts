import type { Postgres } from "../engines/postgres/index.js";
import type { OrganizationId } from "../kernel/ids.js";
import type { Instant } from "../kernel/instant.js";
import type { Log } from "../kernel/log.js";
import type { LookWakes } from "./look-wakes.js";
import { listWatchingOrganizations } from "./store/balance-watches.js";

export interface UsageLooksDependencies {
  readonly postgres: Postgres;
  readonly lookWakes: LookWakes;
  readonly log: Log;
}

const again_ms = 1_000;
const organizations_page = 200;
const organizations_noted_max = 100_000;

/**
 * Has balances looked at where usage arrived. A window is noted once, however much arrives in it. What arrived before a crash
 * that came before its note is found by the look that each start makes.
 */
export class UsageLooks {
  readonly #on: UsageLooksDependencies;
  /** The end of the last window that was noted. */
  readonly #noted = new Map<OrganizationId, Instant>();
  readonly #waiting = new Set<OrganizationId>();
  #writing: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(dependencies: UsageLooksDependencies) {
    this.#on = dependencies;
  }

  /** Usage of these organizations shows in queries now. */
  arrived(organizations: Iterable<OrganizationId>): void {
    for (const organization of organizations)
      if (this.#noted.get(organization) !== this.#on.lookWakes.windowEnd(organization))
        this.#waiting.add(organization);
    if (this.#waiting.size > 0) this.#write();
  }

  /** Resolves when what has arrived so far is noted, or could not be. */
  async settled(): Promise<void> {
    await this.#writing;
  }

  /** Notes every organization in which balances are watched. */
  async start(): Promise<void> {
    for (let after = ""; !this.#stopped; ) {
      const found = await this.#on.postgres.asSystem((sql) =>
        listWatchingOrganizations(sql, { after, limit: organizations_page }),
      );
      this.arrived(found);
      const last = found.at(-1);
      if (last === undefined || found.length < organizations_page) return;
      after = last;
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#writing;
  }

  #write(): void {
    if (this.#stopped) return;
    this.#writing ??= this.#note().finally(() => {
      this.#writing = undefined;
    });
  }

  async #note(): Promise<void> {
    const { postgres, lookWakes, log } = this.#on;
    for (const organization of this.#waiting) {
      if (this.#stopped) return;
      const window = lookWakes.windowEnd(organization);
      try {
        await postgres.inOrganization(organization, (sql) => lookWakes.usageArrived(sql, organization));
      } catch (error) {
        log.warn("usage could not be noted for balances, and will be", { error: String(error) });
        this.#timer = setTimeout(() => this.#write(), again_ms).unref();
        return;
      }
      if (this.#noted.size >= organizations_noted_max) this.#noted.clear();
      this.#noted.set(organization, window);
      this.#waiting.delete(organization);
    }
  }
}
