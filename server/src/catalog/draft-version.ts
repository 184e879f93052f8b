import type { Currency } from "../kernel/currency.js";
import { newId, type MeterId, type PlanId } from "../kernel/ids.js";
import type { Instant } from "../kernel/instant.js";
import { standard_tax_category, type PlanDefinition, type PlanVersion } from "./core/index.js";

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
    effectiveFrom: at,
    trialDays: 0,
    phases: [],
    minimum: undefined,
    maximum: undefined,
    commitments: [],
    graceHours: undefined,
    spendThreshold: undefined,
    createdAt: at,
    prices: input.prices.map((price) => {
      const found = meters.get(price.meter);
      if (found === undefined) throw new RangeError(`meter "${price.meter}" was not looked up`);
      return {
        id: newId("price", at),
        key: price.key,
        name: price.name ?? price.key,
        product: undefined,
        taxCategory: standard_tax_category,
        charge: "usage",
        timing: "arrears",
        interval: input.interval ?? "month",
        prorated: true,
        meter: { id: found.meter, slug: found.slug },
        filters: [],
        included: undefined,
        phases: undefined,
        model: price.model,
        currencies: {},
      };
    }),
  };
}
