import { Decimal, type Rounding } from "../../kernel/decimal.js";
import { basicPrice, type BasicPriceModel } from "./basic-price.js";
import { count, decimal, defaulted, literal, record } from "./codec.js";
import { decimalsOf } from "./division.js";
import { quantity_decimals_max } from "./fault.js";
import { quantityRater, type PriceDefinition, type Rater } from "./rater.js";

export type ConversionRounding = "none" | "ceiling" | "floor" | "half_up";

/**
 * A price in another unit than the meter's: bytes are divided by 1073741824 and priced per GiB.
 *
 * With rounding, the period's quantity is converted, rounded to `precision` decimals, and then priced. Without it
 * nothing is lost: the price is computed on the metered quantity, however the quotient would go on.
 */
export interface ConvertedPrice {
  readonly kind: "converted";
  readonly operation: "divide" | "multiply";
  readonly factor: Decimal;
  readonly rounding: ConversionRounding;
  /** Decimals that rounding keeps; 0 without rounding. */
  readonly precision: number;
  readonly price: BasicPriceModel;
}

const modes: Readonly<Record<Exclude<ConversionRounding, "none">, Rounding>> = {
  ceiling: "ceil",
  floor: "floor",
  // As everywhere in Weir, a tie goes away from zero.
  half_up: "half-away",
};

export const convertedPrice: PriceDefinition<ConvertedPrice> = {
  codec: record<ConvertedPrice>({
    kind: literal("converted"),
    operation: literal("divide", "multiply"),
    factor: decimal,
    rounding: defaulted(literal("none", "ceiling", "floor", "half_up"), "none"),
    precision: defaulted(count, 0),
    price: basicPrice.codec,
  }),
  findFaults(model, faults) {
    const { factor, rounding, precision } = model;
    faults.positive("factor", factor);
    if (factor.compare(Decimal.of(factor_max)) > 0) faults.add("factor", `at most ${factor_max}`);
    if (!Number.isSafeInteger(precision) || precision < 0 || precision > quantity_decimals_max)
      faults.add("precision", `a whole number from 0 to ${quantity_decimals_max}`);
    else if (rounding === "none" && precision !== 0)
      faults.add("precision", "0 without rounding; or choose ceiling, floor or half_up");
    basicPrice.findFaults(model.price, faults.inside("price"));
  },
  compile({ operation, factor, rounding, precision, price }, units): Rater {
    if (factor.isNegative() || factor.isZero()) throw new RangeError("a conversion's factor is above zero");
    if (rounding === "none" && operation === "divide")
      return basicPrice.compile(price, { ...units, divisor: units.divisor.times(factor) });
    const decimals = rounding === "none" ? units.decimals + decimalsOf(factor) : precision;
    const inner = basicPrice.compile(price, { ...units, decimals });
    const convert = (quantity: Decimal): Decimal => {
      if (operation === "divide")
        return quantity.dividedBy(factor, precision, rounding === "none" ? "half-away" : modes[rounding]);
      const product = quantity.times(factor);
      return rounding === "none" ? product : product.round(precision, modes[rounding]);
    };
    return quantityRater((quantity) => {
      const converted = convert(quantity);
      const rated = inner.rate(converted);
      return {
        ...rated,
        parts: [{ kind: "conversion", quantity, converted, amount: Decimal.zero }, ...rated.parts],
      };
    });
  },
  // Conversion keeps the order of quantities.
  isProgressive: ({ price }) => basicPrice.isProgressive(price),
};

/** A pebibyte and a little. */
const factor_max = "10000000000000000";
