import { describe, expect, test } from "vitest";
import { Decimal } from "../../kernel/decimal.js";
import { findPriceModelFaults, parsePriceModel, priceModelToJson } from "./price-model.js";
import { isProgressive, measureOf, rate, usageOf } from "./rate.js";
import type { LicensedUsage, Usage } from "./usage.js";

const d = (text: string) => Decimal.of(text);
const ds = (...texts: string[]) => texts.map(d);
const price = (json: unknown, usage: Usage | string) =>
  rate(parsePriceModel(json), typeof usage === "string" ? d(usage) : usage);
const amount = (json: unknown, usage: Usage | string) => price(json, usage).amount.toString();
const parts = (json: unknown, usage: Usage | string) =>
  price(json, usage).parts.map((part) => JSON.parse(JSON.stringify(part)) as Record<string, unknown>);
const events = (...values: string[]): Usage => ({ kind: "events", values: ds(...values) });
const windows = (...values: string[]): Usage => ({ kind: "windows", quantities: ds(...values) });

describe("package", () => {
  const tens = { kind: "package", packageAmount: "15", size: "10", rounding: "up" };

  test("a package that was begun is charged whole, an eleventh unit begins the second", () => {
    expect(["0", "1", "10", "10.1", "22"].map((units) => amount(tens, units))).toEqual([
      "0",
      "15",
      "15",
      "30",
      "45",
    ]);
  });

  test("rounded down, only filled packages are charged", () => {
    expect(["9", "10", "19"].map((units) => amount({ ...tens, rounding: "down" }, units))).toEqual([
      "0",
      "15",
      "15",
    ]);
  });

  test("free units come before the first package", () => {
    const free = { ...tens, freeUnits: "100" };
    expect(["100", "101", "110", "111"].map((units) => amount(free, units))).toEqual(["0", "15", "15", "30"]);
  });

  test("corrections below zero return no package", () => expect(amount(tens, "-25")).toBe("0"));
});

describe("percentage", () => {
  test("2.9 % of the sum and 0.30 for each event", () => {
    const model = { kind: "percentage", ratePercent: "2.9", fixedAmount: "0.3" };
    expect(usageOf(parsePriceModel(model))).toBe("quantity");
    expect(amount(model, { kind: "quantity", quantity: d("100"), events: 4 })).toBe("4.1");
    expect(() => price(model, "100")).toThrow(/number of events/);
  });

  test("free events are the first in time, and each later one is charged whole", () => {
    const model = { kind: "percentage", ratePercent: "1.3", fixedAmount: "2", freeEvents: 3 };
    expect(amount(model, events("50", "100", "250", "400"))).toBe("7.2");
  });

  test("the event in which the free amount ends is charged for its rest, fee included", () => {
    const model = { kind: "percentage", ratePercent: "1", fixedAmount: "5", freeAmount: "15" };
    expect(amount(model, events("4", "4", "4", "4", "10"))).toBe("10.11");
    expect(amount(model, events("15"))).toBe("0");
    expect(amount(model, events("15", "0"))).toBe("5");
  });

  test("the first limit that is reached ends the free part", () => {
    const model = { kind: "percentage", ratePercent: "10", freeEvents: 2, freeAmount: "100" };
    expect(amount(model, events("10", "10", "10"))).toBe("1");
    expect(amount(model, events("90", "30", "10"))).toBe("3");
  });

  test("minimum and maximum are each event's own, and apply after the fee", () => {
    const model = {
      kind: "percentage",
      ratePercent: "2.99",
      fixedAmount: "2",
      eventMinimum: "1.75",
      eventMaximum: "12",
    };
    expect(amount(model, events("10", "80", "10000"))).toBe("18.691");
    expect(
      parts(model, events("10", "80", "10000")).map((part) => [
        part["bound"],
        part["events"],
        part["amount"],
      ]),
    ).toEqual([
      ["none", 2, "6.691"],
      ["maximum", 1, "12"],
    ]);
  });

  test("a million events are no million parts", () => {
    const model = {
      kind: "percentage",
      ratePercent: "1",
      freeEvents: 10,
      eventMinimum: "0.02",
      eventMaximum: "0.5",
    };
    const values = Array.from({ length: 100_000 }, (_, index) => Decimal.of(index % 100));
    expect(price(model, { kind: "events", values }).parts).toHaveLength(4);
  });
});

test("graduated percentage: 12 over 1 % of 10 with 200, 2 % of the next 10 with 300 costs 500.14", () => {
  const tiers = [
    { upTo: "10", ratePercent: "1", flatAmount: "200" },
    { upTo: "20", ratePercent: "2", flatAmount: "300" },
    { ratePercent: "3", flatAmount: "400" },
  ];
  expect(amount({ kind: "graduated_percentage", tiers }, "12")).toBe("500.14");
});

