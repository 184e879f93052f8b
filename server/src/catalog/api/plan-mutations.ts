import { builder, requireSecretKey } from "../../graphql/builder.js";
import type { Instant } from "../../kernel/instant.js";
import { readAddOn } from "../core/index.js";
import {
  amounts_description,
  CommitmentInput,
  PhaseInput,
  PriceInput,
  readInput,
  readPlanInput,
  writtenInstant,
} from "./plan-input.js";
import { AddOnType, AddOnVersionType, PlanType, PlanVersionType } from "./plan-types.js";
import { BillingIntervalEnum } from "./price-types.js";

/** Arguments that describe a plan's version, the same for a first and for a further one. */
function termsArguments(t: Parameters<Parameters<typeof builder.mutationFields>[0]>[0]) {
  return {
    name: t.arg.string({ required: true }),
    currency: t.arg.string({ required: true, description: 'An ISO 4217 code such as "USD".' }),
    interval: t.arg({ type: BillingIntervalEnum, description: "Monthly when left out." }),
    effectiveFrom: t.arg({
      type: "Instant",
      description: "From when new customers get it; now when left out.",
    }),
    trialDays: t.arg.int(),
    graceHours: t.arg.int(),
    phases: t.arg({ type: [PhaseInput] }),
    prices: t.arg({ type: [PriceInput], required: true }),
    minimum: t.arg({ type: "JSON", description: `Per interval. ${amounts_description}` }),
    maximum: t.arg({ type: "JSON", description: `Per interval. ${amounts_description}` }),
    spendThreshold: t.arg({ type: "JSON", description: amounts_description }),
    commitments: t.arg({ type: [CommitmentInput] }),
  };
}

builder.mutationFields((t) => ({
  createPlan: t.field({
    type: PlanType,
    description: "Creates a plan and its first version.",
    errors: {},
    args: { key: t.arg.string({ required: true }), ...termsArguments(t) },
    resolve: (_root, input, context) => {
      requireSecretKey(context);
      const definition = readPlanInput(written(input));
      return context.services.catalog.createPlan(context.caller, definition, context.idempotencyKey);
    },
  }),
  createPlanVersion: t.field({
    type: PlanVersionType,
    description:
      "Adds a version to a plan, in force from effectiveFrom on. Older versions and subscriptions on them stay as they are.",
    errors: {},
    args: { plan: t.arg.string({ required: true, description: "Id or key." }), ...termsArguments(t) },
    resolve: (_root, { plan, ...input }, context) => {
      requireSecretKey(context);
      const { key: _key, ...definition } = readPlanInput({ ...written(input), key: "the-plan-s" });
      return context.services.catalog.createVersion(context.caller, plan, definition, context.idempotencyKey);
    },
  }),
  createAddOn: t.field({
    type: AddOnType,
    description: "Creates an add-on and its first version.",
    errors: {},
    args: {
      key: t.arg.string({ required: true }),
      name: t.arg.string({ required: true }),
      currency: t.arg.string({ required: true }),
      interval: t.arg({ type: BillingIntervalEnum, description: "Monthly when left out." }),
      prices: t.arg({ type: [PriceInput], required: true }),
    },
    resolve: (_root, input, context) => {
      requireSecretKey(context);
      const definition = readInput("add-on", input, readAddOn);
      return context.services.catalog.addOns.create(context.caller, definition, context.idempotencyKey);
    },
  }),
  createAddOnVersion: t.field({
    type: AddOnVersionType,
    description: "Adds a version to an add-on, which is sold from now on. Subscriptions keep theirs.",
    errors: {},
    args: {
      addOn: t.arg.string({ required: true, description: "Id or key." }),
      name: t.arg.string({ required: true }),
      currency: t.arg.string({ required: true }),
      interval: t.arg({ type: BillingIntervalEnum, description: "Monthly when left out." }),
      prices: t.arg({ type: [PriceInput], required: true }),
    },
    resolve: (_root, { addOn, ...input }, context) => {
      requireSecretKey(context);
      const { key: _key, ...definition } = readInput("add-on", { ...input, key: "the-add-on-s" }, readAddOn);
      const { caller, idempotencyKey, services } = context;
      return services.catalog.addOns.createVersion(caller, addOn, definition, idempotencyKey);
    },
  }),
}));

function written(input: { readonly effectiveFrom?: Instant | null | undefined }): Record<string, unknown> {
  return { ...input, effectiveFrom: writtenInstant(input.effectiveFrom) };
}
