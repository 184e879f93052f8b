import { Decimal } from "../../kernel/decimal.js";
import { decimal, defaulted, optional, record, type Codec } from "./codec.js";
import type { Faults } from "./fault.js";

/**
 * One tier of a tiered price. It holds quantities above the tier before it, up to and including `upTo`;
 * the last tier is open (`upTo` undefined).
 */
export interface Tier {
  readonly upTo: Decimal | undefined;
  /** Price of `per` units inside this tier. */
  readonly unitAmount: Decimal;
  /** Charged once, as a whole, when the tier is reached; the first tier is reached at zero usage. */
  readonly flatAmount: Decimal;
}

const tiers_max = 100;

export const tierCodec: Codec<Tier> = record<Tier>({
  upTo: optional(decimal),
  unitAmount: defaulted(decimal, Decimal.zero),
  flatAmount: defaulted(decimal, Decimal.zero),
});

/** Bounds that rise from zero, the last one open; `check` looks at the rest of each tier. */
export function checkTiers<T extends { readonly upTo: Decimal | undefined }>(
  tiers: readonly T[],
  faults: Faults,
  check: (tier: T, at: Faults) => void,
): void {
  if (tiers.length === 0) faults.add("tiers", "give at least one tier");
  if (tiers.length > tiers_max) faults.add("tiers", `at most ${tiers_max} tiers`);
  let below = Decimal.zero;
  tiers.forEach((tier, index) => {
    const at = faults.inside(`tiers[${index}]`);
    const last = index === tiers.length - 1;
    if (last && tier.upTo !== undefined) at.add("upTo", "the last tier is open: leave its upTo out");
    if (!last && tier.upTo === undefined) at.add("upTo", "only the last tier is open: give this one an upTo");
    if (tier.upTo !== undefined) {
      if (tier.upTo.compare(below) <= 0)
        at.add("upTo", `must be above ${below.toString()}, where this tier begins`);
      at.quantity("upTo", tier.upTo.isNegative() ? undefined : tier.upTo);
      below = tier.upTo;
    }
    check(tier, at);
  });
}

export function checkTierAmounts(tier: Tier, at: Faults): void {
  at.amount("unitAmount", tier.unitAmount);
  at.amount("flatAmount", tier.flatAmount);
}
