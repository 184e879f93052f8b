// Whatever the catalog can hold is written as YAML and read back the same: what is exported and applied changes nothing.
import fc from "fast-check";
import { expect, test } from "vitest";
import { stringify } from "yaml";
import {
  CatalogFaults,
  checkPlan,
  draftPlanVersion,
  findDifferences,
  writePlan,
  type Commitment,
  type NewPlan,
  type Phase,
  type PriceDefinition,
  type Product,
  type References,
} from "../../src/catalog/core/index.js";
import { readCatalogFile } from "../../src/catalog/file/catalog-file.js";
import { Decimal } from "../../src/kernel/decimal.js";
import { newId } from "../../src/kernel/ids.js";
import { parseInstant } from "../../src/kernel/instant.js";
import type { AnyPriceModel } from "../../src/rating/core/index.js";

const now = parseInstant("2026-01-01T00:00:00Z")!;
const decimal = (digits: number, least = 0) =>
  fc.integer({ min: least, max: 9_999_999 }).map((units) => Decimal.fromUnscaled(BigInt(units), digits));
const whole = (least: number) => fc.integer({ min: least, max: 1_000_000 }).map((units) => Decimal.of(units));
const coins = decimal(2, 1);

const tiers = fc
  .array(fc.record({ step: whole(1), unitAmount: decimal(4), flatAmount: decimal(2) }), { maxLength: 4 })
  .chain((bounded) =>
    fc.record({ unitAmount: decimal(4), flatAmount: decimal(2) }).map((last) => {
      let upTo = Decimal.zero;
      const below = bounded.map(({ step, ...amounts }) => ({ upTo: (upTo = upTo.plus(step)), ...amounts }));
      return [...below, { upTo: undefined, ...last }];
    }),
  );
const per = fc.constantFrom("1", "1000", "3600").map((text) => Decimal.of(text));

const quantityModel: fc.Arbitrary<AnyPriceModel> = fc.oneof(
  fc.record({ kind: fc.constant("per_unit" as const), unitAmount: decimal(6), per }),
  fc.record({ kind: fc.constantFrom("graduated" as const, "volume" as const), per, tiers }),
  fc.record({
    kind: fc.constant("package" as const),
    packageAmount: decimal(2),
    size: whole(1),
    rounding: fc.constantFrom("up" as const, "down" as const),
    freeUnits: fc.option(whole(0), { nil: undefined }),
  }),
  fc.record({ kind: fc.constant("dynamic" as const), multiplier: decimal(3) }),
  fc.record({
    kind: fc.constant("converted" as const),
    operation: fc.constantFrom("divide" as const, "multiply" as const),
    factor: whole(1),
    rounding: fc.constantFrom("ceiling" as const, "floor" as const, "half_up" as const),
    precision: fc.integer({ min: 0, max: 18 }),
    price: fc.record({ kind: fc.constant("per_unit" as const), unitAmount: decimal(6), per }),
  }),
);
const meteredModel: fc.Arbitrary<AnyPriceModel> = fc.oneof(
  quantityModel,
  fc.record({
    kind: fc.constant("matrix" as const),
    dimensions: fc.constant(["region"]),
    cells: fc
      .uniqueArray(fc.constantFrom("", "eu", "us", "1", "true", "null"), { minLength: 1 })
      .chain((values) =>
        fc.tuple(...values.map((value) => decimal(4).map((unitAmount) => ({ values: [value], unitAmount })))),
      ),
    defaultUnitAmount: decimal(4),
    per,
  }),
  fc.record({
    kind: fc.constant("windowed" as const),
    window: fc.constantFrom("hour" as const, "day" as const, "month" as const),
    price: fc.record({ kind: fc.constant("per_unit" as const), unitAmount: decimal(6), per }),
    commitment: fc.constant(undefined),
  }),
);

/** Two models of one kind: the base currency's and the other's. */
const pair = (model: fc.Arbitrary<AnyPriceModel>) =>
  fc
    .tuple(model, model)
    .map(([base, other]) => ({ model: base, other: other.kind === base.kind ? other : base }));
const name = fc.option(
  fc.constantFrom(
    "Plain",
    "1e3",
    "yes",
    "null",
    "  spaced ",
    "#not a comment",
    "a: b",
    "- x",
    "é ✓",
    '"q"',
    "2026-01-01",
    "0x1F",
  ),
  { nil: undefined },
);

