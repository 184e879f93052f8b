import { findEarlierAnswer, recordAudit, runOnce, type MutationRequest } from "../audit/index.js";
import type { Postgres, Sql } from "../engines/postgres/index.js";
import type { SignalStream } from "../engines/stream/index.js";
import type { Caller } from "../identity/index.js";
import type { Clock } from "../kernel/clock.js";
import type { Instant } from "../kernel/instant.js";
import { newId, type MeterId, type MeterVersionId, type OrganizationId } from "../kernel/ids.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import { findDefinitionFaults, isSlug, type MeterDefinition, type MeterVersion } from "./core/index.js";
import type { MeterRegistry } from "./meter-registry.js";
import {
  archiveMeter,
  insertMeter,
  insertMeterVersion,
  listMeterVersions,
  makeVersionCurrent,
  renameMeter,
  type LiveFrom,
  type StoredMeterVersion,
} from "./store/meters.js";

/** What a caller gives to create a meter. */
export interface NewMeter extends MeterDefinition {
  readonly slug: string;
  readonly name?: string;
  readonly description?: string;
}

/** What a change may touch; a change of definition makes a new version. */
export type MeterChange = Partial<Omit<NewMeter, "slug">>;

const meters_max = 1000;

export interface MetersDependencies {
  readonly postgres: Postgres;
  readonly registry: MeterRegistry;
  readonly stream: SignalStream;
  readonly clock: Clock;
  /** Tells the backfill worker that there is work. */
  readonly onNewVersion: () => void;
  readonly meterMisfits: MeterMisfits;
}

/**
 * Why those who price a meter could not any more if it were as given; each in a sentence. In the transaction that changes
 * it: catalog's knowledge.
 */
export type MeterMisfits = (
  sql: Sql,
  organization: OrganizationId,
  meter: Pick<MeterVersion, "meter" | "slug" | "aggregation"> & { readonly dimensions: readonly string[] },
) => Promise<readonly string[]>;

/** Meters: created, changed by new versions, archived. Every change is audited, and exact to the envelope. */
export class Meters {
  readonly #on: MetersDependencies;

  constructor(dependencies: MetersDependencies) {
    this.#on = dependencies;
  }

  /** The current version of every meter, oldest first; archived ones when asked. */
  async list(
    organization: OrganizationId,
    options: { archived?: boolean } = {},
  ): Promise<StoredMeterVersion[]> {
    const { versions } = await this.#on.registry.load(organization);
    return versions.filter(
      (version) => version.current && (options.archived === true || version.archivedAt === undefined),
    );
  }

  /** Every version of one meter, oldest first. */
  async versionsOf(organization: OrganizationId, meter: MeterId): Promise<StoredMeterVersion[]> {
    const { versions } = await this.#on.registry.load(organization);
    return versions.filter((version) => version.meter === meter);
  }

  /** The current version by meter id, version id or slug; a slug never finds an archived meter. */
  async find(organization: OrganizationId, idOrSlug: string): Promise<StoredMeterVersion | undefined> {
    const { versions } = await this.#on.registry.load(organization);
    return (
      versions.find((version) => version.id === idOrSlug) ??
      versions.find((version) => version.current && version.meter === idOrSlug) ??
      versions.find(
        (version) => version.current && version.archivedAt === undefined && version.slug === idOrSlug,
      )
    );
  }

  /** @throws Refusal 404 naming the meters there are */
  async get(organization: OrganizationId, idOrSlug: string): Promise<StoredMeterVersion> {
    const found = await this.find(organization, idOrSlug);
    if (found !== undefined) return found;
    const slugs = (await this.list(organization)).slice(0, 20).map((version) => version.slug);
    const known = slugs.length === 0 ? "There is no meter yet." : `There are: ${slugs.join(", ")}.`;
    throw new Refusal(
      makeProblem("meter-not-found", 404, "No such meter", `There is no meter "${idOrSlug}". ${known}`),
    );
  }

