import type { JsonValue } from "../../../kernel/json.js";
import { formatInstant, type Instant } from "../../../kernel/instant.js";
import type { AddOnVersion } from "../add-on.js";
import type { NewAddOn } from "../add-on-definition.js";
import { billingIntervals } from "../billing-interval.js";
import type { CatalogFaults } from "../fault.js";
import type { AmountPerCurrency, Commitment, Phase, PlanVersion } from "../plan.js";
import type { NewPlan } from "../plan-definition.js";
import { MappingReader } from "./mapping-reader.js";
import { given, readPrice, writePrice } from "./price-notation.js";

export function readPlan(value: unknown, faults: CatalogFaults): NewPlan | undefined {
  const reader = MappingReader.of(value, faults);
  if (reader === undefined) return undefined;
  const key = reader.requiredText("key", "your own key for the plan");
  const currency = reader.requiredText("currency", 'an ISO 4217 code such as "USD"').toUpperCase();
  const optional = {
    interval: reader.oneOf("interval", billingIntervals),
    effectiveFrom: reader.instant("effectiveFrom"),
    trialDays: reader.count("trialDays"),
    phases: reader.list("phases", readPhase),
    minimum: reader.amounts("minimum", currency),
    maximum: reader.amounts("maximum", currency),
    commitments: reader.list("commitments", (item, at) => readCommitment(item, at, currency)),
    graceHours: reader.count("graceHours"),
    spendThreshold: reader.amounts("spendThreshold", currency),
  };
  const name = reader.text("name") ?? key;
  const prices = readPrices(reader);
  reader.end();
  return { key, name, currency, prices, ...given(optional) };
}

export function readAddOn(value: unknown, faults: CatalogFaults): NewAddOn | undefined {
  const reader = MappingReader.of(value, faults);
  if (reader === undefined) return undefined;
  const key = reader.requiredText("key", "your own key for the add-on");
  const currency = reader.requiredText("currency", 'an ISO 4217 code such as "USD"').toUpperCase();
  const optional = { interval: reader.oneOf("interval", billingIntervals) };
  const name = reader.text("name") ?? key;
  const prices = readPrices(reader);
  reader.end();
  return { key, name, currency, prices, ...given(optional) };
}

function readPrices(reader: MappingReader) {
  if (reader.value("prices") === undefined)
    reader.faults.add("prices", "is missing: give at least one price");
  return reader.list("prices", readPrice) ?? [];
}

function readPhase(value: unknown, faults: CatalogFaults): Phase | undefined {
  const reader = MappingReader.of(value, faults);
  if (reader === undefined) return undefined;
  const key = reader.requiredText("key", "what names the phase within its plan");
  const [months, days] = [reader.count("months"), reader.count("days")];
  if (months !== undefined && days !== undefined)
    faults.add("days", "a phase lasts months or days, not both");
  const discountPercent = reader.decimal("discountPercent");
  reader.end();
  const lasts =
    months !== undefined
      ? { count: months, unit: "month" as const }
      : days !== undefined
        ? { count: days, unit: "day" as const }
        : undefined;
  return { key, lasts, discountPercent };
}

function readCommitment(value: unknown, faults: CatalogFaults, currency: string): Commitment | undefined {
  const reader = MappingReader.of(value, faults);
  if (reader === undefined) return undefined;
  const key = reader.requiredText("key", "what names the commitment within its plan");
  const name = reader.text("name") ?? key;
  if (reader.value("months") === undefined)
    faults.add("months", "is missing: in how many months it is to be spent");
  const months = reader.count("months") ?? 0;
  if (reader.value("amounts") === undefined)
    faults.add("amounts", 'is missing: such as "1200", or one for each currency');
  const amounts = reader.amounts("amounts", currency);
  reader.end();
  return months === 0 || amounts === undefined ? undefined : { key, name, months, amounts };
}

/** A version as it would be written by hand. @param effectiveFrom  to be written; it is not when undefined */
export function writePlan(
  version: PlanVersion,
  effectiveFrom: Instant | undefined,
): Record<string, JsonValue> {
  const { planKey, name, currency, trialDays, phases, minimum, maximum, spendThreshold, commitments } =
    version;
  const amounts = (of: AmountPerCurrency) => writeAmounts(of, currency);
  return {
    key: planKey,
    ...(name === planKey ? {} : { name }),
    currency,
    ...(version.interval === "month" ? {} : { interval: version.interval }),
    ...(effectiveFrom === undefined ? {} : { effectiveFrom: formatInstant(effectiveFrom) }),
    ...(trialDays === 0 ? {} : { trialDays }),
    ...(version.graceHours === undefined ? {} : { graceHours: version.graceHours }),
    ...(phases.length === 0 ? {} : { phases: phases.map(writePhase) }),
    ...(minimum === undefined ? {} : { minimum: amounts(minimum) }),
    ...(maximum === undefined ? {} : { maximum: amounts(maximum) }),
    ...(spendThreshold === undefined ? {} : { spendThreshold: amounts(spendThreshold) }),
    ...(commitments.length === 0
      ? {}
      : {
          commitments: commitments.map((commitment) => ({
            key: commitment.key,
            ...(commitment.name === commitment.key ? {} : { name: commitment.name }),
            months: commitment.months,
            amounts: amounts(commitment.amounts),
          })),
        }),
    prices: version.prices.map((price) => writePrice(price, version)),
  };
}

export function writeAddOn(version: AddOnVersion): Record<string, JsonValue> {
  return {
    key: version.key,
    ...(version.name === version.key ? {} : { name: version.name }),
    currency: version.currency,
    ...(version.interval === "month" ? {} : { interval: version.interval }),
    prices: version.prices.map((price) => writePrice(price, version)),
  };
}

function writePhase({ key, lasts, discountPercent }: Phase): Record<string, JsonValue> {
  return {
    key,
    ...(lasts === undefined ? {} : { [lasts.unit === "day" ? "days" : "months"]: lasts.count }),
    ...(discountPercent === undefined ? {} : { discountPercent: discountPercent.toString() }),
  };
}

/** One amount when it is in `currency` alone. */
export function writeAmounts(amounts: AmountPerCurrency, currency: string | undefined): JsonValue {
  const entries = Object.entries(amounts).map(([code, amount]) => [code, amount.toString()] as const);
  const [first] = entries;
  return entries.length === 1 && first !== undefined && first[0] === currency
    ? first[1]
    : Object.fromEntries(entries);
}
