import type { Currency } from "../../kernel/currency.js";
import type { AddOnId, AddOnVersionId } from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";
import type { BillingInterval } from "./billing-interval.js";
import type { Price } from "./price.js";

/** What may be put on top of a subscription, in some quantity, for some time; never changes. */
export interface AddOnVersion {
  readonly id: AddOnVersionId;
  readonly addOn: AddOnId;
  readonly key: string;
  /** 1, 2, 3 … within the add-on. */
  readonly version: number;
  readonly name: string;
  readonly currency: Currency;
  readonly interval: BillingInterval;
  readonly prices: readonly Price[];
  readonly createdAt: Instant;
}

export interface AddOn {
  readonly id: AddOnId;
  readonly key: string;
  /** The version that is sold now. */
  readonly current: AddOnVersion;
  readonly createdAt: Instant;
}
