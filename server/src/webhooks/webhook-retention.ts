import type { Postgres } from "../engines/postgres/index.js";
import type { Clock } from "../kernel/clock.js";
import { day, type Instant } from "../kernel/instant.js";
import type { Log } from "../kernel/log.js";
import { Sweeps } from "../kernel/sweeps.js";
import { deleteUnreferencedEndpoints, selectOrganizationsWithDeleted } from "./store/endpoints.js";
import { deleteOldMessages, selectOrganizationsWithOld } from "./store/messages.js";

export interface WebhookRetentionOptions {
  readonly postgres: Postgres;
  /** Real time. */
  readonly clock: Clock;
  readonly log: Log;
}

export const kept_days = 30;
const sweep_every_ms = 600_000;
const first_sweep_ms = 90_000;
// A transaction deletes so many messages, with their deliveries and attempts.
const messages_page = 500;
const organizations_page = 200;
// A transaction that was at work when an endpoint was deleted may still write a delivery for it.
const deleted_since = day;

/** Deletes messages with all that became of them after 30 days, some hundred at a time, and what is left of deleted endpoints. */
export class WebhookRetention {
  readonly #on: WebhookRetentionOptions;
  readonly #sweeps: Sweeps;

  constructor(options: WebhookRetentionOptions) {
    this.#on = options;
    this.#sweeps = new Sweeps({
      first_after_ms: first_sweep_ms,
      every_ms: sweep_every_ms,
      sweep: () => this.sweep(),
      onFailure: (error) =>
        options.log.warn("deleting old webhook messages failed", { error: String(error) }),
    });
  }

  start(): void {
    this.#sweeps.start();
  }

  stop(): Promise<void> {
    return this.#sweeps.stop();
  }

  /** Deletes all that is due. @returns how many messages */
  async sweep(): Promise<number> {
    const { postgres, clock, log } = this.#on;
    const now = clock.now();
    const before = (now - kept_days * day) as Instant;
    let messages = 0;
    while (!this.#sweeps.stopped) {
      const organizations = await postgres.asSystem((sql) =>
        selectOrganizationsWithOld(sql, before, organizations_page),
      );
      if (organizations.length === 0) break;
      for (const organization of organizations) {
        if (this.#sweeps.stopped) break;
        messages += await postgres.inOrganization(organization, (sql) =>
          deleteOldMessages(sql, before, messages_page),
        );
      }
    }
    const left = await postgres.asSystem((sql) => selectOrganizationsWithDeleted(sql, organizations_page));
    for (const organization of left) {
      if (this.#sweeps.stopped) break;
      await postgres.inOrganization(organization, (sql) =>
        deleteUnreferencedEndpoints(sql, (now - deleted_since) as Instant),
      );
    }
    if (messages > 0) log.info("deleted old webhook messages", { messages, days: kept_days });
    return messages;
  }
}
