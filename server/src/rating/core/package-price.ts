import { Decimal } from "../../kernel/decimal.js";
import { decimal, defaulted, literal, optional, record } from "./codec.js";
import { quantityRater, ratedParts, type PriceDefinition } from "./rater.js";

/** Whole packages of `size` units; the units that a package was not filled with cost as much as those it was. */
export interface PackagePrice {
  readonly kind: "package";
  readonly packageAmount: Decimal;
  readonly size: Decimal;
  /** Whether a package that was begun is charged ("up") or only one that was filled ("down"). */
  readonly rounding: "up" | "down";
  /** Units that come before the first package. */
  readonly freeUnits: Decimal | undefined;
}

export const packagePrice: PriceDefinition<PackagePrice> = {
  codec: record<PackagePrice>({
    kind: literal("package"),
    packageAmount: decimal,
    size: decimal,
    rounding: defaulted(literal("up", "down"), "up"),
    freeUnits: optional(decimal),
  }),
  findFaults(model, faults) {
    faults.amount("packageAmount", model.packageAmount);
    faults.positive("size", model.size);
    faults.quantity("freeUnits", model.freeUnits);
  },
  compile({ packageAmount, size, rounding, freeUnits = Decimal.zero }, { divisor }) {
    const incomingSize = size.times(divisor);
    const incomingFree = freeUnits.times(divisor);
    if (incomingSize.isZero() || incomingSize.isNegative()) throw new RangeError("a package has a size");
    const mode = rounding === "up" ? "ceil" : "floor";
    return quantityRater((quantity) => {
      const charged = quantity.minus(incomingFree);
      // Nobody returns a package: below zero, where corrections outweigh usage, there is none.
      const packages = charged.isNegative() ? Decimal.zero : charged.dividedBy(incomingSize, 0, mode);
      const amount = packages.times(packageAmount);
      return ratedParts([
        {
          kind: "package",
          quantity,
          free: incomingFree,
          size: incomingSize,
          packages,
          packageAmount,
          amount,
        },
      ]);
    });
  },
  isProgressive: () => true,
};
