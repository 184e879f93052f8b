import { parseCurrency, type Currency } from "../../src/kernel/currency.js";
import type { CustomerId } from "../../src/kernel/ids.js";
import type { Instant } from "../../src/kernel/instant.js";
import type { Posting } from "../../src/ledger/index.js";

export const usd = parseCurrency("USD") as Currency;

export const customer = (number: number) =>
  `cus_01arz3ndektsv4rrffq69g5f${String(number).padStart(2, "0")}` as CustomerId;

/** What an invoice of one of seven customers posts: revenue of a time, and a fifth and one of tax. */
export const invoice = (number: number, minor: bigint, currency = usd): Posting => ({
  idempotencyKey: `invoice:${number}`,
  reason: "invoice.finalize",
  reference: `inv_${number}`,
  transfers: [
    {
      debit: { kind: "receivable", customer: customer(number % 7) },
      credit: { kind: "revenue" },
      amount: { currency, minor },
      service: { start: 1_000_000 as Instant, end: 2_000_001 as Instant },
    },
    {
      debit: { kind: "receivable", customer: customer(number % 7) },
      credit: { kind: "tax_payable" },
      amount: { currency, minor: minor / 5n + 1n },
    },
  ],
});
