import type { BillingInterval } from "./billing-interval.js";
import type { CatalogFaults } from "./fault.js";
import { checkCurrency } from "./plan-definition.js";
import { checkPrices, type PriceDefinition } from "./price-definition.js";

/** An add-on's version as somebody describes it. */
export interface AddOnDefinition {
  readonly name: string;
  readonly currency: string;
  /** Monthly when left out. */
  readonly interval?: BillingInterval;
  readonly prices: readonly PriceDefinition[];
}

export interface NewAddOn extends AddOnDefinition {
  readonly key: string;
}

/** Adds everything wrong with an add-on's definition but whether its meters and products exist. */
export function checkAddOn(definition: AddOnDefinition, faults: CatalogFaults): void {
  faults.name("name", definition.name);
  const currency = checkCurrency(definition.currency, faults);
  const { interval = "month" } = definition;
  checkPrices(definition.prices, { interval, currency, phases: undefined }, faults);
}
