import { builder, requireSecretKey } from "../../graphql/builder.js";
import { forwardConnection } from "../../graphql/forward-connection.js";
import type { PriceDefinition } from "../core/index.js";
import { PlanType, PlanVersionType } from "./plan-types.js";
import { PriceModelInput, readPriceModel } from "./price-model-input.js";

const PriceInput = builder.inputType("PriceInput", {
  fields: (t) => ({
    key: t.string({ required: true, description: "Names the price within its plan." }),
    name: t.string({ description: "The key when left out." }),
    meter: t.string({ required: true, description: "The meter's slug." }),
    model: t.field({ type: PriceModelInput, required: true }),
  }),
});

builder.queryFields((t) => ({
  plans: t.connection({
    type: PlanType,
    description: "Plans, oldest first. Pages go forward only: first, after.",
    resolve: (_root, args, { caller, services }) =>
      forwardConnection(args, (page) => services.catalog.list(caller.organization, page)),
  }),
  plan: t.field({
    type: PlanType,
    nullable: true,
    args: { idOrKey: t.arg.string({ required: true }) },
    resolve: async (_root, { idOrKey }, { caller, services }) =>
      (await services.catalog.find(caller.organization, idOrKey)) ?? null,
  }),
}));

builder.mutationFields((t) => ({
  createPlan: t.field({
    type: PlanType,
    description: "Creates a plan and its first version, billed monthly.",
    errors: {},
    args: {
      key: t.arg.string({ required: true }),
      name: t.arg.string({ required: true }),
      currency: t.arg.string({ required: true, description: 'An ISO 4217 code such as "USD".' }),
      prices: t.arg({ type: [PriceInput], required: true }),
    },
    resolve: (_root, { prices, ...input }, context) => {
      requireSecretKey(context);
      const definition = { ...input, prices: readPrices(prices) };
      return context.services.catalog.createPlan(context.caller, definition, context.idempotencyKey);
    },
  }),
  createPlanVersion: t.field({
    type: PlanVersionType,
    description:
      "Adds a version to a plan and sells it from now on. Older versions and subscriptions on them stay as they are.",
    errors: {},
    args: {
      plan: t.arg.string({ required: true, description: "Id or key." }),
      name: t.arg.string({ required: true }),
      currency: t.arg.string({ required: true }),
      prices: t.arg({ type: [PriceInput], required: true }),
    },
    resolve: (_root, { plan, prices, ...input }, context) => {
      requireSecretKey(context);
      const definition = { ...input, prices: readPrices(prices) };
      return context.services.catalog.createVersion(context.caller, plan, definition, context.idempotencyKey);
    },
  }),
}));

function readPrices(prices: readonly (typeof PriceInput.$inferInput)[]): PriceDefinition[] {
  return prices.map(({ key, name, meter, model }, index) => ({
    key,
    meter,
    model: readPriceModel(model, `prices[${index}].model`),
    ...(name == null ? {} : { name }),
  }));
}

export { PlanVersionType, PriceType } from "./plan-types.js";