  /** Creates a meter. Events from this instant on are measured as they come in; earlier ones by a backfill. */
  async create(caller: Caller, input: NewMeter, idempotencyKey?: string): Promise<StoredMeterVersion> {
    checkDefinition(input, input.slug);
    const { organization } = caller;
    const request = { organization, idempotencyKey, action: "meter.create", input };
    const now = this.#on.clock.now();
    const version: MeterVersion = {
      ...definitionOf(input),
      id: newId("mtv", now),
      meter: newId("mtr", now),
      slug: input.slug,
      name: input.name ?? input.slug,
      description: input.description ?? "",
      version: 1,
      createdAt: now,
    };
    const created = await this.#change(request, async (sql, liveFrom) => {
      const existing = (await listMeterVersions(sql)).filter(
        (other) => other.current && other.archivedAt === undefined,
      );
      if (existing.some((other) => other.slug === input.slug)) {
        const detail = `The slug "${input.slug}" is taken. Choose another, change that meter, or archive it first.`;
        throw new Refusal(makeProblem("meter-exists", 409, "There is such a meter already", detail));
      }
      if (existing.length >= meters_max) {
        throw new Refusal(
          makeProblem(
            "too-many-meters",
            409,
            "Too many meters",
            `At most ${meters_max} meters at a time; archive some.`,
          ),
        );
      }
      await insertMeter(sql, organization, version, liveFrom);
      await recordAudit(sql, {
        organization,
        actor: caller,
        action: "meter.create",
        target: version.meter,
        before: undefined,
        after: describe(version),
        at: now,
      });
      return version.id;
    });
    this.#on.onNewVersion();
    return this.get(organization, created);
  }

  /**
   * Renames a meter, or gives it a new version when its definition changes.
   * @throws Refusal 400 for a definition that makes no sense, 404, 409 when a price could not be charged by it any more
   */
  async change(
    caller: Caller,
    idOrSlug: string,
    change: MeterChange,
    idempotencyKey?: string,
  ): Promise<StoredMeterVersion> {
    const { organization } = caller;
    const request = {
      organization,
      idempotencyKey,
      action: "meter.change",
      input: { meter: idOrSlug, ...change },
    };
    const earlier = await this.#earlier(request);
    if (earlier !== undefined) return earlier;
    const { meter } = await this.#current(organization, idOrSlug);
    const now = this.#on.clock.now();
    const changed = await this.#change(request, async (sql, liveFrom) => {
      // Read behind the gate: another change may have come in between.
      const before = mustBeCurrent(
        (await listMeterVersions(sql)).find((one) => one.meter === meter && one.current),
      );
      const after = changedBy(change, before, now);
      const redefined = after.id !== before.id;
      if (redefined) await this.#refuseMisfits(sql, organization, after);
      await renameMeter(sql, meter, after.name, after.description, now);
      if (redefined) {
        await insertMeterVersion(sql, organization, after, liveFrom);
        await makeVersionCurrent(sql, meter, after.id, now);
      }
      await recordAudit(sql, {
        organization,
        actor: caller,
        action: redefined ? "meter.new_version" : "meter.rename",
        target: meter,
        before: describe(before),
        after: describe(after),
        at: now,
      });
      return after.id;
    });
    this.#on.onNewVersion();
    return this.get(organization, changed);
  }

  /** Archives a meter: measured no more, its slug free again, its past usage kept. Archiving twice changes nothing. */
  async archive(caller: Caller, idOrSlug: string, idempotencyKey?: string): Promise<StoredMeterVersion> {
    const { organization } = caller;
    const request = { organization, idempotencyKey, action: "meter.archive", input: { meter: idOrSlug } };
    const earlier = await this.#earlier(request);
    if (earlier !== undefined) return earlier;
    const found = await this.get(organization, idOrSlug);
    if (found.archivedAt !== undefined) return found;
    const now = this.#on.clock.now();
    const archived = await this.#change(request, async (sql) => {
      if (!(await archiveMeter(sql, found.meter, now))) return found.id; // by another request, in between
      await recordAudit(sql, {
        organization,
        actor: caller,
        action: "meter.archive",
        target: found.meter,
        before: describe(found),
        after: { ...describe(found), archived: true },
        at: now,
      });
      return found.id;
    });
    return this.get(organization, archived);
  }

  /** @throws Refusal 409 when a price needs the meter to be as it was */
  async #refuseMisfits(sql: Sql, organization: OrganizationId, after: MeterVersion): Promise<void> {
    const { meter, slug, aggregation, groupBy } = after;
    const dimensions = groupBy.map(({ name }) => name);
    const misfits = await this.#on.meterMisfits(sql, organization, { meter, slug, aggregation, dimensions });
    if (misfits.length === 0) return;
    const detail = `Prices need meter "${slug}" as it is. ${misfits.slice(0, 5).join("; ")}. Create another meter, and a version of the plan that prices that.`;
    throw new Refusal(
      makeProblem("meter-is-priced", 409, "Prices need the meter as it is", detail, { misfits }),
    );
  }

  /** What the same request was answered before: the meter as it is now. */
  async #earlier(request: MutationRequest): Promise<StoredMeterVersion | undefined> {
    const { organization } = request;
    const version = await this.#on.postgres.inOrganization(organization, (sql) =>
      findEarlierAnswer<MeterVersionId>(sql, request),
    );
    return version === undefined ? undefined : this.get(organization, version);
  }

  async #current(organization: OrganizationId, idOrSlug: string): Promise<StoredMeterVersion> {
    return mustBeCurrent(await this.get(organization, idOrSlug));
  }

  /** One transaction behind the organization's gate; `liveFrom` is the next envelope's sequence. */
  async #change(
    request: MutationRequest,
    work: (sql: Sql, liveFrom: LiveFrom) => Promise<MeterVersionId>,
  ): Promise<MeterVersionId> {
    const { registry, stream, postgres } = this.#on;
    const { organization } = request;
    return registry.change(organization, () => {
      const liveFrom = { [stream.writer]: stream.nextSequence };
      return postgres.inOrganization(organization, (sql) => runOnce(sql, request, () => work(sql, liveFrom)));
    });
  }
}

