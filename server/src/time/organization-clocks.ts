import type { Postgres } from "../engines/postgres/index.js";
import type { Clock, Clocks } from "../kernel/clock.js";
import type { OrganizationId } from "../kernel/ids.js";
import type { Instant } from "../kernel/instant.js";
import type { Log } from "../kernel/log.js";
import { selectChangedClocks } from "./store/test-clocks.js";

const refresh_ms = 1_000;

/**
 * The clocks of all organizations: the system's, or a test clock, which stands where the database says. Test clocks are
 * kept in memory; one that another process moved is seen within a second. A clock never goes back here either.
 */
export class OrganizationClocks implements Clocks {
  readonly #postgres: Postgres;
  readonly #system: Clock;
  readonly #log: Log;
  readonly #test = new Map<OrganizationId, Instant>();
  #seen: string | null = null;
  #refreshing: NodeJS.Timeout | undefined;

  constructor(options: { postgres: Postgres; clock: Clock; log: Log }) {
    this.#postgres = options.postgres;
    this.#system = options.clock;
    this.#log = options.log;
  }

  /** Reads all test clocks, and keeps up with them until `stop`. */
  async load(): Promise<void> {
    await this.#refresh();
    this.#refreshing = setInterval(() => {
      this.#refresh().catch((error: unknown) =>
        this.#log.debug("test clocks were not refreshed", { error: String(error) }),
      );
    }, refresh_ms);
    this.#refreshing.unref();
  }

  stop(): void {
    clearInterval(this.#refreshing);
  }

  of(organization: OrganizationId): Clock {
    return { now: () => this.#test.get(organization) ?? this.#system.now() };
  }

  isTest(organization: OrganizationId): boolean {
    return this.#test.has(organization);
  }

  /** Right after a commit that moved the clock. */
  set(organization: OrganizationId, now: Instant): void {
    const before = this.#test.get(organization);
    if (before === undefined || before < now) this.#test.set(organization, now);
  }

  async #refresh(): Promise<void> {
    const { clocks, until } = await this.#postgres.asSystem((sql) => selectChangedClocks(sql, this.#seen));
    for (const { organization, now } of clocks) this.set(organization, now);
    this.#seen = until;
  }
}
