import { dynamicPrice, type DynamicPrice } from "./dynamic-price.js";
import { flatPrice, type FlatPrice } from "./flat-price.js";
import { graduatedPercentagePrice, type GraduatedPercentagePrice } from "./graduated-percentage-price.js";
import { oneOf } from "./one-of.js";
import { packagePrice, type PackagePrice } from "./package-price.js";
import { perUnitPrice, type PerUnitPrice } from "./per-unit-price.js";
import { graduatedPrice, volumePrice, type GraduatedPrice, type VolumePrice } from "./tiered-price.js";

/** Models that price one quantity and stand for themselves; others wrap them. */
export type BasicPriceModel =
  | FlatPrice
  | PerUnitPrice
  | PackagePrice
  | GraduatedPrice
  | VolumePrice
  | GraduatedPercentagePrice
  | DynamicPrice;

export const basicDefinitions = {
  flat: flatPrice,
  per_unit: perUnitPrice,
  package: packagePrice,
  graduated: graduatedPrice,
  volume: volumePrice,
  graduated_percentage: graduatedPercentagePrice,
  dynamic: dynamicPrice,
} as const;

export const basicPrice = oneOf<BasicPriceModel>(basicDefinitions);
