import { computeTax, type RateTax, type TaxRate } from "../../tax/core/index.js";
import { allocate } from "./allocation.js";

/** A line as far as tax and credits go; its amount contains its tax when its rate is inclusive. */
export interface AssembledInput {
  /** After discounts, in minor units; of any sign. */
  readonly minor: bigint;
  readonly rate: TaxRate;
}

/** What there is to pay with, in minor units, each zero or more. */
export interface Funds {
  readonly promotional: bigint;
  readonly paid: bigint;
  readonly balance: bigint;
}

export interface AssembledLine {
  /** Promotional credits that fell to the line, zero or more. */
  readonly promotional: bigint;
  /** What is taxed: without the promotional credits, and without its tax. */
  readonly taxable: bigint;
  readonly tax: bigint;
}

/** An invoice's amounts, in minor units. */
export interface InvoiceTotals {
  /** The sum of the lines. */
  readonly subtotal: bigint;
  readonly promotional: bigint;
  readonly tax: bigint;
  /** Lines less promotional credits, with tax: what the invoice is about. Below zero when it gives back. */
  readonly total: bigint;
  readonly paidCredits: bigint;
  readonly balanceUsed: bigint;
  /** What is given back, as balance for later invoices. */
  readonly toBalance: bigint;
  /** What remains to be paid: never below zero. */
  readonly due: bigint;
}

export interface Assembled {
  readonly lines: readonly AssembledLine[];
  readonly taxes: readonly RateTax[];
  readonly totals: InvoiceTotals;
}

/** Takes lines to what is due: promotional credits, then tax, then paid credits, then balance. */
export function assemble(lines: readonly AssembledInput[], funds: Funds): Assembled {
  const subtotal = sum(lines.map((line) => line.minor));
  const promotional = atMost(funds.promotional, subtotal);
  // Over the lines that cost something: their sum is at least the subtotal, so none is taken below zero.
  const shares =
    promotional === 0n
      ? lines.map(() => 0n)
      : allocate(
          promotional,
          lines.map(({ minor }) => (minor > 0n ? minor : 0n)),
        );
  const computed = computeTax(
    lines.map(({ minor, rate }, index) => ({ minor: minor - (shares[index] ?? 0n), rate })),
  );
  const total = computed.total.gross;
  const paidCredits = atMost(funds.paid, total);
  const balanceUsed = atMost(funds.balance, total - paidCredits);
  return {
    lines: computed.lines.map(({ net, tax }, index) => ({
      promotional: shares[index] ?? 0n,
      taxable: net,
      tax,
    })),
    taxes: computed.rates,
    totals: {
      subtotal,
      promotional,
      tax: computed.total.tax,
      total,
      paidCredits,
      balanceUsed,
      toBalance: total < 0n ? -total : 0n,
      due: total > 0n ? total - paidCredits - balanceUsed : 0n,
    },
  };
}

function atMost(available: bigint, due: bigint): bigint {
  if (due <= 0n || available <= 0n) return 0n;
  return available < due ? available : due;
}

function sum(amounts: readonly bigint[]): bigint {
  return amounts.reduce((total, amount) => total + amount, 0n);
}
