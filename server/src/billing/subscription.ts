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
