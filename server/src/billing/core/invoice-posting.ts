import type { Currency } from "../../kernel/currency.js";
import type { CustomerId, InvoiceId } from "../../kernel/ids.js";
import { reversed, type Account, type Posting, type Transfer } from "../../ledger/core/index.js";
import type { AssembledLine, InvoiceTotals } from "./assembly.js";
import type { Period } from "./service-period.js";

/** A line as the ledger sees it. */
export interface PostedLine extends Pick<AssembledLine, "promotional" | "taxable" | "tax"> {
  readonly service: Period;
  /** What of it is not earned yet: all or nothing when it is finalized, and what is left of that when it is voided. */
  readonly deferred: bigint;
}

export interface PostedInvoice {
  readonly id: InvoiceId;
  readonly payer: CustomerId;
  readonly currency: Currency;
  readonly lines: readonly PostedLine[];
  readonly totals: InvoiceTotals;
}

/** What a line earns: what promotional credits covered was earned all the same; that it was given away is an expense. */
export function earnedOf({ taxable, promotional }: Pick<AssembledLine, "promotional" | "taxable">): bigint {
  return taxable + promotional;
}

/**
 * What finalizing posts: the receivable rises by revenue (of each service period) and tax, and falls by what credits and
 * balance cover; it ends at what is due. What is for services still to come is deferred. Undefined when nothing moves.
 */
export function finalizePosting(invoice: PostedInvoice): Posting | undefined {
  const transfers = finalizeTransfers(invoice);
  if (transfers.length === 0) return undefined;
  return {
    idempotencyKey: `invoice:${invoice.id}:finalize`,
    reason: "invoice.finalize",
    reference: invoice.id,
    transfers,
  };
}

export function finalizeTransfers({ payer, currency, lines, totals }: PostedInvoice): Transfer[] {
  const receivable: Account = { kind: "receivable", customer: payer };
  const balance: Account = { kind: "customer_balance", customer: payer };
  const move = moverIn(currency);
  return [
    ...byService(lines.map((line) => ({ ...line, minor: earnedOf(line) - line.deferred }))).flatMap(
      ({ service, minor }) => move(receivable, { kind: "revenue" }, minor, service),
    ),
    ...byService(lines.map((line) => ({ ...line, minor: line.deferred }))).flatMap(({ service, minor }) =>
      move(receivable, { kind: "deferred_revenue" }, minor, service),
    ),
    ...move(receivable, { kind: "tax_payable" }, totals.tax),
    ...move({ kind: "promotional_credit" }, receivable, totals.promotional),
    ...move({ kind: "prepaid_credit", customer: payer }, receivable, totals.paidCredits),
    ...move(balance, receivable, totals.balanceUsed),
    ...move(receivable, balance, totals.toBalance),
  ];
}

/** What voiding posts: the opposite of what finalizing did, and of what was recognised since. */
export function voidPosting(invoice: PostedInvoice): Posting | undefined {
  const transfers = reversed(finalizeTransfers(invoice));
  if (transfers.length === 0) return undefined;
  return {
    idempotencyKey: `invoice:${invoice.id}:void`,
    reason: "invoice.void",
    reference: invoice.id,
    transfers,
  };
}

export interface PostedCreditNote {
  readonly id: string;
  readonly payer: CustomerId;
  readonly currency: Currency;
  /** Amounts given back, zero or more. */
  readonly lines: readonly {
    readonly net: bigint;
    readonly tax: bigint;
    readonly service: Period;
    /** What of the net was not earned yet. */
    readonly deferred: bigint;
  }[];
  /** What of it becomes balance, since the invoice has no more to be paid. */
  readonly toBalance: bigint;
}

/** What a credit note posts: revenue and tax are taken back, off what is owed, the rest as balance. */
export function creditNotePosting({ id, payer, currency, lines, toBalance }: PostedCreditNote): Posting {
  const receivable: Account = { kind: "receivable", customer: payer };
  const move = moverIn(currency);
  return {
    idempotencyKey: `credit_note:${id}`,
    reason: "credit_note.issue",
    reference: id,
    transfers: [
      ...byService(lines.map(({ net, deferred, service }) => ({ minor: net - deferred, service }))).flatMap(
        ({ service, minor }) => move({ kind: "revenue" }, receivable, minor, service),
      ),
      ...byService(lines.map(({ deferred, service }) => ({ minor: deferred, service }))).flatMap(
        ({ service, minor }) => move({ kind: "deferred_revenue" }, receivable, minor, service),
      ),
      ...move(
        { kind: "tax_payable" },
        receivable,
        lines.reduce((sum, line) => sum + line.tax, 0n),
      ),
      ...move(receivable, { kind: "customer_balance", customer: payer }, toBalance),
    ],
  };
}

/** Sums by service period, in order of time. */
function byService(
  lines: readonly { readonly minor: bigint; readonly service: Period }[],
): { service: Period; minor: bigint }[] {
  const sums = new Map<string, { service: Period; minor: bigint }>();
  for (const { minor, service } of lines) {
    const key = `${service.start}-${service.end}`;
    sums.set(key, { service, minor: (sums.get(key)?.minor ?? 0n) + minor });
  }
  return [...sums.values()].sort(
    (a, b) => a.service.start - b.service.start || a.service.end - b.service.end,
  );
}

/** A transfer of an amount of any sign: below zero it goes the other way, and for zero there is none. */
function moverIn(currency: Currency) {
  return (debit: Account, credit: Account, minor: bigint, service?: Period): Transfer[] => {
    if (minor === 0n) return [];
    const sides = minor > 0n ? { debit, credit } : { debit: credit, credit: debit };
    const amount = { currency, minor: minor > 0n ? minor : -minor };
    return [{ ...sides, amount, ...(service === undefined ? {} : { service }) }];
  };
}
