import { modelIn, type BillingInterval, type Price } from "../../catalog/core/index.js";
import type { Currency } from "../../kernel/currency.js";
import type { Decimal } from "../../kernel/decimal.js";
import type { AddOnVersionId, PlanVersionId } from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";
import { dateAt } from "../../kernel/local-date.js";
import { priceModelToJson, type AnyPriceModel } from "../../rating/core/index.js";
import { addOnOf, chargedSpan, overlap, planOf, type Contract, type OpenSpan } from "./contract.js";
import { percentsOff } from "./coupon-window.js";
import type { DayRange } from "./day-range.js";
import { heldInDays, type HeldDays } from "./held-days.js";
import { calendarOf, periodsOf, type Period } from "./service-period.js";

/** What makes two amounts parts of one charge: what is charged, and the full service period it is charged for. */
export interface ChargeKey {
  /** A price's id, with the add-on's when it is one's; or the name of an adjustment. */
  readonly item: string;
  readonly period: Period;
}

/** A price for one service period of one subscription. */
export interface Charge extends ChargeKey {
  readonly price: Price;
  readonly source: ChargeSource;
  /** What of the service period is charged, from the first instant to the last. */
  readonly covered: Period;
  /** When it is due: with the billing period that holds this instant, or ends at it. */
  readonly dueAt: Instant;
  /** Whole local days of the service period. */
  readonly days: number;
  readonly portions: readonly Portion[];
}

export type ChargeSource =
  | { readonly kind: "plan"; readonly version: PlanVersionId; readonly interval: BillingInterval }
  | { readonly kind: "add_on"; readonly version: AddOnVersionId; readonly name: string };

/** The part of a charge under one price model and one set of discounts. */
export interface Portion {
  /** Disjoint, in order: usage in them counts. */
  readonly spans: readonly Period[];
  /** The local days that fees are for; those of a charge's portions do not overlap. */
  readonly days: readonly DayRange[];
  readonly model: AnyPriceModel;
  /** Taken off one after the other. */
  readonly percentsOff: readonly Decimal[];
  /** What is held on which days: a licensed quantity, or how many of an add-on. Undefined for usage. */
  readonly held: readonly HeldDays[] | undefined;
}

/** How an item is told apart from the same price in another add-on. */
export function itemOf(price: Pick<Price, "id">, addOn?: string): string {
  return addOn === undefined ? price.id : `${price.id}/${addOn}`;
}

export function keyText({ item, period }: ChargeKey): string {
  return `${item}@${period.start}-${period.end}`;
}

/**
 * Every charge whose service period touches [from, to): by source, then in the order of its prices, then by time.
 * @throws RangeError when a price is not sold in the subscription's currency
 */
export function listCharges(contract: Contract, from: Instant, to: Instant): Charge[] {
  const { subscription } = contract;
  const charged = chargedSpan(subscription);
  if (charged === undefined) return [];
  return [...pricesOfPlans(contract, charged), ...pricesOfAddOns(contract, charged)].flatMap((priced) =>
    chargesOf(contract, priced, { from, to }),
  );
}

/** A price and when it is in the contract, under which model. */
interface PricedSpans {
  readonly item: string;
  readonly price: Price;
  readonly source: ChargeSource;
  readonly spans: readonly PricedSpan[];
  /** How many of an add-on. */
  readonly count: Decimal | undefined;
}

interface PricedSpan extends OpenSpan {
  readonly model: AnyPriceModel;
  readonly phasePercent: Decimal | undefined;
}

function pricesOfPlans(contract: Contract, charged: OpenSpan): PricedSpans[] {
  const { schedule, currency } = contract.subscription;
  return [...new Set(schedule.map((phase) => phase.planVersion))].flatMap((version) => {
    const plan = planOf(contract, { planVersion: version });
    const source: ChargeSource = { kind: "plan", version, interval: plan.interval };
    return plan.prices.map((price) => {
      const spans = schedule.flatMap((phase): PricedSpan[] => {
        if (phase.planVersion !== version || !isIn(price, phase.phase)) return [];
        const span = overlap(phase, charged);
        if (span === undefined) return [];
        const model = phase.overrides[price.key] ?? mustHaveModel(price, plan, currency);
        const phasePercent = plan.phases.find(({ key }) => key === phase.phase)?.discountPercent;
        return [{ from: span.from, to: span.to, model, phasePercent }];
      });
      return { item: itemOf(price), price, source, spans, count: undefined };
    });
  });
}

function pricesOfAddOns(contract: Contract, charged: OpenSpan): PricedSpans[] {
  const { addOns, currency } = contract.subscription;
  return addOns.flatMap((addOn) => {
    const span = overlap(addOn, charged);
    if (span === undefined) return [];
    const version = addOnOf(contract, addOn);
    const source: ChargeSource = { kind: "add_on", version: version.id, name: version.name };
    return version.prices.map((price) => {
      const model = mustHaveModel(price, version, currency);
      const spans = [{ ...span, model, phasePercent: undefined }];
      return { item: itemOf(price, addOn.id), price, source, spans, count: addOn.quantity };
    });
  });
}

