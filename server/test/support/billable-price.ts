import fc from "fast-check";
import { Decimal } from "../../src/kernel/decimal.js";
import type { AnyPriceModel, BasicPriceModel } from "../../src/rating/core/index.js";

/*
 * Prices of ordinary size, so that random usage reaches their tiers, fills their packages and comes to amounts that a
 * bill would show. Prices of any size are in arbitrary-price.ts.
 */

export const cents = (max: number): fc.Arbitrary<Decimal> =>
  fc.integer({ min: 0, max }).map((minor) => Decimal.fromUnscaled(BigInt(minor), 2));
/** Up to 2, in hundredths of a cent. */
export const fine: fc.Arbitrary<Decimal> = fc
  .integer({ min: 0, max: 20_000 })
  .map((units) => Decimal.fromUnscaled(BigInt(units), 4));

const kind = <const K extends string>(name: K) => fc.constant(name);
const maybe = <T>(some: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(some, { nil: undefined });
const bound = fc.integer({ min: 1, max: 500 });
const percent = fc.integer({ min: 0, max: 2500 }).map((units) => Decimal.fromUnscaled(BigInt(units), 2));
/** Sevenths and hours never end in decimals. */
const per = fc.constantFrom(1n, 1n, 7n, 1000n, 1024n, 3600n).map((value) => Decimal.of(value));

function tiersOf<T extends object>(
  amounts: fc.Arbitrary<T>,
): fc.Arbitrary<({ upTo: Decimal | undefined } & T)[]> {
  return fc.array(fc.tuple(bound, amounts), { minLength: 1, maxLength: 3 }).map((parts) => {
    let end = 0;
    return parts.map(([width, each], index) => {
      end += width;
      return { ...each, upTo: index === parts.length - 1 ? undefined : Decimal.of(end) };
    });
  });
}
const tiers = tiersOf(fc.record({ unitAmount: fine, flatAmount: cents(500) }));

/** The models that most plans have, metered as one quantity. */
export const commonPrice: fc.Arbitrary<AnyPriceModel> = fc.oneof(
  fc.record({ kind: kind("per_unit"), unitAmount: fine, per }),
  fc.record({ kind: kind("graduated"), tiers, per }),
  fc.record({ kind: kind("volume"), tiers, per }),
);

const basicPrice: fc.Arbitrary<BasicPriceModel> = fc.oneof(
  commonPrice as fc.Arbitrary<BasicPriceModel>,
  fc.record({
    kind: kind("package"),
    packageAmount: cents(900),
    size: bound.map((size) => Decimal.fromUnscaled(BigInt(size), 1)),
    rounding: fc.constantFrom("up", "down"),
    freeUnits: maybe(bound.map((units) => Decimal.of(units))),
  }),
  fc.record({
    kind: kind("graduated_percentage"),
    tiers: tiersOf(fc.record({ ratePercent: percent, flatAmount: cents(500) })),
  }),
  fc.record({ kind: kind("dynamic"), multiplier: fine }),
);

const innerPrice = fc.oneof(
  { weight: 5, arbitrary: basicPrice },
  { weight: 1, arbitrary: fc.record({ kind: kind("flat"), amount: cents(900) }) },
);

const convertedPrice: fc.Arbitrary<Extract<AnyPriceModel, { kind: "converted" }>> = fc
  .record({
    kind: kind("converted"),
    operation: fc.constantFrom("divide", "multiply"),
    factor: fc.constantFrom("3", "60", "0.5", "1024").map((factor) => Decimal.of(factor)),
    rounding: fc.constantFrom("none", "ceiling", "floor", "half_up"),
    precision: fc.integer({ min: 0, max: 3 }),
    price: innerPrice,
  })
  .map((model) => (model.rounding === "none" ? { ...model, precision: 0 } : model));

const percentagePrice: fc.Arbitrary<AnyPriceModel> = fc.record({
  kind: kind("percentage"),
  ratePercent: percent,
  fixedAmount: maybe(cents(50)),
  freeEvents: maybe(fc.integer({ min: 0, max: 6 })),
  freeAmount: maybe(cents(50_000)),
  eventMinimum: maybe(cents(100)),
  eventMaximum: maybe(cents(500).map((amount) => amount.plus(Decimal.one))),
});

/** The dimensions of every meter that a matrix is on. */
export const dimensions = { region: ["", "eu", "us"], size: ["", "s", "l"] } as const;

const matrixPrice: fc.Arbitrary<AnyPriceModel> = fc
  .constantFrom<(keyof typeof dimensions)[]>(["region"], ["size", "region"])
  .chain((names) =>
    fc.record({
      kind: kind("matrix"),
      dimensions: fc.constant(names),
      cells: fc.uniqueArray(
        fc.record({
          values: fc.tuple(...names.map((name) => fc.constantFrom(...dimensions[name]))),
          unitAmount: fine,
        }),
        { minLength: 1, maxLength: 4, selector: (cell) => JSON.stringify(cell.values) },
      ),
      defaultUnitAmount: fine,
      per,
    }),
  );

const windowedPrice: fc.Arbitrary<AnyPriceModel> = fc.record({
  kind: kind("windowed"),
  window: fc.constantFrom("hour", "day", "month"),
  price: fc.oneof(innerPrice, convertedPrice),
  commitment: maybe(
    fc.record({
      amount: cents(300),
      overageFactor: fc.constantFrom("1", "1.5", "3").map((factor) => Decimal.of(factor)),
      trueUp: fc.boolean(),
    }),
  ),
});

/** Every model that can be metered. */
export const billablePrice: fc.Arbitrary<AnyPriceModel> = fc.oneof(
  { weight: 3, arbitrary: basicPrice },
  convertedPrice,
  percentagePrice,
  matrixPrice,
  windowedPrice,
);
