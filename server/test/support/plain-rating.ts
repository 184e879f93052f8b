import { Fraction } from "./fraction.js";

/*
 * Prices, computed from what the guide says about them and from nothing of the server's: a price model as catalog.yaml
 * writes it, and what was used, as plain fractions. Slow and short.
 */

/** A model by its name, such as {"perUnit": {"unitAmount": "0.05", "per": "1"}}. */
export type ModelNotation = Readonly<Record<string, unknown>>;

/** What was used, in the form that the model prices. */
export type PlainUsage =
  | { readonly form: "quantity"; readonly quantity: Fraction; readonly events: number }
  /** In the order of time. */
  | { readonly form: "events"; readonly values: readonly Fraction[] }
  /** In the order of their values. */
  | {
      readonly form: "cells";
      readonly cells: readonly { readonly values: readonly string[]; readonly quantity: Fraction }[];
    }
  | { readonly form: "windows"; readonly quantities: readonly Fraction[] };

interface Fields {
  readonly [field: string]: unknown;
}

interface TierFields {
  readonly upTo?: string;
  readonly unitAmount?: string;
  readonly ratePercent?: string;
  readonly flatAmount?: string;
}

const hundred = Fraction.of(100);
const { zero, one } = Fraction;

export function formOf(model: ModelNotation): PlainUsage["form"] {
  const [name, fields] = nameAndFields(model);
  if (name === "matrix") return "cells";
  if (name === "windowed") return "windows";
  const isEventByEvent = ["freeEvents", "freeAmount", "eventMinimum", "eventMaximum"].some(
    (field) => fields[field] != null,
  );
  return name === "percentage" && isEventByEvent ? "events" : "quantity";
}

export function totalOf(usage: PlainUsage): Fraction {
  switch (usage.form) {
    case "quantity":
      return usage.quantity;
    case "events":
      return Fraction.sum(usage.values);
    case "cells":
      return Fraction.sum(usage.cells.map(({ quantity }) => quantity));
    case "windows":
      return Fraction.sum(usage.quantities);
    default:
      return usage satisfies never;
  }
}

/** What is left of usage after so many units of an allowance, from the first on, and how many were taken. */
export function withoutIncluded(
  usage: PlainUsage,
  included: Fraction,
): { left: PlainUsage; taken: Fraction } {
  let rest = included;
  const less = (quantity: Fraction) => {
    const taken = quantity.isNegative ? zero : Fraction.min(quantity, rest);
    rest = rest.minus(taken);
    return quantity.minus(taken);
  };
  const left = ((): PlainUsage => {
    switch (usage.form) {
      case "quantity":
        return { ...usage, quantity: less(usage.quantity) };
      case "events":
        return { ...usage, values: usage.values.map(less) };
      case "cells":
        return {
          ...usage,
          cells: usage.cells.map((cell) => ({ ...cell, quantity: less(cell.quantity) })),
        };
      case "windows":
        return { ...usage, quantities: usage.quantities.map(less) };
      default:
        return usage satisfies never;
    }
  })();
  return { left, taken: included.minus(rest) };
}

/** In major units, exact. */
export function priced(model: ModelNotation, usage: PlainUsage): Fraction {
  const [name, fields] = nameAndFields(model);
  switch (usage.form) {
    case "quantity":
      return name === "percentage"
        ? usage.quantity
            .times(numberOf(fields["ratePercent"]))
            .over(hundred)
            .plus(numberOf(fields["fixedAmount"], zero).times(Fraction.of(usage.events)))
        : pricedQuantity(model, usage.quantity);
    case "events":
      return pricedEvents(fields, usage.values);
    case "cells":
      return Fraction.sum(usage.cells.map(({ values, quantity }) => pricedCell(fields, values, quantity)));
    case "windows":
      return Fraction.sum(usage.quantities.map((quantity) => pricedWindow(fields, quantity)));
    default:
      return usage satisfies never;
  }
}

