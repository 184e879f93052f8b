export { Catalog, type CatalogDependencies } from "./catalog.js";
export type { Page } from "./page.js";
export { CatalogFiles, type ApplyOptions, type CatalogReport } from "./file/index.js";
export type { CatalogMeters } from "./file/catalog-meters.js";
export type { CatalogSection, PlannedChange, PlanningContext } from "./file/section.js";
export type { MeterLookup } from "./find-references.js";
export { findMeterMisfits } from "./meter-misfits.js";
export { registerCatalogRoutes } from "./api/routes.js";
export type {
  AddOn,
  AddOnDefinition,
  AddOnVersion,
  BillingInterval,
  Coupon,
  NewAddOn,
  NewCoupon,
  NewPlan,
  NewProduct,
  Plan,
  PlanDefinition,
  PlanVersion,
  Price,
  PriceDefinition,
  Product,
} from "./core/index.js";
