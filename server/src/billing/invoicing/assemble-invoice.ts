import type { GrantDraw } from "../../credits/index.js";
import { assemble, type AssembledLine, type InvoiceTotals } from "../core/index.js";
import type { Funds } from "./funds.js";
import type { InvoiceTax } from "./invoice.js";
import type { PricedInvoice, PricedLine } from "./priced-invoice.js";

/** An invoice with credits, tax and balance. */
export interface AssembledInvoice {
  readonly priced: PricedInvoice;
  /** What became of each of its lines, in their order. */
  readonly lines: readonly AssembledLine[];
  readonly taxes: readonly InvoiceTax[];
  readonly totals: InvoiceTotals;
  /** What it takes from which grants. */
  readonly draws: readonly GrantDraw[];
}

/** Takes an invoice to what is due. What it uses is taken off the funds. */
export function assembleInvoice(priced: PricedInvoice, funds: Funds): AssembledInvoice {
  const payment = { payer: priced.payer.id, currency: priced.currency };
  const assembled = assemble(
    priced.lines.map(({ net, rate }) => ({ minor: net, rate })),
    funds.availableFor(payment, priced.creditsUntil),
  );
  const { totals } = assembled;
  const draws = funds.take(payment, priced.creditsUntil, {
    promotional: totals.promotional,
    paid: totals.paidCredits,
    balance: totals.balanceUsed,
    toBalance: totals.toBalance,
  });
  return {
    priced,
    lines: assembled.lines,
    taxes: assembled.taxes.map(({ rate, net, tax }) => ({ rate, taxable: net, tax })),
    totals,
    draws,
  };
}

/** The lines with what became of them. */
export function wholeLines({ priced, lines }: AssembledInvoice): (PricedLine & AssembledLine)[] {
  return priced.lines.map((line, index) => {
    const amounts = lines[index];
    if (amounts === undefined) throw new RangeError("a line was not assembled");
    return { ...line, ...amounts };
  });
}
