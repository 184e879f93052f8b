import { recordAudit, runOnce } from "../audit/index.js";
import type { Postgres } from "../engines/postgres/index.js";
import type { Caller } from "../identity/index.js";
import type { Clock } from "../kernel/clock.js";
import { parseCurrency } from "../kernel/currency.js";
import { newId, type MeterId, type OrganizationId, type PlanId, type PlanVersionId } from "../kernel/ids.js";
import { formatInstant, type Instant } from "../kernel/instant.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import {
  catalog_key_rule,
  findPlanFaults,
  isCatalogKey,
  type Plan,
  type PlanDefinition,
  type PlanFault,
  type PlanVersion,
  versionInForce,
} from "./core/index.js";
import { definitionJson, describeVersion } from "./describe-plan.js";
import { draftVersion, type DraftedVersion } from "./draft-version.js";
import { mustReadPlan, planExists, planNotFound, readPlan, withCurrent } from "./read-plan.js";
import {
  insertPlan,
  insertPlanVersion,
  listPlans,
  listPlanVersionIds,
  lockPlan,
  readPlanVersions,
  sellVersion,
} from "./store/plans.js";

/** What the catalog needs to know of meters; the usage domain provides it. */
export interface MeterLookup {
  /** By slug or meter id. */
  findMeter(
    organization: OrganizationId,
    idOrSlug: string,
  ): Promise<{ meter: MeterId; slug: string } | undefined>;
}

export interface NewPlan extends PlanDefinition {
  readonly key: string;
}

/** A page of a list: so many items after the one with this id. */
export interface Page {
  readonly after?: string;
  readonly limit: number;
}

export interface CatalogDependencies {
  readonly postgres: Postgres;
  readonly meters: MeterLookup;
  readonly clock: Clock;
}

/** Plans and their immutable versions. Every change is audited. */
export class Catalog {
  readonly #on: CatalogDependencies;

  constructor(dependencies: CatalogDependencies) {
    this.#on = dependencies;
  }

