import type { Decimal } from "../../kernel/decimal.js";
import { decimal, literal, record } from "./codec.js";
import { decimalsOf, Division } from "./division.js";
import { quantityRater, ratedParts, type PriceDefinition } from "./rater.js";

/**
 * The events carry their prices, which the meter adds up; `multiplier` marks them up (1.2) or turns cents into major
 * units (0.01).
 */
export interface DynamicPrice {
  readonly kind: "dynamic";
  readonly multiplier: Decimal;
}

export const dynamicPrice: PriceDefinition<DynamicPrice> = {
  codec: record<DynamicPrice>({ kind: literal("dynamic"), multiplier: decimal }),
  findFaults: (model, faults) => faults.amount("multiplier", model.multiplier),
  compile({ multiplier }, { divisor, decimals }) {
    const division = Division.by(divisor, decimals + decimalsOf(multiplier));
    return quantityRater((quantity) =>
      ratedParts([
        { kind: "dynamic", quantity, multiplier, amount: division.quotient(quantity.times(multiplier)) },
      ]),
    );
  },
  isProgressive: () => true,
};
