import type {
  AddOnVersion,
  BillingInterval,
  ChargeKind,
  Phase,
  PlanVersion,
  Price,
} from "../../src/catalog/index.js";
import type { Currency } from "../../src/kernel/currency.js";
import { Decimal } from "../../src/kernel/decimal.js";
import { newId } from "../../src/kernel/ids.js";
import type { Instant } from "../../src/kernel/instant.js";

const made = 0 as Instant;
const usd = "USD" as Currency;

/** A price whose amount does not matter. */
export function priceOf(
  key: string,
  charge: ChargeKind,
  interval: BillingInterval,
  phases?: string[],
): Price {
  return {
    id: newId("price", made),
    key,
    name: key,
    product: undefined,
    taxCategory: "standard",
    charge,
    timing: charge === "usage" ? "arrears" : "advance",
    interval,
    prorated: true,
    meter: undefined,
    filters: [],
    included: undefined,
    phases,
    model: { kind: "per_unit", unitAmount: Decimal.of("1"), per: Decimal.one },
    currencies: {},
  };
}

export function planOf(prices: readonly Price[], more: Partial<PlanVersion> = {}): PlanVersion {
  return {
    id: newId("plv", made),
    plan: newId("plan", made),
    planKey: "plan",
    version: 1,
    name: "Plan",
    currency: usd,
    interval: "month",
    effectiveFrom: made,
    trialDays: 0,
    phases: [],
    prices,
    minimum: undefined,
    maximum: undefined,
    commitments: [],
    graceHours: undefined,
    spendThreshold: undefined,
    createdAt: made,
    ...more,
  };
}

export function addOnOf(prices: readonly Price[], interval: BillingInterval): AddOnVersion {
  return {
    id: newId("adv", made),
    addOn: newId("ado", made),
    key: "extra",
    version: 1,
    name: "Extra",
    currency: usd,
    interval,
    prices,
    createdAt: made,
  };
}

export function phase(key: string, count?: number, unit: "day" | "month" = "month"): Phase {
  return { key, lasts: count === undefined ? undefined : { count, unit }, discountPercent: undefined };
}
