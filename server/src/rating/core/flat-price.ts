import type { Decimal } from "../../kernel/decimal.js";
import { decimal, literal, record } from "./codec.js";
import { quantityRater, ratedParts, type PriceDefinition } from "./rater.js";

/** The same amount for every period, whatever was used. */
export interface FlatPrice {
  readonly kind: "flat";
  readonly amount: Decimal;
}

export const flatPrice: PriceDefinition<FlatPrice> = {
  codec: record<FlatPrice>({ kind: literal("flat"), amount: decimal }),
  findFaults: (model, faults) => faults.amount("amount", model.amount),
  compile({ amount }) {
    const rated = ratedParts([{ kind: "flat", amount }]);
    return quantityRater(() => rated);
  },
  isProgressive: () => true,
};
