import { builder } from "../../graphql/builder.js";
import { forwardConnection } from "../../graphql/forward-connection.js";
import type { AddOn, AddOnVersion, Commitment, Phase, Plan, PlanVersion } from "../core/index.js";
import { amountsOf, BillingIntervalEnum, CurrencyAmountType, PriceType } from "./price-types.js";

const PhaseType = builder.objectRef<Phase>("PlanPhase").implement({
  description: "A part of a subscription's life, such as a ramp's first three months.",
  fields: (t) => ({
    key: t.exposeString("key"),
    months: t.int({
      nullable: true,
      resolve: ({ lasts }) => (lasts?.unit === "month" ? lasts.count : null),
    }),
    days: t.int({ nullable: true, resolve: ({ lasts }) => (lasts?.unit === "day" ? lasts.count : null) }),
    discountPercent: t.field({
      type: "Decimal",
      nullable: true,
      resolve: (phase) => phase.discountPercent?.toString() ?? null,
    }),
  }),
});

const CommitmentType = builder.objectRef<Commitment>("SpendCommitment").implement({
  description: "What a customer undertakes to spend in so many months.",
  fields: (t) => ({
    key: t.exposeString("key"),
    name: t.exposeString("name"),
    months: t.exposeInt("months"),
    amounts: t.field({
      type: [CurrencyAmountType],
      resolve: (commitment) => amountsOf(commitment.amounts),
    }),
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
    interval: t.expose("interval", { type: BillingIntervalEnum }),
    effectiveFrom: t.expose("effectiveFrom", { type: "Instant" }),
    trialDays: t.exposeInt("trialDays"),
    graceHours: t.int({
      nullable: true,
      description: "How long a draft waits for late usage; the organization's when null.",
      resolve: (version) => version.graceHours ?? null,
    }),
    phases: t.field({ type: [PhaseType], resolve: (version) => [...version.phases] }),
    prices: t.field({ type: [PriceType], resolve: (version) => [...version.prices] }),
    minimum: t.field({
      type: [CurrencyAmountType],
      description: "Per interval; empty for none.",
      resolve: (version) => amountsOf(version.minimum ?? {}),
    }),
    maximum: t.field({
      type: [CurrencyAmountType],
      description: "Per interval; empty for none.",
      resolve: (version) => amountsOf(version.maximum ?? {}),
    }),
    spendThreshold: t.field({
      type: [CurrencyAmountType],
      description: "Unbilled usage that brings an invoice about before the period's end; empty for none.",
      resolve: (version) => amountsOf(version.spendThreshold ?? {}),
    }),
    commitments: t.field({ type: [CommitmentType], resolve: (version) => [...version.commitments] }),
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
    versions: t.connection({
      type: PlanVersionType,
      description: "Every version, oldest first, those that are still to come too.",
      resolve: (plan, args, { caller, services }) =>
        forwardConnection(args, (page) => services.catalog.versionsOf(caller.organization, plan.id, page)),
    }),
    createdAt: t.expose("createdAt", { type: "Instant" }),
  }),
});

export const AddOnVersionType = builder.objectRef<AddOnVersion>("AddOnVersion").implement({
  description: "What may be put on top of a subscription. Never changes.",
  fields: (t) => ({
    id: t.exposeID("id"),
    addOnId: t.exposeID("addOn"),
    addOnKey: t.exposeString("key"),
    version: t.exposeInt("version"),
    name: t.exposeString("name"),
    currency: t.exposeString("currency"),
    interval: t.expose("interval", { type: BillingIntervalEnum }),
    prices: t.field({ type: [PriceType], resolve: (version) => [...version.prices] }),
    createdAt: t.expose("createdAt", { type: "Instant" }),
  }),
});

export const AddOnType = builder.objectRef<AddOn>("AddOn").implement({
  fields: (t) => ({
    id: t.exposeID("id"),
    key: t.exposeString("key"),
    current: t.field({
      type: AddOnVersionType,
      description: "The version that is sold.",
      resolve: (addOn) => addOn.current,
    }),
    versions: t.connection({
      type: AddOnVersionType,
      description: "Every version, oldest first.",
      resolve: (addOn, args, { caller, services }) =>
        forwardConnection(args, (page) =>
          services.catalog.addOns.versionsOf(caller.organization, addOn.id, page),
        ),
    }),
    createdAt: t.expose("createdAt", { type: "Instant" }),
  }),
});
