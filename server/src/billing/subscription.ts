import type { BillingAnchor } from "../kernel/billing-period.js";
import type { Decimal } from "../kernel/decimal.js";
import type { Instant } from "../kernel/instant.js";
import type { AnyPriceModel } from "../rating/core/index.js";
import type { When } from "./core/index.js";

export type { Subscription } from "./core/index.js";
export type { SubscriptionChange } from "./store/subscription-changes.js";

export type Quantities = Readonly<Record<string, Decimal>>;
export type Overrides = Readonly<Record<string, AnyPriceModel>>;

/** What a caller gives to subscribe a customer. */
export interface NewSubscription {
  /** Id or key. */
  readonly customer: string;
  /** A plan's id or key for the version in force at the start, or a plan version's id. */
  readonly plan: string;
  /** Any instant of the first day; today when left out. Up to ten years back or ahead. */
  readonly start?: Instant;
  /** Day of the month that periods begin on; with `anchor` left out, the first, so that periods are calendar months. */
  readonly anchorDay?: number;
  readonly anchor?: "calendar" | "anniversary" | BillingAnchor;
  /** One of those that every price of the plan has; the customer's, or else the plan's, when left out. */
  readonly currency?: string;
  /** The plan's when left out. */
  readonly trialDays?: number;
  /** Licensed quantities by price key; 1 when left out. */
  readonly quantities?: Quantities;
  /** Models that stand in for the plan's, by price key. */
  readonly overrides?: Overrides;
  /** Keys or ids, redeemed from the first period on. */
  readonly coupons?: readonly string[];
}

interface ChangeOf {
  /** The subscription's id. */
  readonly subscription: string;
  /** Now when left out. */
  readonly when?: When;
}

export interface PlanChangeInput extends ChangeOf {
  /** A plan's id or key for the version in force then, or a plan version's id. */
  readonly plan: string;
  readonly quantities?: Quantities;
  readonly overrides?: Overrides;
}

export interface QuantityInput extends ChangeOf {
  /** The licensed price's key. */
  readonly price: string;
  readonly quantity: Decimal;
}

export interface AttachInput extends ChangeOf {
  /** Id or key; its version that is sold now. */
  readonly addOn: string;
  /** 1 when left out. */
  readonly quantity?: Decimal;
  /** Any instant of the last day that it is on; open when left out. */
  readonly until?: Instant;
}

export interface DetachInput extends ChangeOf {
  /** The id that the add-on has on this subscription. */
  readonly addOn: string;
}

export interface CouponInput {
  readonly subscription: string;
  /** Id or key. */
  readonly coupon: string;
}

export type CancelInput = ChangeOf;
