import { AsyncLocalStorage } from "node:async_hooks";
import type { OrganizationId } from "../../src/kernel/ids.js";
import { halted, type Life } from "./life.js";

const work = new AsyncLocalStorage<string>();

/** Names what is being done, for whoever reads where a process died. */
export function doing<T>(name: string, task: () => T): T {
  return work.run(name, task);
}

/**
 * The awaits of one organization's work at which its process can die, counted as they are come to: before and after each
 * transaction and its commit, each step's record, each start of a run, each request to the provider and its reply.
 */
export class Boundaries {
  /** How many were passed. */
  count = 0;
  /** Where the process died: the boundary each time, and its name. */
  readonly deaths: { readonly boundary: number; readonly place: string }[] = [];
  readonly #crashes: number[];
  readonly #places: Map<string, number> | undefined;
  #isCounting = false;

  /** @param crashes  at which the process dies, ascending @param places  counts each by name, when given */
  constructor(crashes: readonly number[], places?: Map<string, number>) {
    this.#crashes = [...crashes].sort((one, other) => one - other);
    this.#places = places;
  }

  /** From here on, and until `stop`, boundaries count. */
  start(): void {
    this.#isCounting = true;
  }

  stop(): void {
    this.#isCounting = false;
  }

  /** Nothing, or what never ends when the process dies here. */
  pass(life: Life, place: string): Promise<never> | undefined {
    if (life.isOver) return halted();
    if (!this.#isCounting) return undefined;
    this.count += 1;
    if (this.#places === undefined && this.count !== this.#crashes[0]) return undefined;
    const name = `${work.getStore() ?? "outside of runs"}: ${place}`;
    this.#places?.set(name, (this.#places.get(name) ?? 0) + 1);
    if (this.count !== this.#crashes[0]) return undefined;
    life.die(`boundary ${this.count}, ${name}`);
    return halted();
  }

  /** The process died, here or elsewhere: the crashes that lie behind are over. */
  died(place: string): void {
    if (!this.#isCounting) return;
    this.deaths.push({ boundary: this.count, place });
    while ((this.#crashes[0] ?? Infinity) <= this.count) this.#crashes.shift();
  }
}

/** The boundaries of each organization that is simulated. */
export type BoundariesOf = (organization: OrganizationId) => Boundaries | undefined;
