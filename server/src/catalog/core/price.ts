import type { Currency } from "../../kernel/currency.js";
import type { Decimal } from "../../kernel/decimal.js";
import type { MeterId, PriceId, ProductId } from "../../kernel/ids.js";
import type { AnyPriceModel } from "../../rating/core/index.js";
import type { BillingInterval } from "./billing-interval.js";

/**
 * What a price charges for: `usage` what a meter measured; `flat` a fee per interval; `licensed` a quantity that is held,
 * such as seats; `one_off` once, at the start.
 */
export type ChargeKind = "usage" | "flat" | "licensed" | "one_off";

/** Whether a service period is billed at its beginning or at its end. */
export type Timing = "advance" | "arrears";

/** The tax category of a price without a product. */
export const standard_tax_category = "standard";

/** A price of a plan version or of an add-on version; never changes. */
export interface Price {
  readonly id: PriceId;
  /** Names the price within its plan, across versions. */
  readonly key: string;
  readonly name: string;
  readonly product: PricedProduct | undefined;
  /** The product's, or "standard". */
  readonly taxCategory: string;
  readonly charge: ChargeKind;
  /** Usage is billed in arrears, a one-off charge in advance. */
  readonly timing: Timing;
  /** The plan's when it was left out; a one-off charge's is the plan's. */
  readonly interval: BillingInterval;
  /** Whether a part of a service period costs a part of the price. */
  readonly prorated: boolean;
  /** Usage only: the meter, whatever its version; an invoice line records which version it read. */
  readonly meter: PricedMeter | undefined;
  /** Usage only: which of the meter's values count, by its dimensions. Several are all to be met. */
  readonly filters: readonly DimensionFilter[];
  /** The allowance, in metered or licensed units: taken off before the model is asked. */
  readonly included: Decimal | undefined;
  /** Keys of the phases that the price is in; all when undefined. */
  readonly phases: readonly string[] | undefined;
  /** In the version's currency. */
  readonly model: AnyPriceModel;
  /** The same price in other currencies, by code. */
  readonly currencies: Readonly<Record<string, AnyPriceModel>>;
}

export interface PricedProduct {
  readonly id: ProductId;
  readonly key: string;
  readonly name: string;
}

export interface PricedMeter {
  readonly id: MeterId;
  /** As it was called when the price was made. */
  readonly slug: string;
}

/** Only values whose dimension `property` is one of `values` count. */
export interface DimensionFilter {
  readonly property: string;
  readonly values: readonly string[];
}

/** The model that a price has in a currency, or undefined when it is not sold in it. */
export function modelIn(
  price: Pick<Price, "model" | "currencies">,
  version: { readonly currency: Currency },
  currency: Currency,
): AnyPriceModel | undefined {
  if (currency === version.currency) return price.model;
  return Object.hasOwn(price.currencies, currency) ? price.currencies[currency] : undefined;
}
