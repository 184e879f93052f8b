import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  addOnsAt,
  attachAddOn,
  billingPeriodAt,
  calendarOf,
  cancel,
  changePlan,
  changeQuantity,
  changeZone,
  detachAddOn,
  effectiveFrom,
  effectiveUntil,
  nextBoundary,
  phaseAt,
  phasesOf,
  pricesIn,
  quantityAt,
  redeemCoupon,
  removeCoupon,
  startSubscription,
  uncancel,
  type Changed,
  type Subscription,
  type When,
} from "../../src/billing/core/index.js";
import type { PlanVersion } from "../../src/catalog/index.js";
import type { Currency } from "../../src/kernel/currency.js";
import { Decimal } from "../../src/kernel/decimal.js";
import { newId } from "../../src/kernel/ids.js";
import { day, hour, parseInstant, type Instant } from "../../src/kernel/instant.js";
import { dateAt } from "../../src/kernel/local-date.js";
import { parseTimeZone } from "../../src/kernel/time-zone.js";
import { addOnOf, phase, planOf, priceOf } from "../support/offered-plan.js";

const base = parseInstant("2025-01-15T12:00:00Z")!;
const zones = [
  "Pacific/Auckland",
  "Pacific/Kiritimati",
  "Etc/GMT+12",
  "America/St_Johns",
  "Europe/Berlin",
  "UTC",
].map((name) => parseTimeZone(name)!);
const zone = fc.constantFrom(...zones);

const plans = [
  planOf([
    priceOf("fee", "flat", "month"),
    priceOf("seats", "licensed", "month"),
    priceOf("use", "usage", "month"),
  ]),
  planOf([priceOf("fee", "flat", "year"), priceOf("seats", "licensed", "year")], { interval: "year" }),
  planOf([priceOf("fee", "flat", "year"), priceOf("use", "usage", "month")], {
    interval: "year",
    trialDays: 14,
  }),
  planOf([priceOf("fee", "flat", "quarter"), priceOf("desks", "licensed", "quarter")], {
    interval: "quarter",
  }),
  planOf([priceOf("fee", "flat", "week"), priceOf("seats", "licensed", "week")], { interval: "week" }),
  planOf(
    [
      priceOf("fee", "flat", "month"),
      priceOf("cheap", "licensed", "month", ["intro", "ramp"]),
      priceOf("seats", "licensed", "month", ["full"]),
    ],
    { phases: [phase("intro", 20, "day"), phase("ramp", 3), phase("full")] },
  ),
];
const versionOf = (id: string): PlanVersion => plans.find((plan) => plan.id === id)!;
const addOns = [
  addOnOf([priceOf("a", "flat", "month")], "month"),
  addOnOf([priceOf("b", "flat", "year")], "year"),
];
const coupons = [
  { id: newId("cpn", base), duration: { kind: "once" } as const },
  { id: newId("cpn", base), duration: { kind: "months", months: 3 } as const },
  { id: newId("cpn", base), duration: { kind: "forever" } as const },
];
const keys = ["seats", "desks", "cheap"];

const when: fc.Arbitrary<(now: Instant) => When> = fc.oneof(
  fc.constant((): When => ({ kind: "now" })),
  fc.constant((): When => ({ kind: "period_end" })),
  fc.integer({ min: -200, max: 2000 }).map(
    (hours) =>
      (now: Instant): When => ({ kind: "at", at: (now + hours * hour) as Instant }),
  ),
);
const quantity = fc.integer({ min: 0, max: 50 }).map((units) => Decimal.of(units));

