import type { JsonOf } from "./codec.js";
import { union } from "./codec.js";
import { Faults, type PriceModelFault } from "./fault.js";
import { flatPrice, type FlatPrice } from "./flat-price.js";
import { perUnitPrice, type PerUnitPrice } from "./per-unit-price.js";
import type { PriceDefinition } from "./rater.js";
import { graduatedPrice, volumePrice, type GraduatedPrice, type VolumePrice } from "./tiered-price.js";

interface PriceModels {
  readonly flat: FlatPrice;
  readonly per_unit: PerUnitPrice;
  readonly graduated: GraduatedPrice;
  readonly volume: VolumePrice;
}

export type PriceModelKind = keyof PriceModels;

/**
 * How usage becomes an amount. Amounts are in major units of the currency (0.03 is three cents) and may be finer
 * than its smallest coin; only the line is rounded.
 *
 * `per` is how many metered units a `unitAmount` is for: 1000000 for a price per million tokens, 3600 for a price
 * per hour of a meter in seconds. Tier bounds are in metered units, whatever `per` is.
 *
 * `PriceModel` alone is what plans hold so far; a kind, or several, can be named. AnyPriceModel is all of them.
 */
export type PriceModel<K extends PriceModelKind = "per_unit" | "graduated"> = PriceModels[K];
export type AnyPriceModel = PriceModel<PriceModelKind>;

/** A price model as it is stored: decimals as text, an open end left out. */
export type PriceModelJson<K extends PriceModelKind = "per_unit" | "graduated"> = JsonOf<PriceModel<K>>;

const definitions: { readonly [K in PriceModelKind]: PriceDefinition<PriceModels[K]> } = {
  flat: flatPrice,
  per_unit: perUnitPrice,
  graduated: graduatedPrice,
  volume: volumePrice,
};

export const priceModelCodec = union<AnyPriceModel>({
  flat: flatPrice.codec,
  per_unit: perUnitPrice.codec,
  graduated: graduatedPrice.codec,
  volume: volumePrice.codec,
});

/** @throws RangeError when there is no such kind: a model that was read without its codec */
export function definitionOf<M extends AnyPriceModel>(model: M): PriceDefinition<M> {
  if (!Object.hasOwn(definitions, model.kind)) throw new RangeError(`"${model.kind}" is no price model`);
  return definitions[model.kind] as unknown as PriceDefinition<M>;
}

/** Everything wrong with a model, or an empty list. What passes here can be rated, whatever the usage. */
export function findPriceModelFaults(model: AnyPriceModel): PriceModelFault[] {
  const faults = new Faults();
  definitionOf(model).findFaults(model, faults);
  return faults.found;
}

export function priceModelToJson<K extends PriceModelKind>(model: PriceModel<K>): PriceModelJson<K> {
  return priceModelCodec.toJson(model) as PriceModelJson<K>;
}

/** Reads back what `priceModelToJson` wrote. @throws RangeError naming the place of what it did not write */
export function priceModelFromJson<K extends PriceModelKind>(json: PriceModelJson<K>): PriceModel<K> {
  return priceModelCodec.fromJson(json, "") as PriceModel<K>;
}

/** Reads a model out of any JSON. @throws RangeError naming the place of what is wrong */
export function parsePriceModel(json: unknown, at = ""): AnyPriceModel {
  return priceModelCodec.fromJson(json, at);
}
