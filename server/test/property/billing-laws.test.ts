import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  billingPeriodAt,
  calendarOf,
  keyText,
  listCharges,
  nextBoundary,
  targetOf,
  type Charge,
  type Contract,
} from "../../src/billing/core/index.js";
import type { PlanVersion, Price } from "../../src/catalog/core/index.js";
import { Decimal } from "../../src/kernel/decimal.js";
import { newId } from "../../src/kernel/ids.js";
import { day, type Instant } from "../../src/kernel/instant.js";
import { addDays, dateAt } from "../../src/kernel/local-date.js";
import { cents, commonPrice } from "../support/billable-price.js";
import {
  aContract,
  aCoupon,
  aPlan,
  aPrice,
  at,
  Billed,
  d,
  flat,
  measure,
  perUnit,
  scopeOf,
  type UsageReport,
} from "../support/billing-contract.js";
import { finalState, settledSums } from "../support/final-state.js";

const begin = at("2025-12-01");
const days = 150;

const category = fc.constantFrom("standard", "reduced");

const plan: fc.Arbitrary<PlanVersion> = fc
  .record({
    interval: fc.constantFrom("month", "quarter"),
    feeTiming: fc.constantFrom("advance", "arrears"),
    fee: cents(5000),
    seat: cents(900),
    setUp: fc.option(cents(900)),
    models: fc.array(
      fc.record({ model: commonPrice, category, included: fc.option(fc.integer({ min: 1, max: 50 })) }),
      {
        minLength: 1,
        maxLength: 2,
      },
    ),
    minimum: fc.option(cents(9000)),
    maximum: fc.option(cents(20_000)),
    commitment: fc.option(cents(40_000)),
  })
  .map(({ interval, feeTiming, fee, seat, setUp, models, minimum, maximum, commitment }) => {
    const prices: Price[] = [
      aPrice({ key: "fee", interval, timing: feeTiming, model: flat(fee.toString()) } as Parameters<
        typeof aPrice
      >[0]),
      aPrice({ key: "seats", charge: "licensed", model: perUnit(seat.toString()), taxCategory: "reduced" }),
      ...(setUp === null
        ? []
        : [aPrice({ key: "set-up", charge: "one_off", model: flat(setUp.toString()) })]),
      ...models.map(({ model, category: taxCategory, included }, index) =>
        aPrice({
          key: `usage-${index}`,
          charge: "usage",
          model,
          taxCategory,
          included: included === null ? undefined : d(included),
        }),
      ),
    ];
    const limits = {
      minimum: minimum === null ? undefined : { USD: minimum },
      maximum: maximum === null ? undefined : { USD: maximum.plus(minimum ?? d(0)) },
      commitments:
        commitment === null
          ? []
          : [{ key: "c", name: "Commitment", months: 3, amounts: { USD: commitment } }],
    };
    return aPlan({ interval: interval as PlanVersion["interval"], prices, ...limits });
  });

/** A day of the time that is looked at. */
const someDay = fc.integer({ min: 0, max: days });

interface Given {
  readonly contract: Contract;
  /** The same as it was known at an instant: what changes later is not in it. */
  readonly knownAt: (now: Instant) => Contract;
  readonly usage: readonly (UsageReport & { readonly arrives: Instant })[];
  readonly thresholds: readonly Instant[];
}

