import { Decimal } from "../../kernel/decimal.js";
import { count, decimal, literal, optional, record } from "./codec.js";
import { percent_share } from "./fault.js";
import type { PercentagePart } from "./rated-part.js";
import { ratedParts, type PriceDefinition, type Rated } from "./rater.js";
import { requireUsage } from "./usage.js";

/**
 * A share of each event's value and a fee for the event.
 *
 * The first events, in (time, sequence) order, may be free: until their number or their value comes to its limit,
 * whichever is first. The event in which the free amount ends is charged for the rest of its value, fee included.
 * The fee is added before an event's minimum and maximum are applied. A value below zero (a refund) is free among
 * the free events, without giving any of the free amount back.
 */
export interface PercentagePrice {
  readonly kind: "percentage";
  readonly ratePercent: Decimal;
  /** For each event that is not free. */
  readonly fixedAmount: Decimal | undefined;
  readonly freeEvents: number | undefined;
  readonly freeAmount: Decimal | undefined;
  /** The least that an event costs that is not free. */
  readonly eventMinimum: Decimal | undefined;
  /** The most that an event costs. */
  readonly eventMaximum: Decimal | undefined;
}

type Bound = PercentagePart["bound"];
const bounds: readonly Bound[] = ["free", "none", "minimum", "maximum"];
const free_events_max = 1_000_000_000;

export const percentagePrice: PriceDefinition<PercentagePrice> = {
  codec: record<PercentagePrice>({
    kind: literal("percentage"),
    ratePercent: decimal,
    fixedAmount: optional(decimal),
    freeEvents: optional(count),
    freeAmount: optional(decimal),
    eventMinimum: optional(decimal),
    eventMaximum: optional(decimal),
  }),
  findFaults(model, faults) {
    faults.percent("ratePercent", model.ratePercent);
    for (const field of ["fixedAmount", "freeAmount", "eventMinimum", "eventMaximum"] as const)
      faults.amount(field, model[field]);
    const { freeEvents = 0, eventMinimum, eventMaximum } = model;
    if (!Number.isSafeInteger(freeEvents) || freeEvents < 0 || freeEvents > free_events_max)
      faults.add("freeEvents", `a whole number from 0 to ${free_events_max}`);
    if (eventMinimum !== undefined && eventMaximum !== undefined && eventMinimum.compare(eventMaximum) > 0)
      faults.add("eventMinimum", "at most eventMaximum");
  },
  compile: (model) =>
    takesEvents(model)
      ? { usage: "events", rate: (usage) => rateEvents(model, requireUsage(usage, "events").values) }
      : {
          usage: "quantity",
          rate: (usage) =>
            usage instanceof Decimal
              ? rateTotal(model, usage, undefined)
              : rateTotal(
                  model,
                  requireUsage(usage, "quantity").quantity,
                  usage.kind === "quantity" ? usage.events : 0,
                ),
        },
  isProgressive: () => true,
};

/** Without limits and bounds every event is treated alike, so that their sum and number are enough. */
function takesEvents({ freeEvents, freeAmount, eventMinimum, eventMaximum }: PercentagePrice): boolean {
  return [freeEvents, freeAmount, eventMinimum, eventMaximum].some((given) => given !== undefined);
}

/** Whether any of its terms is for each event, not for the value as a whole. */
export function hasTermsForEachEvent(model: PercentagePrice): boolean {
  return takesEvents(model) || model.fixedAmount !== undefined;
}

function rateTotal(model: PercentagePrice, quantity: Decimal, events: number | undefined): Rated {
  const { ratePercent, fixedAmount = Decimal.zero } = model;
  if (events === undefined && !fixedAmount.isZero())
    throw new RangeError("a price with a fee for each event takes the number of events besides the quantity");
  const group = new EventGroup();
  group.add(quantity, Decimal.zero, events ?? 0);
  const fees = fixedAmount.times(Decimal.of(group.events));
  const amount = quantity.times(ratePercent).times(percent_share).plus(fees);
  return ratedParts([group.part("none", model, amount)]);
}

function rateEvents(model: PercentagePrice, values: readonly Decimal[]): Rated {
  const { freeEvents, freeAmount, eventMinimum, eventMaximum, fixedAmount = Decimal.zero } = model;
  const rate = model.ratePercent.times(percent_share);
  const groups = new Map<Bound, EventGroup>();
  const into = (bound: Bound) => {
    const known = groups.get(bound);
    if (known !== undefined) return known;
    const group = new EventGroup();
    groups.set(bound, group);
    return group;
  };
  let charged = Decimal.zero;
  let freeLeft = freeAmount;
  let isFree = freeEvents !== undefined || freeAmount !== undefined;
  for (const [index, value] of values.entries()) {
    isFree &&= (freeEvents === undefined || index < freeEvents) && !(freeLeft?.isZero() ?? false);
    let free = Decimal.zero;
    if (isFree) {
      free = freeLeft === undefined ? value : Decimal.min(value, freeLeft);
      if (!free.isNegative()) freeLeft = freeLeft?.minus(free);
      if (free.equals(value)) {
        into("free").add(value, value, 1);
        continue;
      }
    }
    const amount = value.minus(free).times(rate).plus(fixedAmount);
    if (eventMaximum !== undefined && amount.compare(eventMaximum) > 0) into("maximum").add(value, free, 1);
    else if (eventMinimum !== undefined && amount.compare(eventMinimum) < 0)
      into("minimum").add(value, free, 1);
    else {
      into("none").add(value, free, 1);
      charged = charged.plus(amount);
    }
  }
  const amountOf = (bound: Bound, events: number): Decimal => {
    switch (bound) {
      case "free":
        return Decimal.zero;
      case "none":
        return charged;
      case "minimum":
        return (eventMinimum ?? Decimal.zero).times(Decimal.of(events));
      case "maximum":
        return (eventMaximum ?? Decimal.zero).times(Decimal.of(events));
      default:
        return bound satisfies never;
    }
  };
  return ratedParts(
    bounds.flatMap((bound) => {
      const group = groups.get(bound);
      return group === undefined ? [] : [group.part(bound, model, amountOf(bound, group.events))];
    }),
  );
}

/** The events that were treated alike. A line may have millions of events, so that not each is a part of it. */
class EventGroup {
  events = 0;
  #quantity = Decimal.zero;
  #free = Decimal.zero;

  add(value: Decimal, free: Decimal, events: number): void {
    this.events += events;
    this.#quantity = this.#quantity.plus(value);
    this.#free = this.#free.plus(free);
  }

  part(bound: Bound, model: PercentagePrice, amount: Decimal): PercentagePart {
    const { ratePercent, fixedAmount = Decimal.zero } = model;
    const { events } = this;
    return {
      kind: "percentage",
      bound,
      quantity: this.#quantity,
      free: this.#free,
      events,
      ratePercent,
      fixedAmount,
      amount,
    };
  }
}
