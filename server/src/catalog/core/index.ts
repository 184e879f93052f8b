export type { AddOn, AddOnVersion } from "./add-on.js";
export { billingIntervals, nestsIn, smallestInterval, type BillingInterval } from "./billing-interval.js";
export type { Coupon, CouponDuration, CouponOff, CouponScope } from "./coupon.js";
export {
  versionInForce,
  type AmountPerCurrency,
  type Commitment,
  type Phase,
  type PhaseLength,
  type Plan,
  type PlanVersion,
} from "./plan.js";
export {
  catalog_key_rule,
  findPlanFaults,
  isCatalogKey,
  type PlanDefinition,
  type PlanFault,
  type PriceDefinition,
} from "./plan-definition.js";
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
export type { Product } from "./product.js";
