import { parseCurrency } from "../../kernel/currency.js";
import { findPriceModelFaults, type AnyPriceModel } from "../../rating/core/index.js";
import type { BillingInterval } from "./billing-interval.js";

/** A price as somebody describes it: its meter by slug. */
export interface PriceDefinition {
  readonly key: string;
  /** The key when left out. */
  readonly name?: string;
  readonly meter: string;
  readonly model: AnyPriceModel;
}

/** A plan version as somebody describes it. */
export interface PlanDefinition {
  readonly name: string;
  readonly currency: string;
  /** Monthly when left out. */
  readonly interval?: BillingInterval;
  readonly prices: readonly PriceDefinition[];
}

/** One thing that is wrong with a definition: where, and what to do. */
export interface PlanFault {
  readonly field: string;
  readonly message: string;
}

const prices_max = 200;
const key_pattern = /^[a-z0-9]+(?:[_-][a-z0-9]+)*$/;

/** A plan's or a price's key: lower case letters and digits in groups joined by single - or _, at most 64 characters. */
export function isCatalogKey(text: string): boolean {
  return text.length <= 64 && key_pattern.test(text);
}

export const catalog_key_rule = 'lower case letters and digits joined by "-" or "_", at most 64 characters';

/** Everything wrong with a plan's definition except whether its meters exist, or an empty list. */
export function findPlanFaults(definition: PlanDefinition): PlanFault[] {
  const faults: PlanFault[] = [];
  const fault = (field: string, message: string) => void faults.push({ field, message });

  checkName("name", definition.name);
  if (parseCurrency(definition.currency) === undefined) {
    fault("currency", `"${definition.currency}" is not an ISO 4217 code such as "USD"`);
  }
  if (definition.prices.length === 0) fault("prices", "give at least one price");
  if (definition.prices.length > prices_max) fault("prices", `at most ${prices_max} prices`);
  const keys = new Set<string>();
  definition.prices.forEach((price, index) => {
    const field = `prices[${index}]`;
    if (!isCatalogKey(price.key)) fault(`${field}.key`, catalog_key_rule);
    if (keys.has(price.key)) fault(`${field}.key`, `"${price.key}" is there twice`);
    keys.add(price.key);
    if (price.name !== undefined) checkName(`${field}.name`, price.name);
    for (const { field: inner, message } of findPriceModelFaults(price.model)) {
      fault(`${field}.model.${inner}`, message);
    }
  });
  return faults;

  function checkName(field: string, name: string) {
    if (name.length === 0 || name.length > 256) fault(field, "1 to 256 characters");
  }
}
