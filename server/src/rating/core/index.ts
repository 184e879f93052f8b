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
export { isProgressive, measureOf, rate, raterOf, ratesEachEvent, usageOf, type Measure } from "./rate.js";
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
export type { BasicPriceModel } from "./basic-price.js";
export type { ConversionRounding, ConvertedPrice } from "./converted-price.js";
export type { DynamicPrice } from "./dynamic-price.js";
export type { FlatPrice } from "./flat-price.js";
export type { GraduatedPercentagePrice, PercentageTier } from "./graduated-percentage-price.js";
export type { LicensedPrice } from "./licensed-price.js";
export type { MatrixCell, MatrixPrice } from "./matrix-price.js";
export type { PackagePrice } from "./package-price.js";
export type { PercentagePrice } from "./percentage-price.js";
export type { PerUnitPrice } from "./per-unit-price.js";
export type { Tier } from "./tier.js";
export type { GraduatedPrice, VolumePrice } from "./tiered-price.js";
export { noUsage, totalOfUsage } from "./usage.js";
export type { PriceWindow, WindowCommitment, WindowedPrice, WindowPriceModel } from "./windowed-price.js";
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
