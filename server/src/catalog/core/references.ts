import type { MeterId } from "../../kernel/ids.js";
import type { AnyPriceModel } from "../../rating/core/index.js";
import type { Aggregation } from "../../usage/core/index.js";
import type { CatalogFaults } from "./fault.js";
import { didYouMean } from "./notation/did-you-mean.js";
import { placeOfModelField } from "./notation/price-model-notation.js";
import { misfitOfMeter, type PriceDefinition } from "./price-definition.js";
import type { Product } from "./product.js";

/** A meter as prices need to know it. */
export interface FoundMeter {
  readonly meter: MeterId;
  readonly slug: string;
  readonly aggregation: Aggregation;
  /** The names of its dimensions; undefined when they are not known, and then not checked. */
  readonly dimensions?: readonly string[];
}

/** What prices name, by what they call it. */
export interface References {
  readonly products: ReadonlyMap<string, Product>;
  readonly meters: ReadonlyMap<string, FoundMeter>;
}

/**
 * Adds a fault for every product, meter and dimension that a price names and that is not there, and for every model that
 * is no price of what the meter measures.
 */
export function checkReferences(
  prices: readonly PriceDefinition[],
  { products, meters }: References,
  faults: CatalogFaults,
): void {
  prices.forEach((price, index) => {
    const at = faults.inside(`prices[${index}]`);
    if (price.product !== undefined && !products.has(price.product))
      at.add("product", `there is no product "${price.product}"; create it first`);
    if (price.meter === undefined) return;
    const meter = meters.get(price.meter);
    if (meter === undefined) at.add("meter", `there is no meter "${price.meter}"; create it first`);
    else checkMeter(price, meter, at);
  });
}

/** What a price says of what it meters; both as it is written and as it is stored. */
type MeteredPrice = Pick<PriceDefinition, "model"> & {
  readonly filters?: readonly { readonly property: string }[] | undefined;
  readonly currencies?: Readonly<Record<string, AnyPriceModel>> | undefined;
};

/** Adds a fault for every dimension that the meter does not have, and for every model that is no price of what it measures. */
export function checkMeter(price: MeteredPrice, meter: FoundMeter, faults: CatalogFaults): void {
  checkDimensions(price, meter, faults);
  for (const [field, model] of modelsOf(price)) {
    const misfit = misfitOfMeter(model, meter);
    if (misfit !== undefined) faults.add(`${field}.${placeOfModelField(model, "")}`, misfit);
  }
}

function checkDimensions(price: MeteredPrice, { slug, dimensions }: FoundMeter, faults: CatalogFaults): void {
  if (dimensions === undefined) return;
  const check = (field: string, name: string) => {
    if (dimensions.includes(name)) return;
    const known = dimensions.length === 0 ? "it has none" : didYouMean(name, dimensions);
    faults.add(field, `meter "${slug}" has no dimension "${name}"; ${known}`);
  };
  price.filters?.forEach(({ property }, index) => check(`filters[${index}].property`, property));
  for (const [field, model] of modelsOf(price)) {
    if (model.kind !== "matrix") continue;
    model.dimensions.forEach((name, index) =>
      check(`${field}.${placeOfModelField(model, `dimensions[${index}]`)}`, name),
    );
  }
}

/** A price's models, in each currency, and in which of its fields they stand. */
function modelsOf({ model, currencies = {} }: MeteredPrice): [string, AnyPriceModel][] {
  const others = Object.entries(currencies).map(([code, other]): [string, AnyPriceModel] => [
    `currencies.${code}`,
    other,
  ]);
  return [["model", model], ...others];
}
