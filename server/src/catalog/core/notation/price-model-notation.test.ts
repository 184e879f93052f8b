import { expect, test } from "vitest";
import { priceModelToJson } from "../../../rating/core/index.js";
import { CatalogFaults } from "../fault.js";
import { NumberText } from "./number-text.js";
import { readPriceModel, writePriceModel, writePriceModelBriefly } from "./price-model-notation.js";

function read(value: unknown) {
  const faults = new CatalogFaults();
  const model = readPriceModel(value, faults);
  return {
    json: model === undefined ? undefined : priceModelToJson(model as never),
    faults: faults.found.map(({ field, message }) => `${field}: ${message}`),
  };
}

test("a model is written under its name, numbers as they are, and what goes without saying is left out", () => {
  expect(read({ perUnit: "0.05" }).json).toEqual({ kind: "per_unit", unitAmount: "0.05", per: "1" });
  expect(read({ flat: new NumberText("20.00") }).json).toEqual({ kind: "flat", amount: "20" });
  expect(
    read({ graduated: { per: 1000, tiers: [{ upTo: 5, flatAmount: 1 }, { unitAmount: "0.1" }] } }).json,
  ).toEqual({
    kind: "graduated",
    per: "1000",
    tiers: [
      { upTo: "5", unitAmount: "0", flatAmount: "1" },
      { unitAmount: "0.1", flatAmount: "0" },
    ],
  });
  expect(read({ percentage: { ratePercent: 2, freeEvents: new NumberText("3") } }).json).toEqual({
    kind: "percentage",
    ratePercent: "2",
    freeEvents: 3,
  });
});

test("a model inside another is written the same way", () => {
  const converted = { converted: { operation: "divide", factor: 1073741824, price: { perUnit: "0.09" } } };
  const { json } = read(converted);
  expect(json).toEqual({
    kind: "converted",
    operation: "divide",
    factor: "1073741824",
    rounding: "none",
    precision: 0,
    price: { kind: "per_unit", unitAmount: "0.09", per: "1" },
  });
  const nested = { windowed: { window: "hour", price: converted } };
  expect(read(nested).json).toMatchObject({ kind: "windowed", price: { kind: "converted" } });
});

test("every fault of a model is found at once, where it was written", () => {
  expect(
    read({ graduated: { per: "x", tiers: [{ upTo: true }, { unitAmmount: 1 }], extra: 1 } }).faults,
  ).toEqual([
    expect.stringMatching(/^graduated\.extra: there is no such field/),
    'graduated.per: must be a decimal number, not "x"',
    "graduated.tiers[0].upTo: must be a decimal number, not true",
    'graduated.tiers[1].unitAmmount: there is no such field; did you mean "unitAmount"?',
  ]);
  expect(
    read({ converted: { operation: "divide", factor: 2, price: { perUnit: { unitAmount: "x" } } } }).faults,
  ).toEqual(['converted.price.perUnit.unitAmount: must be a decimal number, not "x"']);
  expect(read({ flat: "x" }).faults).toEqual(['flat.amount: must be a decimal number, not "x"']);
  expect(read({ perUnit: {} }).faults).toEqual(["perUnit.unitAmount: is missing: a decimal number"]);
  expect(read({ perUnit: 0.1234567890123456 }).faults[0]).toContain("quote it");
  for (const wrong of [
    {},
    "5",
    [],
    null,
    { perUnit: 1, flat: 1 },
    { perUnits: 1 },
    { __proto__: null, flat: 1 },
  ])
    expect(read(wrong).faults).toHaveLength(1);
});

test("written briefly and whole, it says the same", () => {
  for (const notation of [
    { flat: "5" },
    { perUnit: "0" },
    { perUnit: { unitAmount: "2.4", per: "3600" } },
    { volume: { tiers: [{ upTo: "5", unitAmount: "1" }, { flatAmount: "2" }] } },
    { package: { packageAmount: "5", size: "100" } },
    { package: { packageAmount: "5", size: "100", rounding: "down" } },
    { dynamic: "1.2" },
    { converted: { operation: "multiply", factor: "8", price: { perUnit: "0.09" } } },
    {
      matrix: {
        dimensions: ["region"],
        cells: [{ values: ["eu"], unitAmount: "0" }],
        defaultUnitAmount: "1",
        per: "1",
      },
    },
  ]) {
    const faults = new CatalogFaults();
    const model = readPriceModel(notation, faults);
    expect([notation, faults.found]).toEqual([notation, []]);
    expect(writePriceModelBriefly(model!)).toEqual(notation);
    expect(read(writePriceModel(model!)).json).toEqual(read(notation).json);
  }
});
