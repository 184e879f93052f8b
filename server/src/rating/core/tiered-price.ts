import { Decimal } from "../../kernel/decimal.js";
import { decimal, defaulted, list, literal, record } from "./codec.js";
import type { Faults } from "./fault.js";
import { quantityRater, ratedTiers, type IncomingUnits, type PriceDefinition } from "./rater.js";
import { checkTierAmounts, checkTiers, tierCodec, type Tier } from "./tier.js";
import { TierTable } from "./tier-table.js";

/** Each part of the quantity at the price of the tier it falls into, and the flat fee of every tier reached. */
export interface GraduatedPrice {
  readonly kind: "graduated";
  readonly per: Decimal;
  readonly tiers: readonly Tier[];
}

/** The whole quantity at the price of the tier it ends in, and that tier's flat fee alone. */
export interface VolumePrice {
  readonly kind: "volume";
  readonly per: Decimal;
  readonly tiers: readonly Tier[];
}

function findFaults({ per, tiers }: GraduatedPrice | VolumePrice, faults: Faults): void {
  faults.per(per);
  checkTiers(tiers, faults, checkTierAmounts);
}

/** Tiers whose bounds are in units of the price, for quantities in the units that come in. */
export function compileTiers(tiers: readonly Tier[], per: Decimal, units: IncomingUnits): TierTable {
  const scaled = tiers.map((tier) => ({ ...tier, upTo: tier.upTo?.times(units.divisor) }));
  return new TierTable(scaled, per.times(units.divisor), units.decimals);
}

export const graduatedPrice: PriceDefinition<GraduatedPrice> = {
  codec: record<GraduatedPrice>({
    kind: literal("graduated"),
    per: defaulted(decimal, Decimal.one),
    tiers: list(tierCodec),
  }),
  findFaults,
  compile({ tiers, per }, units) {
    const table = compileTiers(tiers, per, units);
    return quantityRater((quantity) => ratedTiers(table.graduated(quantity)));
  },
  isProgressive: () => true,
};

export const volumePrice: PriceDefinition<VolumePrice> = {
  codec: record<VolumePrice>({
    kind: literal("volume"),
    per: defaulted(decimal, Decimal.one),
    tiers: list(tierCodec),
  }),
  findFaults,
  compile({ tiers, per }, units) {
    const table = compileTiers(tiers, per, units);
    return quantityRater((quantity) => ratedTiers(table.volume(quantity)));
  },
  // A cheaper tier makes the units before it cheaper too.
  isProgressive: () => false,
};
