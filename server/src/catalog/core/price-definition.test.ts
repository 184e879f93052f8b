import { describe, expect, test } from "vitest";
import { Decimal } from "../../kernel/decimal.js";
import type { AnyPriceModel } from "../../rating/core/index.js";
import type { MeterId } from "../../kernel/ids.js";
import { aggregations } from "../../usage/core/index.js";
import { CatalogFaults } from "./fault.js";
import { checkOverride, checkPrices, misfitOfMeter, type PriceDefinition } from "./price-definition.js";
import type { BillingInterval } from "./billing-interval.js";
import { parseCurrency } from "../../kernel/currency.js";

const d = (text: string) => Decimal.of(text);
const flat: AnyPriceModel = { kind: "flat", amount: d("5") };
const perUnit: AnyPriceModel = { kind: "per_unit", unitAmount: d("0.05"), per: d("1") };
const dynamic = { kind: "dynamic", multiplier: d("1.2") } as const;
const matrix: AnyPriceModel = {
  kind: "matrix",
  dimensions: ["region"],
  cells: [{ values: ["eu"], unitAmount: d("1") }],
  defaultUnitAmount: d("2"),
  per: d("1"),
};
const seats: AnyPriceModel = {
  kind: "licensed",
  tiers: [{ upTo: undefined, unitAmount: d("9"), flatAmount: d("0") }],
};

/** The faults of one price, or of several, of a plan with the phases "ramp" and "steady". */
function faultsOf(
  prices: PriceDefinition | readonly PriceDefinition[],
  interval: BillingInterval = "month",
): string[] {
  const faults = new CatalogFaults();
  const currency = parseCurrency("USD");
  const list = Array.isArray(prices) ? (prices as readonly PriceDefinition[]) : [prices as PriceDefinition];
  checkPrices(list, { interval, currency, phases: ["ramp", "steady"] }, faults);
  return faults.found.map(({ field, message }) => `${field}: ${message}`);
}

const usage: PriceDefinition = { key: "a", meter: "tokens", model: perUnit };

test("each kind of charge takes its models", () => {
  expect(faultsOf(usage)).toEqual([]);
  expect(faultsOf({ ...usage, model: matrix })).toEqual([]);
  expect(faultsOf({ key: "a", model: flat })).toEqual([]);
  expect(faultsOf({ key: "a", charge: "one_off", model: flat })).toEqual([]);
  expect(faultsOf({ key: "a", charge: "licensed", model: perUnit })).toEqual([]);
  expect(faultsOf({ key: "a", charge: "licensed", model: seats })).toEqual([]);

  expect(faultsOf({ ...usage, model: flat })).toEqual([expect.stringContaining("leave the meter out")]);
  expect(faultsOf({ ...usage, model: seats })).toEqual([expect.stringContaining("for licensed quantities")]);
  expect(faultsOf({ key: "a", charge: "flat", model: perUnit })).toEqual([
    expect.stringContaining("its model is flat"),
  ]);
  expect(faultsOf({ key: "a", charge: "one_off", model: perUnit })).toEqual([
    expect.stringContaining("its model is flat"),
  ]);
  expect(faultsOf({ key: "a", charge: "licensed", model: flat })).toEqual([
    expect.stringContaining("say charge: flat"),
  ]);
  expect(faultsOf({ key: "a", charge: "licensed", model: matrix })).toEqual([
    expect.stringContaining("a licensed quantity is one number"),
  ]);
});

test("usage needs a meter, and nothing else has one", () => {
  expect(faultsOf({ key: "a", model: perUnit })).toEqual([expect.stringMatching(/^prices\[0\]\.meter: /)]);
  for (const charge of ["flat", "one_off"] as const)
    expect(faultsOf({ key: "a", charge, meter: "tokens", model: flat })).toEqual([
      expect.stringMatching(/^prices\[0\]\.meter: a \w+ price has no meter/),
    ]);
});

test("usage is billed in arrears, a one-off charge in advance; fees and seats either way", () => {
  expect(faultsOf({ ...usage, timing: "advance" })).toEqual([expect.stringContaining("it is arrears")]);
  expect(faultsOf({ key: "a", charge: "one_off", timing: "arrears", model: flat })).toHaveLength(1);
  for (const timing of ["advance", "arrears"] as const) {
    expect(faultsOf({ key: "a", timing, model: flat })).toEqual([]);
    expect(faultsOf({ key: "a", charge: "licensed", timing, model: perUnit })).toEqual([]);
  }
});

test("a price's periods fill the plan's", () => {
  const nests: [BillingInterval, BillingInterval, boolean][] = [
    ["month", "year", true],
    ["quarter", "year", true],
    ["month", "quarter", true],
    ["week", "week", true],
    ["year", "month", false],
    ["week", "month", false],
    ["month", "week", false],
    ["quarter", "month", false],
  ];
  for (const [inner, outer, fits] of nests)
    expect([inner, outer, faultsOf({ ...usage, interval: inner }, outer).length === 0]).toEqual([
      inner,
      outer,
      fits,
    ]);
});

test("an allowance is above zero, and taken off one quantity only", () => {
  expect(faultsOf({ ...usage, included: d("100") })).toEqual([]);
  expect(faultsOf({ ...usage, included: d("0") })).toHaveLength(1);
  expect(faultsOf({ ...usage, included: d("100"), model: matrix })).toEqual([
    expect.stringContaining("leave included out"),
  ]);
  expect(faultsOf({ key: "a", included: d("100"), model: flat })).toEqual([
    expect.stringContaining("counts nothing"),
  ]);
});

