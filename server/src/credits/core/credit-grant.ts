import type { Currency } from "../../kernel/currency.js";
import type { CreditGrantId, CustomerId } from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";

/** Promotional credits lower what is taxed; paid ones pay what is due, tax included. */
export type CreditKind = "promotional" | "paid";

/** Credit of a customer, in whole minor units of one currency. */
export interface CreditGrant {
  readonly id: CreditGrantId;
  readonly customer: CustomerId;
  readonly kind: CreditKind;
  readonly currency: Currency;
  readonly amount: bigint;
  /** What is left: zero to `amount`. */
  readonly remaining: bigint;
  /** The lowest is used first; 0 to 1000. */
  readonly priority: number;
  /** Half-open validity: from this instant … */
  readonly effectiveFrom: Instant;
  /** … until just before this one; for good when undefined. */
  readonly expiresAt: Instant | undefined;
  readonly note: string | undefined;
  readonly createdAt: Instant;
}

export const priority_default = 100;
export const priority_max = 1000;