function pricedQuantity(model: ModelNotation, quantity: Fraction): Fraction {
  const [name, fields] = nameAndFields(model);
  const per = numberOf(fields["per"], one);
  switch (name) {
    case "flat":
      return numberOf(fields["amount"]);
    case "perUnit":
      return quantity.times(numberOf(fields["unitAmount"])).over(per);
    case "dynamic":
      return quantity.times(numberOf(fields["multiplier"]));
    case "package": {
      const filled = quantity.minus(numberOf(fields["freeUnits"], zero)).over(numberOf(fields["size"]));
      const packages = fields["rounding"] === "down" ? filled.floor() : filled.ceiling();
      return Fraction.of(packages > 0n ? packages : 0n).times(numberOf(fields["packageAmount"]));
    }
    case "graduated":
      return graduated(fields["tiers"] as TierFields[], quantity, (tier) =>
        numberOf(tier.unitAmount, zero).over(per),
      );
    case "graduatedPercentage":
      return graduated(fields["tiers"] as TierFields[], quantity, (tier) =>
        numberOf(tier.ratePercent, zero).over(hundred),
      );
    case "volume": {
      const tiers = fields["tiers"] as TierFields[];
      const reached = tiers.find(({ upTo }) => upTo === undefined || !numberOf(upTo).isBelow(quantity))!;
      return quantity
        .times(numberOf(reached.unitAmount, zero))
        .over(per)
        .plus(numberOf(reached.flatAmount, zero));
    }
    case "converted": {
      const factor = numberOf(fields["factor"]);
      const exact = fields["operation"] === "divide" ? quantity.over(factor) : quantity.times(factor);
      const how = { none: undefined, ceiling: "ceiling", floor: "floor", half_up: "round" } as const;
      const rounding = how[(fields["rounding"] ?? "none") as keyof typeof how];
      const converted = rounding === undefined ? exact : exact.at(Number(fields["precision"] ?? 0), rounding);
      return pricedQuantity(fields["price"] as ModelNotation, converted);
    }
    default:
      throw new Error(`there is no plain computation for ${name}`);
  }
}

/** Each part of the quantity at its tier's price; below zero all of it at the first one's. */
function graduated(
  tiers: readonly TierFields[],
  quantity: Fraction,
  unit: (tier: TierFields) => Fraction,
): Fraction {
  let amount = zero;
  let from = zero;
  for (const [index, tier] of tiers.entries()) {
    if (index > 0 && !from.isBelow(quantity)) break;
    const to = tier.upTo === undefined ? quantity : Fraction.min(quantity, numberOf(tier.upTo));
    amount = amount.plus(to.minus(from).times(unit(tier))).plus(numberOf(tier.flatAmount, zero));
    from = tier.upTo === undefined ? quantity : numberOf(tier.upTo);
  }
  return amount;
}

function pricedEvents(fields: Fields, values: readonly Fraction[]): Fraction {
  const rate = numberOf(fields["ratePercent"]).over(hundred);
  const bound = (field: string) => (fields[field] == null ? undefined : numberOf(fields[field]));
  const [freeEvents, freeAmount] = [fields["freeEvents"] as number | undefined, bound("freeAmount")];
  let amount = zero;
  let freeLeft = freeAmount;
  let isFree = freeEvents != null || freeAmount !== undefined;
  for (const [index, value] of values.entries()) {
    if (freeEvents != null && index >= freeEvents) isFree = false;
    if (freeLeft?.isZero === true) isFree = false;
    const free = !isFree ? zero : freeLeft === undefined ? value : Fraction.min(value, freeLeft);
    if (freeLeft !== undefined && isFree && !free.isNegative) freeLeft = freeLeft.minus(free);
    if (isFree && free.equals(value)) continue;
    let own = value.minus(free).times(rate).plus(numberOf(fields["fixedAmount"], zero));
    own = Fraction.max(own, bound("eventMinimum") ?? own);
    own = Fraction.min(own, bound("eventMaximum") ?? own);
    amount = amount.plus(own);
  }
  return amount;
}

function pricedCell(fields: Fields, values: readonly string[], quantity: Fraction): Fraction {
  const cells = fields["cells"] as { values: string[]; unitAmount: string }[];
  const found = cells.find((cell) => cell.values.every((value, index) => value === values[index]));
  return quantity
    .times(numberOf(found?.unitAmount ?? fields["defaultUnitAmount"]))
    .over(numberOf(fields["per"], one));
}

function pricedWindow(fields: Fields, quantity: Fraction): Fraction {
  const own = pricedQuantity(fields["price"] as ModelNotation, quantity);
  const commitment = fields["commitment"] as
    | { amount: string; overageFactor: string; trueUp: boolean }
    | undefined;
  if (commitment == null) return own;
  const amount = numberOf(commitment.amount);
  if (own.isBelow(amount)) return commitment.trueUp ? amount : own;
  return amount.plus(own.minus(amount).times(numberOf(commitment.overageFactor)));
}

/** A model with one amount may be written as that amount. */
function nameAndFields(model: ModelNotation): [name: string, fields: Fields] {
  const [entry] = Object.entries(model);
  if (entry === undefined) throw new Error("a price model has a name");
  const [name, value] = entry;
  if (typeof value === "object" && value !== null) return [name, value as Fields];
  const lone = { flat: "amount", perUnit: "unitAmount", dynamic: "multiplier" }[name] ?? "";
  return [name, { [lone]: value }];
}

function numberOf(value: unknown, otherwise?: Fraction): Fraction {
  if (value == null && otherwise !== undefined) return otherwise;
  return Fraction.of(value as string | number);
}
