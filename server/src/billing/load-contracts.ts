import type { OrganizationId } from "../kernel/ids.js";
import type { CatalogPort } from "./catalog-port.js";
import type { Contract, Subscription } from "./core/index.js";

/** Subscriptions with all that they name: three questions to the catalog, however many there are. */
export async function loadContracts(
  catalog: CatalogPort,
  organization: OrganizationId,
  subscriptions: readonly Subscription[],
): Promise<Contract[]> {
  const distinct = <T>(ids: readonly T[]): T[] => [...new Set(ids)];
  const planIds = distinct(
    subscriptions.flatMap(({ schedule }) => schedule.map((phase) => phase.planVersion)),
  );
  const addOnIds = distinct(subscriptions.flatMap(({ addOns }) => addOns.map((addOn) => addOn.addOnVersion)));
  const couponIds = distinct(subscriptions.flatMap(({ coupons }) => coupons.map(({ coupon }) => coupon)));
  const [plans, addOns, coupons] = await Promise.all([
    planIds.length === 0 ? [] : catalog.versions(organization, planIds),
    addOnIds.length === 0 ? [] : catalog.addOnVersions(organization, addOnIds),
    couponIds.length === 0 ? [] : catalog.coupons(organization, couponIds),
  ]);
  const named = {
    planVersions: new Map(plans.map((version) => [version.id, version])),
    addOnVersions: new Map(addOns.map((version) => [version.id, version])),
    coupons: new Map(coupons.map((coupon) => [coupon.id, coupon])),
  };
  return subscriptions.map((subscription) => ({ subscription, ...named }));
}
