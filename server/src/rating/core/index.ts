export { CodecFault } from "./codec.js";
export type { PriceModelFault } from "./fault.js";
export {
  findPriceModelFaults,
  parsePriceModel,
  priceModelFromJson,
  priceModelKinds,
  priceModelToJson,
  type AnyPriceModel,
  type PriceModel,
  type PriceModelJson,
  type PriceModelKind,
} from "./price-model.js";
export { isProgressive, rate, raterOf, usageOf } from "./rate.js";
export {
  ratedPartFromJson,
  ratedPartToJson,
  ratedTierFromJson,
  ratedTierToJson,
  type RatedPart,
  type RatedPartJson,
  type RatedTier,
  type RatedTierJson,
} from "./rated-part.js";
export type { Rated, Rater } from "./rater.js";
export type { Tier } from "./tier.js";
export type {
  CellUsage,
  EventUsage,
  LicensedChange,
  LicensedUsage,
  QuantityUsage,
  Usage,
  UsageCell,
  UsageKind,
  WindowUsage,
} from "./usage.js";
