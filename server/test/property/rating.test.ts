import fc from "fast-check";
import { describe, test } from "vitest";
import { parseCurrency, exponentOf } from "../../src/kernel/currency.js";
import { Decimal } from "../../src/kernel/decimal.js";
import { toMoney } from "../../src/kernel/money.js";
import {
  findPriceModelFaults,
  isProgressive,
  parsePriceModel,
  priceModelToJson,
  rate,
  ratedPartFromJson,
  ratedPartToJson,
  type AnyPriceModel,
  type PriceModel,
  type Usage,
} from "../../src/rating/core/index.js";
import {
  anyPrice,
  decimal,
  moreUsage,
  per,
  quantity,
  tiers,
  unitAmount,
  usageFor,
} from "../support/arbitrary-price.js";

const model: fc.Arbitrary<PriceModel> = fc.oneof(
  fc.record({ kind: fc.constant("per_unit" as const), unitAmount, per }),
  fc.record({ kind: fc.constant("graduated" as const), tiers, per }),
);
const currency = fc.constantFrom(...["EUR", "JPY", "KWD", "CLF"].map((code) => parseCurrency(code)!));

/** The exact amount as a fraction, by plain big integer arithmetic that shares nothing with rate(). */
function fractionOf(price: PriceModel, given: Decimal): { numerator: bigint; denominator: bigint } {
  const scale = 18n + 12n;
  const one = 10n ** scale;
  const quantum = given.unscaled * 10n ** (18n - BigInt(given.scale));
  const rows =
    price.kind === "per_unit"
      ? [{ upTo: undefined, unitAmount: price.unitAmount, flatAmount: Decimal.zero }]
      : price.tiers;
  const by = price.per.toBigInt();
  const units = (value: Decimal, at: number) => value.unscaled * 10n ** BigInt(at - value.scale);
  let numerator = 0n;
  let below = 0n;
  for (const [index, row] of rows.entries()) {
    if (index > 0 && quantum <= below) break;
    const top = row.upTo === undefined ? quantum : units(row.upTo, 18);
    const inside = (quantum < top ? quantum : top) - below;
    numerator += inside * units(row.unitAmount, 12) + units(row.flatAmount, 30) * by;
    below = top;
  }
  return { numerator, denominator: one * by };
}

describe("rating", () => {
  test("every generated model passes validation, so the laws below are about real prices", () => {
    fc.assert(
      fc.property(model, (price) => findPriceModelFaults(price).length === 0),
      { numRuns: 200 },
    );
  });

  test("more usage never costs less", () => {
    fc.assert(
      fc.property(model, quantity, quantity, (price, first, more) => {
        return rate(price, first).amount.compare(rate(price, first.plus(more)).amount) <= 0;
      }),
    );
  });

  test("tiers add up: their amounts to the line, their quantities to the usage, one beginning where the last ended", () => {
    fc.assert(
      fc.property(model, quantity, (price, used) => {
        const rated = rate(price, used);
        const amounts = Decimal.sum(rated.tiers.map((tier) => tier.amount));
        const quantities = Decimal.sum(rated.tiers.map((tier) => tier.quantity));
        const joined = rated.tiers.every((tier, index) =>
          index === 0 ? tier.from.isZero() : (rated.tiers[index - 1]?.upTo?.equals(tier.from) ?? false),
        );
        return amounts.equals(rated.amount) && quantities.equals(used) && joined;
      }),
    );
  });

  test("the rounded line is the coin nearest to the exact fraction, a tie going away from zero", () => {
    fc.assert(
      fc.property(model, quantity, currency, (price, used, code) => {
        const { numerator, denominator } = fractionOf(price, used);
        const scaled = numerator * 10n ** BigInt(exponentOf(code));
        // Half away from zero, for what is not negative: floor(x + 1/2).
        const nearest = (2n * scaled + denominator) / (2n * denominator);
        const { minor } = toMoney(rate(price, used).amount, code);
        const off = minor * denominator - scaled;
        return minor === nearest && 2n * (off < 0n ? -off : off) <= denominator;
      }),
      { numRuns: 500 },
    );
  });

  test("amounts are exact whenever a per-th of a unit can be written in decimals", () => {
    const tens = fc
      .constantFrom(1n, 1000n, 1024n, 1_000_000n, 1_073_741_824n)
      .map((value) => Decimal.of(value));
    fc.assert(
      fc.property(model, tens, quantity, (price, by, used) => {
        const exact = { ...price, per: by };
        const { numerator, denominator } = fractionOf(exact, used);
        const { amount } = rate(exact, used);
        return amount.unscaled * denominator === numerator * 10n ** BigInt(amount.scale);
      }),
    );
  });
});

