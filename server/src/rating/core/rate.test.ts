import { describe, expect, test } from "vitest";
import { parseCurrency } from "../../kernel/currency.js";
import { Decimal } from "../../kernel/decimal.js";
import { toMoney } from "../../kernel/money.js";
import {
  findPriceModelFaults,
  priceModelFromJson,
  priceModelToJson,
  type PriceModel,
} from "./price-model.js";
import { rate } from "./rate.js";

const d = (text: string) => Decimal.of(text);
const perUnit = (unitAmount: string, per = "1"): PriceModel => ({
  kind: "per_unit",
  unitAmount: d(unitAmount),
  per: d(per),
});
const graduated = (
  tiers: [upTo: string | undefined, unit: string, flat?: string][],
  per = "1",
): PriceModel => ({
  kind: "graduated",
  per: d(per),
  tiers: tiers.map(([upTo, unit, flat = "0"]) => ({
    upTo: upTo === undefined ? undefined : d(upTo),
    unitAmount: d(unit),
    flatAmount: d(flat),
  })),
});
const price = (model: PriceModel, quantity: string) => rate(model, d(quantity)).amount.toString();

describe("per unit", () => {
  test("10 units at 10 cost 100, none cost nothing", () => {
    expect(price(perUnit("10"), "10")).toBe("100");
    expect(price(perUnit("10"), "0")).toBe("0");
  });

  test("a price per million tokens stays exact to the token", () => {
    expect(price(perUnit("0.15", "1000000"), "1")).toBe("0.00000015");
    expect(price(perUnit("2.5", "1000000"), "123456789")).toBe("308.6419725");
  });

  test("a price per GiB of a meter in bytes is exact", () => {
    expect(price(perUnit("0.09", "1073741824"), "1")).toBe(
      "0.000000000083819031715393066406250".replace(/0+$/, ""),
    );
  });

  test("a price per hour of a meter in seconds rounds to the coin of the exact fraction", () => {
    const eur = parseCurrency("EUR")!;
    const amount = (seconds: string) => rate(perUnit("0.1", "3600"), d(seconds)).amount;
    expect(amount("3600").toString()).toBe("0.1");
    expect(amount("180").toString()).toBe("0.005");
    expect(toMoney(amount("180"), eur).minor).toBe(1n);
    expect(toMoney(amount("179.999999999999999999"), eur).minor).toBe(0n);
  });
});

test("a quantity costs the same however many zeros it is written with", () => {
  const amounts = ["1", "1.000", "1.000000000000000000"].map((quantity) =>
    price(perUnit("2", "3"), quantity),
  );
  expect(new Set(amounts).size).toBe(1);
});

describe("graduated", () => {
  const ladder = graduated([
    ["5", "0", "100"],
    ["10", "0", "50"],
    [undefined, "10"],
  ]);

  test("12 units over tiers ≤5 flat 100, ≤10 flat 50, then 10 each cost 170", () => {
    expect(price(ladder, "12")).toBe("170");
  });

  test("an upper bound belongs to its tier, a hair above it to the next", () => {
    expect(price(ladder, "5")).toBe("100");
    expect(price(ladder, "5.000000000000000001")).toBe("150");
  });

  test("the first tier's flat fee applies at zero usage, the second's does not", () => {
    expect(price(ladder, "0")).toBe("100");
  });

  test("tiers tell where each part of the quantity fell", () => {
    const tiers = rate(ladder, d("12")).tiers.map((tier) => [
      tier.from.toString(),
      tier.upTo?.toString(),
      tier.quantity.toString(),
      tier.amount.toString(),
    ]);
    expect(tiers).toEqual([
      ["0", "5", "5", "100"],
      ["5", "10", "5", "50"],
      ["10", undefined, "2", "20"],
    ]);
  });

  test("tier bounds are in metered units, prices per million", () => {
    const tokens = graduated(
      [
        ["1000000", "3"],
        [undefined, "2"],
      ],
      "1000000",
    );
    expect(price(tokens, "1500000")).toBe("4");
  });

  test("a quantity below zero is a credit at the first tier's price", () => {
    expect(
      price(
        graduated([
          ["5", "2"],
          [undefined, "1"],
        ]),
        "-3",
      ),
    ).toBe("-6");
  });

  test("three tiers of a third each add up to exactly the whole", () => {
    const thirds = graduated(
      [
        ["1", "1"],
        ["2", "1"],
        [undefined, "1"],
      ],
      "3",
    );
    expect(price(thirds, "3")).toBe("1");
  });
});

describe("a model's faults", () => {
  test("a good model has none", () => {
    expect(
      findPriceModelFaults(
        graduated(
          [
            ["5", "1"],
            [undefined, "0.5"],
          ],
          "1000",
        ),
      ),
    ).toEqual([]);
  });

  test("each fault names its field", () => {
    const faults = findPriceModelFaults(
      graduated(
        [
          ["5", "-1"],
          ["5", "0.0000000000001"],
          ["9", "1"],
        ],
        "0.5",
      ),
    );
    expect(faults.map((fault) => fault.field)).toEqual([
      "per",
      "tiers[0].unitAmount",
      "tiers[1].upTo",
      "tiers[1].unitAmount",
      "tiers[2].upTo",
    ]);
  });

  test("a closed tier in the middle is asked for", () => {
    expect(
      findPriceModelFaults(
        graduated([
          [undefined, "1"],
          [undefined, "2"],
        ]),
      )[0]?.field,
    ).toBe("tiers[0].upTo");
  });
});

test("a model survives storage unchanged", () => {
  const model = graduated(
    [
      ["0.1", "10", "2"],
      [undefined, "0.000000000001"],
    ],
    "1000",
  );
  expect(
    JSON.stringify(priceModelToJson(priceModelFromJson(JSON.parse(JSON.stringify(priceModelToJson(model)))))),
  ).toBe(JSON.stringify(priceModelToJson(model)));
  expect(price(priceModelFromJson(priceModelToJson(model)), "7")).toBe(price(model, "7"));
});
