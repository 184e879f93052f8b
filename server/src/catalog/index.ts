export { Catalog, type CatalogDependencies, type MeterLookup, type NewPlan } from "./catalog.js";
export type {
  BillingInterval,
  Plan,
  PlanDefinition,
  PlanVersion,
  Price,
  PriceDefinition,
} from "./core/index.js";
