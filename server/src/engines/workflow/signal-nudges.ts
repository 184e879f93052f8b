import type { OrganizationId } from "../../kernel/ids.js";
import type { Log } from "../../kernel/log.js";
import type { Postgres } from "../postgres/index.js";
import { messageOf } from "./errors.js";
import { selectSignaled } from "./store/signals.js";

const look_ms = 1_000;

interface Waiter {
  readonly organization: OrganizationId;
  readonly run: string;
  readonly wake: () => void;
}

/**
 * Wakes runs that wait for a signal: at once for signals sent in this process, within a second for others', by one query
 * for all who wait here.
 */
export class SignalNudges {
  readonly #postgres: Postgres;
  readonly #log: Log;
  readonly #waiters = new Map<string, Set<Waiter>>();
  #looking: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(postgres: Postgres, log: Log) {
    this.#postgres = postgres;
    this.#log = log;
  }

  /** Resolves on a nudge, or after so long. */
  wait(organization: OrganizationId, run: string, wait_ms: number): Promise<void> {
    return new Promise((resolve) => {
      const key = keyOf(organization, run);
      const waiters = this.#waiters.get(key) ?? new Set();
      const wake = () => {
        clearTimeout(timer);
        waiters.delete(waiter);
        if (waiters.size === 0) this.#waiters.delete(key);
        resolve();
      };
      const timer = setTimeout(wake, wait_ms);
      const waiter: Waiter = { organization, run, wake };
      waiters.add(waiter);
      this.#waiters.set(key, waiters);
      this.#lookLater();
    });
  }

  nudge(organization: string, run: string): void {
    for (const { wake } of this.#waiters.get(keyOf(organization, run)) ?? []) wake();
  }

  /** When the caller's transaction has had time to commit; should it not, the next look finds it. */
  nudgeSoon(organization: string, run: string): void {
    setTimeout(() => this.nudge(organization, run), 50).unref();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#looking);
  }

  #lookLater(): void {
    if (this.#looking !== undefined || this.#stopped) return;
    this.#looking = setTimeout(() => {
      this.#look()
        .catch((error: unknown) => this.#log.debug("looking for signals failed", { error: messageOf(error) }))
        .finally(() => {
          this.#looking = undefined;
          if (this.#waiters.size > 0) this.#lookLater();
        });
    }, look_ms);
    this.#looking.unref();
  }

  async #look(): Promise<void> {
    const waiting = [...this.#waiters.values()].flatMap((waiters) => [...waiters]);
    if (waiting.length === 0) return;
    const signaled = await this.#postgres.asSystem((sql) => selectSignaled(sql, waiting));
    for (const { organization, run } of signaled) this.nudge(organization, run);
  }
}

function keyOf(organization: string, run: string): string {
  return `${organization}/${run}`;
}
