export { Catalog, type CatalogDependencies, type MeterLookup, type NewPlan } from "./catalog.js";
export type {
  AddOn,
  AddOnVersion,
  BillingInterval,
  Coupon,
  Plan,
  PlanDefinition,
  PlanVersion,
  Price,
  PriceDefinition,
  Product,
} from "./core/index.js";
