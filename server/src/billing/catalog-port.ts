import type { AddOnVersion, Catalog, Coupon, PlanVersion } from "../catalog/index.js";
import {
  parseId,
  type AddOnVersionId,
  type CouponId,
  type MeterId,
  type OrganizationId,
  type PlanVersionId,
} from "../kernel/ids.js";
import type { Instant } from "../kernel/instant.js";
import type { Aggregation } from "../usage/core/index.js";

/** What subscriptions are made of: plans, add-ons and coupons as they are sold. Opens transactions of its own. */
export interface CatalogPort {
  /**
   * A version by its id, or the version of a plan (id or key) that is in force at an instant; that of now when the plan
   * was not sold yet then.
   * @throws Refusal 404 for an unknown one, 409 when none is in force
   */
  versionAt(organization: OrganizationId, plan: string, at: Instant): Promise<PlanVersion>;
  /** How a price's meter aggregates; undefined when it is there no more. */
  aggregationOf(organization: OrganizationId, meter: MeterId): Promise<Aggregation | undefined>;
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
    async versionAt(organization, plan, at) {
      const version = parseId("plv", plan);
      if (version !== undefined) return catalog.getVersion(organization, version);
      try {
        return await catalog.getVersionInForce(organization, plan, at);
      } catch (refusal) {
        // Subscriptions that began before their plan was written down here are on the version that is sold now.
        const { current } = await catalog.get(organization, plan);
        if (current !== undefined && current.effectiveFrom > at) return current;
        throw refusal;
      }
    },
    aggregationOf: (organization, meter) => catalog.aggregationOf(organization, meter),
    versions: (organization, ids) => catalog.findVersions(organization, ids),
    addOn: async (organization, idOrKey) => (await catalog.addOns.get(organization, idOrKey)).current,
    addOnVersions: (organization, ids) => catalog.addOns.findVersions(organization, ids),
    coupon: (organization, idOrKey) => catalog.coupons.get(organization, idOrKey),
    coupons: (organization, ids) => catalog.coupons.findAll(organization, ids),
  };
}
