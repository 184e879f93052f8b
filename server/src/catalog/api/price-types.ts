import { builder } from "../../graphql/builder.js";
import {
  billingIntervals,
  writePriceModel,
  type AmountPerCurrency,
  type DimensionFilter,
  type Price,
  type PricedProduct,
} from "../core/index.js";

export const BillingIntervalEnum = builder.enumType("BillingInterval", { values: billingIntervals });
export const ChargeKindEnum = builder.enumType("ChargeKind", {
  description:
    "usage: what a meter measured; flat: a fee per interval; licensed: a quantity that is held, such as seats; one_off: once, at the start.",
  values: ["usage", "flat", "licensed", "one_off"] as const,
});
export const ChargeTimingEnum = builder.enumType("ChargeTiming", {
  description: "Whether a service period is billed at its beginning or at its end.",
  values: ["advance", "arrears"] as const,
});

export const price_model_description =
  'How a quantity becomes an amount, as in catalog.yaml: one model by name, such as {"graduated": {"per": "1000000", "tiers": [{"upTo": "1000000", "unitAmount": "3"}, {"unitAmount": "1.8"}]}} or {"perUnit": "0.05"}.';

export interface CurrencyAmount {
  readonly currency: string;
  readonly amount: string;
}

export const CurrencyAmountType = builder.objectRef<CurrencyAmount>("CurrencyAmount").implement({
  description: "An amount in major units.",
  fields: (t) => ({
    currency: t.exposeString("currency"),
    amount: t.expose("amount", { type: "Decimal" }),
  }),
});

export function amountsOf(amounts: AmountPerCurrency): CurrencyAmount[] {
  return Object.entries(amounts).map(([currency, amount]) => ({ currency, amount: amount.toString() }));
}

const PricedProductType = builder.objectRef<PricedProduct>("PricedProduct").implement({
  description: "The product that a price is for.",
  fields: (t) => ({
    id: t.exposeID("id"),
    key: t.exposeString("key"),
    name: t.exposeString("name"),
  }),
});

const DimensionFilterType = builder.objectRef<DimensionFilter>("DimensionFilter").implement({
  description: "Only usage whose dimension has one of the values counts.",
  fields: (t) => ({
    property: t.exposeString("property", { description: "The name of one of the meter's dimensions." }),
    values: t.stringList({ resolve: (filter) => [...filter.values] }),
  }),
});

export const PriceType = builder.objectRef<Price>("Price").implement({
  description: "What something costs. Never changes; a new version has new prices.",
  fields: (t) => ({
    id: t.exposeID("id"),
    key: t.exposeString("key"),
    name: t.exposeString("name"),
    product: t.field({
      type: PricedProductType,
      nullable: true,
      resolve: (price) => price.product ?? null,
    }),
    taxCategory: t.exposeString("taxCategory"),
    charge: t.expose("charge", { type: ChargeKindEnum }),
    timing: t.expose("timing", { type: ChargeTimingEnum }),
    interval: t.expose("interval", { type: BillingIntervalEnum }),
    prorated: t.exposeBoolean("prorated", {
      description: "Whether a part of a service period costs a part of the price.",
    }),
    meter: t.string({
      nullable: true,
      description: "The meter's slug, of a price for usage.",
      resolve: (price) => price.meter?.slug ?? null,
    }),
    filters: t.field({ type: [DimensionFilterType], resolve: (price) => [...price.filters] }),
    included: t.field({
      type: "Decimal",
      nullable: true,
      description: "The allowance, taken off the quantity before the model is asked.",
      resolve: (price) => price.included?.toString() ?? null,
    }),
    phases: t.stringList({
      nullable: true,
      description: "The phases that it is in; null for all.",
      resolve: (price) => (price.phases === undefined ? null : [...price.phases]),
    }),
    model: t.field({
      type: "JSON",
      description: price_model_description,
      resolve: (price) => writePriceModel(price.model),
    }),
    currencies: t.field({
      type: "JSON",
      description: "The same price in other currencies: a model for each code.",
      resolve: ({ currencies }) =>
        Object.fromEntries(Object.entries(currencies).map(([code, model]) => [code, writePriceModel(model)])),
    }),
  }),
});