type Step = { readonly after: number } & (
  | { readonly kind: "plan"; readonly plan: PlanVersion; readonly when: (now: Instant) => When }
  | {
      readonly kind: "quantity";
      readonly key: string;
      readonly quantity: Decimal;
      readonly when: (now: Instant) => When;
    }
  | {
      readonly kind: "attach";
      readonly addOn: number;
      readonly days: number | undefined;
      readonly when: (now: Instant) => When;
    }
  | { readonly kind: "detach"; readonly index: number; readonly when: (now: Instant) => When }
  | { readonly kind: "redeem" | "remove"; readonly coupon: number }
  | { readonly kind: "cancel"; readonly when: (now: Instant) => When }
  | { readonly kind: "uncancel" }
  | { readonly kind: "zone"; readonly zone: (typeof zones)[number] }
);
const after = fc.integer({ min: 0, max: 1500 });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant("plan" as const), after, plan: fc.constantFrom(...plans), when }),
  fc.record({ kind: fc.constant("quantity" as const), after, key: fc.constantFrom(...keys), quantity, when }),
  fc.record({
    kind: fc.constant("attach" as const),
    after,
    addOn: fc.integer({ min: 0, max: 1 }),
    days: fc.option(fc.integer({ min: 1, max: 90 }), { nil: undefined }),
    when,
  }),
  fc.record({ kind: fc.constant("detach" as const), after, index: fc.integer({ min: 0, max: 5 }), when }),
  fc.record({
    kind: fc.constantFrom("redeem" as const, "remove" as const),
    after,
    coupon: fc.integer({ min: 0, max: 2 }),
  }),
  fc.record({ kind: fc.constant("cancel" as const), after, when }),
  fc.record({ kind: fc.constant("uncancel" as const), after }),
  fc.record({ kind: fc.constant("zone" as const), after, zone }),
);
const history = fc.record({
  plan: fc.constantFrom(...plans),
  timeZone: zone,
  anchor: fc.oneof(
    fc.constantFrom("calendar" as const, "anniversary" as const),
    fc.record({
      day: fc.integer({ min: 1, max: 31 }),
      month: fc.integer({ min: 1, max: 12 }),
      weekday: fc.integer({ min: 1, max: 7 }),
    }),
  ),
  start: fc.integer({ min: -400, max: 400 }),
  trialDays: fc.option(fc.integer({ min: 0, max: 60 }), { nil: undefined }),
  steps: fc.array(step, { maxLength: 12 }),
});

function begin(given: {
  plan: PlanVersion;
  timeZone: (typeof zones)[number];
  anchor: "calendar" | "anniversary" | { day: number };
  start: number;
  trialDays: number | undefined;
}): Subscription {
  const customer = newId("cus", base);
  const started = startSubscription(
    {
      id: newId("sub", base),
      customer,
      payer: customer,
      plan: given.plan,
      currency: "USD" as Currency,
      timeZone: given.timeZone,
      start: (base + given.start * hour) as Instant,
      anchor: given.anchor,
      ...(given.trialDays === undefined ? {} : { trialDays: given.trialDays }),
    },
    base,
  );
  if (!started.ok) throw new Error(started.error.kind);
  return started.value;
}

