import { Decimal } from "../../kernel/decimal.js";

/** One number for the period. */
export interface QuantityUsage {
  readonly kind: "quantity";
  readonly quantity: Decimal;
  /** How many events it was measured from; a percentage price with a fixed fee per event needs it. */
  readonly events?: number;
}

/** The value of each event, in (time, sequence) order. */
export interface EventUsage {
  readonly kind: "events";
  readonly values: readonly Decimal[];
}

/** The quantity of each combination of dimension values. */
export interface CellUsage {
  readonly kind: "cells";
  readonly cells: readonly UsageCell[];
}

export interface UsageCell {
  readonly dimensions: Readonly<Record<string, string>>;
  readonly quantity: Decimal;
}

/** The quantity of each window, in order of time; windows without usage are in it when a commitment counts them. */
export interface WindowUsage {
  readonly kind: "windows";
  readonly quantities: readonly Decimal[];
}

/** How a licensed quantity, such as seats, changed; in order of time, the first being what was held at the start. */
export interface LicensedUsage {
  readonly kind: "licensed";
  readonly changes: readonly LicensedChange[];
  /** What `proratedUnits` are to be divided by: 1, or the days of the period when they are unit-days. */
  readonly per: Decimal;
}

export interface LicensedChange {
  /** Above zero for units added, below for units removed. */
  readonly units: Decimal;
  /** `units` times the part of the period that they count for, times `per`. */
  readonly proratedUnits: Decimal;
}

/** What was measured for a price; `usageOf` tells which of these a price takes. */
export type Usage = QuantityUsage | EventUsage | CellUsage | WindowUsage | LicensedUsage;
export type UsageKind = Usage["kind"];

const zeros: { readonly [K in UsageKind]: Extract<Usage, { kind: K }> } = {
  quantity: { kind: "quantity", quantity: Decimal.zero, events: 0 },
  events: { kind: "events", values: [] },
  cells: { kind: "cells", cells: [] },
  windows: { kind: "windows", quantities: [] },
  licensed: { kind: "licensed", changes: [], per: Decimal.one },
};

/** Nothing measured. */
export function noUsage(kind: UsageKind): Usage {
  return zeros[kind];
}

/** What was measured in all, in metered units; of a licensed quantity, what is held at the end. */
export function totalOfUsage(usage: Usage): Decimal {
  switch (usage.kind) {
    case "quantity":
      return usage.quantity;
    case "events":
      return Decimal.sum(usage.values);
    case "cells":
      return Decimal.sum(usage.cells.map((cell) => cell.quantity));
    case "windows":
      return Decimal.sum(usage.quantities);
    case "licensed":
      return Decimal.sum(usage.changes.map((change) => change.units));
    default:
      return usage satisfies never;
  }
}

/** @throws RangeError when the usage is of another kind: a caller that measured the wrong thing */
export function requireUsage<K extends UsageKind>(
  usage: Usage | Decimal,
  kind: K,
): Extract<Usage, { kind: K }> {
  const given = usage instanceof Decimal ? "quantity" : usage.kind;
  if (given !== kind || usage instanceof Decimal)
    throw new RangeError(`this price takes usage as ${kind}, not as ${given}`);
  return usage as Extract<Usage, { kind: K }>;
}
