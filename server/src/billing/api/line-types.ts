import { PriceType } from "../../catalog/api/graphql.js";
import type { Price } from "../../catalog/index.js";
import { builder, type GraphQLContext } from "../../graphql/builder.js";
import type { Currency } from "../../kernel/currency.js";
import type { PriceId } from "../../kernel/ids.js";
import { ratedPartToJson, type RatedTier } from "../../rating/core/index.js";
import type { RatedPortion } from "../core/index.js";
import type { PreviewLine, RecordedPortion } from "../invoicing/index.js";
import type { TaxRate } from "../../tax/core/index.js";
import {
  BilledSubjectType,
  InvoiceLineType,
  LineExplanationType,
  MoneyType,
  PeriodType,
  PreviewLineType,
} from "./references.js";

export const RatedTierType = builder.objectRef<RatedTier>("RatedTier").implement({
  description: "What one tier contributed.",
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

/** The tiers of all portions, in order. */
export function tiersOf(portions: readonly Pick<RatedPortion, "parts">[]): RatedTier[] {
  return portions.flatMap(({ parts }) => parts.filter((part) => part.kind === "tier"));
}

export const PortionType = builder
  .objectRef<Omit<RecordedPortion, "model"> | RatedPortion>("RatedPortion")
  .implement({
    description: "The part of a charge under one price model and one set of discounts.",
    fields: (t) => ({
      spans: t.field({ type: [PeriodType], resolve: (portion) => [...portion.spans] }),
      quantity: t.field({
        type: "Decimal",
        description: "Before the allowance.",
        resolve: (portion) => portion.quantity.toString(),
      }),
      includedTaken: t.field({
        type: "Decimal",
        description: "How much of the included allowance it took.",
        resolve: (portion) => portion.taken.toString(),
      }),
      discountPercents: t.field({
        type: ["Decimal"],
        description: "Taken off one after the other.",
        resolve: (portion) => portion.percentsOff.map(String),
      }),
      parts: t.field({
        type: "JSON",
        description: "Tiers, packages, cells, windows: what the amount of a whole period is made of.",
        resolve: (portion) => portion.parts.map(ratedPartToJson),
      }),
      gross: t.field({
        type: "Decimal",
        description: "Before discounts, exact, in major units.",
        resolve: (portion) => portion.gross.toString(),
      }),
      net: t.field({ type: "Decimal", resolve: (portion) => portion.net.toString() }),
    }),
  });

const TaxRateOfLineType = builder.objectRef<TaxRate>("TaxRateOfLine").implement({
  fields: (t) => ({
    key: t.exposeString("key"),
    name: t.exposeString("name"),
    percent: t.field({ type: "Decimal", resolve: (rate) => rate.percent.toString() }),
    inclusive: t.exposeBoolean("inclusive"),
    treatment: t.exposeString("treatment"),
  }),
});

export { TaxRateOfLineType };

const prices = new WeakMap<GraphQLContext, Map<PriceId, Promise<Price | null>>>();

/** A price, read once per request: every line of a list names one. */
function priceOf(context: GraphQLContext, id: PriceId): Promise<Price | null> {
  const known = prices.get(context) ?? new Map<PriceId, Promise<Price | null>>();
  prices.set(context, known);
  const { catalog } = context.services;
  const reading =
    known.get(id) ?? catalog.findPrice(context.caller.organization, id).then((found) => found?.price ?? null);
  known.set(id, reading);
  return reading;
}

/** A line with the currency of its amounts. */
export interface LineInCurrency {
  readonly line: PreviewLine;
  readonly currency: Currency;
}

const moneyOf = (of: (line: PreviewLine) => bigint) => {
  return ({ line, currency }: LineInCurrency) => ({ currency, minor: of(line) });
};

function lineFields(t: PothosFields) {
  return {
    kind: t.string({
      description:
        "charge; adjustment: a coupon, minimum, maximum or commitment; reversal: what left the contract",
      resolve: ({ line }) => line.kind,
    }),
    name: t.string({ resolve: ({ line }) => line.name }),
    price: t.field({
      type: PriceType,
      nullable: true,
      description: "Null for an adjustment.",
      complexity: 5,
      resolve: ({ line }, _args, context) => (line.price === undefined ? null : priceOf(context, line.price)),
    }),
    period: t.field({
      type: PeriodType,
      description: "The service period.",
      resolve: ({ line }) => line.period,
    }),
    covered: t.field({
      type: PeriodType,
      description: "What of the service period is charged.",
      resolve: ({ line }) => line.covered,
    }),
    meterVersionId: t.id({ nullable: true, resolve: ({ line }) => line.meterVersion ?? null }),
    subjects: t.field({ type: [BilledSubjectType], resolve: ({ line }) => [...line.subjects] }),
    quantity: t.field({
      type: "Decimal",
      nullable: true,
      description: "What was used, or held; null for a fee.",
      resolve: ({ line }) => line.quantity?.toString() ?? null,
    }),
    eventCount: t.float({ resolve: ({ line }) => line.events }),
    tiers: t.field({ type: [RatedTierType], resolve: ({ line }) => tiersOf(line.portions) }),
    portions: t.field({ type: [PortionType], resolve: ({ line }) => [...line.portions] }),
    amount: t.field({
      type: "Decimal",
      description:
        "What the charge comes to in all after discounts: exact, in major units, before it is rounded.",
      resolve: ({ line }) => line.exact.toString(),
    }),
    billedBefore: t.field({
      type: MoneyType,
      description: "What earlier invoices billed of the charge.",
      resolve: moneyOf((line) => line.billedNet),
    }),
    gross: t.field({
      type: MoneyType,
      description: "Before discounts, less what was billed before.",
      resolve: moneyOf((line) => line.gross),
    }),
    money: t.field({
      type: MoneyType,
      description:
        "The line: what the charge comes to, rounded once, half away from zero, less what was billed before.",
      resolve: moneyOf((line) => line.net),
    }),
    isCorrection: t.boolean({
      description: "Whether it corrects what an earlier invoice billed, such as by late usage.",
      resolve: ({ line }) => line.isCorrection,
    }),
    taxRate: t.field({ type: TaxRateOfLineType, resolve: ({ line }) => line.rate }),
  };
}

type PothosFields = Parameters<NonNullable<Parameters<typeof PreviewLineType.implement>[0]["fields"]>>[0];

PreviewLineType.implement({ fields: (t) => lineFields(t) });

InvoiceLineType.implement({
  fields: (t) => ({
    id: t.id({ resolve: ({ line }) => line.id }),
    ...lineFields(t as unknown as PothosFields),
    promotionalCredit: t.field({
      type: MoneyType,
      description: "Promotional credits that fell to the line.",
      resolve: ({ invoice: { currency }, line }) => ({ currency, minor: line.promotional }),
    }),
    taxable: t.field({
      type: MoneyType,
      description: "After promotional credits, without tax.",
      resolve: ({ invoice: { currency }, line }) => ({ currency, minor: line.taxable }),
    }),
    tax: t.field({
      type: MoneyType,
      resolve: ({ invoice: { currency }, line }) => ({ currency, minor: line.tax }),
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