const price = fc.oneof(
  fc.record({
    charge: fc.constantFrom("usage" as const, undefined),
    meter: fc.constant("tokens"),
    filters: fc.constantFrom([], [{ property: "region", values: ["eu", "1", "no"] }]),
    models: pair(meteredModel),
  }),
  fc.record({
    charge: fc.constant("usage" as const),
    meter: fc.constant("tokens"),
    included: whole(1),
    models: pair(quantityModel),
  }),
  fc.record({
    charge: fc.constant("licensed" as const),
    timing: fc.constantFrom("advance" as const, "arrears" as const),
    models: pair(quantityModel),
  }),
  fc.record({
    charge: fc.constantFrom("flat" as const, undefined),
    timing: fc.constantFrom("advance" as const, "arrears" as const),
    prorated: fc.boolean(),
    models: pair(fc.record({ kind: fc.constant("flat" as const), amount: decimal(2) })),
  }),
  fc.record({
    charge: fc.constant("one_off" as const),
    models: pair(fc.record({ kind: fc.constant("flat" as const), amount: decimal(2) })),
  }),
);

const plan: fc.Arbitrary<NewPlan> = fc
  .record({
    name,
    product: fc.option(fc.constant("inference"), { nil: undefined }),
    prices: fc.array(fc.record({ price, name, inRamp: fc.boolean() }), { minLength: 1, maxLength: 5 }),
    euros: fc.boolean(),
    interval: fc.constantFrom("month" as const, "year" as const, undefined),
    nested: fc.boolean(),
    trialDays: fc.option(fc.integer({ min: 0, max: 30 }), { nil: undefined }),
    graceHours: fc.option(fc.integer({ min: 0, max: 48 }), { nil: undefined }),
    ramp: fc.boolean(),
    discountPercent: fc.option(
      fc.integer({ min: 1, max: 100 }).map((percent) => Decimal.of(percent)),
      { nil: undefined },
    ),
    minimum: fc.option(coins, { nil: undefined }),
    commitment: fc.option(coins, { nil: undefined }),
  })
  .map((given) => {
    const amounts = (amount: Decimal) => ({ USD: amount, ...(given.euros ? { EUR: amount } : {}) });
    const phases: Phase[] = [
      { key: "ramp", lasts: { count: 3, unit: "month" }, discountPercent: given.discountPercent },
      { key: "steady", lasts: undefined, discountPercent: undefined },
    ];
    const prices = given.prices.map(({ price: { models, ...one }, name: called, inRamp }, index) => ({
      ...one,
      key: `p${index}`,
      name: called,
      product: given.product,
      model: models.model,
      currencies: given.euros ? { EUR: models.other } : undefined,
      phases: given.ramp && inRamp ? ["ramp"] : undefined,
      interval: given.interval === "year" && given.nested && one.charge !== "one_off" ? "month" : undefined,
    }));
    const commitments: Commitment[] =
      given.commitment === undefined
        ? []
        : [{ key: "c", name: given.name ?? "c", months: 24, amounts: amounts(given.commitment) }];
    return withoutUndefined({
      key: "pro",
      name: given.name ?? "pro",
      currency: "USD",
      interval: given.interval,
      trialDays: given.trialDays,
      graceHours: given.graceHours,
      prices: prices.map((each) => withoutUndefined(each) as unknown as PriceDefinition),
      phases: given.ramp ? phases : undefined,
      minimum: given.minimum === undefined ? undefined : amounts(given.minimum),
      commitments,
    }) as unknown as NewPlan;
  });

function withoutUndefined(value: object): object {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined));
}

const product: Product = {
  id: newId("prd", now),
  key: "inference",
  name: "Inference",
  taxCategory: "standard",
  createdAt: now,
};
const references: References = {
  products: new Map([["inference", product]]),
  meters: new Map([
    ["tokens", { meter: newId("mtr", now), slug: "tokens", aggregation: "SUM", dimensions: ["region"] }],
  ]),
};
const place = { plan: newId("plan", now), planKey: "pro", version: 1 };

test("any plan, written as a file and read again, is the same plan", () => {
  const kinds = new Set<string>();
  fc.assert(
    fc.property(plan, (definition) => {
      const faults = new CatalogFaults();
      checkPlan(definition, faults);
      expect(faults.found).toEqual([]);
      const version = draftPlanVersion(definition, references, place, now);
      for (const { model } of version.prices) kinds.add(model.kind);
      const written = writePlan(version, undefined);

      const text = stringify({ plans: [written] }, { version: "1.2", schema: "core", lineWidth: 110 });
      const { file, faults: found } = readCatalogFile(text, []);
      expect(found).toEqual([]);
      const again = draftPlanVersion(file.plans[0]!.definition, references, place, now);
      expect(findDifferences(written, writePlan(again, undefined))).toEqual([]);
      // Nor does the notation hide anything: but for ids, the two are equal to the digit.
      expect(plainOf(again)).toEqual(plainOf(version));
    }),
    { numRuns: 300 },
  );
  expect(kinds.size).toBeGreaterThan(7);
});

/** Without ids, decimals as text. */
function plainOf(version: ReturnType<typeof draftPlanVersion>): unknown {
  const { id: _id, prices, ...rest } = version;
  return JSON.parse(JSON.stringify({ ...rest, prices: prices.map(({ id: _price, ...price }) => price) }));
}
