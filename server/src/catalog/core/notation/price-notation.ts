import type { JsonValue } from "../../../kernel/json.js";
import type { AnyPriceModel } from "../../../rating/core/index.js";
import { billingIntervals } from "../billing-interval.js";
import type { CatalogFaults } from "../fault.js";
import type { DimensionFilter, Price } from "../price.js";
import type { PriceDefinition } from "../price-definition.js";
import type { BillingInterval } from "../billing-interval.js";
import { MappingReader } from "./mapping-reader.js";
import { priceModelNames, readPriceModel, writePriceModelBriefly } from "./price-model-notation.js";

const charges = ["usage", "flat", "licensed", "one_off"] as const;
const timings = ["advance", "arrears"] as const;

/** Reads a price; its model stands in it under its own name (`graduated: …`), or under `model`. */
export function readPrice(value: unknown, faults: CatalogFaults): PriceDefinition | undefined {
  const reader = MappingReader.of(value, faults);
  if (reader === undefined) return undefined;
  const key = reader.requiredText("key", "what names the price within its plan");
  const optional = {
    name: reader.text("name"),
    product: reader.text("product"),
    charge: reader.oneOf("charge", charges),
    timing: reader.oneOf("timing", timings),
    interval: reader.oneOf("interval", billingIntervals),
    prorated: reader.flag("prorated"),
    meter: reader.text("meter"),
    filters: readFilters(reader),
    included: reader.decimal("included"),
    phases: reader.texts("phases"),
    currencies: reader.mapping("currencies", readPriceModel),
  };
  const model = readModel(reader);
  reader.end();
  if (model === undefined) return undefined;
  return { key, model, ...given(optional) };
}

function readModel(reader: MappingReader): AnyPriceModel | undefined {
  const named = priceModelNames.filter((name) => reader.value(name) !== undefined);
  const model = reader.value("model");
  const places = [...named, ...(model === undefined ? [] : ["model"])];
  const [place] = places;
  if (place === undefined) {
    reader.faults.add("", `what does it cost? Give one of ${priceModelNames.join(", ")}`);
    return undefined;
  }
  if (places.length > 1) {
    reader.faults.add(places[1] ?? "", `a price has one model; it has ${places.join(" and ")}`);
    return undefined;
  }
  if (place === "model") return readPriceModel(model, reader.faults.inside("model"));
  return readPriceModel({ [place]: reader.value(place) }, reader.faults);
}

/** `{region: [eu, us], tier: gold}`: dimension and the values that count. */
function readFilters(reader: MappingReader): DimensionFilter[] | undefined {
  const value = reader.value("filters");
  if (value === undefined) return undefined;
  const filters = MappingReader.of(value, reader.faults.inside("filters"));
  if (filters === undefined) return undefined;
  return Object.entries(value as object).map(([property, values]) => {
    const text = Array.isArray(values) ? undefined : filters.text(property);
    return { property, values: text === undefined ? (filters.texts(property) ?? []) : [text] };
  });
}

/** A price as it would be written by hand, what goes without saying left out. */
export function writePrice(
  price: Omit<Price, "id">,
  setting: { readonly interval: BillingInterval },
): Record<string, JsonValue> {
  const { charge, timing, interval, filters, included, phases, currencies, model } = price;
  const flat = model.kind === "flat";
  const usualCharge = price.meter !== undefined ? "usage" : flat ? "flat" : undefined;
  const others = Object.entries(currencies);
  return {
    key: price.key,
    ...(price.name === price.key ? {} : { name: price.name }),
    ...(price.product === undefined ? {} : { product: price.product.key }),
    ...(charge === usualCharge ? {} : { charge }),
    ...(timing === (charge === "usage" ? "arrears" : "advance") ? {} : { timing }),
    ...(interval === setting.interval ? {} : { interval }),
    ...(price.prorated || charge === "one_off" ? {} : { prorated: false }),
    ...(price.meter === undefined ? {} : { meter: price.meter.slug }),
    ...(filters.length === 0
      ? {}
      : { filters: Object.fromEntries(filters.map(({ property, values }) => [property, [...values]])) }),
    ...(included === undefined ? {} : { included: included.toString() }),
    ...(phases === undefined ? {} : { phases: [...phases] }),
    ...writePriceModelBriefly(model),
    ...(others.length === 0
      ? {}
      : {
          currencies: Object.fromEntries(
            others.map(([code, other]) => [code, writePriceModelBriefly(other)]),
          ),
        }),
  };
}

/** The members that are not undefined. */
export function given<T extends object>(optional: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
