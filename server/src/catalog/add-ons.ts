import { runOnce } from "../audit/index.js";
import type { Postgres } from "../engines/postgres/index.js";
import type { Caller } from "../identity/index.js";
import type { Clock } from "../kernel/clock.js";
import type { AddOnId, AddOnVersionId, OrganizationId } from "../kernel/ids.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import type { Page } from "./page.js";
import {
  CatalogFaults,
  checkAddOn,
  checkReferences,
  type AddOn,
  type AddOnDefinition,
  type AddOnVersion,
  type NewAddOn,
  type References,
} from "./core/index.js";
import { findMeters, findReferences, type MeterLookup } from "./find-references.js";
import { refuseFaults } from "./invalid-definition.js";
import { listAddOns, listAddOnVersionIds, readAddOnVersions } from "./store/add-ons.js";
import { lockCatalog } from "./store/catalog-lock.js";
import { createAddOn, createAddOnVersion, mustReadAddOn, readAddOn, withLatest } from "./write-add-on.js";

/** Add-ons and their immutable versions, of which the newest is sold. Every change is audited. */
export class AddOns {
  readonly #on: { readonly postgres: Postgres; readonly meters: MeterLookup; readonly clock: Clock };

  constructor(dependencies: {
    readonly postgres: Postgres;
    readonly meters: MeterLookup;
    readonly clock: Clock;
  }) {
    this.#on = dependencies;
  }

  /** With the version that is sold, oldest first. */
  async list(organization: OrganizationId, page: Page): Promise<AddOn[]> {
    return this.#on.postgres.inOrganization(organization, async (sql) =>
      withLatest(sql, await listAddOns(sql, page)),
    );
  }

  /** By id or key. */
  async find(organization: OrganizationId, idOrKey: string): Promise<AddOn | undefined> {
    return this.#on.postgres.inOrganization(organization, (sql) => readAddOn(sql, idOrKey));
  }

  /** @throws Refusal 404 */
  async get(organization: OrganizationId, idOrKey: string): Promise<AddOn> {
    return this.#on.postgres.inOrganization(organization, (sql) => mustReadAddOn(sql, idOrKey));
  }

  /** An add-on's versions by number, after a version. */
  async versionsOf(organization: OrganizationId, addOn: AddOnId, page: Page): Promise<AddOnVersion[]> {
    return this.#on.postgres.inOrganization(organization, async (sql) =>
      readAddOnVersions(sql, await listAddOnVersionIds(sql, addOn, page)),
    );
  }

  /** The versions of these ids, in no particular order; unknown ones are left out. */
  async findVersions(organization: OrganizationId, ids: readonly AddOnVersionId[]): Promise<AddOnVersion[]> {
    return this.#on.postgres.inOrganization(organization, (sql) => readAddOnVersions(sql, ids));
  }

  /** @throws Refusal 404 */
  async getVersion(organization: OrganizationId, id: AddOnVersionId): Promise<AddOnVersion> {
    const [version] = await this.findVersions(organization, [id]);
    if (version !== undefined) return version;
    const detail = `There is no add-on version "${id}".`;
    throw new Refusal(makeProblem("add-on-version-not-found", 404, "No such add-on version", detail));
  }

  /**
   * Creates an add-on and its first version.
   * @throws Refusal 400 listing every fault by field; 409 when the key is taken
   */
  async create(caller: Caller, input: NewAddOn, idempotencyKey?: string): Promise<AddOn> {
    const { organization } = caller;
    const faults = new CatalogFaults();
    faults.key("key", input.key);
    const references = await this.#check(organization, input, faults);
    return this.#on.postgres.inOrganization(organization, async (sql) => {
      const request = { organization, idempotencyKey, action: "add_on.create", input };
      const id = await runOnce(sql, request, async () => {
        await lockCatalog(sql, organization);
        return (await createAddOn(sql, caller, input, references, this.#on.clock.now())).addOn;
      });
      return mustReadAddOn(sql, id);
    });
  }

  /**
   * Adds a version, which is sold from now on; subscriptions keep theirs.
   * @throws Refusal 404, or 400 listing every fault by field
   */
  async createVersion(
    caller: Caller,
    idOrKey: string,
    input: AddOnDefinition,
    idempotencyKey?: string,
  ): Promise<AddOnVersion> {
    const { organization } = caller;
    const references = await this.#check(organization, input, new CatalogFaults());
    return this.#on.postgres.inOrganization(organization, async (sql) => {
      const asked = { addOn: idOrKey, ...input };
      const request = { organization, idempotencyKey, action: "add_on.new_version", input: asked };
      const id = await runOnce(sql, request, async () => {
        await lockCatalog(sql, organization);
        const addOn = await mustReadAddOn(sql, idOrKey);
        return (await createAddOnVersion(sql, caller, addOn, input, references, this.#on.clock.now())).id;
      });
      const [version] = await readAddOnVersions(sql, [id]);
      if (version === undefined) throw new Error(`add-on version ${id} vanished`);
      return version;
    });
  }

  async #check(
    organization: OrganizationId,
    input: AddOnDefinition,
    faults: CatalogFaults,
  ): Promise<References> {
    checkAddOn(input, faults);
    const meters = await findMeters(this.#on.meters, organization, input.prices);
    const references = await this.#on.postgres.inOrganization(organization, (sql) =>
      findReferences(sql, meters, input.prices),
    );
    checkReferences(input.prices, references, faults);
    refuseFaults("add-on", faults.found);
    return references;
  }
}
