import { Decimal } from "../../kernel/decimal.js";
import type { RatedTier } from "./rate.js";
import type { PriceModel } from "./price-model.js";

/** A price model as it is stored: decimals as text, an open end left out. */
export type PriceModelJson =
  | { readonly kind: "per_unit"; readonly unitAmount: string; readonly per: string }
  | {
      readonly kind: "graduated";
      readonly per: string;
      readonly tiers: readonly {
        readonly upTo?: string;
        readonly unitAmount: string;
        readonly flatAmount: string;
      }[];
    };

/** A rated tier as an invoice line records it. */
export interface RatedTierJson {
  readonly from: string;
  readonly upTo?: string;
  readonly quantity: string;
  readonly unitAmount: string;
  readonly flatAmount: string;
  readonly amount: string;
}

export function priceModelToJson(model: PriceModel): PriceModelJson {
  const per = model.per.toString();
  switch (model.kind) {
    case "per_unit":
      return { kind: "per_unit", unitAmount: model.unitAmount.toString(), per };
    case "graduated":
      return {
        kind: "graduated",
        per,
        tiers: model.tiers.map((tier) => ({
          ...(tier.upTo === undefined ? {} : { upTo: tier.upTo.toString() }),
          unitAmount: tier.unitAmount.toString(),
          flatAmount: tier.flatAmount.toString(),
        })),
      };
    default:
      return model satisfies never;
  }
}

/** Reads back what `priceModelToJson` wrote. @throws RangeError when a decimal is not one */
export function priceModelFromJson(json: PriceModelJson): PriceModel {
  const per = Decimal.of(json.per);
  switch (json.kind) {
    case "per_unit":
      return { kind: "per_unit", unitAmount: Decimal.of(json.unitAmount), per };
    case "graduated":
      return {
        kind: "graduated",
        per,
        tiers: json.tiers.map((tier) => ({
          upTo: tier.upTo === undefined ? undefined : Decimal.of(tier.upTo),
          unitAmount: Decimal.of(tier.unitAmount),
          flatAmount: Decimal.of(tier.flatAmount),
        })),
      };
    default:
      return json satisfies never;
  }
}

export function ratedTierToJson(tier: RatedTier): RatedTierJson {
  return {
    from: tier.from.toString(),
    ...(tier.upTo === undefined ? {} : { upTo: tier.upTo.toString() }),
    quantity: tier.quantity.toString(),
    unitAmount: tier.unitAmount.toString(),
    flatAmount: tier.flatAmount.toString(),
    amount: tier.amount.toString(),
  };
}

export function ratedTierFromJson(json: RatedTierJson): RatedTier {
  return {
    from: Decimal.of(json.from),
    upTo: json.upTo === undefined ? undefined : Decimal.of(json.upTo),
    quantity: Decimal.of(json.quantity),
    unitAmount: Decimal.of(json.unitAmount),
    flatAmount: Decimal.of(json.flatAmount),
    amount: Decimal.of(json.amount),
  };
}
