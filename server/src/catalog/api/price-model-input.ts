import { builder } from "../../graphql/builder.js";
import { Decimal } from "../../kernel/decimal.js";
import { makeProblem, Refusal } from "../../kernel/problem.js";
import type { PriceModel } from "../../rating/core/index.js";

const PerUnitPriceInput = builder.inputType("PerUnitPriceInput", {
  fields: (t) => ({
    unitAmount: t.field({
      type: "Decimal",
      required: true,
      description: 'The price of `per` units, such as "0.15".',
    }),
    per: t.field({
      type: "Decimal",
      description: 'How many units the price is for, such as "1000000"; 1 when left out.',
    }),
  }),
});

const TierInput = builder.inputType("TierInput", {
  fields: (t) => ({
    upTo: t.field({
      type: "Decimal",
      description: "Inclusive upper bound in metered units; left out for the last tier only.",
    }),
    unitAmount: t.field({ type: "Decimal", description: "0 when left out." }),
    flatAmount: t.field({
      type: "Decimal",
      description:
        "Charged once when the tier is reached, the first tier's also without usage; 0 when left out.",
    }),
  }),
});

const GraduatedPriceInput = builder.inputType("GraduatedPriceInput", {
  fields: (t) => ({
    tiers: t.field({ type: [TierInput], required: true }),
    per: t.field({
      type: "Decimal",
      description: "How many units a tier's unitAmount is for; 1 when left out.",
    }),
  }),
});

/** Exactly one member says how a quantity becomes an amount. */
export const PriceModelInput = builder.inputType("PriceModelInput", {
  isOneOf: true,
  fields: (t) => ({
    perUnit: t.field({ type: PerUnitPriceInput }),
    graduated: t.field({ type: GraduatedPriceInput }),
  }),
});

/** @throws Refusal 400 naming what is no decimal */
export function readPriceModel(input: typeof PriceModelInput.$inferInput, field: string): PriceModel {
  if (input.perUnit != null) {
    const { unitAmount, per } = input.perUnit;
    return {
      kind: "per_unit",
      unitAmount: readDecimal(unitAmount, `${field}.perUnit.unitAmount`),
      per: readDecimal(per ?? "1", `${field}.perUnit.per`),
    };
  }
  const { tiers, per } = input.graduated ?? { tiers: [], per: undefined };
  return {
    kind: "graduated",
    per: readDecimal(per ?? "1", `${field}.graduated.per`),
    tiers: tiers.map((tier, index) => {
      const at = `${field}.graduated.tiers[${index}]`;
      return {
        upTo: tier.upTo == null ? undefined : readDecimal(tier.upTo, `${at}.upTo`),
        unitAmount: readDecimal(tier.unitAmount ?? "0", `${at}.unitAmount`),
        flatAmount: readDecimal(tier.flatAmount ?? "0", `${at}.flatAmount`),
      };
    }),
  };
}

function readDecimal(text: string, field: string): Decimal {
  const value = Decimal.parse(text);
  if (value !== undefined) return value;
  const message = `"${text.slice(0, 100)}" is not a decimal number`;
  throw new Refusal(
    makeProblem("invalid-plan", 400, "The plan is not valid", `${field}: ${message}`, {
      errors: [{ field, message }],
    }),
  );
}
