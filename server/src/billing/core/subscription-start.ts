import { modelIn, type PlanVersion } from "../../catalog/core/index.js";
import type { BillingAnchor } from "../../kernel/billing-period.js";
import type { Currency } from "../../kernel/currency.js";
import type { Decimal } from "../../kernel/decimal.js";
import type { CustomerId, SubscriptionId } from "../../kernel/ids.js";
import { day, type Instant } from "../../kernel/instant.js";
import { addDays, calendarIn, dateAt, partsOf, weekdayOf } from "../../kernel/local-date.js";
import { err, ok } from "../../kernel/result.js";
import type { TimeZone } from "../../kernel/time-zone.js";
import type { Changed } from "./change-refusal.js";
import { planPhases } from "./schedule.js";
import { subscriptionStart } from "./service-period.js";
import type { SchedulePhase, Subscription } from "./subscription.js";
import { startQuantities } from "./subscription-change.js";

/** Ten years: a start in the past is billed period by period. */
export const start_days_max = 3_660;

/** On the first of the month, quarter, year and on Mondays; or on the day that the subscription starts. */
export type AnchorChoice = "calendar" | "anniversary" | BillingAnchor;

export interface SubscriptionStart {
  readonly id: SubscriptionId;
  readonly customer: CustomerId;
  readonly payer: CustomerId;
  readonly plan: PlanVersion;
  readonly currency: Currency;
  readonly timeZone: TimeZone;
  /** Any instant of the first local day. */
  readonly start: Instant;
  readonly anchor: AnchorChoice;
  /** The plan's when left out. */
  readonly trialDays?: number;
  readonly quantities?: Readonly<Record<string, Decimal>>;
  readonly overrides?: SchedulePhase["overrides"];
}

/** A customer on a plan from the beginning of a local day. */
export function startSubscription(input: SubscriptionStart, now: Instant): Changed {
  const { plan, currency, timeZone, overrides = {} } = input;
  const startedAt = subscriptionStart(input.start, timeZone);
  const span = start_days_max * day;
  const [earliest, latest] = [(now - span) as Instant, (now + span) as Instant];
  if (startedAt < earliest || startedAt > latest)
    return err({ kind: "too_far", at: startedAt, earliest, latest });
  const missing = pricesNotIn(plan, currency, overrides);
  if (missing.length > 0) return err({ kind: "currency", currency, missing });
  const unknown = unknownOverride(plan, overrides);
  if (unknown !== undefined)
    return err({ kind: "unknown_price", priceKey: unknown, known: plan.prices.map((price) => price.key) });

  const calendar = calendarIn(timeZone);
  const first = dateAt(calendar, startedAt);
  const { month, day: dayOfMonth } = partsOf(first);
  const anchor =
    input.anchor === "calendar"
      ? { day: 1, month: 1, weekday: 1 }
      : input.anchor === "anniversary"
        ? { day: dayOfMonth, month, weekday: weekdayOf(first) }
        : input.anchor;
  const trialDays = input.trialDays ?? plan.trialDays;
  const trialEnd = trialDays === 0 ? undefined : calendar.startOf(addDays(first, trialDays));
  const quantities = startQuantities(plan, startedAt, input.quantities ?? {});
  if (!quantities.ok) return quantities;
  const terms = { startedAt, anchor, timeZone, zoneChanges: [] };
  const subscription: Subscription = {
    ...terms,
    id: input.id,
    customer: input.customer,
    payer: input.payer,
    currency,
    trialEnd,
    endsAt: undefined,
    canceledAt: undefined,
    schedule: planPhases(terms, plan, startedAt, { countedFrom: trialEnd ?? startedAt, overrides }),
    quantities: quantities.value.sort((a, b) => (a.priceKey < b.priceKey ? -1 : 1)),
    addOns: [],
    coupons: [],
    createdAt: now,
  };
  return ok(subscription);
}

/** The keys of the prices that are neither sold in a currency nor overridden. */
export function pricesNotIn(
  version: Pick<PlanVersion, "currency" | "prices">,
  currency: Currency,
  overrides: SchedulePhase["overrides"],
): string[] {
  return version.prices
    .filter(
      (price) => !Object.hasOwn(overrides, price.key) && modelIn(price, version, currency) === undefined,
    )
    .map((price) => price.key);
}

export function unknownOverride(
  version: Pick<PlanVersion, "prices">,
  overrides: SchedulePhase["overrides"],
): string | undefined {
  return Object.keys(overrides).find((key) => !version.prices.some((price) => price.key === key));
}