function isIn(price: Price, phase: string | undefined): boolean {
  return price.phases === undefined || (phase !== undefined && price.phases.includes(phase));
}

function chargesOf(contract: Contract, priced: PricedSpans, window: OpenSpan & { to: Instant }): Charge[] {
  const [first] = priced.spans;
  const last = priced.spans.at(-1);
  if (first === undefined || last === undefined) return [];
  const { subscription } = contract;
  const { charge, interval } = priced.price;
  if (charge === "one_off") {
    // Once, when the price first comes into the contract.
    const [period] = periodsOf(subscription, interval, first.from, (first.from + 1) as Instant);
    if (period === undefined || period.end <= window.from || period.start >= window.to) return [];
    return [chargeOf(contract, { ...priced, spans: [first] }, period)].filter((one) => one !== undefined);
  }
  const touched = overlap({ from: first.from, to: last.to }, wholePeriods(contract, interval, window));
  if (touched === undefined) return [];
  return periodsOf(subscription, interval, touched.from, touched.to ?? window.to).flatMap(
    (period) => chargeOf(contract, priced, period) ?? [],
  );
}

/** A window with all of the periods that it touches: a price that left the contract within one is still of it. */
function wholePeriods(
  { subscription }: Contract,
  interval: BillingInterval,
  { from, to }: OpenSpan & { to: Instant },
): OpenSpan {
  const last = subscription.endsAt === undefined ? from : Math.min(from, subscription.endsAt - 1);
  const first = Math.max(last, subscription.startedAt) as Instant;
  const [begins] = periodsOf(subscription, interval, first, (first + 1) as Instant);
  const [ends] = periodsOf(subscription, interval, (to - 1) as Instant, to);
  return {
    from: begins === undefined || begins.start > from ? from : begins.start,
    to: ends === undefined || ends.end < to ? to : ends.end,
  };
}

function chargeOf(contract: Contract, priced: PricedSpans, period: Period): Charge | undefined {
  const { subscription } = contract;
  const { price, source, item, spans, count } = priced;
  const whole = { from: period.start, to: period.end };
  const cuts = spans.flatMap((span) => {
    const cut = overlap(span, whole);
    if (cut === undefined) return [];
    const { model, phasePercent } = span;
    return [{ start: cut.from, end: cut.to ?? period.end, model, phasePercent }];
  });
  const covered = { start: cuts[0]?.start, end: cuts.at(-1)?.end };
  if (covered.start === undefined || covered.end === undefined) return undefined;
  const calendar = calendarOf(subscription);
  const firstDate = dateAt(calendar, period.start);
  const couponPercents = percentsOff(contract, price, covered.start);
  const portions: Portion[] = [];
  for (const { start, end, model, phasePercent } of cuts) {
    const days = { from: dateAt(calendar, start) - firstDate, to: dateAt(calendar, end) - firstDate };
    const percents = phasePercent === undefined ? couponPercents : [phasePercent, ...couponPercents];
    const last = portions.at(-1);
    const isSame = last !== undefined && sameModel(last.model, model) && sameList(last.percentsOff, percents);
    if (isSame) portions.pop();
    portions.push({
      spans: [...(isSame ? last.spans : []), { start, end }],
      days: [...(isSame ? last.days : []), days],
      model,
      percentsOff: percents,
      held: undefined,
    });
  }
  const { quantities } = subscription;
  return {
    item,
    price,
    source,
    period,
    covered: { start: covered.start, end: covered.end },
    dueAt: price.timing === "arrears" ? covered.end : covered.start,
    days: dateAt(calendar, period.end) - firstDate,
    portions:
      price.charge === "usage"
        ? portions
        : portions.map((portion) => ({
            ...portion,
            held: heldInDays({ price, count, quantities, calendar, firstDate, days: portion.days }),
          })),
  };
}

function mustHaveModel(
  price: Price,
  version: { readonly currency: Currency },
  currency: Currency,
): AnyPriceModel {
  const model = modelIn(price, version, currency);
  if (model === undefined) throw new RangeError(`price "${price.key}" is not sold in ${currency}`);
  return model;
}

function sameModel(one: AnyPriceModel, other: AnyPriceModel): boolean {
  if (one === other) return true;
  return JSON.stringify(priceModelToJson(one)) === JSON.stringify(priceModelToJson(other));
}

function sameList(one: readonly Decimal[], other: readonly Decimal[]): boolean {
  return one.length === other.length && one.every((value, index) => other[index]?.equals(value));
}
