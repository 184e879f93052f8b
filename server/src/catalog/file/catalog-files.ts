import { findEarlierAnswer, runOnce } from "../../audit/index.js";
import type { Postgres } from "../../engines/postgres/index.js";
import type { Caller } from "../../identity/index.js";
import type { Clock, Clocks } from "../../kernel/clock.js";
import type { OrganizationId } from "../../kernel/ids.js";
import { formatInstant, type Instant } from "../../kernel/instant.js";
import type { JsonValue } from "../../kernel/json.js";
import { makeProblem, Refusal } from "../../kernel/problem.js";
import { CatalogFaults, type CatalogChange, type DeclaredMeter, type FoundMeter } from "../core/index.js";
import { findMeters } from "../find-references.js";
import { lockCatalog } from "../store/catalog-lock.js";
import { inOrder, readCatalogFile, type CatalogFile, type FileFault, type ReadFile } from "./catalog-file.js";
import type { CatalogMeters } from "./catalog-meters.js";
import { exportCatalog } from "./export-catalog.js";
import { planFile } from "./plan-file.js";
import { planMeters, type PlannedMeters } from "./plan-meters.js";
import type { CatalogSection } from "./section.js";

export interface ApplyOptions {
  /** Says what would change, and changes nothing. */
  readonly dryRun?: boolean;
  /** From when new plan versions are in force that name no instant themselves; now when left out. */
  readonly effectiveFrom?: Instant;
}

export interface CatalogReport {
  readonly dryRun: boolean;
  /** Everything in the file, in its order; what does not change has the action "none". */
  readonly changes: readonly CatalogChange[];
}

export interface CatalogFilesDependencies {
  readonly postgres: Postgres;
  readonly clock: Clock;
  readonly clocks: Clocks;
  readonly meters: CatalogMeters;
  /** What other domains add to the file. */
  readonly sections: readonly CatalogSection[];
}

export const file_bytes_max = 1024 * 1024;
const faults_shown_max = 500;

/** Catalog files: the whole catalog in one YAML text, applied all or nothing. */
export class CatalogFiles {
  readonly #on: CatalogFilesDependencies;

  constructor(dependencies: CatalogFilesDependencies) {
    this.#on = dependencies;
  }

