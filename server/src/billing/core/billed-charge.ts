import type { MeterVersionId, PriceId } from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";
import type { TaxRate } from "../../tax/core/index.js";
import { keyText, type ChargeKey } from "./charge.js";
import type { Period } from "./service-period.js";

/** What invoices that stand have billed of a charge so far, in minor units. */
export interface BilledCharge extends ChargeKey {
  readonly price: PriceId | undefined;
  readonly name: string;
  readonly category: string;
  readonly covered: Period;
  readonly gross: bigint;
  readonly net: bigint;
  /** What it was taxed at when it was first billed; what comes later is taxed the same. */
  readonly rate: TaxRate | undefined;
  /** Which version of its meter was read: what comes later is read from the same. */
  readonly meterVersion: MeterVersionId | undefined;
}

/** By the charge's key. */
export type BilledCharges = ReadonlyMap<string, BilledCharge>;

export function byKey(billed: readonly BilledCharge[]): BilledCharges {
  return new Map(billed.map((one) => [keyText(one), one]));
}

export function touches(period: Period, from: Instant, to: Instant): boolean {
  return period.start < to && period.end > from;
}
