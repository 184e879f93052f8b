import fc from "fast-check";
import { Decimal } from "../../src/kernel/decimal.js";
import {
  measureOf,
  type AnyPriceModel,
  type BasicPriceModel,
  type ConvertedPrice,
  type Tier,
  type Usage,
} from "../../src/rating/core/index.js";

/** Zero to 10^digits, with up to `scale` decimals. */
export const decimal = (digits: number, scale: number): fc.Arbitrary<Decimal> =>
  fc
    .tuple(fc.bigInt({ min: 0n, max: 10n ** BigInt(digits) }), fc.integer({ min: 0, max: scale }))
    .map(([unscaled, at]) => Decimal.fromUnscaled(unscaled, at));

/** Up to 24 digits before the point, and 18 after it. */
export const quantity = fc.oneof(decimal(24, 18), decimal(42, 18));
export const unitAmount = decimal(9, 12);
const fee = decimal(6, 4);
const positive = decimal(9, 3).filter((each) => !each.isZero());
const maybe = <T>(some: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(some, { nil: undefined });

export const per = fc
  .oneof(
    fc.constantFrom(1n, 1000n, 1024n, 3600n, 1_000_000n, 2_592_000n, 1_073_741_824n),
    fc.bigInt({ min: 1n, max: 10_000_000_000_000n }),
  )
  .map((value) => Decimal.of(value));

function tiersOf<T extends object>(
  amounts: fc.Arbitrary<T>,
): fc.Arbitrary<({ upTo: Decimal | undefined } & T)[]> {
  return fc.array(fc.tuple(positive, amounts), { minLength: 1, maxLength: 8 }).map((parts) => {
    let end = Decimal.zero;
    return parts.map(([width, each], index) => {
      end = end.plus(width);
      return { ...each, upTo: index === parts.length - 1 ? undefined : end };
    });
  });
}

export const tiers: fc.Arbitrary<Tier[]> = tiersOf(fc.record({ unitAmount, flatAmount: fee }));
const percent = decimal(5, 4);
const kind = <const K extends string>(name: K) => fc.constant(name);

export const basicPrice: fc.Arbitrary<BasicPriceModel> = fc.oneof(
  fc.record({ kind: kind("flat"), amount: unitAmount }),
  fc.record({ kind: kind("per_unit"), unitAmount, per }),
  fc.record({
    kind: kind("package"),
    packageAmount: fee,
    size: positive,
    rounding: fc.constantFrom("up", "down"),
    freeUnits: maybe(decimal(6, 3)),
  }),
  fc.record({ kind: kind("graduated"), tiers, per }),
  fc.record({ kind: kind("volume"), tiers, per }),
  fc.record({
    kind: kind("graduated_percentage"),
    tiers: tiersOf(fc.record({ ratePercent: percent, flatAmount: fee })),
  }),
  fc.record({ kind: kind("dynamic"), multiplier: unitAmount }),
);

const convertedPrice: fc.Arbitrary<ConvertedPrice> = fc
  .record({
    kind: kind("converted"),
    operation: fc.constantFrom("divide", "multiply"),
    factor: positive,
    rounding: fc.constantFrom("none", "ceiling", "floor", "half_up"),
    precision: fc.integer({ min: 0, max: 6 }),
    price: basicPrice,
  })
  .map((model) => (model.rounding === "none" ? { ...model, precision: 0 } : model));

const percentagePrice = fc
  .record({
    ratePercent: percent,
    fixedAmount: maybe(fee),
    freeEvents: maybe(fc.integer({ min: 0, max: 6 })),
    freeAmount: maybe(decimal(6, 2)),
    bounds: fc.tuple(maybe(fee), maybe(fee)),
  })
  .map(({ bounds: [one, other], ...rest }) => ({
    kind: "percentage" as const,
    ...rest,
    eventMinimum: one !== undefined && other !== undefined ? Decimal.min(one, other) : one,
    eventMaximum: one !== undefined && other !== undefined ? Decimal.max(one, other) : other,
  }));

const dimensionValue = fc.constantFrom("", "eu", "us", "ap");
const matrixPrice = fc.integer({ min: 1, max: 3 }).chain((width) =>
  fc.record({
    kind: kind("matrix"),
    dimensions: fc.constant(["region", "type", "tier"].slice(0, width)),
    cells: fc.uniqueArray(
      fc.record({ values: fc.array(dimensionValue, { minLength: width, maxLength: width }), unitAmount }),
      { minLength: 1, maxLength: 6, selector: (cell) => JSON.stringify(cell.values) },
    ),
    defaultUnitAmount: unitAmount,
    per,
  }),
);

const windowedPrice = fc.record({
  kind: kind("windowed"),
  window: fc.constantFrom("hour", "day", "month"),
  price: fc.oneof(basicPrice, convertedPrice),
  commitment: maybe(
    fc.record({
      amount: fee,
      overageFactor: decimal(3, 2).map((more) =>
        (more.compare(Decimal.of("999")) > 0 ? Decimal.of("1000") : Decimal.one.plus(more)).round(12, "down"),
      ),
      trueUp: fc.boolean(),
    }),
  ),
});

/** A price that passes validation, of any model. */
export const anyPrice: fc.Arbitrary<AnyPriceModel> = fc.oneof(
  { weight: 3, arbitrary: basicPrice },
  convertedPrice,
  percentagePrice,
  matrixPrice,
  windowedPrice,
  fc.record({ kind: kind("licensed"), tiers }),
);

const signed = (some: fc.Arbitrary<Decimal>) =>
  fc.tuple(some, fc.boolean()).map(([value, isNegative]) => (isNegative ? value.negate() : value));

/** What a meter could have measured for a price; below zero too unless told otherwise. */
export function usageFor(model: AnyPriceModel, options: { readonly signed: boolean }): fc.Arbitrary<Usage> {
  const value = options.signed ? signed(quantity) : quantity;
  const { kind: measured } = measureOf(model);
  switch (measured) {
    case "quantity":
      return fc.record({ kind: kind("quantity"), quantity: value, events: fc.nat(1000) });
    case "events":
      return fc.record({ kind: kind("events"), values: fc.array(value, { maxLength: 12 }) });
    case "cells":
      return fc.record({
        kind: kind("cells"),
        cells: fc.array(
          fc.record({
            dimensions: fc.record({ region: dimensionValue, type: dimensionValue, tier: dimensionValue }),
            quantity: value,
          }),
          { maxLength: 12 },
        ),
      });
    case "windows":
      return fc.record({ kind: kind("windows"), quantities: fc.array(value, { maxLength: 12 }) });
    case "licensed":
      return fc
        .record({
          days: fc.integer({ min: 28, max: 31 }),
          changes: fc.array(fc.tuple(signed(decimal(4, 0)), fc.nat(31)), { maxLength: 12 }),
        })
        .map(({ days, changes }) => ({
          kind: "licensed" as const,
          per: Decimal.of(days),
          changes: changes.map(([units, left]) => ({
            units,
            proratedUnits: units.times(Decimal.of(Math.min(left, days))),
          })),
        }));
    default:
      return measured satisfies never;
  }
}

/** The same usage and more of it, later in the period. */
export function moreUsage(usage: Usage, more: Usage): Usage {
  if (usage.kind === "quantity" && more.kind === "quantity") {
    const events = (usage.events ?? 0) + (more.events ?? 0);
    return { kind: "quantity", quantity: usage.quantity.plus(more.quantity), events };
  }
  if (usage.kind === "events" && more.kind === "events")
    return { kind: "events", values: [...usage.values, ...more.values] };
  if (usage.kind === "cells" && more.kind === "cells")
    return { kind: "cells", cells: [...usage.cells, ...more.cells] };
  if (usage.kind === "windows" && more.kind === "windows") {
    const longer = Math.max(usage.quantities.length, more.quantities.length);
    const at = (list: readonly Decimal[], index: number) => list[index] ?? Decimal.zero;
    const quantities = Array.from({ length: longer }, (_, index) =>
      at(usage.quantities, index).plus(at(more.quantities, index)),
    );
    return { kind: "windows", quantities };
  }
  if (usage.kind === "licensed" && more.kind === "licensed")
    return { ...usage, changes: [...usage.changes, ...more.changes] };
  throw new Error(`${usage.kind} and ${more.kind} do not add up`);
}
