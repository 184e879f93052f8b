import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Decimal, type Rounding } from "./decimal.js";

const d = (text: string) => Decimal.of(text);
const modes: readonly Rounding[] = ["half-away", "half-even", "down", "up", "floor", "ceil"];

/** numerator ÷ denominator, denominator > 0: what a decimal is checked against. */
interface Fraction {
  readonly numerator: bigint;
  readonly denominator: bigint;
}
const fractionOf = (value: Decimal): Fraction => {
  const [whole = "", decimals = ""] = value.toString().split(".");
  return { numerator: BigInt(whole + decimals), denominator: 10n ** BigInt(decimals.length) };
};
const isEqual = (left: Fraction, right: Fraction) =>
  left.numerator * right.denominator === right.numerator * left.denominator;
const absolute = (value: bigint) => (value < 0n ? -value : value);

const decimal = fc
  .record({
    unscaled: fc.bigInt({ min: -(10n ** 38n), max: 10n ** 38n }),
    scale: fc.integer({ min: 0, max: 24 }),
  })
  .map(({ unscaled, scale }) => Decimal.fromUnscaled(unscaled, scale));

describe("reading a decimal", () => {
  test.each([
    ["0.1", "0.1"],
    ["-0.050", "-0.05"],
    ["12.", "12"],
    [".5", "0.5"],
    ["+7", "7"],
    ["1e3", "1000"],
    ["1.25E-2", "0.0125"],
    ["-0", "0"],
    ["0e-9999", "0"],
    ["00012", "12"],
    ["9".repeat(76), "9".repeat(76)],
  ])("%s is %s", (text, expected) => {
    expect(d(text).toString()).toBe(expected);
  });

  test.each([
    "",
    ".",
    "-",
    "e5",
    "1e",
    "1,5",
    "0x10",
    "NaN",
    "Infinity",
    " 1",
    "1 ",
    "1_000",
    "１",
    "1e400",
    "9".repeat(77),
  ])("%j is none", (text) => {
    expect(Decimal.parse(text)).toBeUndefined();
  });

  test("a number that is no safe integer is refused, since its digits are gone already", () => {
    expect(() => Decimal.of(0.1)).toThrow(RangeError);
    expect(() => Decimal.of(2 ** 53)).toThrow(RangeError);
    expect(Decimal.of(-42).toString()).toBe("-42");
    expect(Decimal.of(10n ** 30n).toString()).toBe(`1${"0".repeat(30)}`);
  });

  test("text and back changes nothing, whatever the notation", () => {
    fc.assert(
      fc.property(decimal, fc.integer({ min: -20, max: 20 }), (value, exponent) => {
        expect(d(value.toString()).equals(value)).toBe(true);
        const shifted = `${value.toString()}e${exponent}`;
        const power = Decimal.fromUnscaled(1n, -exponent);
        expect(d(shifted).equals(value.times(power))).toBe(true);
        expect(JSON.stringify({ value })).toBe(`{"value":"${value.toString()}"}`);
      }),
    );
  });
});

