export type { AddOn, AddOnVersion } from "./add-on.js";
export { checkAddOn, type AddOnDefinition, type NewAddOn } from "./add-on-definition.js";
export { billingIntervals, nestsIn, smallestInterval, type BillingInterval } from "./billing-interval.js";
export { catalog_key_rule, isCatalogKey } from "./catalog-key.js";
export {
  describeDifferences,
  findDifferences,
  type CatalogChange,
  type Difference,
} from "./catalog-change.js";
export type { Coupon, CouponDuration, CouponOff, CouponScope } from "./coupon.js";
export { checkCoupon, type NewCoupon } from "./coupon-definition.js";
export { CatalogFaults, joinPath, type CatalogFault } from "./fault.js";
export * from "./notation/index.js";
export {
  versionInForce,
  type AmountPerCurrency,
  type Commitment,
  type Phase,
  type PhaseLength,
  type Plan,
  type PlanVersion,
} from "./plan.js";
export { checkPlan, findPlanFaults, type NewPlan, type PlanDefinition } from "./plan-definition.js";
export { draftAddOnVersion, draftPlanVersion } from "./draft-version.js";
export { checkMeter, checkReferences, type FoundMeter, type References } from "./references.js";
export {
  modelIn,
  standard_tax_category,
  type ChargeKind,
  type DimensionFilter,
  type Price,
  type PricedMeter,
  type PricedProduct,
  type Timing,
} from "./price.js";
export { checkOverride, chargeOf, findFitFaults, type PriceDefinition } from "./price-definition.js";
export type { Product } from "./product.js";
export {
  checkProduct,
  checkProductChange,
  type NewProduct,
  type ProductChange,
} from "./product-definition.js";