const given: fc.Arbitrary<Given> = fc
  .record({
    zone: fc.constantFrom("Pacific/Auckland", "Asia/Kolkata", "Pacific/Honolulu", "Europe/Berlin", "UTC"),
    anchorDay: fc.integer({ min: 1, max: 31 }),
    startDay: fc.integer({ min: 0, max: 40 }),
    trialDays: fc.constantFrom(0, 0, 0, 9),
    plans: fc.array(plan, { minLength: 1, maxLength: 3 }),
    switches: fc.array(fc.record({ day: someDay, plan: fc.nat(2) }), { maxLength: 3 }),
    seats: fc.array(fc.record({ day: someDay, quantity: fc.integer({ min: 0, max: 9 }) }), { maxLength: 4 }),
    endDay: fc.option(fc.integer({ min: 60, max: days })),
    percent: fc.option(fc.integer({ min: 1, max: 100 })),
    off: fc.option(cents(3000)),
    couponDay: someDay,
    usage: fc.array(
      fc.record({
        price: fc.nat(1),
        day: someDay,
        hours: fc.integer({ min: 0, max: 23 }),
        value: fc.integer({ min: 0, max: 90_000 }),
        late: fc.constantFrom(0, 0, 0, 5, 40),
      }),
      { maxLength: 30 },
    ),
    thresholds: fc.array(someDay, { maxLength: 3 }),
  })
  .map((raw): Given => {
    const skeleton = aContract({
      startedAt: (begin + raw.startDay * day) as Instant,
      zone: raw.zone,
      anchor: { day: raw.anchorDay, month: 1 },
      phases: [{ plan: raw.plans[0]! }],
    });
    const { subscription } = skeleton;
    const calendar = calendarOf(subscription);
    const first = dateAt(calendar, subscription.startedAt);
    const dayAt = (number: number) => calendar.startOf(addDays(first, number));
    const switches = new Map(raw.switches.filter((one) => one.day > 0).map((one) => [one.day, one.plan]));
    const phases = [...switches].sort(([one], [other]) => one - other);
    const known = (now: Instant): Contract => {
      const done = phases.filter(([number]) => dayAt(number) <= now);
      const ends = raw.endDay !== null && dayAt(raw.endDay) <= now ? dayAt(raw.endDay) : undefined;
      return aContract({
        id: subscription.id,
        startedAt: subscription.startedAt,
        zone: raw.zone,
        anchor: { day: raw.anchorDay, month: 1 },
        trialEnd: raw.trialDays === 0 ? undefined : dayAt(raw.trialDays),
        endsAt: ends,
        phases: [
          { plan: raw.plans[0]! },
          ...done.map(([number, index]) => ({
            from: dayAt(number),
            plan: raw.plans[index % raw.plans.length]!,
          })),
        ],
        quantities: raw.seats
          .map((seat) => ({ priceKey: "seats", at: dayAt(seat.day), quantity: d(seat.quantity) }))
          .filter((seat) => seat.at <= now),
        couponsKnown: coupons,
        coupons: coupons
          .map((coupon) => ({ coupon: coupon.id, from: dayAt(raw.couponDay), to: undefined }))
          .filter((redemption) => redemption.from <= now),
      });
    };
    const coupons = [
      ...(raw.percent === null
        ? []
        : [
            aCoupon({
              key: "p",
              off: { kind: "percent", percent: d(raw.percent) },
              duration: { kind: "months", months: 2 },
            }),
          ]),
      ...(raw.off === null
        ? []
        : [
            aCoupon({
              key: "f",
              off: { kind: "amount", amounts: { USD: raw.off } },
              duration: { kind: "forever" },
            }),
          ]),
    ];
    return {
      contract: known(Number.MAX_SAFE_INTEGER as Instant),
      knownAt: known,
      usage: raw.usage.map(({ price, day: number, hours, value, late }) => {
        const time = (dayAt(number) + hours * (day / 24)) as Instant;
        return {
          priceKey: `usage-${price}`,
          time,
          value: Decimal.fromUnscaled(BigInt(value), 2),
          arrives: (time + late * day) as Instant,
        };
      }),
      thresholds: raw.thresholds.map(dayAt).sort((one, other) => one - other),
    };
  });

/** Without what is due only later: a plan that is left and come back to has its arrears at the end of the period. */
function billedSums(billed: Billed, contract: Contract, until: Instant): Map<string, bigint> {
  const all = listCharges(contract, 0 as Instant, (until + 1) as Instant);
  const later = new Set(all.filter((charge) => charge.dueAt > until).map(keyText));
  return new Map(
    [...billed.charges()].filter(([key]) => !later.has(key)).map(([key, { net }]) => [key, net]),
  );
}

