import { Decimal } from "../../kernel/decimal.js";
import { sharesOf } from "./exact-share.js";
import type { PriceModel, Tier } from "./price-model.js";

/** What one tier contributed; the amounts of a line's tiers add up to the line's, digit for digit. */
export interface RatedTier {
  /** Exclusive lower bound, except that the first tier begins at and includes zero. */
  readonly from: Decimal;
  /** Inclusive upper bound; undefined when the tier is open. */
  readonly upTo: Decimal | undefined;
  /** The part of the line's quantity that fell into this tier. */
  readonly quantity: Decimal;
  readonly unitAmount: Decimal;
  readonly flatAmount: Decimal;
  readonly amount: Decimal;
}

export interface Rated {
  /** In major units, not rounded to the currency: `toMoney` does that once, at the line. */
  readonly amount: Decimal;
  /** The tiers that were reached, in order; at least one. */
  readonly tiers: readonly RatedTier[];
}

/**
 * Prices a quantity.
 *
 * Amounts are exact whenever a `per`th of a unit can be written out in decimals (1000, 1024, 1000000); otherwise
 * (3600, say) they carry so many digits that rounding them to the currency gives the same coin as rounding the exact
 * fraction (see exact-share.ts).
 *
 * A negative quantity (a meter summing corrections below zero) is a negative amount at the first tier's price.
 */
export function rate(model: PriceModel, quantity: Decimal): Rated {
  switch (model.kind) {
    case "per_unit":
      return rateTiers(
        [{ upTo: undefined, unitAmount: model.unitAmount, flatAmount: Decimal.zero }],
        model.per,
        quantity,
      );
    case "graduated":
      return rateTiers(model.tiers, model.per, quantity);
    default:
      return model satisfies never;
  }
}

function rateTiers(tiers: readonly Tier[], per: Decimal, quantity: Decimal): Rated {
  const reached: Omit<RatedTier, "amount">[] = [];
  let from = Decimal.zero;
  for (const tier of tiers) {
    if (reached.length > 0 && quantity.compare(from) <= 0) break;
    const end = tier.upTo === undefined ? quantity : Decimal.min(quantity, tier.upTo);
    reached.push({ from, ...tier, quantity: end.minus(from) });
    if (tier.upTo === undefined) break;
    from = tier.upTo;
  }
  // The flat amount takes part in the division, so that one rule keeps the line's digits exact.
  const shares = sharesOf(
    reached.map((tier) => tier.quantity.times(tier.unitAmount).plus(tier.flatAmount.times(per))),
    per,
  );
  const rated = reached.map((tier, index) => ({ ...tier, amount: shares[index] ?? Decimal.zero }));
  return { amount: rated.reduce((sum, tier) => sum.plus(tier.amount), Decimal.zero), tiers: rated };
}
