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
  /** What invoices for service periods within its validity may still draw: zero to `amount`, whatever the time is now. */
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

/** Where a grant is in its life. */
export type CreditGrantStatus = "upcoming" | "active" | "used_up" | "expired" | "voided";

export function statusOf(
  grant: CreditGrant & { readonly used: bigint; readonly voided: bigint },
  now: Instant,
): CreditGrantStatus {
  if (grant.remaining === 0n) return grant.voided > 0n ? "voided" : "used_up";
  if (grant.expiresAt !== undefined && grant.expiresAt <= now) return "expired";
  return now < grant.effectiveFrom ? "upcoming" : "active";
}

/** What can be drawn at an instant: nothing before a grant begins and once it is over. */
export function usableAt(grant: CreditGrant, now: Instant): bigint {
  const over = grant.expiresAt !== undefined && grant.expiresAt <= now;
  return over || now < grant.effectiveFrom ? 0n : grant.remaining;
}
