import type { Decimal } from "../../kernel/decimal.js";

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

/**
 * How a quantity becomes an amount. Amounts are in major units of the currency (0.03 is three cents) and may
 * be finer than its smallest coin; only the line is rounded.
 *
 * `per` is how many metered units `unitAmount` is for: 1000000 for a price per million tokens, 3600 for a
 * price per hour of a meter in seconds. Tier bounds are in metered units, whatever `per` is.
 */
export type PriceModel =
  | { readonly kind: "per_unit"; readonly unitAmount: Decimal; readonly per: Decimal }
  | { readonly kind: "graduated"; readonly tiers: readonly Tier[]; readonly per: Decimal };

export type PriceModelKind = PriceModel["kind"];