/** Does a step; gives the value after it, and the instant from which it may differ. */
function take(subscription: Subscription, one: Step, now: Instant): { changed: Changed; from: Instant } {
  const from = "when" in one ? effectiveFrom(subscription, one.when(now), now) : now;
  switch (one.kind) {
    case "plan":
      return { changed: changePlan(subscription, { at: from, plan: one.plan }, undefined), from };
    case "quantity": {
      const current = phaseAt(subscription, from);
      const plan = current === undefined ? plans[0]! : versionOf(current.planVersion);
      const change = { at: from, priceKey: one.key, quantity: one.quantity };
      return { changed: changeQuantity(subscription, change, plan, { invoicedUntil: undefined, now }), from };
    }
    case "attach": {
      const calendar = calendarOf(subscription);
      const to =
        one.days === undefined ? undefined : calendar.startOf((dateAt(calendar, from) + one.days) as never);
      const change = { id: newId("sao", base), addOn: addOns[one.addOn]!, quantity: Decimal.one, from, to };
      return { changed: attachAddOn(subscription, change, undefined), from };
    }
    case "detach": {
      const at = effectiveUntil(subscription, one.when(now), now);
      const id = subscription.addOns[one.index]?.id ?? "none";
      return { changed: detachAddOn(subscription, { id, at }, undefined), from: at };
    }
    case "redeem": {
      const start = billingPeriodAt(subscription, now)?.start ?? now;
      return { changed: redeemCoupon(subscription, coupons[one.coupon]!, now, undefined), from: start };
    }
    case "remove":
      return { changed: removeCoupon(subscription, coupons[one.coupon]!.id, now), from: now };
    case "cancel": {
      const endsAt = effectiveUntil(subscription, one.when(now), now);
      return {
        changed: cancel(subscription, { endsAt }, { invoicedUntil: undefined, now }),
        from: endsAt < (subscription.endsAt ?? endsAt) ? endsAt : (subscription.endsAt ?? endsAt),
      };
    }
    case "uncancel":
      return { changed: uncancel(subscription, now), from: subscription.endsAt ?? now };
    case "zone":
      return {
        changed: { ok: true, value: changeZone(subscription, one.zone, now) },
        from: effectiveFrom(subscription, { kind: "period_end" }, now),
      };
  }
}

/** All that holds at an instant. */
function stateAt(subscription: Subscription, at: Instant) {
  const current = phaseAt(subscription, at);
  return {
    phase: current && [current.planVersion, current.phase, current.interval],
    quantities: keys.map((key) => quantityAt(subscription, key, at)?.toString()),
    addOns: addOnsAt(subscription, at).map((one) => one.id),
    coupons: subscription.coupons
      .filter((one) => one.from <= at && (one.to === undefined || at < one.to))
      .map((one) => one.coupon),
    date: dateAt(calendarOf(subscription), at),
  };
}

function instantsOf(subscription: Subscription): Instant[] {
  const {
    startedAt,
    trialEnd,
    endsAt,
    schedule,
    quantities,
    addOns: added,
    coupons: redeemed,
    zoneChanges,
  } = subscription;
  return [
    startedAt,
    trialEnd,
    endsAt,
    ...[...schedule, ...added, ...redeemed].flatMap(({ from, to }) => [from, to]),
    ...quantities.map(({ at }) => at),
    ...zoneChanges.map(({ from }) => from),
  ].filter((at): at is Instant => at !== undefined);
}

/** Calls `visit` with each change that was accepted. */
function live(
  given: Parameters<typeof begin>[0] & { steps: readonly Step[] },
  visit: (before: Subscription, after: Subscription, from: Instant, now: Instant) => void,
) {
  let subscription = begin(given);
  let now = base;
  for (const one of given.steps) {
    now = (now + one.after * hour) as Instant;
    const { changed, from } = take(subscription, one, now);
    if (!changed.ok) continue;
    visit(subscription, changed.value, from, now);
    subscription = changed.value;
  }
  return { subscription, now };
}

