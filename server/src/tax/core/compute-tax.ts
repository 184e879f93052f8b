import type { Decimal } from "../../kernel/decimal.js";
import type { TaxRate } from "./tax-rate.js";

export interface TaxableLine {
  /** In minor units, after discounts and promotional credits; with its tax when the rate is inclusive. */
  readonly minor: bigint;
  readonly rate: TaxRate;
}

/** In minor units; net + tax = gross. */
export interface TaxAmounts {
  readonly net: bigint;
  readonly tax: bigint;
  readonly gross: bigint;
}

export interface RateTax extends TaxAmounts {
  readonly rate: TaxRate;
}

export interface ComputedTax {
  /** In the order of the lines that were given. */
  readonly lines: readonly TaxAmounts[];
  /** One for each rate, in the order in which the lines first name them. */
  readonly rates: readonly RateTax[];
  readonly total: TaxAmounts;
}

/**
 * The tax of an invoice: per rate once, on the sum of the rate's lines, half away from zero to the minor unit. It is then
 * divided over the lines: each gets its exact tax cut towards zero, and the units that are still missing go, one each, to
 * the lines that lost the most by the cut, the earlier of two that lost the same. A line's tax is thus less than one
 * minor unit from exact, and swapping every sign swaps every result's.
 */
export function computeTax(lines: readonly TaxableLine[]): ComputedTax {
  const positions = new Map<string, { rate: TaxRate; at: number[] }>();
  for (const [at, { rate }] of lines.entries()) {
    const group = groupOf(rate);
    const known = positions.get(group);
    if (known === undefined) positions.set(group, { rate, at: [at] });
    else known.at.push(at);
  }
  const taxed: TaxAmounts[] = lines.map(({ minor }) => ({ net: minor, tax: 0n, gross: minor }));
  const rates: RateTax[] = [];
  for (const { rate, at } of positions.values()) {
    const amounts = at.map((position) => lines[position]?.minor ?? 0n);
    const taxes = divideTax(amounts, rate);
    for (const [index, position] of at.entries()) {
      taxed[position] = amountsOf(amounts[index] ?? 0n, taxes[index] ?? 0n, rate.inclusive);
    }
    rates.push({ rate, ...sum(at.map((position) => taxed[position] ?? zero)) });
  }
  return { lines: taxed, rates, total: sum(taxed) };
}

const zero: TaxAmounts = { net: 0n, tax: 0n, gross: 0n };

/** What makes two rates one: not only the key, so that a changed percentage under an old key stays apart. */
function groupOf({ key, percent, inclusive, treatment }: TaxRate): string {
  return JSON.stringify([key, percent.toString(), inclusive, treatment]);
}

/** The tax of each amount; their sum is the rounded tax of the sum. */
function divideTax(amounts: readonly bigint[], rate: TaxRate): bigint[] {
  if (rate.treatment !== "taxed") return amounts.map(() => 0n);
  const { numerator, denominator } = shareOf(rate.percent, rate.inclusive);
  const taxes: bigint[] = [];
  const losses: { index: number; lost: bigint }[] = [];
  let total = 0n;
  let missing = 0n;
  for (const [index, amount] of amounts.entries()) {
    total += amount;
    const exact = amount * numerator;
    const tax = exact / denominator; // bigint division cuts towards zero
    taxes.push(tax);
    missing -= tax;
    losses.push({ index, lost: exact % denominator });
  }
  missing += roundHalfAway(total * numerator, denominator);
  const unit = missing < 0n ? -1n : 1n;
  // Most lost in the direction of what is missing first; sorting is stable, so the earlier of two equals comes first.
  losses.sort((one, other) => compare(other.lost * unit, one.lost * unit));
  // As many lines lost in that direction as there are units missing, so no line gets two and none the wrong way.
  for (const { index } of losses.slice(0, Number(missing * unit))) taxes[index] = (taxes[index] ?? 0n) + unit;
  return taxes;
}

/** Tax ÷ amount as a fraction: p/100 of a net amount, p/(100 + p) of one that contains its tax. */
function shareOf(percent: Decimal, inclusive: boolean): { numerator: bigint; denominator: bigint } {
  const hundred = 100n * 10n ** BigInt(percent.scale);
  return {
    numerator: percent.unscaled,
    denominator: inclusive ? hundred + percent.unscaled : hundred,
  };
}

function amountsOf(minor: bigint, tax: bigint, inclusive: boolean): TaxAmounts {
  return inclusive ? { net: minor - tax, tax, gross: minor } : { net: minor, tax, gross: minor + tax };
}

function sum(amounts: readonly TaxAmounts[]): TaxAmounts {
  return amounts.reduce(
    (total, { net, tax, gross }) => ({
      net: total.net + net,
      tax: total.tax + tax,
      gross: total.gross + gross,
    }),
    zero,
  );
}

function roundHalfAway(numerator: bigint, denominator: bigint): bigint {
  const quotient = numerator / denominator;
  const remainder = numerator % denominator;
  if (2n * (remainder < 0n ? -remainder : remainder) < denominator) return quotient;
  return quotient + (numerator < 0n ? -1n : 1n);
}

function compare(one: bigint, other: bigint): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
