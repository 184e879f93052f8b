import type { Instant } from "../../kernel/instant.js";

/** When to top up a balance, in minor units of its currency. */
export interface TopUpRule {
  /** Below it the balance is topped up. */
  readonly threshold: bigint;
  readonly amount: bigint;
  /** Of all automatic top-ups of a calendar month; no limit when undefined. */
  readonly monthlyMax: bigint | undefined;
}

/** A balance as a look finds it. */
export interface LookedAt {
  /** Below zero when more was used than there is. */
  readonly available: bigint;
  /** Below it the organization is told; never when undefined. */
  readonly lowAt: bigint | undefined;
  /** Whether it was told since the balance was last at `lowAt` or above. */
  readonly isLow: boolean;
  readonly topUp: TopUpRule | undefined;
  /** A person has to do something before it is topped up by itself: give another card, set the rule anew. */
  readonly isStopped: boolean;
  /** The top-up that has not ended. */
  readonly open:
    | {
        /** When it is tried again; undefined while an attempt of it may take money. */
        readonly retryAt: Instant | undefined;
        readonly isAutomatic: boolean;
      }
    | undefined;
  /** What automatic top-ups of this calendar month took, or may take. */
  readonly thisMonth: bigint;
  /** How many automatic top-ups were begun in the last 24 hours. */
  readonly lastDay: number;
  readonly now: Instant;
}

export type LowChange = "none" | "crossed" | "recovered";

export type TopUpStep =
  | "none"
  | "begin"
  /** Another attempt of the one that waits. */
  | "retry"
  /** The one that waits is not needed any more. */
  | "give_up"
  /** It would take more than the month allows. */
  | "over_monthly_max"
  /** Something is wrong with the rule: no more of it before a person has looked. */
  | "too_many";

export interface LookDecision {
  readonly low: LowChange;
  readonly topUp: TopUpStep;
}

/** A rule whose amount is far too small for what is used would charge a card again and again. */
export const top_ups_per_day_max = 24;

/** What to do about a balance; asked again in the same situation it gives the same. */
export function decideLook(found: LookedAt): LookDecision {
  return { low: lowChange(found), topUp: topUpStep(found) };
}

function lowChange({ available, lowAt, isLow }: LookedAt): LowChange {
  const isBelow = lowAt !== undefined && available < lowAt;
  if (isBelow === isLow) return "none";
  return isBelow ? "crossed" : "recovered";
}

function topUpStep(found: LookedAt): TopUpStep {
  const { available, topUp, isStopped, open, thisMonth, lastDay, now } = found;
  const isNeeded = topUp !== undefined && available < topUp.threshold;
  if (open !== undefined) {
    if (open.retryAt === undefined || open.retryAt > now || !open.isAutomatic) return "none";
    return isNeeded && !isStopped ? "retry" : "give_up";
  }
  if (!isNeeded || isStopped) return "none";
  const { amount, monthlyMax } = topUp;
  if (monthlyMax !== undefined && thisMonth + amount > monthlyMax) return "over_monthly_max";
  return lastDay >= top_ups_per_day_max ? "too_many" : "begin";
}
