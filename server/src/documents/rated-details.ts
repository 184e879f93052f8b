import { Decimal } from "../kernel/decimal.js";
import type { RatedPart } from "../rating/core/index.js";
import type { DetailWord, DocumentDetail } from "./invoice-document.js";

/**
 * What rating made a line of, as the line's details. A line of one flat part, or of one tier that is open, explains itself by its
 * quantity and unit price and gets none.
 * @param per the units that the price's unit amount is for
 */
export function detailsOf(parts: readonly RatedPart[], per: Decimal = Decimal.one): DocumentDetail[] {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) {
    if (only.kind === "flat") return [];
    if (only.kind === "tier" && only.upTo === undefined && only.from.isZero() && only.flatAmount.isZero())
      return [];
  }
  return parts.map((part) => detailOf(part, per));
}

function detailOf(part: RatedPart, per: Decimal): DocumentDetail {
  const { amount } = part;
  const worded = (
    word: DetailWord,
    values: Readonly<Record<string, Decimal>> = {},
    quantity?: Decimal,
  ): DocumentDetail => ({ kind: "worded", word, values, quantity, amount });
  switch (part.kind) {
    case "flat":
      return worded("flat");
    case "tier": {
      const { from, upTo, quantity, unitAmount, flatAmount } = part;
      return { kind: "tier", from, upTo, quantity, unitAmount, per, flatAmount, amount };
    }
    case "package":
      return worded("packages", { packages: part.packages, size: part.size }, part.quantity);
    case "percentage": {
      const word = {
        free: "percentageFree",
        none: "percentage",
        minimum: "percentageMinimum",
        maximum: "percentageMaximum",
      } as const;
      const values = { percent: part.ratePercent, events: Decimal.of(part.events) };
      return worded(word[part.bound], values, part.quantity);
    }
    case "conversion":
      return {
        kind: "worded",
        word: "converted",
        values: { quantity: part.quantity },
        quantity: part.converted,
        amount: undefined,
      };
    case "cell": {
      if (part.isDefault && Object.keys(part.dimensions).length === 0)
        return worded("otherValues", {}, part.quantity);
      const text = Object.values(part.dimensions).join(" · ");
      return { kind: "text", text, quantity: part.quantity, amount };
    }
    case "dynamic":
      return worded("eventPrices", { multiplier: part.multiplier }, part.quantity);
    case "window":
      return worded("window", { position: Decimal.of(part.position) }, part.quantity);
    case "change":
      return worded("change", { position: Decimal.of(part.position), units: part.units });
    case "tier_fee":
      return part.upTo === undefined ? worded("lastTierFee") : worded("tierFee", { upTo: part.upTo });
    case "floor":
      return worded("floor");
  }
}
