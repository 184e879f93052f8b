import { Decimal } from "../../kernel/decimal.js";
import type { Usage, UsageKind } from "./usage.js";

/** What is left to price when the first `included` units are free. A quantity below zero stays what it is. */
export function billableQuantity(quantity: Decimal, included: Decimal): Decimal {
  return quantity.minus(Decimal.max(Decimal.zero, Decimal.min(quantity, included)));
}

/** Whether an allowance can be taken off: among cells and seats it would be arbitrary which are free. */
export function canTakeIncluded(kind: UsageKind): boolean {
  return kind === "quantity" || kind === "events" || kind === "windows";
}

/**
 * Takes an allowance off, the first usage in time first. An event that is used up is no event any more; a window
 * stays, with what is left of it.
 *
 * @throws RangeError unless `canTakeIncluded`
 */
export function takeIncluded(usage: Usage, included: Decimal): Usage {
  if (included.isZero()) return usage;
  switch (usage.kind) {
    case "quantity":
      return { ...usage, quantity: billableQuantity(usage.quantity, included) };
    case "windows":
      return { kind: "windows", quantities: takeInOrder(usage.quantities, included) };
    case "events": {
      const left = takeInOrder(usage.values, included);
      return { kind: "events", values: left.filter((value, index) => isKept(value, usage.values[index])) };
    }
    case "cells":
    case "licensed":
      throw new RangeError(`an included quantity cannot be taken off usage by ${usage.kind}`);
    default:
      return usage satisfies never;
  }
}

function takeInOrder(quantities: readonly Decimal[], included: Decimal): Decimal[] {
  let rest = included;
  return quantities.map((quantity) => {
    if (rest.isZero()) return quantity;
    const billable = billableQuantity(quantity, rest);
    rest = rest.minus(quantity.minus(billable));
    return billable;
  });
}

function isKept(left: Decimal, before: Decimal | undefined): boolean {
  return !left.isZero() || before === undefined || before.isZero();
}