describe("every price model", () => {
  const priced = (options: { signed: boolean }) =>
    anyPrice.chain((price) => fc.tuple(fc.constant(price), usageFor(price, options)));
  const twice = anyPrice.chain((price) =>
    fc.tuple(fc.constant(price), usageFor(price, { signed: false }), usageFor(price, { signed: false })),
  );

  test("passes validation as it is generated here", () => {
    fc.assert(
      fc.property(anyPrice, (price) => findPriceModelFaults(price).length === 0),
      { numRuns: 500 },
    );
  });

  test("is made of parts that add up to its amount, digit for digit, whatever the usage", () => {
    fc.assert(
      fc.property(priced({ signed: true }), ([price, usage]) => {
        const { amount, parts } = rate(price, usage);
        return Decimal.sum(parts.map((part) => part.amount)).equals(amount);
      }),
      { numRuns: 2000 },
    );
  });

  test("never costs less for more usage where it is progressive", () => {
    fc.assert(
      fc.property(twice, ([price, usage, more]) => {
        fc.pre(isProgressive(price));
        return rate(price, usage).amount.compare(rate(price, moreUsage(usage, more)).amount) <= 0;
      }),
      { numRuns: 2000 },
    );
  });

  test("costs nothing below zero for usage that is not", () => {
    fc.assert(
      fc.property(priced({ signed: false }), ([price, usage]) => !rate(price, usage).amount.isNegative()),
      { numRuns: 1000 },
    );
  });

  test("is rounded by at most half a minor unit", () => {
    fc.assert(
      fc.property(priced({ signed: true }), currency, ([price, usage], code) => {
        const { amount } = rate(price, usage);
        const exact = amount.times(Decimal.of(10n ** BigInt(exponentOf(code))));
        const off = Decimal.of(toMoney(amount, code).minor).minus(exact).abs();
        return off.times(Decimal.of(2)).compare(Decimal.one) <= 0;
      }),
      { numRuns: 1000 },
    );
  });

  test("survives storage: the model, its amounts, and the parts of its line", () => {
    fc.assert(
      fc.property(priced({ signed: true }), ([price, usage]) => {
        const stored = JSON.stringify(priceModelToJson(price));
        const again = parsePriceModel(JSON.parse(stored));
        const first = rate(price, usage);
        const second = rate(again, usage);
        const partsOf = (rated: typeof first) => JSON.stringify(rated.parts.map(ratedPartToJson));
        const parts = JSON.parse(partsOf(first)) as unknown[];
        return (
          JSON.stringify(priceModelToJson(again)) === stored &&
          second.amount.equals(first.amount) &&
          partsOf(second) === partsOf(first) &&
          JSON.stringify(parts.map((part) => ratedPartToJson(ratedPartFromJson(part)))) === partsOf(first)
        );
      }),
      { numRuns: 1000 },
    );
  });

  test("rates the same in whatever order cells are read", () => {
    const shuffled = anyPrice
      .filter((price) => price.kind === "matrix")
      .chain((price) => fc.tuple(fc.constant(price), usageFor(price, { signed: true })))
      .chain(([price, usage]) =>
        usage.kind === "cells"
          ? fc.tuple(
              fc.constant(price),
              fc.constant(usage),
              fc.shuffledSubarray([...usage.cells], { minLength: usage.cells.length }),
            )
          : fc.constant(undefined).filter(() => false),
      );
    fc.assert(
      fc.property(shuffled, (drawn) => {
        if (drawn === undefined) return true;
        const [price, usage, cells] = drawn;
        return JSON.stringify(rate(price, usage)) === JSON.stringify(rate(price, { kind: "cells", cells }));
      }),
    );
  });

  test("billed in parts comes to the whole, and takes nothing back where it is progressive", () => {
    const history = anyPrice.chain((price) =>
      fc.tuple(
        fc.constant(price),
        fc.array(usageFor(price, { signed: false }), { minLength: 1, maxLength: 5 }),
      ),
    );
    fc.assert(
      fc.property(history, currency, ([price, usages], code) => {
        let usage: Usage | undefined;
        let billed = 0n;
        const parts: bigint[] = [];
        for (const next of usages) {
          usage = usage === undefined ? next : moreUsage(usage, next);
          const { minor } = toMoney(rate(price, usage).amount, code);
          parts.push(minor - billed);
          billed = minor;
        }
        const whole = toMoney(rate(price, usages.reduce(moreUsage)).amount, code).minor;
        const isWhole = parts.reduce((sum, part) => sum + part, 0n) === whole;
        return isWhole && (!isProgressive(price) || parts.every((part) => part >= 0n));
      }),
      { numRuns: 1000 },
    );
  });

  test("that passes validation can be rated, however odd it is", () => {
    const odd = fc.oneof(
      fc
        .constantFrom(
          "0",
          "1",
          "-1",
          "0.000000000001",
          "1e12",
          "1e24",
          "99999999999999999999.999999999999999999",
        )
        .map((text) => Decimal.of(text)),
      decimal(12, 20),
    );
    const mangled = fc
      .tuple(anyPrice, fc.array(odd, { minLength: 1, maxLength: 3 }), fc.nat(7))
      .map(([price, values, at]): AnyPriceModel => mangle(price, values, at));
    let rated = 0;
    fc.assert(
      fc.property(
        mangled.chain((price) =>
          fc.tuple(
            fc.constant(price),
            findPriceModelFaults(price).length > 0
              ? fc.constant(undefined)
              : usageFor(price, { signed: true }),
          ),
        ),
        ([price, usage]) => {
          if (usage === undefined) return true;
          rated += 1;
          const { amount, parts } = rate(price, usage);
          return Decimal.sum(parts.map((part) => part.amount)).equals(amount);
        },
      ),
      { numRuns: 2000 },
    );
    if (rated < 100) throw new Error(`only ${rated} models passed validation`);
  });
});

/** The model with some of its decimals, wherever they are, replaced. */
function mangle<T>(model: T, values: readonly Decimal[], offset: number): T {
  let seen = 0;
  const walk = (value: unknown): unknown => {
    if (value instanceof Decimal) {
      seen += 1;
      const index = seen - 1 - offset;
      return index >= 0 && index < values.length ? values[index] : value;
    }
    if (Array.isArray(value)) return value.map(walk);
    if (typeof value === "object" && value !== null)
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, walk(item)]));
    return value;
  };
  return walk(model) as T;
}
