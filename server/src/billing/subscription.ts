import type { CustomerId, PlanVersionId, SubscriptionId } from "../kernel/ids.js";
import type { Instant } from "../kernel/instant.js";
import type { PeriodTerms } from "./core/index.js";

/** A customer on a plan version, with what decides its periods. */
export interface Subscription extends PeriodTerms {
  readonly id: SubscriptionId;
  readonly customer: CustomerId;
  readonly planVersion: PlanVersionId;
  readonly createdAt: Instant;
}

/** What a caller gives to subscribe a customer. */
export interface NewSubscription {
  /** Id or key. */
  readonly customer: string;
  /** A plan's id or key for its current version, or a plan version's id. */
  readonly plan: string;
  /** Any instant of the first day; today when left out. */
  readonly start?: Instant;
  /** Day of the month that periods begin on; the first when left out, so that periods are calendar months. */
  readonly anchorDay?: number;
}
