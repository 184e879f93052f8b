import { Fraction } from "./fraction.js";
import type { LineEvidence, PortionEvidence } from "./line-evidence.js";
import {
  localDaysBetween,
  measuredPlainly,
  type PlainAggregation,
  type PlainSpan,
} from "./plain-metering.js";
import { priced, totalOf, withoutIncluded } from "./plain-rating.js";

/** What a charge comes to, computed anew from its price and its events. */
export interface PlainCharge {
  /** Undefined for a fee. */
  readonly quantity: Fraction | undefined;
  readonly events: number;
  readonly portions: readonly PlainPortion[];
  /** After discounts, in cents. */
  readonly minor: bigint;
}

export interface PlainPortion {
  readonly quantity: Fraction | undefined;
  readonly taken: Fraction;
  readonly gross: Fraction;
  readonly net: Fraction;
}

const hundred = Fraction.of(100);

/** @param period  the full service period, whose part the charge may be */
export function plainCharge(why: LineEvidence, period: PlainSpan): PlainCharge {
  const counts: number[] = [];
  const { price, timeZone } = why;
  if (price === null) throw new Error("a charge has a price");
  const daysUntil = (at: string) => Fraction.of(localDaysBetween(period.start, at, timeZone));
  const share = (whole: Fraction, day: Fraction) => whole.times(day).over(daysUntil(period.end));
  const portions = why.recorded.portions.map((portion, index): PlainPortion => {
    const days = portion.spans.map(({ start, end }) => [daysUntil(start), daysUntil(end)] as const);
    if (why.meter === null) {
      const whole = priced(price.model, { form: "quantity", quantity: Fraction.one, events: 0 });
      const parts = days.map(([from, to]) => share(whole, to).minus(share(whole, from)));
      const gross = price.prorated ? Fraction.sum(parts) : whole;
      return discounted(portion, { quantity: undefined, taken: Fraction.zero, gross });
    }
    const meter = { aggregation: why.meter.aggregation as PlainAggregation, timeZone };
    const { usage, events } = measuredPlainly(meter, price.model, portion.spans, why.events);
    counts.push(events);
    const whole = Fraction.of(price.included ?? "0");
    // What of an allowance has accrued by a day may be a fraction that never ends: 20 decimals of it are given.
    const accrued = (day: Fraction) => share(whole, day).at(20, "round");
    const parts = days.map(([from, to]) => accrued(to).minus(accrued(from)));
    const included = price.prorated ? Fraction.sum(parts) : index === 0 ? whole : Fraction.zero;
    const { left, taken } = withoutIncluded(usage, included);
    return discounted(portion, { quantity: totalOf(usage), taken, gross: priced(price.model, left) });
  });
  return {
    quantity: why.meter === null ? undefined : Fraction.sum(portions.map(({ quantity }) => quantity!)),
    events: counts.reduce((sum, one) => sum + one, 0),
    portions,
    minor: Fraction.sum(portions.map(({ net }) => net))
      .times(hundred)
      .round(),
  };
}

function discounted({ discountPercents }: PortionEvidence, portion: Omit<PlainPortion, "net">): PlainPortion {
  const left = discountPercents.map((percent) => hundred.minus(Fraction.of(percent)).over(hundred));
  return { ...portion, net: left.reduce((net, share) => net.times(share), portion.gross) };
}

/** What an adjustment comes to: from what was agreed and what the charges that it is on came to, in cents. */
export function plainAdjustment(kind: string, agreed: bigint, base: bigint): bigint {
  switch (kind) {
    case "coupon":
      return base <= 0n ? 0n : -(base < agreed ? base : agreed);
    case "minimum":
      return base < agreed ? agreed - base : 0n;
    case "maximum":
      return base > agreed ? agreed - base : 0n;
    default:
      throw new Error(`there is no plain computation for a ${kind}`);
  }
}
