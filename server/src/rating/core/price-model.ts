import { basicDefinitions, type BasicPriceModel } from "./basic-price.js";
import type { JsonOf } from "./codec.js";
import { convertedPrice, type ConvertedPrice } from "./converted-price.js";
import { Faults, type PriceModelFault } from "./fault.js";
import { licensedPrice, type LicensedPrice } from "./licensed-price.js";
import { matrixPrice, type MatrixPrice } from "./matrix-price.js";
import { oneOf } from "./one-of.js";
import { percentagePrice, type PercentagePrice } from "./percentage-price.js";
import { windowedPrice, type WindowedPrice } from "./windowed-price.js";

/**
 * How usage becomes an amount. Amounts are in major units of the currency (0.03 is three cents) and may be finer
 * than its smallest coin; only the line is rounded.
 *
 * `per` is how many metered units a `unitAmount` is for: 1000000 for a price per million tokens, 3600 for a price
 * per hour of a meter in seconds. Tier bounds are in metered units, whatever `per` is.
 */
export type AnyPriceModel =
  | BasicPriceModel
  | PercentagePrice
  | MatrixPrice
  | ConvertedPrice
  | WindowedPrice
  | LicensedPrice;

export type PriceModelKind = AnyPriceModel["kind"];

/** One model, or several, by kind; without naming any, those that plans hold so far. */
export type PriceModel<K extends PriceModelKind = "per_unit" | "graduated"> = Extract<
  AnyPriceModel,
  { kind: K }
>;

/** A price model as it is stored: decimals as text, what is undefined left out. */
export type PriceModelJson<K extends PriceModelKind = "per_unit" | "graduated"> = JsonOf<PriceModel<K>>;

const definitions = {
  ...basicDefinitions,
  percentage: percentagePrice,
  matrix: matrixPrice,
  converted: convertedPrice,
  windowed: windowedPrice,
  licensed: licensedPrice,
};

export const priceModelKinds = Object.keys(definitions) as readonly PriceModelKind[];

export const anyPrice = oneOf<AnyPriceModel>(definitions);

/** Everything wrong with a model, or an empty list. What passes here can be rated, whatever the usage. */
export function findPriceModelFaults(model: AnyPriceModel): PriceModelFault[] {
  const faults = new Faults();
  anyPrice.findFaults(model, faults);
  return faults.found;
}

export function priceModelToJson<K extends PriceModelKind>(model: PriceModel<K>): PriceModelJson<K> {
  return anyPrice.codec.toJson(model) as PriceModelJson<K>;
}

/** Reads back what `priceModelToJson` wrote. @throws RangeError naming the place of what it did not write */
export function priceModelFromJson<K extends PriceModelKind>(json: PriceModelJson<K>): PriceModel<K> {
  return anyPrice.codec.fromJson(json, "") as PriceModel<K>;
}

/** Reads a model out of any JSON. @throws RangeError naming the place of what is wrong */
export function parsePriceModel(json: unknown, at = ""): AnyPriceModel {
  return anyPrice.codec.fromJson(json, at);
}