test("a plan's prices are all in the same currencies, each the same kind of model", () => {
  const both = { ...usage, currencies: { EUR: perUnit } };
  expect(faultsOf([both, { ...both, key: "b" }])).toEqual([]);
  expect(faultsOf([both, { ...usage, key: "b" }])).toEqual([
    "prices[1].currencies: EUR is missing: a plan's prices are all in the same currencies",
  ]);
  expect(faultsOf({ ...usage, currencies: { EUR: matrix } })).toEqual([
    expect.stringContaining("the same kind of model, per_unit"),
  ]);
  expect(faultsOf({ ...usage, currencies: { USD: perUnit } })).toEqual([
    expect.stringContaining("the base currency"),
  ]);
  expect(faultsOf({ ...usage, currencies: { XXX: perUnit } })).toEqual([
    expect.stringContaining("not an ISO 4217 code"),
  ]);
});

test("phases are the plan's, filters name each dimension once", () => {
  expect(faultsOf({ ...usage, phases: ["ramp"] })).toEqual([]);
  expect(faultsOf({ ...usage, phases: ["rampe"] })).toEqual([expect.stringContaining("it has ramp, steady")]);
  expect(faultsOf({ ...usage, phases: [] })).toHaveLength(1);
  const eu = { property: "region", values: ["eu"] };
  expect(faultsOf({ ...usage, filters: [eu] })).toEqual([]);
  expect(faultsOf({ ...usage, filters: [eu, eu] })).toEqual([expect.stringContaining("filtered twice")]);
  expect(faultsOf({ ...usage, filters: [{ property: "region", values: [] }] })).toHaveLength(1);
  expect(faultsOf({ key: "a", model: flat, filters: [eu] })).toHaveLength(1);
});

test("there are prices, not too many, each under a key of its own", () => {
  expect(faultsOf([])).toEqual(["prices: give at least one price"]);
  expect(faultsOf([usage, usage])).toEqual(['prices[1].key: "a" is there twice']);
  const many = Array.from({ length: 201 }, (_, index) => ({ ...usage, key: `p${index}` }));
  expect(faultsOf(many)).toEqual(["prices: at most 200 prices"]);
});

test("an override may be of another kind, but must suit the charge", () => {
  const meter = { id: "mtr_x" as MeterId, slug: "tokens" };
  const price = { charge: "usage" as const, included: undefined, meter };
  expect(checkOverride(price, matrix, "SUM")).toEqual([]);
  expect(checkOverride(price, flat, "SUM")).toHaveLength(1);
  expect(checkOverride({ ...price, included: d("5") }, matrix, "SUM")).toHaveLength(1);
  const negative = { ...perUnit, unitAmount: d("-1") } as AnyPriceModel;
  expect(checkOverride(price, negative, "SUM")).toMatchObject([{ field: "unitAmount" }]);
  expect(checkOverride(price, dynamic, "SUM")).toEqual([]);
  expect(checkOverride(price, dynamic, "MAX")).toMatchObject([{ field: "" }]);
  expect(checkOverride({ charge: "flat", included: undefined, meter: undefined }, flat, undefined)).toEqual(
    [],
  );
});

describe("a price of each event", () => {
  const percentage: AnyPriceModel = {
    kind: "percentage",
    ratePercent: d("2"),
    fixedAmount: undefined,
    freeEvents: undefined,
    freeAmount: undefined,
    eventMinimum: undefined,
    eventMaximum: undefined,
  };
  const windowedDynamic: AnyPriceModel = {
    kind: "windowed",
    window: "day",
    price: dynamic,
    commitment: undefined,
  };
  const ofEachEvent: [string, AnyPriceModel][] = [
    ...(["fixedAmount", "freeAmount", "eventMinimum", "eventMaximum"] as const).map(
      (term): [string, AnyPriceModel] => [`a percentage with ${term}`, { ...percentage, [term]: d("1") }],
    ),
    ["a percentage with freeEvents", { ...percentage, freeEvents: 3 }],
    ["dynamic", dynamic],
    ["dynamic in windows", windowedDynamic],
  ];
  const ofQuantity: [string, AnyPriceModel][] = [
    ["a percentage of the whole", percentage],
    ["per unit", perUnit],
    ["a matrix", matrix],
    ["windows", { kind: "windowed", window: "hour", price: { ...perUnit }, commitment: undefined }],
  ];
  const misfits = (model: AnyPriceModel) =>
    aggregations.filter((aggregation) => misfitOfMeter(model, { slug: "peak", aggregation }) !== undefined);

  test.each(ofEachEvent)("%s is for meters that sum or count", (_name, model) => {
    expect(misfits(model)).toEqual(["UNIQUE_COUNT", "MIN", "MAX", "AVG", "LATEST", "WEIGHTED_SUM"]);
  });
  test.each(ofQuantity)("%s is for any meter", (_name, model) => {
    expect(misfits(model)).toEqual([]);
  });
  test("is refused with the meter, its aggregation and what to do", () => {
    const peak = { slug: "peak", aggregation: "MAX" } as const;
    expect(misfitOfMeter({ ...percentage, freeEvents: 3 }, peak)).toBe(
      'it prices each event, and the events of meter "peak" do not add up to its quantity, which is their MAX: take a meter of SUM or COUNT, or leave fixedAmount, freeEvents, freeAmount, eventMinimum and eventMaximum out',
    );
    expect(misfitOfMeter(dynamic, peak)).toMatch(/or take a model that prices a quantity, such as perUnit$/);
  });
});