test("dynamic: the events' own prices, 10 in all, marked up by a third", () => {
  expect(amount({ kind: "dynamic", multiplier: "1.33333" }, "10")).toBe("13.3333");
});

describe("matrix", () => {
  const model = {
    kind: "matrix",
    dimensions: ["region", "type"],
    cells: [
      { values: ["eu", "gpu"], unitAmount: "2" },
      { values: ["us", "gpu"], unitAmount: "1.5" },
    ],
    defaultUnitAmount: "0.1",
    per: "1",
  };
  const cell = (region: string, type: string, quantity: string) => ({
    dimensions: { region, type, colour: "any" },
    quantity: d(quantity),
  });

  test("each combination has its price, the others the default", () => {
    const usage: Usage = {
      kind: "cells",
      cells: [cell("us", "gpu", "2"), cell("eu", "gpu", "3"), cell("eu", "cpu", "10")],
    };
    expect(amount(model, usage)).toBe("10");
    expect(
      parts(model, usage).map(({ dimensions, isDefault, amount }) => [dimensions, isDefault, amount]),
    ).toEqual([
      [{ region: "eu", type: "cpu" }, true, "1"],
      [{ region: "eu", type: "gpu" }, false, "6"],
      [{ region: "us", type: "gpu" }, false, "3"],
    ]);
  });

  test("asks for the meter's dimensions", () => {
    expect(measureOf(parsePriceModel(model))).toEqual({ kind: "cells", dimensions: ["region", "type"] });
  });
});

describe("windowed", () => {
  const hourly = (change: object = {}) => ({
    kind: "windowed",
    window: "hour",
    price: { kind: "per_unit", unitAmount: "2", per: "1" },
    ...change,
  });
  const commitment = { amount: "10", overageFactor: "2", trueUp: true };

  test("each window is rated by itself", () => {
    const tiers = [
      { upTo: "10", unitAmount: "0.10", flatAmount: "0" },
      { upTo: "20", unitAmount: "0.05", flatAmount: "0" },
      { unitAmount: "0.02", flatAmount: "0" },
    ];
    expect(amount(hourly({ price: { kind: "graduated", tiers, per: "1" } }), windows("9", "15"))).toBe(
      "2.15",
    );
    expect(amount(hourly({ price: { kind: "volume", tiers, per: "1" } }), windows("9", "15"))).toBe("1.65");
  });

  test("a window below its commitment is lifted to it, what is above costs twice", () => {
    expect(amount(hourly({ commitment }), windows("2", "8"))).toBe("32");
    expect(amount(hourly({ commitment: { ...commitment, trueUp: false } }), windows("2", "8"))).toBe("26");
  });

  test("an unused window costs its commitment, and is no part where it costs nothing", () => {
    expect(amount(hourly({ commitment }), windows("0", "5"))).toBe("20");
    expect(parts(hourly(), windows("0", "5", "0")).map((part) => part["position"])).toEqual([2]);
    expect(measureOf(parsePriceModel(hourly()))).toEqual({ kind: "windows", window: "hour" });
  });
});

describe("converted", () => {
  const perGiB = (rounding: string, change: object = {}) => ({
    kind: "converted",
    operation: "divide",
    factor: "1073741824",
    rounding,
    precision: 0,
    price: { kind: "per_unit", unitAmount: "0.09", per: "1" },
    ...change,
  });
  const GiB = 1_073_741_824;

  test("a byte over 2 GiB is 3 GiB rounded up, 2 rounded down or half up", () => {
    const bytes = String(2 * GiB + 1);
    expect(["ceiling", "floor", "half_up"].map((rounding) => amount(perGiB(rounding), bytes))).toEqual([
      "0.27",
      "0.18",
      "0.18",
    ]);
    expect(amount(perGiB("half_up"), String(2.5 * GiB))).toBe("0.27");
    expect(amount(perGiB("ceiling", { precision: 1 }), bytes)).toBe("0.189");
  });

  test("without rounding nothing is lost", () => {
    expect(amount(perGiB("none"), "1")).toBe(
      amount({ kind: "per_unit", unitAmount: "0.09", per: String(GiB) }, "1"),
    );
    expect(amount(perGiB("none", { operation: "multiply", factor: "1.5" }), "3")).toBe("0.405");
  });

  test("tiers and packages are in the converted unit", () => {
    const tiers = [
      { upTo: "5", unitAmount: "1", flatAmount: "0" },
      { unitAmount: "0.5", flatAmount: "0" },
    ];
    const thousands = { operation: "divide", factor: "1000", rounding: "none", precision: 0 };
    expect(
      amount({ kind: "converted", ...thousands, price: { kind: "graduated", tiers, per: "1" } }, "7400"),
    ).toBe("6.2");
    const packages = { kind: "package", packageAmount: "3", size: "2", rounding: "up" };
    expect(amount({ kind: "converted", ...thousands, price: packages }, "2001")).toBe("6");
  });

  test("shows what the quantity became, at no cost", () => {
    expect(parts(perGiB("ceiling"), "1")[0]).toEqual({
      kind: "conversion",
      quantity: "1",
      converted: "1",
      amount: "0",
    });
  });
});

