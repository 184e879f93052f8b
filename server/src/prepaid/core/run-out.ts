import { day, type Instant } from "../../kernel/instant.js";

export interface PrepaidGrant {
  /** In minor units, above zero. */
  readonly left: bigint;
  /** Exclusive; never when undefined. */
  readonly expiresAt: Instant | undefined;
}

export interface Burn {
  /** What of a balance is used up already and not billed. */
  readonly burning: bigint;
  /** What was used up over a span of time that ended now; below zero when corrections took back more. */
  readonly burned: bigint;
  /** In microseconds, above zero. */
  readonly span: number;
}

/** Farther away nothing is foreseen. */
const foreseen_max = 10 * 366 * day;

/**
 * When a prepaid balance is used up if it goes on burning as it did: what expires first is used first, and what is left of it
 * then is lost. Now when it is used up already; undefined when it lasts for more than ten years.
 *
 * @param grants  those that can be used now
 */
export function runOutAt(
  grants: readonly PrepaidGrant[],
  { burning, burned, span }: Burn,
  now: Instant,
): Instant | undefined {
  let used = burning > 0n ? burning : 0n;
  let at: number = now;
  for (const { left, expiresAt = Infinity } of grants.toSorted(byExpiry)) {
    if (expiresAt <= at) continue;
    const rest = left > used ? left - used : 0n;
    used -= left - rest;
    if (rest === 0n) continue;
    const lasts = burned > 0n ? Number((rest * BigInt(span) + burned - 1n) / burned) : Infinity;
    at = Math.min(at + lasts, expiresAt);
    if (at - now > foreseen_max) return undefined;
  }
  return at as Instant;
}

function byExpiry(one: PrepaidGrant, other: PrepaidGrant): number {
  const [first, second] = [one.expiresAt ?? Infinity, other.expiresAt ?? Infinity];
  return first === second ? 0 : first < second ? -1 : 1;
}
