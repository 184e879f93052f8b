import { runOnce } from "../audit/index.js";
import type { Postgres } from "../engines/postgres/index.js";
import type { Caller } from "../identity/index.js";
import type { Clock, Clocks } from "../kernel/clock.js";
import type { Currency } from "../kernel/currency.js";
import type { MeterId, OrganizationId, PlanId, PlanVersionId, PriceId } from "../kernel/ids.js";
import { formatInstant, type Instant } from "../kernel/instant.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import type { Aggregation } from "../usage/core/index.js";
import { AddOns } from "./add-ons.js";
import {
  CatalogFaults,
  checkPlan,
  checkReferences,
  draftPlanVersion,
  type NewPlan,
  type Plan,
  type PlanDefinition,
  type PlanVersion,
  type Price,
  type References,
} from "./core/index.js";
import { Coupons } from "./coupons.js";
import { findMeters, findReferences, type MeterLookup } from "./find-references.js";
import { refuseFaults } from "./invalid-definition.js";
import type { Page } from "./page.js";
import { Products } from "./products.js";
import { lockCatalog } from "./store/catalog-lock.js";
import { listPlans, listPlanVersionIds, readPlanVersions } from "./store/plans.js";
import { readPrice } from "./store/prices.js";
import { createPlan, createVersion, lateVersion, mustReadPlan, readPlan, withCurrent } from "./write-plan.js";

export interface CatalogDependencies {
  readonly postgres: Postgres;
  readonly meters: MeterLookup;
  /** Real time, for what is recorded. */
  readonly clock: Clock;
  /** The organizations' own, for what is in force. */
  readonly clocks: Clocks;
}

/** What is sold: plans and their immutable versions, and beside them products, add-ons and coupons. Every change is audited. */
export class Catalog {
  readonly products: Products;
  readonly addOns: AddOns;
  readonly coupons: Coupons;
  readonly #on: CatalogDependencies;

  constructor(dependencies: CatalogDependencies) {
    this.#on = dependencies;
    this.products = new Products(dependencies);
    this.addOns = new AddOns(dependencies);
    this.coupons = new Coupons(dependencies);
  }

