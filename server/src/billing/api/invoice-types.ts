import { PlanVersionType, PriceType } from "../../catalog/api/graphql.js";
import { builder } from "../../graphql/builder.js";
import type { RatedTier } from "../../rating/core/index.js";
import type { RatedLine } from "../core/index.js";
import {
  BilledSubjectType,
  CustomerType,
  InvoiceLineType,
  InvoicePreviewType,
  InvoiceType,
  LineExplanationType,
  MoneyType,
  PeriodType,
  planVersionOf,
  SubscriptionType,
} from "./references.js";

const amount_description = "Exact, in major units, before it is rounded.";
const total_description = "What is due: the sum of the lines, never below zero.";

export const RatedTierType = builder.objectRef<RatedTier>("RatedTier").implement({
  description: "What one tier contributed; the tiers' amounts add up to the line's exact amount.",
  fields: (t) => ({
    from: t.field({
      type: "Decimal",
      description: "Exclusive, except zero.",
      resolve: (tier) => tier.from.toString(),
    }),
    upTo: t.field({
      type: "Decimal",
      nullable: true,
      description: "Inclusive.",
      resolve: (tier) => tier.upTo?.toString() ?? null,
    }),
    quantity: t.field({ type: "Decimal", resolve: (tier) => tier.quantity.toString() }),
    unitAmount: t.field({ type: "Decimal", resolve: (tier) => tier.unitAmount.toString() }),
    flatAmount: t.field({ type: "Decimal", resolve: (tier) => tier.flatAmount.toString() }),
    amount: t.field({ type: "Decimal", resolve: (tier) => tier.amount.toString() }),
  }),
});

const PreviewLineType = builder.objectRef<RatedLine>("InvoicePreviewLine").implement({
  fields: (t) => ({
    price: t.field({ type: PriceType, resolve: (line) => line.price }),
    meterVersionId: t.exposeID("meterVersion"),
    subjects: t.field({ type: [BilledSubjectType], resolve: (line) => [...line.subjects] }),
    quantity: t.field({ type: "Decimal", resolve: (line) => line.quantity.toString() }),
    eventCount: t.exposeFloat("events"),
    tiers: t.field({ type: [RatedTierType], resolve: (line) => [...line.tiers] }),
    amount: t.field({
      type: "Decimal",
      description: amount_description,
      resolve: (line) => line.amount.toString(),
    }),
    money: t.field({
      type: MoneyType,
      description: "Rounded once, half away from zero.",
      resolve: (line) => line.money,
    }),
  }),
});

InvoicePreviewType.implement({
  description: "What a period costs by the usage known now. It is stored nowhere.",
  fields: (t) => ({
    subscription: t.field({ type: SubscriptionType, resolve: (preview) => preview.subscription }),
    planVersion: t.field({ type: PlanVersionType, resolve: (preview) => preview.planVersion }),
    period: t.field({ type: PeriodType, resolve: (preview) => preview.period }),
    timeZone: t.exposeString("timeZone"),
    currency: t.exposeString("currency"),
    watermark: t.field({ type: "JSON", resolve: (preview) => preview.watermark }),
    lines: t.field({ type: [PreviewLineType], resolve: (preview) => [...preview.lines] }),
    subtotal: t.field({ type: MoneyType, resolve: (preview) => preview.subtotal }),
    total: t.field({ type: MoneyType, description: total_description, resolve: (preview) => preview.total }),
    notices: t.stringList({
      description: "What to look at when it comes to nothing.",
      resolve: (preview) => [...preview.notices],
    }),
    computedAt: t.expose("computedAt", { type: "Instant" }),
  }),
});

InvoiceType.implement({
  description: "A stored invoice with the inputs it was computed from.",
  fields: (t) => ({
    id: t.exposeID("id"),
    customer: t.field({
      type: CustomerType,
      complexity: 5,
      resolve: (invoice, _args, { caller, services }) =>
        services.billing.customers.get(caller.organization, invoice.customer),
    }),
    subscription: t.field({
      type: SubscriptionType,
      complexity: 5,
      resolve: (invoice, _args, { caller, services }) =>
        services.billing.subscriptions.get(caller.organization, invoice.subscription),
    }),
    kind: t.exposeString("kind"),
    status: t.exposeString("status"),
    period: t.field({ type: PeriodType, resolve: (invoice) => invoice.period }),
    timeZone: t.exposeString("timeZone"),
    currency: t.exposeString("currency"),
    planVersion: t.field({
      type: PlanVersionType,
      complexity: 5,
      resolve: (invoice, _args, context) => planVersionOf(context, invoice.planVersion),
    }),
    watermark: t.field({
      type: "JSON",
      description: "The usage it was computed from.",
      resolve: (invoice) => invoice.watermark,
    }),
    lines: t.field({
      type: [InvoiceLineType],
      resolve: (invoice) => invoice.lines.map((line) => ({ invoice, line })),
    }),
    subtotal: t.field({ type: MoneyType, resolve: (invoice) => invoice.subtotal }),
    total: t.field({ type: MoneyType, description: total_description, resolve: (invoice) => invoice.total }),
    revision: t.exposeInt("revision", { description: "1 when created, one more with each refresh." }),
    createdAt: t.expose("createdAt", { type: "Instant" }),
    refreshedAt: t.expose("refreshedAt", { type: "Instant" }),
  }),
});

InvoiceLineType.implement({
  fields: (t) => ({
    id: t.id({ resolve: ({ line }) => line.id }),
    price: t.field({
      type: PriceType,
      complexity: 5,
      resolve: async ({ invoice, line }, _args, context) => {
        const { prices } = await planVersionOf(context, invoice.planVersion);
        const price = prices.find((one) => one.id === line.price);
        if (price === undefined) throw new Error(`price ${line.price} is not of ${invoice.planVersion}`);
        return price;
      },
    }),
    meterVersionId: t.id({ resolve: ({ line }) => line.meterVersion }),
    subjects: t.field({ type: [BilledSubjectType], resolve: ({ line }) => [...line.subjects] }),
    quantity: t.field({ type: "Decimal", resolve: ({ line }) => line.quantity.toString() }),
    eventCount: t.float({ resolve: ({ line }) => line.events }),
    tiers: t.field({ type: [RatedTierType], resolve: ({ line }) => [...line.tiers] }),
    amount: t.field({
      type: "Decimal",
      description: amount_description,
      resolve: ({ line }) => line.amount.toString(),
    }),
    money: t.field({
      type: MoneyType,
      description: "Rounded once, half away from zero.",
      resolve: ({ line }) => line.money,
    }),
    explanation: t.field({
      type: LineExplanationType,
      description: "Why the line costs what it costs, down to its events.",
      complexity: 50,
      resolve: ({ invoice, line }, _args, { caller, services }) =>
        services.billing.explanations.ofLine(caller.organization, invoice.id, line.id),
    }),
  }),
});
