export type { PriceModel, PriceModelKind, Tier } from "./price-model.js";
export { rate, type Rated, type RatedTier } from "./rate.js";
export { findPriceModelFaults, type PriceModelFault } from "./price-model-fault.js";
export {
  priceModelFromJson,
  priceModelToJson,
  ratedTierFromJson,
  ratedTierToJson,
  type PriceModelJson,
  type RatedTierJson,
} from "./price-model-json.js";
