import { priceModelToJson } from "../rating/core/index.js";
import type { PlanDefinition, PlanVersion } from "./core/index.js";

/** A version as the audit log keeps it. */
export function describeVersion(version: PlanVersion) {
  const { id, planKey, name, currency, interval } = version;
  return {
    id,
    plan: planKey,
    version: version.version,
    name,
    currency,
    interval,
    prices: version.prices.map(({ id: price, key, name: called, meter, model }) => ({
      id: price,
      key,
      name: called,
      meter: meter?.slug,
      model: priceModelToJson(model),
    })),
  };
}

/** A definition as plain data: equal definitions are equal text. */
export function definitionJson(input: PlanDefinition & { readonly key?: string }) {
  return {
    ...input,
    prices: input.prices.map((price) => ({ ...price, model: priceModelToJson(price.model) })),
  };
}
