import type { Decimal } from "../../kernel/decimal.js";
import { hasTermsForEachEvent } from "./percentage-price.js";
import { anyPrice, type AnyPriceModel } from "./price-model.js";
import { metered_units, type Rated, type Rater } from "./rater.js";
import type { Usage, UsageKind } from "./usage.js";
import type { PriceWindow } from "./windowed-price.js";

// A plan's prices are loaded once and rate many customers; the entry goes when the model does.
const compiled = new WeakMap<AnyPriceModel, Rater>();

/**
 * Compiles a price model, once per object: it must not change afterwards.
 * @throws RangeError when the model has faults that keep it from being rated
 */
export function raterOf(model: AnyPriceModel): Rater {
  const known = compiled.get(model);
  if (known !== undefined) return known;
  const rater = anyPrice.compile(model, metered_units);
  compiled.set(model, rater);
  return rater;
}

/** What to measure for a price. */
export function usageOf(model: AnyPriceModel): UsageKind {
  return raterOf(model).usage;
}

/** What to measure for a price, with what else the measuring has to know. */
export type Measure =
  | { readonly kind: Exclude<UsageKind, "cells" | "windows"> }
  | { readonly kind: "cells"; readonly dimensions: readonly string[] }
  | { readonly kind: "windows"; readonly window: PriceWindow };

export function measureOf(model: AnyPriceModel): Measure {
  if (model.kind === "matrix") return { kind: "cells", dimensions: model.dimensions };
  if (model.kind === "windowed") return { kind: "windows", window: model.window };
  return { kind: usageOf(model) as Exclude<UsageKind, "cells" | "windows"> };
}

/**
 * Whether a price is one of the events that were measured, each by itself: what was measured must then be what its
 * events add up to.
 */
export function ratesEachEvent(model: AnyPriceModel): boolean {
  switch (model.kind) {
    case "percentage":
      return hasTermsForEachEvent(model);
    case "dynamic":
      return true;
    case "converted":
    case "windowed":
      return ratesEachEvent(model.price);
    case "flat":
    case "per_unit":
    case "package":
    case "graduated":
    case "volume":
    case "graduated_percentage":
    case "matrix":
    case "licensed":
      return false;
    default:
      return model satisfies never;
  }
}

/**
 * Prices usage.
 *
 * Amounts are exact whenever a `per`th of a unit can be written out in decimals (1000, 1024, 1000000); otherwise
 * (3600, say) they carry so many digits that rounding them to the currency gives the same coin as rounding the exact
 * fraction (see division.ts).
 *
 * A negative quantity (a meter summing corrections below zero) is a negative amount at the first tier's price.
 *
 * @param usage  of the kind that `usageOf` names; a decimal stands for a quantity
 * @throws RangeError when the usage is of another kind
 */
export function rate(model: AnyPriceModel, usage: Usage | Decimal): Rated {
  return raterOf(model).rate(usage);
}

/** Whether more usage never costs less, so that a part of a period can be billed ahead of the rest. */
export function isProgressive(model: AnyPriceModel): boolean {
  return anyPrice.isProgressive(model);
}
