import type { AddOnVersion, Catalog, Coupon, PlanVersion } from "../catalog/index.js";
import {
  parseId,
  type AddOnVersionId,
  type CouponId,
  type OrganizationId,
  type PlanVersionId,
} from "../kernel/ids.js";
import type { Instant } from "../kernel/instant.js";
import { makeProblem, Refusal } from "../kernel/problem.js";

/** What subscriptions are made of: plans, add-ons and coupons as they are sold. Opens transactions of its own. */
export interface CatalogPort {
  /**
   * A version by its id, or the version of a plan (id or key) that is in force at an instant.
   * @throws Refusal 404 for an unknown one, 409 when none is in force
   */
  versionAt(organization: OrganizationId, plan: string, at: Instant): Promise<PlanVersion>;
  /** The versions of these ids, in no particular order; unknown ones are left out. */
  versions(organization: OrganizationId, ids: readonly PlanVersionId[]): Promise<readonly PlanVersion[]>;
  /** An add-on's version that is sold now, by the add-on's id or key. @throws Refusal 404 */
  addOn(organization: OrganizationId, idOrKey: string): Promise<AddOnVersion>;
  addOnVersions(
    organization: OrganizationId,
    ids: readonly AddOnVersionId[],
  ): Promise<readonly AddOnVersion[]>;
  /** @throws Refusal 404 */
  coupon(organization: OrganizationId, idOrKey: string): Promise<Coupon>;
  coupons(organization: OrganizationId, ids: readonly CouponId[]): Promise<readonly Coupon[]>;
}

/** The catalog domain as subscriptions read it. */
export function catalogPortOf(catalog: Catalog): CatalogPort {
  return {
    async versionAt(organization, plan, _at) {
      const version = parseId("plv", plan);
      if (version !== undefined) return catalog.getVersion(organization, version);
      const found = await catalog.get(organization, plan);
      if (found.current !== undefined) return found.current;
      throw new Refusal(
        makeProblem("plan-not-in-force", 409, "The plan is not sold then", `Plan "${plan}".`),
      );
    },
    versions: (organization, ids) => catalog.findVersions(organization, ids),
    addOn: (_organization, idOrKey) =>
      Promise.reject(
        new Refusal(
          makeProblem("add-on-not-found", 404, "No such add-on", `There is no add-on "${idOrKey}".`),
        ),
      ),
    addOnVersions: () => Promise.resolve([]),
    coupon: (_organization, idOrKey) =>
      Promise.reject(
        new Refusal(
          makeProblem("coupon-not-found", 404, "No such coupon", `There is no coupon "${idOrKey}".`),
        ),
      ),
    coupons: () => Promise.resolve([]),
  };
}
