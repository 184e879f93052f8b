import fc from "fast-check";
import { describe, test } from "vitest";
import { parseCurrency, exponentOf } from "../../src/kernel/currency.js";
import { Decimal } from "../../src/kernel/decimal.js";
import { toMoney } from "../../src/kernel/money.js";
import { findPriceModelFaults, rate, type PriceModel } from "../../src/rating/core/index.js";

const decimal = (digits: number, scale: number) =>
  fc
    .tuple(fc.bigInt({ min: 0n, max: 10n ** BigInt(digits) }), fc.integer({ min: 0, max: scale }))
    .map(([unscaled, at]) => Decimal.fromUnscaled(unscaled, at));

const quantity = decimal(24, 18);
const unitAmount = decimal(9, 12);
const per = fc
  .oneof(
    fc.constantFrom(1n, 1000n, 1024n, 3600n, 1_000_000n, 2_592_000n, 1_073_741_824n),
    fc.bigInt({ min: 1n, max: 10_000_000_000_000n }),
  )
  .map((value) => Decimal.of(value));

const tiers = fc
  .array(
    fc.record({
      width: decimal(9, 3).filter((width) => !width.isZero()),
      unitAmount,
      flatAmount: decimal(6, 4),
    }),
    {
      minLength: 1,
      maxLength: 8,
    },
  )
  .map((parts) => {
    let end = Decimal.zero;
    return parts.map(({ width, ...amounts }, index) => {
      end = end.plus(width);
      return { ...amounts, upTo: index === parts.length - 1 ? undefined : end };
    });
  });

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
