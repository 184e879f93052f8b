import type { Postgres } from "../engines/postgres/index.js";
import type { OrganizationId } from "../kernel/ids.js";
import { compileMeter, type CompiledMeter } from "./core/index.js";
import { listMeterVersions, type StoredMeterVersion } from "./store/meters.js";

/** The meters of one organization as the hot path needs them. */
export interface OrganizationMeters {
  readonly versions: readonly StoredMeterVersion[];
  /** Versions measured at write time, by event type. */
  readonly live: ReadonlyMap<string, readonly CompiledMeter[]>;
  /** Every version there ever was, by event type: what an amended event is measured by. */
  readonly all: ReadonlyMap<string, readonly CompiledMeter[]>;
}

const organizations_max = 10_000;

/**
 * Knows every organization's meters, from memory once loaded.
 *
 * A change of meters goes through `change`: it closes the organization's gate, so that no envelope of the
 * organization gets a sequence while the change commits; that makes `live_from` exact, and a backfill up to it
 * neither misses nor doubles an event. This process is the only writer of its sequence, so one gate suffices.
 * The work must be bounded by the money store's statement timeout: a gate that opens early would lose events.
 */
export class MeterRegistry {
  readonly #postgres: Postgres;
  readonly #loaded = new Map<OrganizationId, OrganizationMeters>();
  readonly #loading = new Map<OrganizationId, Promise<OrganizationMeters>>();
  readonly #gates = new Map<OrganizationId, Promise<void>>();

  constructor(postgres: Postgres) {
    this.#postgres = postgres;
  }

  /**
   * The meters, or undefined when they must be waited for with `load`: then ask again. Whoever appends takes them from
   * here and awaits nothing until the append: a gate may close between the answer of `load` and whoever waits for it.
   */
  get(organization: OrganizationId): OrganizationMeters | undefined {
    return this.#gates.has(organization) ? undefined : this.#loaded.get(organization);
  }

  /** Waits for the gate, then for the meters. */
  async load(organization: OrganizationId): Promise<OrganizationMeters> {
    for (;;) {
      const gate = this.#gates.get(organization);
      if (gate !== undefined) {
        await gate;
        continue;
      }
      const loaded = this.#loaded.get(organization);
      if (loaded !== undefined) return loaded;
      await (this.#loading.get(organization) ?? this.#read(organization));
    }
  }

  /** Runs a change of meters with the organization's gate closed; meters are read anew afterwards, come what may. */
  async change<T>(organization: OrganizationId, work: () => Promise<T>): Promise<T> {
    while (this.#gates.has(organization)) await this.#gates.get(organization);
    let open: () => void = () => undefined;
    this.#gates.set(organization, new Promise<void>((resolve) => (open = resolve)));
    try {
      return await work();
    } finally {
      this.forget(organization);
      this.#gates.delete(organization);
      open();
    }
  }

  /** Reads the organization's meters again at next use: after its backfill moved. */
  forget(organization: OrganizationId): void {
    this.#loaded.delete(organization);
    this.#loading.delete(organization);
  }

  #read(organization: OrganizationId): Promise<OrganizationMeters> {
    const reading = this.#postgres
      .inOrganization(organization, listMeterVersions)
      .then((versions) => {
        if (this.#loaded.size >= organizations_max) {
          const oldest = this.#loaded.keys().next();
          if (!oldest.done) this.#loaded.delete(oldest.value);
        }
        const meters = {
          versions,
          live: compileByType(versions.filter((version) => version.retiredAt === undefined)),
          all: compileByType(versions),
        };
        // A read that a change overtook is not kept.
        if (this.#loading.get(organization) === reading) this.#loaded.set(organization, meters);
        return meters;
      })
      .finally(() => {
        if (this.#loading.get(organization) === reading) this.#loading.delete(organization);
      });
    this.#loading.set(organization, reading);
    return reading;
  }
}

function compileByType(versions: readonly StoredMeterVersion[]): Map<string, CompiledMeter[]> {
  const byType = new Map<string, CompiledMeter[]>();
  for (const version of versions) {
    const meters = byType.get(version.eventType) ?? [];
    meters.push(compileMeter(version));
    byType.set(version.eventType, meters);
  }
  return byType;
}
