import type { Currency } from "../kernel/currency.js";
import { newId, type MeterId, type PlanId } from "../kernel/ids.js";
import type { Instant } from "../kernel/instant.js";
import type { PlanDefinition, PlanVersion } from "./core/index.js";

/** A definition that was checked, with what it names found. */
export interface DraftedVersion {
  readonly input: PlanDefinition;
  readonly currency: Currency;
  /** By what the definition calls them. */
  readonly meters: ReadonlyMap<string, { readonly meter: MeterId; readonly slug: string }>;
}

/** Gives a checked definition its ids and its place in a plan. */
export function draftVersion(
  { input, currency, meters }: DraftedVersion,
  place: { plan: PlanId; planKey: string; version: number },
  at: Instant,
): PlanVersion {
  const id = newId("plv", at);
  return {
    ...place,
    id,
    name: input.name,
    currency,
    interval: input.interval ?? "month",
    createdAt: at,
    prices: input.prices.map((price) => {
      const found = meters.get(price.meter);
      if (found === undefined) throw new RangeError(`meter "${price.meter}" was not looked up`);
      return {
        id: newId("price", at),
        planVersion: id,
        key: price.key,
        name: price.name ?? price.key,
        meter: found.meter,
        meterSlug: found.slug,
        model: price.model,
      };
    }),
  };
}
