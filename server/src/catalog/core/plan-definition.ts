import { parseCurrency, type Currency } from "../../kernel/currency.js";
import { Decimal } from "../../kernel/decimal.js";
import type { Instant } from "../../kernel/instant.js";
import { monthsOf, type BillingInterval } from "./billing-interval.js";
import { CatalogFaults, type CatalogFault } from "./fault.js";
import type { AmountPerCurrency, Commitment, Phase } from "./plan.js";
import { chargeOf, checkPrices, otherCurrencies, type PriceDefinition } from "./price-definition.js";

/** A plan version as somebody describes it. */
export interface PlanDefinition {
  readonly name: string;
  readonly currency: string;
  /** Monthly when left out. */
  readonly interval?: BillingInterval;
  /** Now when left out. */
  readonly effectiveFrom?: Instant;
  readonly trialDays?: number;
  readonly phases?: readonly Phase[];
  readonly prices: readonly PriceDefinition[];
  readonly minimum?: AmountPerCurrency;
  readonly maximum?: AmountPerCurrency;
  readonly commitments?: readonly Commitment[];
  readonly graceHours?: number;
  readonly spendThreshold?: AmountPerCurrency;
}

export interface NewPlan extends PlanDefinition {
  readonly key: string;
}

const phases_max = 20;
const commitments_max = 10;
const trial_days_max = 730;
/** As long as events are taken in after their time: 35 days. */
const grace_hours_max = 840;
const months_max = 120;

/** Everything wrong with a plan's definition but whether its meters and products exist, or an empty list. */
export function findPlanFaults(definition: PlanDefinition): CatalogFault[] {
  const faults = new CatalogFaults();
  checkPlan(definition, faults);
  return faults.found;
}

export function checkPlan(definition: PlanDefinition, faults: CatalogFaults): void {
  const { prices, interval = "month", phases = [] } = definition;
  faults.name("name", definition.name);
  const currency = checkCurrency(definition.currency, faults);
  faults.count("trialDays", definition.trialDays, 0, trial_days_max);
  faults.count("graceHours", definition.graceHours, 0, grace_hours_max);
  checkPhases(phases, faults);
  checkPrices(prices, { interval, currency, phases: phases.map((phase) => phase.key) }, faults);
  const currencies = currency === undefined ? undefined : ([currency, ...otherCurrencies(prices)] as Currency[]);
  faults.amounts("minimum", definition.minimum, currencies);
  faults.amounts("maximum", definition.maximum, currencies);
  checkOrder(definition.minimum, definition.maximum, faults);
  faults.amounts("spendThreshold", definition.spendThreshold, currencies);
  if (definition.spendThreshold !== undefined && !prices.some((price) => chargeOf(price) === "usage"))
    faults.add("spendThreshold", "it is reached by usage, and no price is for usage: leave it out");
  checkCommitments(definition.commitments ?? [], interval, currencies, faults);
}

export function checkCurrency(text: string, faults: CatalogFaults): Currency | undefined {
  const currency = parseCurrency(text);
  if (currency === undefined) faults.add("currency", `"${text}" is not an ISO 4217 code such as "USD"`);
  return currency;
}

function checkPhases(phases: readonly Phase[], faults: CatalogFaults): void {
  if (phases.length > phases_max) faults.add("phases", `at most ${phases_max} phases`);
  faults.keys("phases", phases);
  phases.forEach(({ lasts, discountPercent }, index) => {
    const at = faults.inside(`phases[${index}]`);
    const last = index === phases.length - 1;
    if (last && lasts !== undefined) at.add("", "the last phase is open: leave out how long it lasts");
    if (!last && lasts === undefined) at.add("", "only the last phase is open: give this one months or days");
    if (lasts !== undefined)
      at.count(`${lasts.unit}s`, lasts.count, 1, lasts.unit === "day" ? 31 * months_max : months_max);
    at.percent("discountPercent", discountPercent);
  });
}

function checkOrder(
  minimum: AmountPerCurrency | undefined,
  maximum: AmountPerCurrency | undefined,
  faults: CatalogFaults,
): void {
  for (const [code, most] of Object.entries(maximum ?? {})) {
    const least = minimum?.[code] ?? Decimal.zero;
    if (least.compare(most) > 0) faults.add(`maximum.${code}`, `below the minimum of ${least.toString()}`);
  }
}

function checkCommitments(
  commitments: readonly Commitment[],
  interval: BillingInterval,
  currencies: readonly Currency[] | undefined,
  faults: CatalogFaults,
): void {
  if (commitments.length > commitments_max) faults.add("commitments", `at most ${commitments_max} commitments`);
  faults.keys("commitments", commitments);
  commitments.forEach(({ name, months, amounts }, index) => {
    const at = faults.inside(`commitments[${index}]`);
    at.name("name", name);
    at.count("months", months, 1, months_max);
    const period = monthsOf(interval);
    if (period === undefined) at.add("months", "months are no whole number of weeks: a weekly plan has no commitments");
    else if (months % period !== 0) at.add("months", `a ${interval} has ${period} months: give a multiple of ${period}`);
    at.amounts("amounts", amounts, currencies);
  });
}
