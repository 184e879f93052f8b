import type { Currency } from "../../kernel/currency.js";
import type { Decimal } from "../../kernel/decimal.js";
import type { PlanId, PlanVersionId } from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";
import type { BillingInterval } from "./billing-interval.js";
import type { Price } from "./price.js";

/** An amount in major units for each currency code. */
export type AmountPerCurrency = Readonly<Record<string, Decimal>>;

/** A part of a subscription's life with prices or a discount of its own, such as a ramp's first three months. */
export interface Phase {
  readonly key: string;
  /** Undefined for the last phase, which is open. */
  readonly lasts: PhaseLength | undefined;
  readonly discountPercent: Decimal | undefined;
}

export interface PhaseLength {
  readonly count: number;
  readonly unit: "day" | "month";
}

/** An amount that a customer undertakes to spend in so many months, from the subscription's start and again after it. */
export interface Commitment {
  readonly key: string;
  readonly name: string;
  readonly months: number;
  readonly amounts: AmountPerCurrency;
}

/** What customers subscribe to; never changes, and a newer version changes no subscription. */
export interface PlanVersion {
  readonly id: PlanVersionId;
  readonly plan: PlanId;
  readonly planKey: string;
  /** 1, 2, 3 … within the plan. */
  readonly version: number;
  readonly name: string;
  /** The base: each price's `model` is in it. */
  readonly currency: Currency;
  readonly interval: BillingInterval;
  /** From when new customers get it. */
  readonly effectiveFrom: Instant;
  /** 0 for none. */
  readonly trialDays: number;
  /** In order; empty when the plan has none. */
  readonly phases: readonly Phase[];
  /** In the order they were given in, which is the order of an invoice's lines. */
  readonly prices: readonly Price[];
  /** Per `interval`. */
  readonly minimum: AmountPerCurrency | undefined;
  /** Per `interval`. */
  readonly maximum: AmountPerCurrency | undefined;
  readonly commitments: readonly Commitment[];
  /** How long a draft waits for late usage; the organization's when undefined. */
  readonly graceHours: number | undefined;
  /** Unbilled usage that brings an invoice about before the period's end. */
  readonly spendThreshold: AmountPerCurrency | undefined;
  readonly createdAt: Instant;
}

export interface Plan {
  readonly id: PlanId;
  readonly key: string;
  /** The version in force now; undefined while the first is still to come. */
  readonly current: PlanVersion | undefined;
  readonly createdAt: Instant;
}

/** The version that is in force at an instant: of those effective by then the latest, of equals the newest. */
export function versionInForce<V extends Pick<PlanVersion, "effectiveFrom" | "version">>(
  versions: readonly V[],
  at: Instant,
): V | undefined {
  let found: V | undefined;
  for (const version of versions) {
    if (version.effectiveFrom > at) continue;
    if (found === undefined || comesAfter(version, found)) found = version;
  }
  return found;
}

function comesAfter(
  one: Pick<PlanVersion, "effectiveFrom" | "version">,
  other: Pick<PlanVersion, "effectiveFrom" | "version">,
): boolean {
  if (one.effectiveFrom !== other.effectiveFrom) return one.effectiveFrom > other.effectiveFrom;
  return one.version > other.version;
}