describe("licensed", () => {
  const model = {
    kind: "licensed",
    tiers: [
      { upTo: "5", unitAmount: "10", flatAmount: "100" },
      { unitAmount: "5", flatAmount: "50" },
    ],
  };
  const changes = (per: string, ...each: [units: string, proratedUnits: string][]): LicensedUsage => ({
    kind: "licensed",
    changes: each.map(([units, prorated]) => ({ units: d(units), proratedUnits: d(prorated) })),
    per: d(per),
  });

  test("a change is priced in the tiers that its whole units fall into", () => {
    expect(amount(model, changes("1", ["4", "2.8"], ["2", "1"], ["-3", "-0.6"]))).toBe("180.5");
  });

  test("a removal below everything is never below zero", () => {
    const rated = price(model, changes("1", ["5", "2"], ["-100", "-33.33"]));
    expect(rated.amount.toString()).toBe("0");
    expect(rated.parts.at(-1)?.kind).toBe("floor");
  });

  test("unit-days over a month of 31 days are exact: three seats for a third of 30 days cost one", () => {
    const seat = { kind: "licensed", tiers: [{ unitAmount: "1", flatAmount: "0" }] };
    expect(amount(seat, changes("30", ["3", "30"]))).toBe("1");
    expect(amount(seat, changes("31", ["7", "217"], ["-7", "-217"]))).toBe("0");
  });
});

test("what more usage may lower is not billed ahead of the rest", () => {
  const tiers = [
    { upTo: "9", unitAmount: "2", flatAmount: "0" },
    { unitAmount: "1", flatAmount: "0" },
  ];
  expect(isProgressive(parsePriceModel({ kind: "volume", tiers, per: "1" }))).toBe(false);
  expect(isProgressive(parsePriceModel({ kind: "graduated", tiers, per: "1" }))).toBe(true);
});

describe("faults name their place", () => {
  test.each([
    [{ kind: "package", packageAmount: "-1", size: "0", rounding: "up" }, ["packageAmount", "size"]],
    [
      { kind: "percentage", ratePercent: "-1", freeEvents: -1, eventMinimum: "2", eventMaximum: "1" },
      ["ratePercent", "freeEvents", "eventMinimum"],
    ],
    [
      { kind: "graduated_percentage", tiers: [{ upTo: "5", ratePercent: "-2", flatAmount: "0" }] },
      ["tiers[0].upTo", "tiers[0].ratePercent"],
    ],
    [{ kind: "dynamic", multiplier: "-1" }, ["multiplier"]],
    [
      {
        kind: "matrix",
        dimensions: ["a", "a"],
        cells: [{ values: ["x"], unitAmount: "-1" }],
        defaultUnitAmount: "-1",
        per: "0",
      },
      ["per", "defaultUnitAmount", "dimensions", "cells[0].unitAmount", "cells[0].values"],
    ],
    [
      {
        kind: "windowed",
        window: "day",
        price: { kind: "per_unit", unitAmount: "-1", per: "1" },
        commitment: { amount: "-1", overageFactor: "0.5", trueUp: true },
      },
      ["price.unitAmount", "commitment.amount", "commitment.overageFactor"],
    ],
    [
      {
        kind: "converted",
        operation: "divide",
        factor: "0",
        rounding: "none",
        precision: 2,
        price: { kind: "flat", amount: "-1" },
      },
      ["factor", "precision", "price.amount"],
    ],
    [{ kind: "licensed", tiers: [] }, ["tiers"]],
  ])("%j", (json, fields) => {
    expect(findPriceModelFaults(parsePriceModel(json)).map((fault) => fault.field)).toEqual(fields);
  });

  test("JSON that is no model is refused by its path", () => {
    expect(() => parsePriceModel({ kind: "lottery" }, "prices[0].model")).toThrow(
      /^prices\[0\]\.model\.kind must be /,
    );
    const inner = {
      kind: "converted",
      operation: "divide",
      factor: "1",
      rounding: "none",
      precision: 0,
      price: { kind: "licensed", tiers: [] },
    };
    expect(() => parsePriceModel(inner)).toThrow(/^price\.kind must be /);
    expect(() => parsePriceModel({ kind: "flat", amount: 1 })).toThrow(
      /^amount must be a decimal number as text/,
    );
    expect(() => parsePriceModel({ kind: "flat", amount: "1", vat: "2" })).toThrow(/^vat must be left out/);
  });

  test("what is undefined is left out of JSON", () => {
    const json = { kind: "percentage", ratePercent: "1", freeEvents: 3 };
    expect(priceModelToJson(parsePriceModel(json) as never)).toEqual(json);
  });
});
