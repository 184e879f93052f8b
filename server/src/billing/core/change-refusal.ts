import type { Instant } from "../../kernel/instant.js";
import type { Result } from "../../kernel/result.js";
import type { Subscription } from "./subscription.js";

/** Why a subscription does not change. */
export type ChangeRefusal =
  /** A finalized invoice closed the time up to `from`: the change is possible from then on. */
  | { readonly kind: "already_invoiced"; readonly at: Instant; readonly from: Instant }
  | { readonly kind: "before_start"; readonly at: Instant; readonly startedAt: Instant }
  | { readonly kind: "after_end"; readonly at: Instant; readonly endsAt: Instant }
  | { readonly kind: "too_far"; readonly at: Instant; readonly earliest: Instant; readonly latest: Instant }
  | { readonly kind: "not_canceled" }
  | { readonly kind: "unknown_price"; readonly priceKey: string; readonly known: readonly string[] }
  | { readonly kind: "bad_quantity"; readonly priceKey: string; readonly quantity: string }
  | { readonly kind: "unknown_add_on"; readonly addOn: string; readonly known: readonly string[] }
  | { readonly kind: "coupon_redeemed"; readonly from: Instant; readonly to: Instant | undefined }
  | { readonly kind: "coupon_not_redeemed" }
  | { readonly kind: "currency"; readonly currency: string; readonly missing: readonly string[] }
  | { readonly kind: "too_many"; readonly what: string; readonly max: number };

export type Changed = Result<Subscription, ChangeRefusal>;
