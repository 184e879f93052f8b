import { parseCurrency, type Currency } from "../../kernel/currency.js";
import { Decimal } from "../../kernel/decimal.js";
import {
  findPriceModelFaults,
  ratesEachEvent,
  usageOf,
  type AnyPriceModel,
  type PriceModelFault,
} from "../../rating/core/index.js";
import { addsUp, type Aggregation } from "../../usage/core/index.js";
import { nestsIn, type BillingInterval } from "./billing-interval.js";
import { type CatalogFaults, joinPath } from "./fault.js";
import { placeOfModelField } from "./notation/price-model-notation.js";
import type { ChargeKind, DimensionFilter, Price, Timing } from "./price.js";

/** A price as somebody describes it: its product and its meter by name, and what goes without saying left out. */
export interface PriceDefinition {
  readonly key: string;
  /** The key when left out. */
  readonly name?: string;
  /** A product's key. */
  readonly product?: string;
  /** Usage for a price with a meter; flat for one without whose model is. */
  readonly charge?: ChargeKind;
  /** A fee and a licensed quantity are billed in advance when left out. */
  readonly timing?: Timing;
  /** The plan's when left out. */
  readonly interval?: BillingInterval;
  readonly prorated?: boolean;
  /** A meter's slug or id. */
  readonly meter?: string;
  readonly filters?: readonly DimensionFilter[];
  readonly included?: Decimal;
  readonly phases?: readonly string[];
  readonly model: AnyPriceModel;
  readonly currencies?: Readonly<Record<string, AnyPriceModel>>;
}

/** What the prices of one version have in common. */
export interface PriceSetting {
  readonly interval: BillingInterval;
  /** Undefined when the version's currency is no currency. */
  readonly currency: Currency | undefined;
  /** Undefined where there are no phases at all, as in an add-on. */
  readonly phases: readonly string[] | undefined;
}

export const prices_max = 200;
const filters_max = 20;
const filter_values_max = 100;

/** What a price charges for, said or not. */
export function chargeOf(price: Pick<PriceDefinition, "charge" | "meter" | "model">): ChargeKind {
  if (price.charge !== undefined) return price.charge;
  return price.meter === undefined && price.model.kind === "flat" ? "flat" : "usage";
}

export function timingOf(price: PriceDefinition): Timing {
  return price.timing ?? (chargeOf(price) === "usage" ? "arrears" : "advance");
}

/** Adds everything wrong with the prices of a version, but whether their meters and products exist. */
export function checkPrices(
  prices: readonly PriceDefinition[],
  setting: PriceSetting,
  faults: CatalogFaults,
): void {
  if (prices.length === 0) faults.add("prices", "give at least one price");
  if (prices.length > prices_max) faults.add("prices", `at most ${prices_max} prices`);
  faults.keys("prices", prices);
  const others = otherCurrencies(prices);
  prices.forEach((price, index) => checkPrice(price, setting, others, faults.inside(`prices[${index}]`)));
}

/** The currencies besides the base that any of the prices is in. */
export function otherCurrencies(prices: readonly Pick<PriceDefinition, "currencies">[]): string[] {
  return [...new Set(prices.flatMap((price) => Object.keys(price.currencies ?? {})))].sort();
}

function checkPrice(
  price: PriceDefinition,
  setting: PriceSetting,
  others: readonly string[],
  faults: CatalogFaults,
): void {
  faults.name("name", price.name);
  const charge = chargeOf(price);
  if (charge === "usage" && price.meter === undefined)
    faults.add(
      "meter",
      "a price for usage needs its meter; without one, say charge: licensed, flat or one_off",
    );
  if (charge !== "usage" && price.meter !== undefined)
    faults.add("meter", `a ${charge} price has no meter: leave it out, or leave charge out`);
  checkTiming(price, charge, faults);
  checkInterval(price, charge, setting, faults);
  if (charge === "one_off" && price.prorated === true)
    faults.add("prorated", "a one-off charge is charged whole: leave it out");
  checkFilters(price.filters ?? [], charge, faults);
  checkPhases(price.phases, setting.phases, faults);
  checkModel(price.model, charge, price.included, faults.inside("model"));
  checkCurrencies(price, charge, setting.currency, others, faults);
  if (price.included !== undefined) checkIncluded(price.included, charge, faults);
}

function checkTiming({ timing }: PriceDefinition, charge: ChargeKind, faults: CatalogFaults): void {
  if (charge === "usage" && timing === "advance")
    faults.add("timing", "usage is known afterwards: leave timing out, it is arrears");
  if (charge === "one_off" && timing === "arrears")
    faults.add("timing", "a one-off charge is billed at the start: leave timing out");
}

function checkInterval(
  { interval }: PriceDefinition,
  charge: ChargeKind,
  setting: PriceSetting,
  faults: CatalogFaults,
): void {
  if (interval === undefined || interval === setting.interval) return;
  if (charge === "one_off") faults.add("interval", "a one-off charge has no interval: leave it out");
  else if (!nestsIn(interval, setting.interval))
    faults.add("interval", `periods of a ${interval} do not fill periods of a ${setting.interval}`);
}

function checkFilters(filters: readonly DimensionFilter[], charge: ChargeKind, faults: CatalogFaults): void {
  if (charge !== "usage" && filters.length > 0)
    faults.add("filters", "filters choose among a meter's values; only a price for usage has them");
  if (filters.length > filters_max) faults.add("filters", `at most ${filters_max} filters`);
  const seen = new Set<string>();
  filters.forEach(({ property, values }, index) => {
    const at = faults.inside(`filters[${index}]`);
    if (property === "" || property.length > 64)
      at.add("property", "the name of one of the meter's dimensions");
    if (seen.has(property)) at.add("property", `"${property}" is filtered twice: put the values together`);
    seen.add(property);
    if (values.length === 0 || values.length > filter_values_max)
      at.add("values", `give 1 to ${filter_values_max} values`);
    if (values.some((value) => value.length > 1024)) at.add("values", "a value has at most 1024 characters");
  });
}