describe("arithmetic equals that of fractions", () => {
  test("plus, minus and times are exact", () => {
    fc.assert(
      fc.property(decimal, decimal, (left, right) => {
        const [a, b] = [fractionOf(left), fractionOf(right)];
        const denominator = a.denominator * b.denominator;
        const sum = a.numerator * b.denominator + b.numerator * a.denominator;
        const difference = a.numerator * b.denominator - b.numerator * a.denominator;
        expect(isEqual(fractionOf(left.plus(right)), { numerator: sum, denominator })).toBe(true);
        expect(isEqual(fractionOf(left.minus(right)), { numerator: difference, denominator })).toBe(true);
        expect(
          isEqual(fractionOf(left.times(right)), { numerator: a.numerator * b.numerator, denominator }),
        ).toBe(true);
        expect(left.compare(right)).toBe(difference < 0n ? -1 : difference > 0n ? 1 : 0);
        expect(left.equals(right)).toBe(difference === 0n);
        expect(Decimal.max(left, right).minus(Decimal.min(left, right)).isNegative()).toBe(false);
        expect(Decimal.sum([left, right, left.negate()]).equals(right)).toBe(true);
      }),
    );
  });

  test("a quotient is within half a unit of the last digit, or a whole one when directed", () => {
    fc.assert(
      fc.property(
        decimal,
        decimal,
        fc.integer({ min: 0, max: 30 }),
        fc.constantFrom(...modes),
        (left, right, scale, mode) => {
          fc.pre(!right.isZero());
          const quotient = left.dividedBy(right, scale, mode);
          const [a, b, q] = [fractionOf(left), fractionOf(right), fractionOf(quotient)];
          // error = q − a/b, in units of 10^-scale, as n / m
          const unit = 10n ** BigInt(scale);
          const m = q.denominator * a.denominator * absolute(b.numerator);
          const exact = a.numerator * b.denominator * (b.numerator < 0n ? -1n : 1n) * q.denominator;
          const n = (q.numerator * a.denominator * absolute(b.numerator) - exact) * unit;
          const size = absolute(n);
          switch (mode) {
            case "half-away":
            case "half-even":
              expect(2n * size <= m).toBe(true);
              break;
            case "floor":
              expect(n <= 0n && size < m).toBe(true);
              break;
            case "ceil":
              expect(n >= 0n && size < m).toBe(true);
              break;
            case "down":
              expect(size < m && (n === 0n || n < 0n === exact > 0n)).toBe(true);
              break;
            case "up":
              expect(size < m && (n === 0n || n > 0n === exact > 0n)).toBe(true);
              break;
          }
        },
      ),
    );
  });

  test("rounding is the quotient by one", () => {
    fc.assert(
      fc.property(
        decimal,
        fc.integer({ min: 0, max: 30 }),
        fc.constantFrom(...modes),
        (value, scale, mode) => {
          expect(value.round(scale, mode).equals(value.dividedBy(Decimal.one, scale, mode))).toBe(true);
        },
      ),
    );
  });

  test("rounding twice at the same place changes nothing, and rounding a negation negates for symmetric modes", () => {
    fc.assert(
      fc.property(decimal, fc.integer({ min: 0, max: 12 }), (value, scale) => {
        for (const mode of modes) {
          const once = value.round(scale, mode);
          expect(once.round(scale, mode).equals(once)).toBe(true);
        }
        for (const mode of ["half-away", "half-even", "down", "up"] as const) {
          expect(value.negate().round(scale, mode).equals(value.round(scale, mode).negate())).toBe(true);
        }
      }),
    );
  });
});

describe("rounding", () => {
  const table: [string, Record<Rounding, string>][] = [
    ["2.5", { "half-away": "3", "half-even": "2", down: "2", up: "3", floor: "2", ceil: "3" }],
    ["3.5", { "half-away": "4", "half-even": "4", down: "3", up: "4", floor: "3", ceil: "4" }],
    ["-2.5", { "half-away": "-3", "half-even": "-2", down: "-2", up: "-3", floor: "-3", ceil: "-2" }],
    ["2.500001", { "half-away": "3", "half-even": "3", down: "2", up: "3", floor: "2", ceil: "3" }],
    ["-0.4", { "half-away": "0", "half-even": "0", down: "0", up: "-1", floor: "-1", ceil: "0" }],
    ["7", { "half-away": "7", "half-even": "7", down: "7", up: "7", floor: "7", ceil: "7" }],
  ];
  test.each(table)("%s to whole numbers", (text, expected) => {
    for (const mode of modes) expect(d(text).round(0, mode).toString()).toBe(expected[mode]);
  });

  test("a negative scale is refused", () => {
    expect(() => d("123").round(-1, "down")).toThrow(RangeError);
    expect(() => d("123").dividedBy(d("7"), -1, "down")).toThrow(RangeError);
    expect(() => d("123").dividedBy(Decimal.zero, 2, "down")).toThrow(RangeError);
  });
});

test("toFixed shows exactly the digits asked for, rounded half away from zero", () => {
  expect(d("1.005").toFixed(2)).toBe("1.01");
  expect(d("-1.005").toFixed(2)).toBe("-1.01");
  expect(d("3").toFixed(2)).toBe("3.00");
  expect(d("-0.001").toFixed(2)).toBe("0.00");
  expect(d("12.5").toFixed(0)).toBe("13");
});

test("an integer is one whatever its scale, and only an integer becomes a bigint", () => {
  expect(d("12.000").isInteger()).toBe(true);
  expect(d("12.000").toBigInt()).toBe(12n);
  expect(d("12.001").isInteger()).toBe(false);
  expect(() => d("12.001").toBigInt()).toThrow("12.001 is not an integer");
  expect(d("1e30").toBigInt()).toBe(10n ** 30n);
});
