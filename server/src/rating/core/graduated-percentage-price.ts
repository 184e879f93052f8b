import { Decimal } from "../../kernel/decimal.js";
import { decimal, defaulted, list, literal, optional, record } from "./codec.js";
import { percent_share } from "./fault.js";
import { quantityRater, ratedTiers, type PriceDefinition } from "./rater.js";
import { checkTiers } from "./tier.js";
import { compileTiers } from "./tiered-price.js";

/** A tier of rates: it holds the value above the tier before it, up to and including `upTo`. */
export interface PercentageTier {
  readonly upTo: Decimal | undefined;
  readonly ratePercent: Decimal;
  /** Charged once when the tier is reached; the first tier is reached at zero. */
  readonly flatAmount: Decimal;
}

/** Each part of the value at the rate of the tier it falls into. */
export interface GraduatedPercentagePrice {
  readonly kind: "graduated_percentage";
  readonly tiers: readonly PercentageTier[];
}

export const graduatedPercentagePrice: PriceDefinition<GraduatedPercentagePrice> = {
  codec: record<GraduatedPercentagePrice>({
    kind: literal("graduated_percentage"),
    tiers: list(
      record<PercentageTier>({
        upTo: optional(decimal),
        ratePercent: decimal,
        flatAmount: defaulted(decimal, Decimal.zero),
      }),
    ),
  }),
  findFaults({ tiers }, faults) {
    checkTiers(tiers, faults, (tier, at) => {
      at.percent("ratePercent", tier.ratePercent);
      at.amount("flatAmount", tier.flatAmount);
    });
  },
  compile({ tiers }, units) {
    // In the rated tiers a unit amount is the share of one unit of value: 2 % is 0.02.
    const shares = tiers.map(({ upTo, ratePercent, flatAmount }) => ({
      upTo,
      unitAmount: ratePercent.times(percent_share),
      flatAmount,
    }));
    const table = compileTiers(shares, Decimal.one, units);
    return quantityRater((quantity) => ratedTiers(table.graduated(quantity)));
  },
  isProgressive: () => true,
};
