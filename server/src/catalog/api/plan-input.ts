import { builder } from "../../graphql/builder.js";
import { formatInstant, type Instant } from "../../kernel/instant.js";
import { CatalogFaults, readPlan, type NewPlan } from "../core/index.js";
import { refuseFaults } from "../invalid-definition.js";
import {
  BillingIntervalEnum,
  ChargeKindEnum,
  ChargeTimingEnum,
  price_model_description,
} from "./price-types.js";

/*
 * GraphQL's inputs say what catalog.yaml says, so that they are read by the same code and refused with the same words:
 * an input is the notation, with the instants written out.
 */

export const amounts_description =
  'An amount in the plan\'s currency, "100", or one for each of its currencies, {"USD": "100", "EUR": "90"}.';

export const PriceInput = builder.inputType("PriceInput", {
  fields: (t) => ({
    key: t.string({ required: true, description: "Names the price within its plan." }),
    name: t.string({ description: "The key when left out." }),
    product: t.string({ description: "A product's key." }),
    charge: t.field({
      type: ChargeKindEnum,
      description: "usage with a meter, flat without one and with a flat model, when left out.",
    }),
    timing: t.field({
      type: ChargeTimingEnum,
      description: "For flat and licensed: advance when left out.",
    }),
    interval: t.field({
      type: BillingIntervalEnum,
      description: "The plan's when left out; its periods fill the plan's.",
    }),
    prorated: t.boolean({ description: "True when left out." }),
    meter: t.string({ description: "The meter's slug, for usage." }),
    filters: t.field({
      type: "JSON",
      description: 'Which of the meter\'s values count, by dimension: {"region": ["eu", "us"]}.',
    }),
    included: t.field({ type: "Decimal", description: "An allowance, taken off the quantity." }),
    phases: t.stringList({ description: "The phases that it is in; all when left out." }),
    model: t.field({ type: "JSON", required: true, description: price_model_description }),
    currencies: t.field({
      type: "JSON",
      description: 'The same price in other currencies, a model for each: {"EUR": {"perUnit": "0.04"}}.',
    }),
  }),
});

export const PhaseInput = builder.inputType("PlanPhaseInput", {
  fields: (t) => ({
    key: t.string({ required: true }),
    months: t.int({ description: "How long it lasts: months, or days; neither for the last." }),
    days: t.int(),
    discountPercent: t.field({ type: "Decimal" }),
  }),
});

export const CommitmentInput = builder.inputType("SpendCommitmentInput", {
  fields: (t) => ({
    key: t.string({ required: true }),
    name: t.string({ description: "The key when left out." }),
    months: t.int({ required: true }),
    amounts: t.field({ type: "JSON", required: true, description: amounts_description }),
  }),
});

/** Reads an input as the notation. @throws Refusal 400 listing every fault by field */
export function readInput<T>(
  what: string,
  input: Readonly<Record<string, unknown>>,
  read: (value: unknown, faults: CatalogFaults) => T | undefined,
): T {
  const faults = new CatalogFaults();
  const definition = read(plain(input), faults);
  refuseFaults(what, faults.found);
  if (definition === undefined) throw new Error(`a ${what} was refused without a fault`);
  return definition;
}

/** Reads a plan's terms as the notation. @throws Refusal 400 listing every fault by field */
export function readPlanInput(input: Readonly<Record<string, unknown>>): NewPlan {
  return readInput("plan", input, readPlan);
}

/** An instant as the notation writes it. */
export function writtenInstant(instant: Instant | null | undefined): string | undefined {
  return instant == null ? undefined : formatInstant(instant);
}

/** GraphQL's input objects have no prototype; the notation's mappings have the ordinary one. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}