/** @throws Refusal 409 */
function mustBeCurrent(version: StoredMeterVersion | undefined): StoredMeterVersion {
  if (version?.current === true && version.archivedAt === undefined) return version;
  const detail = "An archived meter or an old version does not change; name the meter's current version.";
  throw new Refusal(makeProblem("meter-not-current", 409, "Not the current version", detail));
}

/**
 * A meter after a change: a new version when what it measures changed.
 * @throws Refusal 400 for a definition that makes no sense
 */
function changedBy(change: MeterChange, before: StoredMeterVersion, now: Instant): MeterVersion {
  const { valueProperty, ...rest } = { ...definitionOf(before), ...change };
  const definition = definitionOf({
    ...rest,
    ...(valueProperty === undefined || rest.aggregation === "COUNT" ? {} : { valueProperty }),
  });
  checkDefinition(definition, before.slug);
  const redefined = JSON.stringify(definition) !== JSON.stringify(definitionOf(before));
  return {
    ...before,
    ...definition,
    name: change.name ?? before.name,
    description: change.description ?? before.description,
    ...(redefined ? { id: newId("mtv", now), version: before.version + 1, createdAt: now } : {}),
  };
}

function definitionOf(from: MeterDefinition): MeterDefinition {
  const { eventType, aggregation, valueProperty, groupBy, filters } = from;
  return {
    eventType,
    aggregation,
    ...(valueProperty === undefined ? {} : { valueProperty }),
    groupBy,
    filters,
  };
}

function describe(version: MeterVersion) {
  const { slug, name, description } = version;
  return {
    slug,
    name,
    description,
    version: version.version,
    versionId: version.id,
    ...definitionOf(version),
  };
}

function checkDefinition(definition: MeterDefinition, slug: string): void {
  const faults = findDefinitionFaults(definition);
  if (!isSlug(slug)) {
    faults.unshift({
      field: "slug",
      message: 'lower case letters and digits joined by "_" or "-", at most 64 characters',
    });
  }
  if (faults.length === 0) return;
  const detail = faults.map((fault) => `${fault.field}: ${fault.message}`).join("; ");
  throw new Refusal(
    makeProblem("invalid-meter", 400, "The meter's definition is not valid", detail, { errors: faults }),
  );
}
