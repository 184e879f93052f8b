import { parseCurrency, type Currency } from "../../kernel/currency.js";
import { newId, type AddOnId, type PlanId } from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";
import type { AddOnVersion } from "./add-on.js";
import type { AddOnDefinition } from "./add-on-definition.js";
import type { BillingInterval } from "./billing-interval.js";
import type { PlanVersion } from "./plan.js";
import type { PlanDefinition } from "./plan-definition.js";
import { standard_tax_category, type Price } from "./price.js";
import { chargeOf, timingOf, type PriceDefinition } from "./price-definition.js";
import type { References } from "./references.js";

/**
 * Gives a checked definition its ids and its place in a plan, and says what went without saying.
 * @throws RangeError for a definition that was not checked
 */
export function draftPlanVersion(
  definition: PlanDefinition,
  references: References,
  place: { readonly plan: PlanId; readonly planKey: string; readonly version: number },
  at: Instant,
): PlanVersion {
  const interval = definition.interval ?? "month";
  return {
    ...place,
    id: newId("plv", at),
    name: definition.name,
    currency: currencyOf(definition.currency),
    interval,
    effectiveFrom: definition.effectiveFrom ?? at,
    trialDays: definition.trialDays ?? 0,
    phases: definition.phases ?? [],
    prices: definition.prices.map((price) => draftPrice(price, interval, references, at)),
    minimum: definition.minimum,
    maximum: definition.maximum,
    commitments: definition.commitments ?? [],
    graceHours: definition.graceHours,
    spendThreshold: definition.spendThreshold,
    createdAt: at,
  };
}

/** @throws RangeError for a definition that was not checked */
export function draftAddOnVersion(
  definition: AddOnDefinition,
  references: References,
  place: { readonly addOn: AddOnId; readonly key: string; readonly version: number },
  at: Instant,
): AddOnVersion {
  const interval = definition.interval ?? "month";
  return {
    ...place,
    id: newId("adv", at),
    name: definition.name,
    currency: currencyOf(definition.currency),
    interval,
    prices: definition.prices.map((price) => draftPrice(price, interval, references, at)),
    createdAt: at,
  };
}

function draftPrice(
  definition: PriceDefinition,
  interval: BillingInterval,
  references: References,
  at: Instant,
): Price {
  const { key, model, name = key } = definition;
  const charge = chargeOf(definition);
  const product = found(references.products, definition.product);
  const meter = found(references.meters, definition.meter);
  return {
    id: newId("price", at),
    key,
    name,
    product: product === undefined ? undefined : { id: product.id, key: product.key, name: product.name },
    taxCategory: product?.taxCategory ?? standard_tax_category,
    charge,
    timing: timingOf(definition),
    interval: charge === "one_off" ? interval : (definition.interval ?? interval),
    prorated: charge === "one_off" ? false : (definition.prorated ?? true),
    meter: meter === undefined ? undefined : { id: meter.meter, slug: meter.slug },
    filters: definition.filters ?? [],
    included: definition.included,
    phases: definition.phases,
    model,
    currencies: definition.currencies ?? {},
  };
}

function found<T>(things: ReadonlyMap<string, T>, name: string | undefined): T | undefined {
  if (name === undefined) return undefined;
  const thing = things.get(name);
  if (thing === undefined) throw new RangeError(`"${name}" was not looked up`);
  return thing;
}

function currencyOf(text: string): Currency {
  const currency = parseCurrency(text);
  if (currency === undefined) throw new RangeError(`"${text}" was not checked`);
  return currency;
}