describe("a subscription through a random sequence of changes", () => {
  test("has a schedule that tiles its time, every instant in it the first of a local day", () => {
    fc.assert(
      fc.property(history, (given) => {
        live(given, (_, changed) => {
          const phases = phasesOf(changed);
          if (changed.endsAt !== changed.startedAt) expect(phases[0]?.from).toBe(changed.startedAt);
          phases.forEach((one, index) => {
            expect(one.to ?? Infinity).toBeGreaterThan(one.from);
            expect(one.to).toBe(phases[index + 1]?.from ?? changed.endsAt);
          });
          for (const one of [...changed.addOns, ...changed.coupons])
            expect(one.to ?? Infinity).toBeGreaterThan(one.from);
          const calendar = calendarOf(changed);
          for (const at of instantsOf(changed)) expect(calendar.startOf(dateAt(calendar, at))).toBe(at);
        });
      }),
      { numRuns: 200 },
    );
  });

  test("has a quantity for every licensed price at every instant", () => {
    fc.assert(
      fc.property(history, (given) => {
        const { subscription } = live(given, () => {});
        for (const one of phasesOf(subscription)) {
          for (const price of pricesIn(versionOf(one.planVersion), one.phase)) {
            if (price.charge !== "licensed") continue;
            const last = ((one.to ?? one.from + 400 * day) - 1) as Instant;
            for (const at of [one.from, last]) expect(quantityAt(subscription, price.key, at)).toBeDefined();
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  test("is before the instant of each change what it was before the change", () => {
    fc.assert(
      fc.property(history, (given) => {
        live(given, (before, changed, from) => {
          const sample = [...instantsOf(before), ...instantsOf(changed)]
            .flatMap((at) => [at, (at - 1) as Instant])
            .filter((at) => at < from);
          for (const at of sample) expect(stateAt(changed, at)).toEqual(stateAt(before, at));
        });
      }),
      { numRuns: 200 },
    );
  });

  test("has boundaries that rise strictly, end with it, and are the ends of billing periods that tile it", () => {
    fc.assert(
      fc.property(history, fc.integer({ min: 0, max: 4000 }), (given, hours) => {
        const { subscription } = live(given, () => {});
        const { startedAt, trialEnd, endsAt } = subscription;
        if (endsAt === startedAt) {
          expect(nextBoundary(subscription, startedAt)).toBeUndefined();
          return;
        }
        expect(nextBoundary(subscription, (startedAt - 1) as Instant)).toBe(startedAt);
        let period = billingPeriodAt(subscription, startedAt);
        expect(period?.start).toBe(startedAt);
        let last: Instant | undefined = startedAt;
        for (let count = 0; count < 60 && last !== undefined; count += 1) {
          const next = nextBoundary(subscription, last);
          if (next === undefined) {
            expect(last).toBe(endsAt);
            expect(period).toBeUndefined();
            break;
          }
          expect(next).toBeGreaterThan(last);
          expect(next).toBeLessThanOrEqual(endsAt ?? Infinity);
          const middle = (last + Math.floor((next - last) / 2)) as Instant;
          expect(nextBoundary(subscription, middle)).toBe(next);
          expect(billingPeriodAt(subscription, middle)).toEqual(period);
          if (next !== trialEnd || next === period?.end) {
            expect(next).toBe(period?.end);
            period = billingPeriodAt(subscription, next);
            if (next !== endsAt) expect(period?.start).toBe(next);
          }
          last = next;
        }
        const at = (startedAt + hours * hour) as Instant;
        const found = billingPeriodAt(subscription, at);
        expect(found !== undefined).toBe(endsAt === undefined || at < endsAt);
        if (found !== undefined) expect(found.start <= at && at < found.end).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  test("is not changed before what is invoiced, and is told from when it can be", () => {
    fc.assert(
      fc.property(
        history,
        fc.constantFrom(...plans),
        fc.integer({ min: 1, max: 100 }),
        (given, plan, days) => {
          const { subscription, now } = live(given, () => {});
          const invoicedUntil = effectiveFrom(
            subscription,
            { kind: "at", at: (now + days * day) as Instant },
            now,
          );
          const at = effectiveFrom(subscription, { kind: "at", at: (invoicedUntil - day) as Instant }, now);
          if (at < subscription.startedAt || (subscription.endsAt ?? Infinity) <= invoicedUntil) return;
          const refusal = { ok: false, error: { kind: "already_invoiced", at, from: invoicedUntil } };
          expect(changePlan(subscription, { at, plan }, invoicedUntil)).toEqual(refusal);
          expect(changePlan(subscription, { at: invoicedUntil, plan }, invoicedUntil).ok).toBe(true);
          expect(cancel(subscription, { endsAt: at }, { invoicedUntil, now })).toEqual(refusal);
          expect(cancel(subscription, { endsAt: invoicedUntil }, { invoicedUntil, now }).ok).toBe(true);
        },
      ),
      { numRuns: 200 },
    );
  });
});
