import type { Sql } from "../engines/postgres/index.js";
import type { Clocks } from "../kernel/clock.js";
import type { CustomerId, OrganizationId } from "../kernel/ids.js";
import { formatInstant, type Instant } from "../kernel/instant.js";
import type { Wakes } from "../time/index.js";
import { balance_look_kind, usage_look_kind } from "./kinds.js";
import { isAnyWatched, readWatches } from "./store/balance-watches.js";

export interface LookWakesDependencies {
  readonly wakes: Pick<Wakes, "wakeNoLater">;
  readonly clocks: Clocks;
  /** In microseconds of the organization's time: usage that arrives within it is looked at once, at its end. */
  readonly lookEvery: number;
}

/**
 * When balances are looked at: at once after what changes one, such as an invoice, and at the end of each quarter of an hour in
 * which usage arrived. When nothing happens nothing is looked at, so that a clock that is advanced passes over it.
 */
export class LookWakes {
  readonly #on: LookWakesDependencies;

  constructor(dependencies: LookWakesDependencies) {
    this.#on = dependencies;
  }

  /** In the transaction of what changes balances: those of these customers that are watched are looked at. */
  async changed(sql: Sql, organization: OrganizationId, customers: readonly CustomerId[]): Promise<void> {
    const watched = await readWatches(sql, customers);
    const at = this.#on.clocks.of(organization).now();
    await this.#on.wakes.wakeNoLater(
      sql,
      organization,
      balance_look_kind,
      watched.map(({ customer }) => ({ key: customer, at })),
    );
  }

  /** A balance is looked at by an instant. */
  async lookBy(sql: Sql, organization: OrganizationId, customer: CustomerId, at: Instant): Promise<void> {
    await this.#on.wakes.wakeNoLater(sql, organization, balance_look_kind, [{ key: customer, at }]);
  }

  /** All watched balances are looked at when the present window is over; nothing where none is. */
  async usageArrived(sql: Sql, organization: OrganizationId): Promise<void> {
    if (!(await isAnyWatched(sql))) return;
    const at = this.windowEnd(organization);
    // A key of its own for each window: a wake whose turn has come is not put off by usage that arrives meanwhile.
    await this.#on.wakes.wakeNoLater(sql, organization, usage_look_kind, [{ key: formatInstant(at), at }]);
  }

  /** Of the window that the organization's time is in. */
  windowEnd(organization: OrganizationId): Instant {
    const now = this.#on.clocks.of(organization).now();
    return ((Math.floor(now / this.#on.lookEvery) + 1) * this.#on.lookEvery) as Instant;
  }
}