function checkPhases(
  given: readonly string[] | undefined,
  phases: readonly string[] | undefined,
  faults: CatalogFaults,
): void {
  if (given === undefined) return;
  if (phases === undefined) return faults.add("phases", "an add-on has no phases: leave it out");
  if (given.length === 0) faults.add("phases", "name at least one phase, or leave it out for all");
  given.forEach((phase, index) => {
    const at = `phases[${index}]`;
    if (!phases.includes(phase)) faults.add(at, `the plan has no phase "${phase}"${listed(phases)}`);
    else if (given.indexOf(phase) !== index) faults.add(at, `"${phase}" is there twice`);
  });
}

function checkIncluded(included: Decimal, charge: ChargeKind, faults: CatalogFaults): void {
  if (charge !== "usage" && charge !== "licensed")
    faults.add("included", `a ${charge} price counts nothing, so nothing can be included`);
  if (included.compare(Decimal.zero) <= 0) faults.add("included", "a quantity above zero, or leave it out");
  if (!included.equals(included.round(18, "down"))) faults.add("included", "at most 18 decimals");
  if (included.compare(Decimal.of("1000000000000000000000000")) > 0) faults.add("included", "at most 10^24");
}

function checkModel(
  model: AnyPriceModel,
  charge: ChargeKind,
  included: Decimal | undefined,
  faults: CatalogFaults,
): void {
  for (const { field, message } of findFitFaults(charge, model, included))
    faults.add(placeOfModelField(model, field), message);
}

function checkCurrencies(
  price: PriceDefinition,
  charge: ChargeKind,
  base: Currency | undefined,
  others: readonly string[],
  faults: CatalogFaults,
): void {
  const given = price.currencies ?? {};
  for (const code of others) {
    if (!Object.hasOwn(given, code))
      faults.add("currencies", `${code} is missing: a plan's prices are all in the same currencies`);
  }
  for (const [code, model] of Object.entries(given)) {
    const at = joinPath("currencies", code);
    if (parseCurrency(code) !== code) faults.add(at, `"${code}" is not an ISO 4217 code such as "EUR"`);
    else if (code === base)
      faults.add(at, `${code} is the base currency: its price stands outside currencies`);
    if (model.kind !== price.model.kind)
      faults.add(at, `the same price in another currency has the same kind of model, ${price.model.kind}`);
    else checkModel(model, charge, price.included, faults.inside(at));
  }
}

/**
 * Everything wrong with a model and with what it is to be the price of; fields are the model's.
 * @param included  an allowance that is taken off the quantity before
 */
export function findFitFaults(
  charge: ChargeKind,
  model: AnyPriceModel,
  included: Decimal | undefined,
): PriceModelFault[] {
  const faults = findPriceModelFaults(model);
  if (faults.length > 0) return faults;
  const message = misfit(charge, model, included);
  return message === undefined ? [] : [{ field: "", message }];
}

function misfit(charge: ChargeKind, model: AnyPriceModel, included: Decimal | undefined): string | undefined {
  const isFlat = model.kind === "flat";
  if (charge === "flat" || charge === "one_off")
    return isFlat ? undefined : `a ${charge} price is an amount: its model is flat`;
  if (isFlat && charge === "usage")
    return "flat is the same whatever was used: leave the meter out, or take another model";
  if (isFlat) return "flat is the same whatever the quantity: say charge: flat, or take another model";
  const usage = usageOf(model);
  if (charge === "licensed" && usage !== "quantity" && usage !== "licensed")
    return `${model.kind} is for metered ${usage}; a licensed quantity is one number`;
  if (charge === "usage" && usage === "licensed") return `${model.kind} is for licensed quantities`;
  if (included !== undefined && usage !== "quantity")
    return `${model.kind} does not take one quantity, so nothing can be taken off it: leave included out`;
  return undefined;
}

/** Why a model is no price of what a meter measures; undefined when it is one. */
export function misfitOfMeter(
  model: AnyPriceModel,
  { slug, aggregation }: { readonly slug: string; readonly aggregation: Aggregation },
): string | undefined {
  if (addsUp(aggregation) || !ratesEachEvent(model)) return undefined;
  const instead =
    model.kind === "percentage"
      ? "leave fixedAmount, freeEvents, freeAmount, eventMinimum and eventMaximum out"
      : "take a model that prices a quantity, such as perUnit";
  return `it prices each event, and the events of meter "${slug}" do not add up to its quantity, which is their ${aggregation}: take a meter of SUM or COUNT, or ${instead}`;
}

/**
 * Everything that keeps a model from standing in for a price's own, for one customer; fields are the model's. It need
 * not be of the same kind, only of use for the same charge.
 *
 * @param aggregation  of the price's meter, when it has one
 */
export function checkOverride(
  price: Pick<Price, "charge" | "included" | "meter">,
  model: AnyPriceModel,
  aggregation: Aggregation | undefined,
): PriceModelFault[] {
  const faults = findFitFaults(price.charge, model, price.included);
  if (faults.length > 0 || price.meter === undefined || aggregation === undefined) return faults;
  const message = misfitOfMeter(model, { slug: price.meter.slug, aggregation });
  return message === undefined ? [] : [{ field: "", message }];
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? "; it has none" : `; it has ${names.join(", ")}`;
}