  /**
   * Makes what a file describes and is not there, gives plans and add-ons that differ a new version, changes products,
   * archives coupons that say so. What the file does not name stays. Applied again, it changes nothing.
   *
   * Everything is checked before anything is written, and written in one transaction; only the meters that are missing
   * are made before it, in transactions of their own.
   * @throws Refusal 400 with every fault's path, line and column; 413 over 1 MiB
   */
  async apply(
    caller: Caller,
    text: string,
    options: ApplyOptions = {},
    idempotencyKey?: string,
  ): Promise<CatalogReport> {
    const { organization } = caller;
    const { postgres } = this.#on;
    const dryRun = options.dryRun === true;
    const effectiveFrom = options.effectiveFrom;
    const input = {
      text,
      ...(effectiveFrom === undefined ? {} : { effectiveFrom: formatInstant(effectiveFrom) }),
    };
    const request = {
      organization,
      idempotencyKey: dryRun ? undefined : idempotencyKey,
      action: "catalog.apply",
      input,
    };
    const earlier = await postgres.inOrganization(organization, (sql) => findEarlierAnswer(sql, request));
    if (earlier !== undefined) return { dryRun: false, changes: earlier as unknown as CatalogChange[] };

    const read = readFile(text, this.#on.sections);
    const meters = await this.#planMeters(organization, read);
    const found = await this.#metersOf(organization, read.file, meters.declared);
    const planned = await postgres.inOrganization(organization, (sql) =>
      planFile(sql, {
        organization,
        file: read.file,
        meters: found,
        effectiveFrom,
        ...this.#times(organization),
      }),
    );
    refuseFile(inOrder([...read.faults, ...read.locate([...meters.faults, ...planned.faults])]));
    if (dryRun)
      return { dryRun, changes: [...meters.changes, ...planned.changes.map(({ change }) => change)] };

    await this.#createMeters(caller, meters.toCreate);
    if (meters.toCreate.length > 0)
      refuseFile(read.locate((await this.#planMeters(organization, read)).faults), meters.toCreate);
    const finalMeters = await this.#metersOf(organization, read.file, new Map());
    const changes = await postgres.inOrganization(organization, (sql) =>
      runOnce(sql, request, async () => {
        await lockCatalog(sql, organization);
        // Anew under the lock: another file may have been applied in between.
        const final = await planFile(sql, {
          organization,
          file: read.file,
          meters: finalMeters,
          effectiveFrom,
          ...this.#times(organization),
        });
        refuseFile(read.locate(final.faults), meters.toCreate);
        for (const { write } of final.changes) await write?.(sql, caller);
        const done = [...meters.changes, ...final.changes.map(({ change }) => change)];
        return done as unknown as JsonValue;
      }),
    );
    return { dryRun, changes: changes as unknown as CatalogChange[] };
  }

  /** The catalog as a file that, applied, changes nothing. */
  async export(organization: OrganizationId): Promise<string> {
    const meters = await this.#on.meters.list(organization);
    return this.#on.postgres.inOrganization(organization, (sql) =>
      exportCatalog(sql, organization, meters, this.#on.sections, this.#times(organization).now),
    );
  }

  #times(organization: OrganizationId): { now: Instant; at: Instant } {
    return { now: this.#on.clocks.of(organization).now(), at: this.#on.clock.now() };
  }

  async #planMeters(
    organization: OrganizationId,
    { file }: ReadFile,
  ): Promise<PlannedMeters & { faults: CatalogFaults["found"] }> {
    const faults = new CatalogFaults();
    const stored = file.meters.length === 0 ? [] : await this.#on.meters.list(organization);
    return { ...planMeters(file.meters, stored, this.#on.clock.now(), faults), faults: faults.found };
  }

  async #metersOf(
    organization: OrganizationId,
    { plans, addOns }: CatalogFile,
    declared: ReadonlyMap<string, FoundMeter>,
  ): Promise<ReadonlyMap<string, FoundMeter>> {
    const prices = [...plans, ...addOns].flatMap(({ definition }) => definition.prices);
    return new Map([...(await findMeters(this.#on.meters, organization, prices)), ...declared]);
  }

  /** @throws Refusal of the usage domain, saying what was made before it */
  async #createMeters(caller: Caller, meters: readonly DeclaredMeter[]): Promise<void> {
    const created: string[] = [];
    for (const meter of meters) {
      try {
        await this.#on.meters.create(caller, meter);
        created.push(meter.slug);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        // Somebody made it in between: whether it is the same shows when the file is planned again.
        if (error.slug === "meter-exists") continue;
        const { detail, ...problem } = error.problem;
        throw new Refusal({ ...problem, detail: `${detail} ${saidDone(created)}` });
      }
    }
  }
}

/** @throws Refusal 413 over the limit */
function readFile(text: string, sections: readonly CatalogSection[]): ReadFile {
  if (Buffer.byteLength(text) > file_bytes_max) {
    const detail = `A catalog file has at most ${file_bytes_max} bytes. Apply it in parts: what a file does not name stays.`;
    throw new Refusal(makeProblem("catalog-too-large", 413, "The catalog file is too large", detail));
  }
  return readCatalogFile(text, sections);
}

function refuseFile(faults: readonly FileFault[], created: readonly DeclaredMeter[] = []): void {
  const [first] = faults;
  if (first === undefined) return;
  const place = first.path === "" ? "" : ` ${first.path}`;
  const count = faults.length === 1 ? "one fault" : `${faults.length} faults`;
  const done = saidDone(created.map((meter) => meter.slug));
  const detail = `${count}; the first: line ${first.line}, column ${first.column}${place}: ${first.message}. ${done}`;
  const errors = faults.slice(0, faults_shown_max);
  throw new Refusal(
    makeProblem("invalid-catalog", 400, "The catalog file is not valid", detail, {
      errors,
      count: faults.length,
    }),
  );
}

function saidDone(meters: readonly string[]): string {
  if (meters.length === 0) return "Nothing was applied.";
  return `Meters were made before: ${meters.join(", ")}. Nothing else was applied; applying the file again goes on from there.`;
}
