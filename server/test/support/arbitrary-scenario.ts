import fc from "fast-check";
import { writePriceModel } from "../../src/catalog/core/index.js";
import { misfitOfMeter } from "../../src/catalog/core/price-definition.js";
import { usageOf, type AnyPriceModel } from "../../src/rating/core/index.js";
import { Decimal } from "../../src/kernel/decimal.js";
import { billablePrice, cents, dimensions } from "./billable-price.js";
import type { ModelNotation } from "./plain-rating.js";
import { plainAggregations, type PlainAggregation } from "./plain-metering.js";

/*
 * Some months of billing as plain data: what is sold, to whom, and what happens on which day. It prints as what it is,
 * so that the smallest case of a failure can be read.
 */

export interface ScenarioPrice {
  readonly meter: PlainAggregation;
  readonly model: ModelNotation;
  readonly included: number | null;
  readonly prorated: boolean;
}

export interface ScenarioPlan {
  readonly interval: "month" | "quarter";
  readonly fee: {
    readonly amount: string;
    readonly timing: "advance" | "arrears";
    readonly prorated: boolean;
  };
  readonly prices: readonly ScenarioPrice[];
  readonly minimum: string | null;
  readonly maximum: string | null;
}

export interface ScenarioCustomer {
  readonly zone: string;
  readonly startDay: number;
  readonly anchorDay: number | null;
  readonly percentOff: number | null;
  readonly amountOff: string | null;
  /** Of the days that something happens on, the index of one, and the plan from the day after on. */
  readonly switches: readonly { readonly moment: number; readonly plan: number }[];
}

export interface ScenarioEvent {
  readonly customer: number;
  readonly day: number;
  readonly second: number;
  readonly data: Readonly<Record<"n" | "who" | "region" | "size", string>>;
  /** How many of the moments after its own it comes late. */
  readonly late: number;
}

export interface ScenarioCorrection {
  readonly event: number;
  /** How many moments after the event came in. */
  readonly after: number;
  readonly change:
    | { readonly to: "void" }
    | { readonly to: "n"; readonly n: string }
    | { readonly to: "customer" | "day" };
}

export interface Scenario {
  readonly begin: string;
  /** The last day of every subscription. */
  readonly endDay: number;
  readonly plans: readonly ScenarioPlan[];
  readonly customers: readonly ScenarioCustomer[];
  /** Whether the first pays for the others. */
  readonly onePays: boolean;
  readonly events: readonly ScenarioEvent[];
  readonly corrections: readonly ScenarioCorrection[];
  /** Invoices to take back: at which moment, and which of those that were finalized last. */
  readonly voids: readonly { readonly moment: number; readonly invoice: number }[];
  /** How many events a page of evidence has. */
  readonly page: number;
}

const nullable = <T>(some: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(some, { freq: 2 });
/** Above zero, as a plan's limits are. */
const limit = (max: number) => cents(max - 1).map((one) => one.plus(Decimal.of("0.01")));
const amount = (max: number) => cents(max).map(String);

/** Sums more often: most prices fit them only. */
const aggregation = fc.constantFrom<PlainAggregation[]>("SUM", "SUM", ...plainAggregations);

const fits = (model: AnyPriceModel, meter: PlainAggregation) =>
  misfitOfMeter(model, { slug: "any", aggregation: meter }) === undefined;

const price: fc.Arbitrary<ScenarioPrice> = fc
  .record({
    meter: aggregation,
    model: billablePrice,
    included: nullable(fc.integer({ min: 1, max: 300 })),
    prorated: fc.boolean(),
  })
  // Event by event it is their values that are priced; an allowance is taken off one quantity.
  .map(({ model, ...rest }) => ({
    ...rest,
    meter: fits(model, rest.meter) ? rest.meter : ("SUM" as const),
    included: usageOf(model) === "quantity" ? rest.included : null,
    model: writePriceModel(model),
  }));

const plan: fc.Arbitrary<ScenarioPlan> = fc
  .record({
    interval: fc.constantFrom("month", "month", "quarter"),
    fee: fc.record({
      amount: amount(5000),
      timing: fc.constantFrom("advance", "arrears"),
      prorated: fc.boolean(),
    }),
    prices: fc.array(price, { minLength: 1, maxLength: 3 }),
    minimum: nullable(limit(6000)),
    maximum: nullable(limit(20_000)),
  })
  .map(({ minimum, maximum, ...rest }) => ({
    ...rest,
    minimum: minimum === null ? null : String(minimum),
    maximum: maximum === null ? null : String(minimum === null ? maximum : maximum.plus(minimum)),
  }));

/** Days between what happens. */
export const moment_days = 8;

const anyScenario: fc.Arbitrary<Scenario> = fc.record({
  // Clocks change in each of them somewhere; the third has a leap day.
  begin: fc.constantFrom("2027-03-04T07:00:00Z", "2027-09-20T15:00:00Z", "2028-01-12T00:00:00Z"),
  endDay: fc.integer({ min: 50, max: 100 }),
  plans: fc.array(plan, { minLength: 1, maxLength: 2 }),
  customers: fc.array(
    fc.record({
      zone: fc.constantFrom(
        "UTC",
        "Pacific/Auckland",
        "Asia/Kolkata",
        "Pacific/Honolulu",
        "Europe/Berlin",
        "America/Santiago",
        "Africa/Cairo",
      ),
      startDay: fc.integer({ min: 0, max: 12 }),
      anchorDay: nullable(fc.integer({ min: 1, max: 31 })),
      percentOff: nullable(fc.integer({ min: 1, max: 100 })),
      amountOff: nullable(amount(3000)),
      switches: fc.array(
        fc.record({ moment: fc.integer({ min: 2, max: 5 }), plan: fc.integer({ min: 0, max: 1 }) }),
        { maxLength: 3 },
      ),
    }),
    { minLength: 1, maxLength: 3 },
  ),
  onePays: fc.boolean(),
  events: fc.array(
    fc.record({
      customer: fc.nat(2),
      day: fc.integer({ min: 0, max: 99 }),
      second: fc.nat(86_399),
      data: fc.record({
        n: fc
          .oneof(
            { weight: 9, arbitrary: fc.integer({ min: 0, max: 40_000 }) },
            fc.integer({ min: -5000, max: 0 }),
          )
          .map((units) => (units / 100).toFixed(2)),
        who: fc.constantFrom("ann", "bob", "cy"),
        region: fc.constantFrom(...dimensions.region),
        size: fc.constantFrom(...dimensions.size),
      }),
      late: fc.constantFrom(0, 0, 0, 1, 2, 3),
    }),
    { maxLength: 90, size: "max" },
  ),
  corrections: fc.array(
    fc.record({
      event: fc.nat(89),
      after: fc.integer({ min: 0, max: 3 }),
      change: fc.oneof(
        fc.record({ to: fc.constant("void" as const) }),
        fc.record({
          to: fc.constant("n" as const),
          n: fc.integer({ min: 0, max: 40_000 }).map((units) => (units / 100).toFixed(2)),
        }),
        fc.record({ to: fc.constantFrom("customer" as const, "day" as const) }),
      ),
    }),
    { maxLength: 12 },
  ),
  voids: fc.array(fc.record({ moment: fc.integer({ min: 2, max: 8 }), invoice: fc.nat(3) }), {
    maxLength: 2,
  }),
  page: fc.constantFrom(8, 100),
});

/** Without a bias towards what is small, since there are few runs. */
export const scenario: fc.Arbitrary<Scenario> = fc
  .noBias(anyScenario)
  .map((given) => JSON.parse(JSON.stringify(given)) as Scenario);