  /** Plans with the version that is sold now, oldest first. */
  async list(organization: OrganizationId, page: Page): Promise<Plan[]> {
    return this.#on.postgres.inOrganization(organization, async (sql) =>
      withCurrent(sql, await listPlans(sql, page)),
    );
  }

  /** By id or key. */
  async find(organization: OrganizationId, idOrKey: string): Promise<Plan | undefined> {
    return this.#on.postgres.inOrganization(organization, (sql) => readPlan(sql, idOrKey));
  }

  /** @throws Refusal 404 */
  async get(organization: OrganizationId, idOrKey: string): Promise<Plan> {
    const plan = await this.find(organization, idOrKey);
    if (plan === undefined) throw planNotFound(idOrKey);
    return plan;
  }

  /**
   * The version of a plan that is in force at an instant: the latest that is effective by then.
   * @throws Refusal 404 for an unknown plan, 409 when none is in force
   */
  async getVersionInForce(organization: OrganizationId, idOrKey: string, at: Instant): Promise<PlanVersion> {
    const plan = await this.get(organization, idOrKey);
    const versions = await this.versionsOf(organization, plan.id);
    const found = versionInForce(versions, at);
    if (found !== undefined) return found;
    const detail = `Plan "${plan.key}" has no version in force at ${formatInstant(at)}.`;
    throw new Refusal(makeProblem("plan-not-in-force", 409, "The plan is not sold then", detail));
  }

  /** Every version of a plan, oldest first. */
  async versionsOf(organization: OrganizationId, plan: PlanId): Promise<PlanVersion[]> {
    return this.#on.postgres.inOrganization(organization, async (sql) =>
      readPlanVersions(sql, await listPlanVersionIds(sql, plan)),
    );
  }

  /** The versions of these ids, in no particular order; unknown ones are left out. */
  async findVersions(organization: OrganizationId, ids: readonly PlanVersionId[]): Promise<PlanVersion[]> {
    return this.#on.postgres.inOrganization(organization, (sql) => readPlanVersions(sql, ids));
  }

  /** @throws Refusal 404 */
  async getVersion(organization: OrganizationId, id: PlanVersionId): Promise<PlanVersion> {
    const [version] = await this.findVersions(organization, [id]);
    if (version !== undefined) return version;
    throw new Refusal(
      makeProblem("plan-version-not-found", 404, "No such plan version", `There is no plan version "${id}".`),
    );
  }

  /**
   * Creates a plan and its first version.
   * @throws Refusal 400 listing every fault by field; 409 when the key is taken
   */
  async createPlan(caller: Caller, input: NewPlan, idempotencyKey?: string): Promise<Plan> {
    const { organization } = caller;
    const keyFaults = isCatalogKey(input.key) ? [] : [{ field: "key", message: catalog_key_rule }];
    const drafted = await this.#draft(organization, input, keyFaults);
    return this.#on.postgres.inOrganization(organization, async (sql) => {
      const request = { organization, idempotencyKey, action: "plan.create", input: definitionJson(input) };
      const id = await runOnce(sql, request, async () => {
        const at = this.#on.clock.now();
        const plan = newId("plan", at);
        const version = draftVersion(drafted, { plan, planKey: input.key, version: 1 }, at);
        if (
          !(await insertPlan(sql, organization, {
            id: plan,
            key: input.key,
            currentVersion: version.id,
            createdAt: at,
          }))
        ) {
          throw planExists(input.key);
        }
        await insertPlanVersion(sql, organization, version);
        const after = describeVersion(version);
        await recordAudit(sql, {
          organization,
          actor: caller,
          action: "plan.create",
          target: plan,
          before: undefined,
          after,
          at,
        });
        return plan;
      });
      return mustReadPlan(sql, id);
    });
  }

  /**
   * Adds a version to a plan and sells it from now on. Versions before it, their prices, and the subscriptions on
   * them stay as they are.
   * @throws Refusal 404, or 400 listing every fault by field
   */
  async createVersion(
    caller: Caller,
    planIdOrKey: string,
    input: PlanDefinition,
    idempotencyKey?: string,
  ): Promise<PlanVersion> {
    const { organization } = caller;
    const drafted = await this.#draft(organization, input, []);
    const asked = { plan: planIdOrKey, ...definitionJson(input) };
    return this.#on.postgres.inOrganization(organization, async (sql) => {
      const request = { organization, idempotencyKey, action: "plan.new_version", input: asked };
      const id = await runOnce(sql, request, async () => {
        const found = await mustReadPlan(sql, planIdOrKey);
        await lockPlan(sql, found.id);
        const { current: before } = await mustReadPlan(sql, found.id);
        const at = this.#on.clock.now();
        const version = draftVersion(
          drafted,
          { plan: found.id, planKey: found.key, version: (before?.version ?? 0) + 1 },
          at,
        );
        await insertPlanVersion(sql, organization, version);
        await sellVersion(sql, found.id, version.id);
        await recordAudit(sql, {
          organization,
          actor: caller,
          action: "plan.new_version",
          target: found.id,
          before: before === undefined ? undefined : describeVersion(before),
          after: describeVersion(version),
          at,
        });
        return version.id;
      });
      const [version] = await readPlanVersions(sql, [id]);
      if (version === undefined) throw new Error(`plan version ${id} vanished`);
      return version;
    });
  }

  /** Checks a definition whole and finds its meters, so that a refusal lists everything at once. */
  async #draft(
    organization: OrganizationId,
    input: PlanDefinition,
    known: readonly PlanFault[],
  ): Promise<DraftedVersion> {
    const faults = [...known, ...findPlanFaults(input)];
    const meters = new Map<string, { meter: MeterId; slug: string }>();
    for (const [index, price] of input.prices.entries()) {
      const meter = meters.get(price.meter) ?? (await this.#on.meters.findMeter(organization, price.meter));
      if (meter === undefined) {
        faults.push({
          field: `prices[${index}].meter`,
          message: `there is no meter "${price.meter}"; create it first`,
        });
      } else meters.set(price.meter, meter);
    }
    const currency = parseCurrency(input.currency);
    if (faults.length > 0 || currency === undefined) {
      const detail = faults.map((fault) => `${fault.field}: ${fault.message}`).join("; ");
      throw new Refusal(
        makeProblem("invalid-plan", 400, "The plan is not valid", detail, { errors: faults }),
      );
    }
    return { input, currency, meters };
  }
}
