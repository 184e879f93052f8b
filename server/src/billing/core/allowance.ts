import { Decimal } from "../../kernel/decimal.js";
import type { Usage } from "../../rating/core/index.js";

/**
 * Usage without the first so many units: in the order of time where the usage has one, else of its cells. Below zero
 * there is nothing to take off.
 *
 * @returns what is left, and how much was taken off
 */
export function afterAllowance(
  usage: Usage,
  included: Decimal,
): { readonly left: Usage; readonly taken: Decimal } {
  if (included.isZero()) return { left: usage, taken: Decimal.zero };
  let rest = included;
  const take = (quantity: Decimal): Decimal => {
    if (quantity.isNegative()) return quantity;
    const taken = Decimal.min(rest, quantity);
    rest = rest.minus(taken);
    return quantity.minus(taken);
  };
  const left = leave(usage, take);
  return { left, taken: included.minus(rest) };
}

function leave(usage: Usage, take: (quantity: Decimal) => Decimal): Usage {
  switch (usage.kind) {
    case "quantity":
      return { ...usage, quantity: take(usage.quantity) };
    case "events":
      return { ...usage, values: usage.values.map(take) };
    case "cells":
      return {
        ...usage,
        cells: usage.cells.map((cell) => ({ ...cell, quantity: take(cell.quantity) })),
      };
    case "windows":
      return { ...usage, quantities: usage.quantities.map(take) };
    case "licensed":
      throw new RangeError("a licensed quantity has its allowance taken off before its changes are told");
    default:
      return usage satisfies never;
  }
}
