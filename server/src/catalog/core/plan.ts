import type { Currency } from "../../kernel/currency.js";
import type { MeterId, PlanId, PlanVersionId, PriceId } from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";
import type { PriceModel } from "../../rating/core/index.js";

/** A price of a plan version; never changes. */
export interface Price {
  readonly id: PriceId;
  readonly planVersion: PlanVersionId;
  /** Names the price within its plan, across versions. */
  readonly key: string;
  readonly name: string;
  /** The meter, whatever its version: an invoice line records which version it read. */
  readonly meter: MeterId;
  readonly meterSlug: string;
  readonly model: PriceModel;
}

export type BillingInterval = "month";

/** What customers subscribe to; never changes, and a newer version changes no subscription. */
export interface PlanVersion {
  readonly id: PlanVersionId;
  readonly plan: PlanId;
  readonly planKey: string;
  /** 1, 2, 3 … within the plan. */
  readonly version: number;
  readonly name: string;
  readonly currency: Currency;
  readonly interval: BillingInterval;
  /** In the order they were given in, which is the order of an invoice's lines. */
  readonly prices: readonly Price[];
  readonly createdAt: Instant;
}

export interface Plan {
  readonly id: PlanId;
  readonly key: string;
  readonly current: PlanVersion;
  readonly createdAt: Instant;
}
