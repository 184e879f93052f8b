import type { OrganizationId } from "../../src/kernel/ids.js";

/** Which runs of each organization could go on, as far as this process started them or takes them up: without asking the database. */
export class BusyRuns {
  readonly #runs = new Map<OrganizationId, Set<string>>();
  readonly #idle = new Map<OrganizationId, (() => void)[]>();

  /** @param unfinished  runs that a life before left */
  constructor(unfinished: readonly { readonly organization: OrganizationId; readonly run: string }[]) {
    for (const { organization, run } of unfinished) this.#add(organization, run);
  }

  /** @returns whether it was not known to be busy */
  begin(organization: OrganizationId, run: string): boolean {
    return this.#add(organization, run);
  }

  end(organization: OrganizationId, run: string): void {
    const runs = this.#runs.get(organization);
    runs?.delete(run);
    if (runs === undefined || runs.size > 0) return;
    for (const resolve of this.#idle.get(organization)?.splice(0) ?? []) resolve();
  }

  isIdle(organization: OrganizationId): boolean {
    return (this.#runs.get(organization)?.size ?? 0) === 0;
  }

  async whenIdle(organization: OrganizationId): Promise<void> {
    if (this.isIdle(organization)) return;
    await new Promise<void>((resolve) => {
      const waiting = this.#idle.get(organization) ?? [];
      waiting.push(resolve);
      this.#idle.set(organization, waiting);
    });
  }

  list(organization: OrganizationId): readonly string[] {
    return [...(this.#runs.get(organization) ?? [])];
  }

  #add(organization: OrganizationId, run: string): boolean {
    const runs = this.#runs.get(organization) ?? new Set<string>();
    const isNew = !runs.has(run);
    runs.add(run);
    this.#runs.set(organization, runs);
    return isNew;
  }
}
