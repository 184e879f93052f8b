import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Decimal } from "../../kernel/decimal.js";
import { computeTax, type TaxableLine } from "./compute-tax.js";
import type { TaxRate } from "./tax-rate.js";

const rate = (percent: string, more: Partial<TaxRate> = {}): TaxRate => ({
  key: percent,
  name: "VAT",
  percent: Decimal.of(percent),
  inclusive: false,
  treatment: "taxed",
  ...more,
});
const lines = (taxRate: TaxRate, ...minors: bigint[]): TaxableLine[] =>
  minors.map((minor) => ({ minor, rate: taxRate }));

describe("exclusive", () => {
  test("25 % on 160.00 makes 200.00", () => {
    expect(computeTax(lines(rate("25"), 16000n)).total).toEqual({ net: 16000n, tax: 4000n, gross: 20000n });
  });

  test("20 % on 726.86 makes 872.23: 145.372 is 145.37", () => {
    expect(computeTax(lines(rate("20"), 72686n)).total.gross).toBe(87223n);
  });

  test("20 % on 10.72's parts: 8.00 and 0.93 are taxed 1.79 together, 1.60 and 0.19 apart", () => {
    const { lines: taxed, total } = computeTax(lines(rate("20"), 800n, 93n));
    expect(taxed.map(({ tax }) => tax)).toEqual([160n, 19n]);
    expect(total.gross).toBe(1072n);
  });

  test("tax rounds once per rate, not per line: three times 0.10 at 5 % is 0.02, not three times 0.01", () => {
    const { lines: taxed, rates } = computeTax(lines(rate("5"), 10n, 10n, 10n));
    expect(rates.map(({ tax }) => tax)).toEqual([2n]);
    // All three lost the same by the cut, so the earlier ones get the units.
    expect(taxed.map(({ tax }) => tax)).toEqual([1n, 1n, 0n]);
  });

  test("the unit that is missing goes to the line that lost the most", () => {
    // 19 % of 0.03, 0.05 and 0.02: 0.57, 0.95 and 0.38 cents; 1.9 together.
    const { lines: taxed } = computeTax(lines(rate("19"), 3n, 5n, 2n));
    expect(taxed.map(({ tax }) => tax)).toEqual([1n, 1n, 0n]);
  });

  test("half a unit rounds away from zero, on credit notes too", () => {
    expect(computeTax(lines(rate("50"), 1n)).total.tax).toBe(1n);
    expect(computeTax(lines(rate("50"), -1n)).total.tax).toBe(-1n);
  });

  test("a rate with fractions: 9.975 % of 1,000.00 is 99.75", () => {
    expect(computeTax(lines(rate("9.975"), 100000n)).total.tax).toBe(9975n);
  });

  test("minor units are the currency's: 10 % of ¥ 1,234 is ¥ 123, of 1.234 KWD 0.123 KWD", () => {
    expect(computeTax(lines(rate("10"), 1234n)).total).toEqual({ net: 1234n, tax: 123n, gross: 1357n });
  });
});

describe("inclusive", () => {
  test("119.00 contains 19.00 at 19 %", () => {
    const { total } = computeTax(lines(rate("19", { inclusive: true }), 11900n));
    expect(total).toEqual({ net: 10000n, tax: 1900n, gross: 11900n });
  });

  test("9.99 contains 1.67 at 20 % (1.665)", () => {
    const { total } = computeTax(lines(rate("20", { inclusive: true }), 999n));
    expect(total).toEqual({ net: 832n, tax: 167n, gross: 999n });
  });
});

describe("several rates", () => {
  test("each is rounded by itself, in the order of its first line", () => {
    const reduced = rate("7");
    const standard = rate("19");
    const { rates, total } = computeTax([
      ...lines(standard, 101n),
      ...lines(reduced, 50n),
      ...lines(standard, 102n),
    ]);
    expect(rates.map((each) => [each.rate.key, each.net, each.tax])).toEqual([
      ["19", 203n, 39n],
      ["7", 50n, 4n],
    ]);
    expect(total).toEqual({ net: 253n, tax: 43n, gross: 296n });
  });

  test("one key with another percentage, or once inclusive, is another rate", () => {
    const changed = { ...rate("20"), key: "19" };
    const inside = rate("19", { inclusive: true });
    const { rates } = computeTax([...lines(rate("19"), 1n), ...lines(changed, 1n), ...lines(inside, 1n)]);
    expect(rates).toHaveLength(3);
  });

  test("exempt, reverse charge and not collected have no tax, whatever the percentage says", () => {
    for (const treatment of ["exempt", "reverse_charge", "not_collected"] as const) {
      const { total } = computeTax(lines(rate("19", { treatment, inclusive: true }), 11900n));
      expect(total).toEqual({ net: 11900n, tax: 0n, gross: 11900n });
    }
  });

  test("no lines, no tax", () => {
    expect(computeTax([])).toEqual({ lines: [], rates: [], total: { net: 0n, tax: 0n, gross: 0n } });
  });

  test("a negative line takes back tax at its rate", () => {
    const { lines: taxed, total } = computeTax(lines(rate("19"), 10000n, -2500n));
    expect(taxed.map(({ tax }) => tax)).toEqual([1900n, -475n]);
    expect(total.gross).toBe(8925n);
  });
});