describe("the sum of everything ever billed equals rating the final state once", () => {
  const law = (voids: boolean) =>
    fc.property(
      given,
      fc.array(fc.nat(20), { maxLength: voids ? 4 : 0 }),
      ({ contract, knownAt, usage, thresholds }, voided) => {
        const billed = new Billed();
        const arrived = (now: Instant) => usage.filter((one) => one.arrives <= now);
        const { startedAt } = contract.subscription;
        const start = knownAt(startedAt).subscription.trialEnd ?? startedAt;
        billed.bill(knownAt(start), scopeOf(contract, "start", start), arrived(start));
        let claimedUntil = start;
        let last = startedAt;
        // Subscriptions change as time goes by: each invoice knows what had happened when it was made.
        for (let moment = startedAt; moment < startedAt + days * day; ) {
          const boundary = nextBoundary(knownAt(moment).subscription, moment);
          if (boundary === undefined) break;
          for (const threshold of thresholds.filter((one) => moment < one && one < boundary)) {
            const then = knownAt(threshold);
            if (then.subscription.endsAt !== undefined && then.subscription.endsAt <= threshold) continue;
            billed.bill(then, scopeOf(then, "threshold", threshold, claimedUntil), arrived(threshold));
          }
          const now = knownAt(boundary);
          const period = billingPeriodAt(now.subscription, moment)!;
          if (period.end > boundary) {
            moment = boundary; // the end of a trial
            continue;
          }
          billed.bill(now, scopeOf(now, "period", moment, claimedUntil), arrived(boundary));
          if (period.end > claimedUntil) claimedUntil = period.end;
          last = moment;
          moment = period.end;
        }
        const end = claimedUntil;
        for (const index of voided) {
          const invoice = billed.invoices[index % billed.invoices.length]!;
          if (invoice.isVoid) continue;
          invoice.isVoid = true;
          const again = { ...invoice.scope, claimedUntil: end };
          billed.bill(knownAt(end), again, arrived(end));
        }
        expect(last).toBeLessThan(end);
        const finally_ = knownAt(end);
        billed.bill(finally_, scopeOf(finally_, "closing", end, end), usage);
        const measured = (charge: Charge) => measure([charge], usage).get(keyText(charge)) ?? [];
        expect(settledSums(billedSums(billed, finally_, end))).toEqual(
          settledSums(finalState(finally_, { from: begin, until: end }, measured)),
        );
      },
    );

  test("whatever arrived late, was billed in between, or changed on the way", () => {
    fc.assert(law(false), { numRuns: 150 });
  });

  test("also when invoices were voided and made again", () => {
    fc.assert(law(true), { numRuns: 150 });
  });
});

test("the parts of a month under different versions of one fee add up to the fee, digit for digit", () => {
  fc.assert(
    fc.property(
      cents(99_999),
      fc.uniqueArray(fc.integer({ min: 1, max: 30 }), { maxLength: 5 }),
      fc.constantFrom("Pacific/Auckland", "Asia/Kolkata", "America/New_York"),
      (fee, cuts, zone) => {
        const versionOf = () =>
          aPlan({ prices: [aPrice({ key: "fee", model: flat(fee.toString()), timing: "arrears" })] });
        const skeleton = aContract({ startedAt: at("2026-03-15"), zone, phases: [{ plan: versionOf() }] });
        const calendar = calendarOf(skeleton.subscription);
        const [first] = [dateAt(calendar, billingPeriodAt(skeleton.subscription, at("2026-04-10"))!.start)];
        const contract = aContract({
          startedAt: at("2026-03-15"),
          zone,
          phases: [
            { plan: versionOf() },
            ...cuts
              .filter((cut) => cut < 30)
              .toSorted((one, other) => one - other)
              .map((cut) => ({ from: calendar.startOf(addDays(first, cut)), plan: versionOf() })),
          ],
        });
        const period = billingPeriodAt(contract.subscription, at("2026-04-10"))!;
        const charges = listCharges(contract, period.start, period.end);
        const targets = charges.map((charge) => targetOf(charge, [], contract.subscription.currency));
        expect(Decimal.sum(targets.map((target) => target.net)).toString()).toBe(fee.toString());
        for (const target of targets) {
          const off = target.net.minus(Decimal.fromUnscaled(target.netMinor, 2)).abs();
          expect(off.compare(d("0.005"))).toBeLessThanOrEqual(0);
        }
      },
    ),
  );
});

test("two subscriptions on one plan have charges of their own", () => {
  const one = aPlan({ prices: [aPrice({ key: "fee", model: flat("10") })] });
  const contracts = [1, 2].map(() =>
    aContract({ id: newId("sub", begin), startedAt: begin, phases: [{ plan: one }] }),
  );
  const billed = contracts.map((contract) => {
    const own = new Billed();
    own.bill(contract, scopeOf(contract, "start", begin));
    return own.invoices[0]!.lines[0]!.net;
  });
  expect(billed).toEqual([1000n, 1000n]);
});
