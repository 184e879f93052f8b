import type { ChargeKind } from "../../catalog/core/index.js";
import { Decimal } from "../../kernel/decimal.js";
import {
  rate,
  totalOfUsage,
  usageOf,
  type AnyPriceModel,
  type LicensedChange,
  type RatedPart,
  type Usage,
} from "../../rating/core/index.js";
import { afterAllowance } from "./allowance.js";
import { countDays, type DayRange } from "./day-range.js";
import type { HeldDays } from "./held-days.js";
import { shareOfDays } from "./proration.js";
import type { Period } from "./service-period.js";

/** All that a portion's amount follows from, besides what was measured. */
export interface PortionInputs {
  readonly charge: ChargeKind;
  readonly model: AnyPriceModel;
  /** What of the service period it is for. */
  readonly spans: readonly Period[];
  /** The local days it is for, of how many. Undefined when no day counts: usage, and what is charged whole. */
  readonly share: { readonly days: readonly DayRange[]; readonly of: number } | undefined;
  /** What is held on which days; undefined for usage. */
  readonly held: readonly HeldDays[] | undefined;
  /** The allowance: units that cost nothing. */
  readonly included: Decimal;
  /** Taken off one after the other. */
  readonly percentsOff: readonly Decimal[];
}

/** What was measured for a portion. */
export interface Measured {
  readonly usage: Usage;
  /** How many events it was measured from. */
  readonly events: number;
}

export interface RatedPortion extends PortionInputs {
  /** Before the allowance. */
  readonly quantity: Decimal;
  /** How much of the allowance it took. */
  readonly taken: Decimal;
  readonly events: number;
  /** What a whole period comes to. */
  readonly parts: readonly RatedPart[];
  /** Before discounts: the parts' sum, for the portion's share of the days. Exact, in major units. */
  readonly gross: Decimal;
  /** After discounts. */
  readonly net: Decimal;
}

/** @param measured  of a usage price, of the kind that its model takes */
export function ratePortion(inputs: PortionInputs, measured: Measured | undefined): RatedPortion {
  const rated = inputs.held === undefined ? rateUsage(inputs, measured) : rateHeld(inputs, inputs.held);
  const { charge, model, spans, share, held, included, percentsOff } = inputs;
  const { quantity, taken, events, parts, gross } = rated;
  const net = lessPercents(gross, percentsOff);
  // Named one by one, as spreading two objects costs as much as rating.
  return {
    charge,
    model,
    spans,
    share,
    held,
    included,
    percentsOff,
    quantity,
    taken,
    events,
    parts,
    gross,
    net,
  };
}

type Rated = Pick<RatedPortion, "quantity" | "taken" | "events" | "parts" | "gross">;

function rateUsage({ model, included }: PortionInputs, measured: Measured | undefined): Rated {
  if (measured === undefined) throw new RangeError("a usage price is rated by what was measured");
  const { usage, events } = measured;
  const { left, taken } = afterAllowance(usage, included);
  const { amount, parts } = rate(model, left);
  return { quantity: totalOfUsage(usage), taken, events, parts, gross: amount };
}

function rateHeld({ charge, model, share, included }: PortionInputs, held: readonly HeldDays[]): Rated {
  const most = Decimal.max(Decimal.zero, ...held.map(({ quantity }) => quantity));
  const taken = charge === "licensed" ? Decimal.min(included, most) : Decimal.zero;
  const common = { quantity: most, taken, events: 0 };
  if (usageOf(model) === "licensed") {
    const changes = changesOf(held, included, share);
    const { amount, parts } = rate(model, { kind: "licensed", changes, per: Decimal.of(share?.of ?? 1) });
    return { ...common, parts, gross: amount };
  }
  // A fee is for each one that is held; a licensed quantity is what the model prices.
  const isFee = charge !== "licensed";
  const { amount, parts } = rate(model, isFee ? Decimal.one : most.minus(taken));
  const whole = isFee ? amount.times(most) : amount;
  return { ...common, parts, gross: share === undefined ? whole : shareOfDays(whole, share.days, share.of) };
}

/** How what is held above the allowance changes, in unit-days up to the last day. */
function changesOf(
  held: readonly HeldDays[],
  included: Decimal,
  share: PortionInputs["share"],
): LicensedChange[] {
  const above = (quantity: Decimal) => Decimal.max(Decimal.zero, quantity.minus(included));
  if (share === undefined) {
    const units = Decimal.max(Decimal.zero, ...held.map(({ quantity }) => above(quantity)));
    return units.isZero() ? [] : [{ units, proratedUnits: units }];
  }
  const end = held.at(-1)?.to ?? 0;
  const changes: LicensedChange[] = [];
  let before = Decimal.zero;
  let until = held[0]?.from ?? 0;
  const change = (to: Decimal, day: number) => {
    const units = to.minus(before);
    if (!units.isZero()) changes.push({ units, proratedUnits: units.times(Decimal.of(end - day)) });
    before = to;
  };
  for (const { from, to, quantity } of held) {
    if (from > until) change(Decimal.zero, until);
    change(above(quantity), from);
    until = to;
  }
  return changes;
}

const hundred = Decimal.of(100);
const hundredth = Decimal.of("0.01");

/** What percentages leave of an amount, taken off one after the other. */
export function lessPercents(amount: Decimal, percents: readonly Decimal[]): Decimal {
  return percents.reduce((left, percent) => left.times(hundred.minus(percent)).times(hundredth), amount);
}

/** Whether a share is of fewer days than there are. */
export function isPartial({ share }: Pick<PortionInputs, "share">): boolean {
  return share !== undefined && countDays(share.days) < share.of;
}
