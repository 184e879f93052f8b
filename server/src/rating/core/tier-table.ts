import { Decimal } from "../../kernel/decimal.js";
import { decimalsOf, Division } from "./division.js";
import type { TierPart } from "./rated-part.js";
import type { Tier } from "./tier.js";

/** A tier with what can be computed before any quantity is known. */
interface Row {
  readonly from: Decimal;
  readonly tier: Tier;
  readonly unit: bigint;
  /** The flat amount times `per`, so that it takes part in the division and one rule keeps the line's digits exact. */
  readonly flat: bigint;
  /** What the tiers below come to when full: the sum of numerators, their quotient, and their parts. */
  readonly numeratorBelow: bigint;
  readonly amountBelow: Decimal;
  readonly partsBelow: readonly TierPart[];
}

/** Where the tiers begin and end, as integers at one scale. */
interface Bounds {
  readonly from: readonly bigint[];
  readonly upTo: readonly (bigint | undefined)[];
}

const powers = Array.from({ length: 128 }, (_, exponent) => 10n ** BigInt(exponent));

/**
 * Tiers compiled for rating many quantities: all but the last tier that a quantity reaches cost what they always
 * cost, so rating finds that tier and multiplies once.
 */
export class TierTable {
  readonly #rows: readonly Row[];
  readonly #division: Division | undefined;
  readonly #boundScale: number;
  readonly #priceScale: number;
  readonly #byScale = new Map<number, Bounds>();

  /**
   * @param per       how many units a unit amount is for, above zero
   * @param decimals  how many decimals quantities have at most
   * @throws RangeError when there is no tier, or `per` is not above zero
   */
  constructor(tiers: readonly Tier[], per: Decimal, decimals: number) {
    if (tiers.length === 0) throw new RangeError("a tiered price has at least one tier");
    const flats = tiers.map((tier) => tier.flatAmount.times(per));
    this.#boundScale = Math.max(0, ...tiers.map((tier) => tier.upTo?.scale ?? 0));
    this.#priceScale = Math.max(
      ...tiers.map((tier) => tier.unitAmount.scale),
      ...flats.map((flat) => flat.scale),
    );
    const priceDecimals = Math.max(...[...tiers.map((tier) => tier.unitAmount), ...flats].map(decimalsOf));
    this.#division = per.equals(Decimal.one) ? undefined : Division.by(per, priceDecimals + decimals);
    const rows: Row[] = [];
    let from = Decimal.zero;
    let numerator = Decimal.zero;
    let amountBelow = Decimal.zero;
    let partsBelow: TierPart[] = [];
    for (const [index, tier] of tiers.entries()) {
      const flat = flats[index] ?? Decimal.zero;
      rows.push({
        from,
        tier,
        unit: unscaledAt(tier.unitAmount, this.#priceScale),
        flat: unscaledAt(flat, this.#priceScale),
        numeratorBelow: unscaledAt(numerator, this.#boundScale + this.#priceScale),
        amountBelow,
        partsBelow,
      });
      if (tier.upTo === undefined) break;
      const quantity = tier.upTo.minus(from);
      numerator = numerator.plus(quantity.times(tier.unitAmount)).plus(flat);
      const reached = this.#division?.quotient(numerator) ?? numerator;
      partsBelow = [...partsBelow, partOf(tier, from, quantity, reached.minus(amountBelow))];
      amountBelow = reached;
      from = tier.upTo;
    }
    this.#rows = rows;
  }

  /** Each part of the quantity at its own tier's price. */
  graduated(quantity: Decimal): { readonly amount: Decimal; readonly parts: readonly TierPart[] } {
    const scale = Math.max(quantity.scale, this.#boundScale);
    const bounds = this.#boundsAt(scale);
    const unscaled = quantity.unscaled * power(scale - quantity.scale);
    const index = reachedTier(bounds, unscaled);
    const row = this.#rowAt(index);
    const inside = unscaled - (bounds.from[index] ?? 0n);
    const own = inside * row.unit + row.flat * power(scale);
    const productScale = scale + this.#priceScale;
    let last: Decimal;
    let amount: Decimal;
    if (this.#division === undefined) {
      last = Decimal.fromUnscaled(own, productScale);
      amount = index === 0 ? last : row.amountBelow.plus(last);
    } else if (this.#division.reciprocal !== undefined) {
      const { reciprocal } = this.#division;
      last = Decimal.fromUnscaled(own * reciprocal.unscaled, productScale + reciprocal.scale);
      amount = index === 0 ? last : row.amountBelow.plus(last);
    } else {
      const sum = row.numeratorBelow * power(scale - this.#boundScale) + own;
      amount = this.#division.quotient(Decimal.fromUnscaled(sum, productScale));
      last = index === 0 ? amount : amount.minus(row.amountBelow);
    }
    const part = partOf(row.tier, row.from, Decimal.fromUnscaled(inside, scale), last);
    return { amount, parts: index === 0 ? [part] : [...row.partsBelow, part] };
  }

  /** The whole quantity at the price of the tier that it ends in. */
  volume(quantity: Decimal): { readonly amount: Decimal; readonly parts: readonly TierPart[] } {
    const { tier, from, flat } = this.#rowAt(this.tierOf(quantity));
    const numerator = quantity.times(tier.unitAmount).plus(Decimal.fromUnscaled(flat, this.#priceScale));
    const amount = this.#division?.quotient(numerator) ?? numerator;
    return { amount, parts: [partOf(tier, from, quantity, amount)] };
  }

  /** The index of the tier that a quantity ends in; the first for a quantity of zero and below. */
  tierOf(quantity: Decimal): number {
    const scale = Math.max(quantity.scale, this.#boundScale);
    return reachedTier(this.#boundsAt(scale), quantity.unscaled * power(scale - quantity.scale));
  }

  #rowAt(index: number): Row {
    const row = this.#rows[index];
    if (row === undefined) throw new RangeError("the last tier must be open");
    return row;
  }

  #boundsAt(scale: number): Bounds {
    const known = this.#byScale.get(scale);
    if (known !== undefined) return known;
    const bounds = {
      from: this.#rows.map(({ from }) => unscaledAt(from, scale)),
      upTo: this.#rows.map(({ tier }) =>
        tier.upTo === undefined ? undefined : unscaledAt(tier.upTo, scale),
      ),
    };
    // At most as many as scales that a decimal may have, some 200.
    this.#byScale.set(scale, bounds);
    return bounds;
  }
}

function reachedTier({ upTo }: Bounds, quantity: bigint): number {
  let index = 0;
  for (; index < upTo.length; index += 1) {
    const bound = upTo[index];
    if (bound === undefined || quantity <= bound) break;
  }
  return index;
}

function partOf(tier: Tier, from: Decimal, quantity: Decimal, amount: Decimal): TierPart {
  const { upTo, unitAmount, flatAmount } = tier;
  return { kind: "tier", from, upTo, quantity, unitAmount, flatAmount, amount };
}

function unscaledAt(value: Decimal, scale: number): bigint {
  return value.unscaled * power(scale - value.scale);
}

function power(exponent: number): bigint {
  return powers[exponent] ?? 10n ** BigInt(exponent);
}
