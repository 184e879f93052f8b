import type { Price } from "../../catalog/core/index.js";
import { Decimal } from "../../kernel/decimal.js";
import { dateAt, type LocalCalendar, type LocalDate } from "../../kernel/local-date.js";
import type { DayRange } from "./day-range.js";
import type { QuantityChange } from "./subscription.js";

/** A quantity that is held on some days of a service period. */
export interface HeldDays extends DayRange {
  readonly quantity: Decimal;
}

export interface HeldQuestion {
  readonly price: Pick<Price, "key" | "charge">;
  /** How many there are of the add-on that the price is in. */
  readonly count: Decimal | undefined;
  readonly quantities: readonly QuantityChange[];
  readonly calendar: LocalCalendar;
  readonly firstDate: LocalDate;
  readonly days: readonly DayRange[];
}

/**
 * How many units are charged on which days: of a licensed price the quantity that was last set, of an add-on how many
 * there are of it, of anything else one. Days on which none is held are left out.
 */
export function heldInDays({
  price,
  count,
  quantities,
  calendar,
  firstDate,
  days,
}: HeldQuestion): HeldDays[] {
  if (count !== undefined || price.charge !== "licensed") {
    return days.map((range) => ({ ...range, quantity: count ?? Decimal.one }));
  }
  const changes = quantities
    .filter(({ priceKey }) => priceKey === price.key)
    .map(({ at, quantity }) => ({ day: dateAt(calendar, at) - firstDate, quantity }))
    .sort((a, b) => a.day - b.day);
  return days.flatMap((range) => {
    const held: HeldDays[] = [];
    let quantity = changes.findLast(({ day }) => day <= range.from)?.quantity ?? Decimal.zero;
    let { from } = range;
    for (const change of changes) {
      if (change.day <= range.from || change.day >= range.to) continue;
      if (change.day > from) held.push({ from, to: change.day, quantity });
      from = change.day;
      quantity = change.quantity;
    }
    held.push({ from, to: range.to, quantity });
    return held.filter((one) => !one.quantity.isZero());
  });
}
