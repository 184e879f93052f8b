import { Decimal } from "../../kernel/decimal.js";
import type { Codec } from "./codec.js";
import { quantity_decimals_max, type Faults } from "./fault.js";
import type { RatedPart, TierPart } from "./rated-part.js";
import { requireUsage, type Usage, type UsageKind } from "./usage.js";

export interface Rated {
  /** In major units, not rounded to the currency: `toMoney` does that once, at the line. */
  readonly amount: Decimal;
  /** What the amount is made of: the parts' amounts add up to it, digit for digit. */
  readonly parts: readonly RatedPart[];
  /** Those of the parts that are tiers, in order. */
  readonly tiers: readonly TierPart[];
}

/** A price compiled for rating many times. */
export interface Rater {
  /** What to measure for it. */
  readonly usage: UsageKind;
  /**
   * @param usage  of the kind in `usage`; a decimal stands for a quantity
   * @throws RangeError when the usage is of another kind
   */
  rate(usage: Usage | Decimal): Rated;
}

/** The units that a price's quantities come in. */
export interface IncomingUnits {
  /** How many of them make one unit of the price (see converted-price.ts); above zero. */
  readonly divisor: Decimal;
  /** How many decimals their quantities have at most. */
  readonly decimals: number;
}

/** What meters measure. */
export const metered_units: IncomingUnits = { divisor: Decimal.one, decimals: quantity_decimals_max };

/** All that is to be known about one price model; each has a file of its own. */
export interface PriceDefinition<M> {
  readonly codec: Codec<M>;
  /** Adds everything that is wrong; what passes can be rated, whatever the usage. */
  findFaults(model: M, faults: Faults): void;
  /** @throws RangeError when the model has faults that keep it from being rated */
  compile(model: M, units: IncomingUnits): Rater;
  /** Whether more usage never costs less, so that a part of a period can be billed ahead of the rest. */
  isProgressive(model: M): boolean;
}

const no_tiers: readonly TierPart[] = [];

export function ratedTiers({ amount, parts }: { amount: Decimal; parts: readonly TierPart[] }): Rated {
  return { amount, parts, tiers: parts };
}

/** @param parts  whose amounts add up to the whole */
export function ratedParts(parts: readonly RatedPart[]): Rated {
  return { amount: Decimal.sum(parts.map((part) => part.amount)), parts, tiers: no_tiers };
}

export function quantityRater(rateQuantity: (quantity: Decimal) => Rated): Rater {
  return {
    usage: "quantity",
    rate: (usage) =>
      rateQuantity(usage instanceof Decimal ? usage : requireUsage(usage, "quantity").quantity),
  };
}