describe("laws", () => {
  const rates = fc.record({
    key: fc.constantFrom("a", "b", "c"),
    name: fc.constant("VAT"),
    percent: fc
      .integer({ min: 0, max: 100_000 })
      .map((thousandths) => Decimal.fromUnscaled(BigInt(thousandths), 3)),
    inclusive: fc.boolean(),
    treatment: fc.constantFrom("taxed" as const, "taxed" as const, "exempt" as const),
  });
  const invoices = fc.array(rates, { minLength: 1, maxLength: 4 }).chain((known) =>
    fc.array(
      fc.record({
        minor: fc.oneof(
          fc.bigInt({ min: -300n, max: 300n }),
          fc.bigInt({ min: -(10n ** 15n), max: 10n ** 15n }),
        ),
        rate: fc.constantFrom(...known),
      }),
      { maxLength: 30 },
    ),
  );

  test("a rate's tax is the rounded tax of its lines' sum, and its lines' taxes add up to it", () => {
    fc.assert(
      fc.property(invoices, (invoice) => {
        const computed = computeTax(invoice);
        for (const total of computed.rates) {
          const of = invoice.flatMap((line, at) =>
            line.rate.key === total.rate.key &&
            line.rate.percent.equals(total.rate.percent) &&
            line.rate.inclusive === total.rate.inclusive &&
            line.rate.treatment === total.rate.treatment
              ? [{ line, taxed: computed.lines[at]! }]
              : [],
          );
          expect(of.reduce((sum, { taxed }) => sum + taxed.tax, 0n)).toBe(total.tax);
          const base = Decimal.of(of.reduce((sum, { line }) => sum + line.minor, 0n));
          const { percent, inclusive, treatment } = total.rate;
          const whole = inclusive ? percent.plus(Decimal.of(100)) : Decimal.of(100);
          const exact = base.times(percent).dividedBy(whole, 0, "half-away");
          expect(total.tax).toBe(treatment === "taxed" ? exact.toBigInt() : 0n);
        }
      }),
    );
  });

  test("net + tax = gross for every line, rate and the whole; inclusive leaves the gross, exclusive the net alone", () => {
    fc.assert(
      fc.property(invoices, (invoice) => {
        const { lines: taxed, rates: totals, total } = computeTax(invoice);
        for (const { net, tax, gross } of [...taxed, ...totals, total]) expect(net + tax).toBe(gross);
        for (const [at, { minor, rate: of }] of invoice.entries())
          expect(of.inclusive ? taxed[at]!.gross : taxed[at]!.net).toBe(minor);
        expect(totals.reduce((sum, { tax }) => sum + tax, 0n)).toBe(total.tax);
      }),
    );
  });

  test("no line is a whole minor unit off its exact tax", () => {
    fc.assert(
      fc.property(invoices, (invoice) => {
        for (const [at, { tax }] of computeTax(invoice).lines.entries()) {
          const { minor, rate: of } = invoice[at]!;
          if (of.treatment !== "taxed") continue;
          const whole = of.inclusive ? of.percent.plus(Decimal.of(100)) : Decimal.of(100);
          const distance = Decimal.of(tax).times(whole).minus(Decimal.of(minor).times(of.percent)).abs();
          expect(distance.compare(whole)).toBe(-1);
        }
      }),
    );
  });

  test("swapping every sign swaps every tax's", () => {
    fc.assert(
      fc.property(invoices, (invoice) => {
        const swapped = invoice.map((line) => ({ ...line, minor: -line.minor }));
        const taxes = computeTax(invoice).lines.map(({ tax }) => tax);
        expect(computeTax(swapped).lines.map(({ tax }) => -tax)).toEqual(taxes);
      }),
    );
  });
});
