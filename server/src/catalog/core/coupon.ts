import type { Decimal } from "../../kernel/decimal.js";
import type { CouponId } from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";
import type { AmountPerCurrency } from "./plan.js";

/** A discount that customers redeem; never changes but for being archived. */
export interface Coupon {
  readonly id: CouponId;
  readonly key: string;
  readonly name: string;
  readonly off: CouponOff;
  readonly duration: CouponDuration;
  /** What it takes something off; everything when undefined. A price is in it by its own key or by its product's. */
  readonly appliesTo: CouponScope | undefined;
  readonly redemptionsMax: number | undefined;
  /** Not redeemed from then on; what was redeemed before runs on. */
  readonly expiresAt: Instant | undefined;
  /** Not redeemed from then on. */
  readonly archivedAt: Instant | undefined;
  readonly createdAt: Instant;
}

/** A part of what is charged, or an amount per currency in major units. */
export type CouponOff =
  | { readonly kind: "percent"; readonly percent: Decimal }
  | { readonly kind: "amount"; readonly amounts: AmountPerCurrency };

/** On the first invoice, on those of so many months, or on all. */
export type CouponDuration =
  | { readonly kind: "once" }
  | { readonly kind: "forever" }
  | { readonly kind: "months"; readonly months: number };

export interface CouponScope {
  readonly prices?: readonly string[];
  readonly products?: readonly string[];
}
