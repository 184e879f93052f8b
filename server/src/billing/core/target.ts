import type { Currency } from "../../kernel/currency.js";
import { Decimal } from "../../kernel/decimal.js";
import { toMoney } from "../../kernel/money.js";
import { usageOf } from "../../rating/core/index.js";
import type { Charge, Portion } from "./charge.js";
import type { DayRange } from "./day-range.js";
import type { HeldDays } from "./held-days.js";
import { shareOfDays } from "./proration.js";
import { ratePortion, type Measured, type PortionInputs, type RatedPortion } from "./rated-portion.js";

/** What a charge must come to in all, whatever was billed of it before. */
export interface Target {
  /** Exact, in major units, before and after discounts. */
  readonly gross: Decimal;
  readonly net: Decimal;
  /** Each rounded once, half away from zero. */
  readonly grossMinor: bigint;
  readonly netMinor: bigint;
  readonly portions: readonly RatedPortion[];
}

/**
 * @param measured  of a usage price, for each portion in turn, what was measured in its spans
 * @throws RangeError when something is missing or of another kind than the model takes
 */
export function targetOf(charge: Charge, measured: readonly Measured[], currency: Currency): Target {
  const inputs = inputsOf(charge);
  return sumUp(
    inputs.map((portion, index) => ratePortion(portion, measured[index])),
    currency,
  );
}

export function sumUp(portions: readonly RatedPortion[], currency: Currency): Target {
  const gross = Decimal.sum(portions.map((portion) => portion.gross));
  const net = Decimal.sum(portions.map((portion) => portion.net));
  return {
    gross,
    net,
    grossMinor: toMoney(gross, currency).minor,
    netMinor: toMoney(net, currency).minor,
    portions,
  };
}

/** What each part of a charge is rated from; of a usage price one for each of its portions, in order. */
export function inputsOf(charge: Charge): PortionInputs[] {
  const { price } = charge;
  if (price.charge === "usage") return usageInputs(charge);
  if (price.charge === "one_off" || !price.prorated) return wholeInputs(charge);
  return charge.portions.flatMap((portion) => {
    const held = portion.held ?? [];
    const inputs = (some: readonly HeldDays[], days: readonly DayRange[]): PortionInputs => ({
      ...basicsOf(charge, portion),
      held: some,
      share: { days, of: charge.days },
    });
    if (held.length === 0) return [];
    if (usageOf(portion.model) === "licensed") return [inputs(held, portion.days)];
    // A model of quantities prices each day at what is held on it.
    return sameQuantities(held).map((some) =>
      inputs(
        some,
        some.map(({ from, to }) => ({ from, to })),
      ),
    );
  });
}

/** An allowance is for a whole period: of a prorated price a part of it has a part, of another the first takes it. */
function usageInputs(charge: Charge): PortionInputs[] {
  const { price, days, portions } = charge;
  return portions.map((portion, index) => {
    const whole = price.included ?? Decimal.zero;
    const included = price.prorated
      ? shareOfDays(whole, portion.days, days)
      : index === 0
        ? whole
        : Decimal.zero;
    const { model, spans, percentsOff } = portion;
    return { charge: price.charge, model, spans, percentsOff, included, held: undefined, share: undefined };
  });
}

/** What is not prorated is charged once and whole, under the last model and for the most that was held. */
function wholeInputs(charge: Charge): PortionInputs[] {
  const last = charge.portions.at(-1);
  const held = charge.portions.flatMap((portion) => portion.held ?? []);
  if (last === undefined || held.length === 0) return [];
  const spans = charge.portions.flatMap((portion) => portion.spans);
  return [{ ...basicsOf(charge, last), spans, held, share: undefined }];
}

function basicsOf({ price }: Charge, { model, spans, percentsOff }: Portion) {
  return {
    charge: price.charge,
    model,
    spans,
    percentsOff,
    included: price.included ?? Decimal.zero,
  };
}

/** Days grouped by what is held on them, in order of the first. */
function sameQuantities(held: readonly HeldDays[]): HeldDays[][] {
  const groups = new Map<string, HeldDays[]>();
  for (const one of held) {
    const quantity = one.quantity.toString();
    const group = groups.get(quantity);
    if (group === undefined) groups.set(quantity, [one]);
    else group.push(one);
  }
  return [...groups.values()];
}
