import { Decimal } from "../../kernel/decimal.js";
import { basicDefinitions, type BasicPriceModel } from "./basic-price.js";
import { decimal, flag, literal, optional, record } from "./codec.js";
import { convertedPrice, type ConvertedPrice } from "./converted-price.js";
import { oneOf } from "./one-of.js";
import type { RatedPart, WindowPart } from "./rated-part.js";
import { ratedParts, type PriceDefinition } from "./rater.js";
import { requireUsage } from "./usage.js";

/** Models that price the quantity of one window. */
export type WindowPriceModel = BasicPriceModel | ConvertedPrice;

/** What a customer promised to spend in each window. */
export interface WindowCommitment {
  /** In major units. */
  readonly amount: Decimal;
  /** What goes beyond the commitment costs this many times its price; 1 or more. */
  readonly overageFactor: Decimal;
  /** Whether a window that comes to less costs the whole commitment. */
  readonly trueUp: boolean;
}

/**
 * Each window of the period is measured and priced by itself, used or not: the maximum of every hour, say. Windows are
 * local hours, days or months of the customer.
 */
export interface WindowedPrice {
  readonly kind: "windowed";
  readonly window: PriceWindow;
  readonly price: WindowPriceModel;
  readonly commitment: WindowCommitment | undefined;
}

export type PriceWindow = "hour" | "day" | "month";

const windowPrice = oneOf<WindowPriceModel>({ ...basicDefinitions, converted: convertedPrice });
const factor_max = 1000;

export const windowedPrice: PriceDefinition<WindowedPrice> = {
  codec: record<WindowedPrice>({
    kind: literal("windowed"),
    window: literal("hour", "day", "month"),
    price: windowPrice.codec,
    commitment: optional(record<WindowCommitment>({ amount: decimal, overageFactor: decimal, trueUp: flag })),
  }),
  findFaults({ price, commitment }, faults) {
    windowPrice.findFaults(price, faults.inside("price"));
    if (commitment === undefined) return;
    const at = faults.inside("commitment");
    at.amount("amount", commitment.amount);
    at.amount("overageFactor", commitment.overageFactor);
    const { overageFactor } = commitment;
    if (overageFactor.compare(Decimal.one) < 0 || overageFactor.compare(Decimal.of(factor_max)) > 0)
      at.add("overageFactor", `from 1 (overage at the ordinary price) to ${factor_max}`);
  },
  compile({ price, commitment }, units) {
    const inner = windowPrice.compile(price, units);
    return {
      usage: "windows",
      rate(usage) {
        const { quantities } = requireUsage(usage, "windows");
        const parts: RatedPart[] = [];
        for (const [index, quantity] of quantities.entries()) {
          const rated = inner.rate(quantity).amount;
          const part = windowPart(index + 1, quantity, rated, commitment);
          // A year has 8,784 hours; those without usage and amount explain nothing.
          if (!quantity.isZero() || !part.amount.isZero()) parts.push(part);
        }
        return ratedParts(parts);
      },
    };
  },
  isProgressive: ({ price }) => windowPrice.isProgressive(price),
};

function windowPart(
  position: number,
  quantity: Decimal,
  rated: Decimal,
  commitment: WindowCommitment | undefined,
): WindowPart {
  const above = commitment === undefined ? Decimal.zero : rated.minus(commitment.amount);
  const isShort = above.isNegative();
  const trueUp = isShort && commitment?.trueUp === true ? above.negate() : Decimal.zero;
  const overage =
    isShort || commitment === undefined
      ? Decimal.zero
      : above.times(commitment.overageFactor.minus(Decimal.one));
  return {
    kind: "window",
    position,
    quantity,
    rated,
    trueUp,
    overage,
    amount: rated.plus(trueUp).plus(overage),
  };
}
