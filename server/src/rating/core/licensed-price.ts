import { Decimal } from "../../kernel/decimal.js";
import { list, literal, record } from "./codec.js";
import { Division } from "./division.js";
import type { RatedPart } from "./rated-part.js";
import { ratedParts, type PriceDefinition } from "./rater.js";
import { checkTierAmounts, checkTiers, tierCodec, type Tier } from "./tier.js";
import { requireUsage, type LicensedChange, type LicensedUsage } from "./usage.js";

/**
 * A quantity that is held rather than used, such as seats, for the part of the period that it is held.
 *
 * Each change of the quantity is priced in the tiers that its whole units fall into, at the part of the period that
 * it counts for: of 6 seats, the sixth is in the tier that begins after 5, also when it came on the last day. A
 * removal gives back what its units would cost for the rest. Flat fees of all tiers that were reached are charged
 * whole. The sum is never below zero.
 */
export interface LicensedPrice {
  readonly kind: "licensed";
  /** Bounds and prices are for whole units over a whole period. */
  readonly tiers: readonly Tier[];
}

/**
 * Prorated units of a tier that are no finite decimal are rounded here. In unit-days (`per` being the period's days)
 * they are always whole.
 */
const prorated_decimals = 60;

export const licensedPrice: PriceDefinition<LicensedPrice> = {
  codec: record<LicensedPrice>({ kind: literal("licensed"), tiers: list(tierCodec) }),
  findFaults: ({ tiers }, faults) => checkTiers(tiers, faults, checkTierAmounts),
  compile({ tiers }) {
    const bands = bandsOf(tiers);
    return { usage: "licensed", rate: (usage) => rateChanges(bands, requireUsage(usage, "licensed")) };
  },
  // Units that are removed give money back.
  isProgressive: () => false,
};

/** A tier with where it begins: (from, upTo]. */
interface Band {
  readonly from: Decimal;
  readonly tier: Tier;
}

function bandsOf(tiers: readonly Tier[]): Band[] {
  let from = Decimal.zero;
  const bands: Band[] = [];
  for (const tier of tiers) {
    bands.push({ from, tier });
    if (tier.upTo === undefined) return bands;
    from = tier.upTo;
  }
  throw new RangeError("the last tier must be open");
}

function rateChanges(bands: readonly Band[], { changes, per }: LicensedUsage) {
  const pieces: { position: number; piece: Piece }[] = [];
  let held = Decimal.zero;
  let most = Decimal.zero;
  for (const [index, change] of changes.entries()) {
    const next = held.plus(change.units);
    for (const piece of piecesOf(bands, held, next, change)) pieces.push({ position: index + 1, piece });
    held = next;
    most = Decimal.max(most, held);
  }
  const numerators = pieces.map(({ piece }) => piece.proratedUnits.times(piece.unitAmount));
  const amounts = Division.by(per, Math.max(0, ...numerators.map((each) => each.scale))).shares(numerators);
  const parts: RatedPart[] = pieces.map(({ position, piece }, index) => ({
    kind: "change",
    position,
    ...piece,
    amount: amounts[index] ?? Decimal.zero,
  }));
  for (const { from, tier } of bands) {
    const isReached = from.isZero() || most.compare(from) > 0;
    if (isReached && !tier.flatAmount.isZero())
      parts.push({ kind: "tier_fee", upTo: tier.upTo, amount: tier.flatAmount });
  }
  const sum = Decimal.sum(parts.map((part) => part.amount));
  if (sum.isNegative()) parts.push({ kind: "floor", amount: sum.negate() });
  return ratedParts(parts);
}

interface Piece {
  readonly units: Decimal;
  readonly proratedUnits: Decimal;
  readonly unitAmount: Decimal;
}

/** A change cut at the tiers' bounds, the part that was added or removed first being first. */
function piecesOf(bands: readonly Band[], before: Decimal, after: Decimal, change: LicensedChange): Piece[] {
  const low = Decimal.min(before, after);
  const high = Decimal.max(before, after);
  const pieces = bands.flatMap(({ from, tier }, index): Piece[] => {
    // What lies below zero is at the first tier's price.
    const bottom = index === 0 ? low : Decimal.max(low, from);
    const top = tier.upTo === undefined ? high : Decimal.min(high, tier.upTo);
    if (top.compare(bottom) <= 0) return [];
    const units = change.units.isNegative() ? bottom.minus(top) : top.minus(bottom);
    return [{ units, proratedUnits: shareOf(change, units), unitAmount: tier.unitAmount }];
  });
  return change.units.isNegative() ? pieces.reverse() : pieces;
}

function shareOf({ units, proratedUnits }: LicensedChange, part: Decimal): Decimal {
  if (part.equals(units)) return proratedUnits;
  return proratedUnits.times(part).dividedBy(units, prorated_decimals, "half-away");
}
