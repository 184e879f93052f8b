import { Decimal } from "../../kernel/decimal.js";
import { decimal, defaulted, list, literal, record, text } from "./codec.js";
import { decimalsOf, Division } from "./division.js";
import { ratedParts, type PriceDefinition } from "./rater.js";
import { requireUsage, type UsageCell } from "./usage.js";

/** The price of one combination of dimension values. */
export interface MatrixCell {
  /** In the order of the price's dimensions; '' stands for events without the dimension. */
  readonly values: readonly string[];
  /** Price of `per` units. */
  readonly unitAmount: Decimal;
}

/** A price for each combination of dimension values, such as region and instance type. */
export interface MatrixPrice {
  readonly kind: "matrix";
  /** Names of the meter's dimensions. */
  readonly dimensions: readonly string[];
  readonly cells: readonly MatrixCell[];
  /** Price of `per` units of every other combination. */
  readonly defaultUnitAmount: Decimal;
  readonly per: Decimal;
}

const dimensions_max = 8;
const cells_max = 1000;

export const matrixPrice: PriceDefinition<MatrixPrice> = {
  codec: record<MatrixPrice>({
    kind: literal("matrix"),
    dimensions: list(text),
    cells: list(record<MatrixCell>({ values: list(text), unitAmount: decimal })),
    defaultUnitAmount: decimal,
    per: defaulted(decimal, Decimal.one),
  }),
  findFaults(model, faults) {
    const { dimensions, cells } = model;
    faults.per(model.per);
    faults.amount("defaultUnitAmount", model.defaultUnitAmount);
    if (dimensions.length === 0 || dimensions.length > dimensions_max)
      faults.add("dimensions", `give 1 to ${dimensions_max} dimensions of the meter`);
    if (new Set(dimensions).size < dimensions.length) faults.add("dimensions", "a dimension is there twice");
    dimensions.forEach((name, index) => faults.text(`dimensions[${index}]`, name));
    if (cells.length === 0 || cells.length > cells_max) faults.add("cells", `give 1 to ${cells_max} cells`);
    const known = new Set<string>();
    cells.forEach((cell, index) => {
      const at = faults.inside(`cells[${index}]`);
      at.amount("unitAmount", cell.unitAmount);
      if (cell.values.length !== dimensions.length)
        at.add("values", `give one value for each of: ${dimensions.join(", ")}`);
      const key = JSON.stringify(cell.values);
      if (known.has(key)) at.add("values", `${key} has a cell already`);
      known.add(key);
    });
  },
  compile({ dimensions, cells, defaultUnitAmount, per }, { divisor, decimals }) {
    const unitAmounts = new Map(cells.map((cell) => [JSON.stringify(cell.values), cell.unitAmount]));
    const priceDecimals = Math.max(...[defaultUnitAmount, ...unitAmounts.values()].map(decimalsOf));
    const division = Division.by(per.times(divisor), priceDecimals + decimals);
    return {
      usage: "cells",
      rate(usage) {
        const used = mergeCells(requireUsage(usage, "cells").cells, dimensions);
        const priced = used.map(([key, cell]) => {
          const unitAmount = unitAmounts.get(key);
          return {
            ...cell,
            isDefault: unitAmount === undefined,
            unitAmount: unitAmount ?? defaultUnitAmount,
          };
        });
        const amounts = division.shares(priced.map((cell) => cell.quantity.times(cell.unitAmount)));
        return ratedParts(
          priced.map((cell, index) => ({ kind: "cell", ...cell, amount: amounts[index] ?? Decimal.zero })),
        );
      },
    };
  },
  isProgressive: () => true,
};

/** One cell for each combination, in the order of their values, whatever order they were read in. */
function mergeCells(cells: readonly UsageCell[], dimensions: readonly string[]): [string, UsageCell][] {
  const merged = new Map<string, UsageCell>();
  for (const cell of cells) {
    const values = dimensions.map((name) => cell.dimensions[name] ?? "");
    const key = JSON.stringify(values);
    const quantity = (merged.get(key)?.quantity ?? Decimal.zero).plus(cell.quantity);
    const named = Object.fromEntries(dimensions.map((name, index) => [name, values[index] ?? ""]));
    merged.set(key, { dimensions: named, quantity });
  }
  return [...merged].sort(([a], [b]) => (a < b ? -1 : 1));
}
