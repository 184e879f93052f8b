import { builder } from "../../graphql/builder.js";
import type { PriceModel, Tier } from "../../rating/core/index.js";
import type { Plan, PlanVersion, Price } from "../core/index.js";

const TierType = builder.objectRef<Tier>("Tier").implement({
  fields: (t) => ({
    upTo: t.field({
      type: "Decimal",
      nullable: true,
      description: "Inclusive; null for the last tier.",
      resolve: (tier) => tier.upTo?.toString() ?? null,
    }),
    unitAmount: t.field({ type: "Decimal", resolve: (tier) => tier.unitAmount.toString() }),
    flatAmount: t.field({ type: "Decimal", resolve: (tier) => tier.flatAmount.toString() }),
  }),
});

type ModelOf<K extends PriceModel["kind"]> = Extract<PriceModel, { kind: K }>;
const per_description = "How many metered units a unitAmount is for.";

const PerUnitPrice = builder.objectRef<ModelOf<"per_unit">>("PerUnitPrice").implement({
  description: "Every unit costs the same.",
  fields: (t) => ({
    unitAmount: t.field({ type: "Decimal", resolve: (model) => model.unitAmount.toString() }),
    per: t.field({ type: "Decimal", description: per_description, resolve: (model) => model.per.toString() }),
  }),
});

const GraduatedPrice = builder.objectRef<ModelOf<"graduated">>("GraduatedPrice").implement({
  description: "Each part of the quantity costs what its tier says.",
  fields: (t) => ({
    tiers: t.field({ type: [TierType], resolve: (model) => [...model.tiers] }),
    per: t.field({ type: "Decimal", description: per_description, resolve: (model) => model.per.toString() }),
  }),
});

const typeNames: Readonly<Record<string, string>> = {
  per_unit: "PerUnitPrice",
  graduated: "GraduatedPrice",
};

const PriceModelType = builder.unionType("PriceModel", {
  types: [PerUnitPrice, GraduatedPrice],
  resolveType: (model) => typeNames[model.kind] ?? null,
});

export const PriceType = builder.objectRef<Price>("Price").implement({
  description: "What a meter's quantity costs. Never changes; a new plan version has new prices.",
  fields: (t) => ({
    id: t.exposeID("id"),
    key: t.exposeString("key"),
    name: t.exposeString("name"),
    meter: t.string({
      nullable: true,
      description: "The meter's slug.",
      resolve: (price) => price.meter?.slug ?? null,
    }),
    model: t.field({ type: PriceModelType, resolve: (price) => price.model as PriceModel }),
  }),
});

export const PlanVersionType = builder.objectRef<PlanVersion>("PlanVersion").implement({
  description: "What customers subscribe to. Never changes.",
  fields: (t) => ({
    id: t.exposeID("id"),
    planId: t.exposeID("plan"),
    planKey: t.exposeString("planKey"),
    version: t.exposeInt("version"),
    name: t.exposeString("name"),
    currency: t.exposeString("currency"),
    interval: t.exposeString("interval", { description: '"month"' }),
    prices: t.field({ type: [PriceType], resolve: (version) => [...version.prices] }),
    createdAt: t.expose("createdAt", { type: "Instant" }),
  }),
});

export const PlanType = builder.objectRef<Plan>("Plan").implement({
  fields: (t) => ({
    id: t.exposeID("id"),
    key: t.exposeString("key"),
    current: t.field({
      type: PlanVersionType,
      nullable: true,
      description: "The version in force now; null while the first is still to come.",
      resolve: (plan) => plan.current ?? null,
    }),
    versions: t.field({
      type: [PlanVersionType],
      description: "Every version, oldest first.",
      complexity: 10,
      resolve: (plan, _args, { caller, services }) =>
        services.catalog.versionsOf(caller.organization, plan.id),
    }),
    createdAt: t.expose("createdAt", { type: "Instant" }),
  }),
});