  /** Plans with the version in force now, oldest first. */
  async list(organization: OrganizationId, page: Page): Promise<Plan[]> {
    const now = this.#on.clocks.of(organization).now();
    return this.#on.postgres.inOrganization(organization, async (sql) =>
      withCurrent(sql, await listPlans(sql, page, now)),
    );
  }

  /** By id or key. */
  async find(organization: OrganizationId, idOrKey: string): Promise<Plan | undefined> {
    const now = this.#on.clocks.of(organization).now();
    return this.#on.postgres.inOrganization(organization, (sql) => readPlan(sql, idOrKey, now));
  }

  /** @throws Refusal 404 */
  async get(organization: OrganizationId, idOrKey: string): Promise<Plan> {
    const now = this.#on.clocks.of(organization).now();
    return this.#on.postgres.inOrganization(organization, (sql) => mustReadPlan(sql, idOrKey, now));
  }

  /** A plan's versions by number, after a version. */
  async versionsOf(
    organization: OrganizationId,
    plan: PlanId,
    page: Page = { limit: 1000 },
  ): Promise<PlanVersion[]> {
    return this.#on.postgres.inOrganization(organization, async (sql) =>
      readPlanVersions(sql, await listPlanVersionIds(sql, plan, page)),
    );
  }

  /** The versions of these ids, in no particular order; unknown ones are left out. */
  async findVersions(organization: OrganizationId, ids: readonly PlanVersionId[]): Promise<PlanVersion[]> {
    return this.#on.postgres.inOrganization(organization, (sql) => readPlanVersions(sql, ids));
  }

  /** How a meter aggregates; undefined when it is there no more. */
  async aggregationOf(organization: OrganizationId, meter: MeterId): Promise<Aggregation | undefined> {
    return (await this.#on.meters.findMeter(organization, meter))?.aggregation;
  }

  /** A price of any version of a plan or an add-on, and the currency that its own model is in. */
  async findPrice(
    organization: OrganizationId,
    id: PriceId,
  ): Promise<{ readonly price: Price; readonly currency: Currency } | undefined> {
    return this.#on.postgres.inOrganization(organization, (sql) => readPrice(sql, id));
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
   * The version of a plan that is in force at an instant: the latest that is effective by then, of equals the newest.
   * @throws Refusal 404 for an unknown plan, 409 when none is in force
   */
  async getVersionInForce(organization: OrganizationId, idOrKey: string, at: Instant): Promise<PlanVersion> {
    const plan = await this.#on.postgres.inOrganization(organization, (sql) =>
      mustReadPlan(sql, idOrKey, at),
    );
    if (plan.current !== undefined) return plan.current;
    const detail = `Plan "${plan.key}" has no version in force at ${formatInstant(at)}.`;
    throw new Refusal(makeProblem("plan-not-in-force", 409, "The plan is not sold then", detail));
  }

  /**
   * Creates a plan and its first version.
   * @throws Refusal 400 listing every fault by field; 409 when the key is taken
   */
  async createPlan(caller: Caller, input: NewPlan, idempotencyKey?: string): Promise<Plan> {
    const { organization } = caller;
    const faults = new CatalogFaults();
    faults.key("key", input.key);
    const references = await this.#check(organization, input, faults);
    return this.#on.postgres.inOrganization(organization, async (sql) => {
      const request = { organization, idempotencyKey, action: "plan.create", input };
      const id = await runOnce(sql, request, async () => {
        await lockCatalog(sql, organization);
        const { effectiveFrom = this.#on.clocks.of(organization).now() } = input;
        const plan = { ...input, effectiveFrom };
        return (await createPlan(sql, caller, plan, references, this.#on.clock.now())).plan;
      });
      return mustReadPlan(sql, id, this.#on.clocks.of(organization).now());
    });
  }

  /**
   * Adds a version to a plan, in force from `effectiveFrom` on. Versions before it, their prices, and the subscriptions
   * on them stay as they are.
   * @throws Refusal 404, or 400 listing every fault by field
   */
  async createVersion(
    caller: Caller,
    planIdOrKey: string,
    input: PlanDefinition,
    idempotencyKey?: string,
  ): Promise<PlanVersion> {
    const { organization } = caller;
    const references = await this.#check(organization, input, new CatalogFaults());
    return this.#on.postgres.inOrganization(organization, async (sql) => {
      const asked = { plan: planIdOrKey, ...input };
      const request = { organization, idempotencyKey, action: "plan.new_version", input: asked };
      const id = await runOnce(sql, request, async () => {
        await lockCatalog(sql, organization);
        const now = this.#on.clocks.of(organization).now();
        const plan = await mustReadPlan(sql, planIdOrKey, now);
        const { effectiveFrom = now } = input;
        const late = lateVersion(effectiveFrom, plan.current);
        refuseFaults("plan", late === undefined ? [] : [{ field: "effectiveFrom", message: late }]);
        const version = { ...input, effectiveFrom };
        const at = this.#on.clock.now();
        return (await createVersion(sql, caller, plan, version, references, plan.current, at)).id;
      });
      const [version] = await readPlanVersions(sql, [id]);
      if (version === undefined) throw new Error(`plan version ${id} vanished`);
      return version;
    });
  }

  /**
   * A version as it would be, checked like one that is to be sold and stored nowhere: for trying prices out.
   * @throws Refusal 404, or 400 listing every fault by field
   */
  async draftVersion(
    organization: OrganizationId,
    planIdOrKey: string,
    input: PlanDefinition,
  ): Promise<PlanVersion> {
    const plan = await this.get(organization, planIdOrKey);
    const references = await this.#check(organization, input, new CatalogFaults());
    const place = { plan: plan.id, planKey: plan.key, version: (plan.current?.version ?? 0) + 1 };
    return draftPlanVersion(input, references, place, this.#on.clock.now());
  }

  /** Checks a definition whole and finds what it names, so that a refusal lists everything at once. */
  async #check(
    organization: OrganizationId,
    input: PlanDefinition,
    faults: CatalogFaults,
  ): Promise<References> {
    checkPlan(input, faults);
    const meters = await findMeters(this.#on.meters, organization, input.prices);
    const references = await this.#on.postgres.inOrganization(organization, (sql) =>
      findReferences(sql, meters, input.prices),
    );
    checkReferences(input.prices, references, faults);
    refuseFaults("plan", faults.found);
    return references;
  }
}
