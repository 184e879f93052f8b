import { Decimal } from "../../kernel/decimal.js";
import { decimal, defaulted, literal, record } from "./codec.js";
import { quantityRater, ratedTiers, type PriceDefinition } from "./rater.js";
import { TierTable } from "./tier-table.js";

/** Every unit costs the same. */
export interface PerUnitPrice {
  readonly kind: "per_unit";
  /** Price of `per` units. */
  readonly unitAmount: Decimal;
  readonly per: Decimal;
}

export const perUnitPrice: PriceDefinition<PerUnitPrice> = {
  codec: record<PerUnitPrice>({
    kind: literal("per_unit"),
    unitAmount: decimal,
    per: defaulted(decimal, Decimal.one),
  }),
  findFaults(model, faults) {
    faults.per(model.per);
    faults.amount("unitAmount", model.unitAmount);
  },
  compile({ unitAmount, per }, { divisor, decimals }) {
    const table = new TierTable(
      [{ upTo: undefined, unitAmount, flatAmount: Decimal.zero }],
      per.times(divisor),
      decimals,
    );
    return quantityRater((quantity) => ratedTiers(table.graduated(quantity)));
  },
  isProgressive: () => true,
};
