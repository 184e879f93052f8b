export type { BillingInterval, Plan, PlanVersion, Price } from "./plan.js";
export {
  catalog_key_rule,
  findPlanFaults,
  isCatalogKey,
  type PlanDefinition,
  type PlanFault,
  type PriceDefinition,
} from "./plan-definition.js";
