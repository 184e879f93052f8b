import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { at, d, usd } from "../../../test/support/billing-contract.js";
import { newId } from "../../kernel/ids.js";
import { codeOf, type Transfer } from "../../ledger/core/index.js";
import type { TaxRate } from "../../tax/core/index.js";
import { allocate } from "./allocation.js";
import { assemble, type AssembledInput, type Funds } from "./assembly.js";
import { decideCredits } from "./credit-note.js";
import { creditNotePosting, finalizeTransfers, type PostedInvoice } from "./invoice-posting.js";

const rate = (percent: string, inclusive = false): TaxRate => ({
  key: `DE:${percent}${inclusive ? ":in" : ""}`,
  name: "VAT",
  percent: d(percent),
  inclusive,
  treatment: "taxed",
});
const vat = rate("19");
const none: Funds = { promotional: 0n, paid: 0n, balance: 0n };

describe("allocation", () => {
  test("100 over three equal parts is 34, 33, 33; over 1, 1, 3 it is 20, 20, 60", () => {
    expect(allocate(100n, [1n, 1n, 1n])).toEqual([34n, 33n, 33n]);
    expect(allocate(100n, [1n, 1n, 3n])).toEqual([20n, 20n, 60n]);
    expect(allocate(-100n, [1n, 1n, 1n])).toEqual([-34n, -33n, -33n]);
    expect(allocate(5n, [0n, 0n])).toEqual([5n, 0n]);
  });

  test("parts add up, and none is a unit or more from its share", () => {
    const weights = fc.array(fc.bigInt({ min: 0n, max: 10n ** 9n }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 9n), max: 10n ** 9n }), weights, (amount, given) => {
        const parts = allocate(amount, given);
        expect(parts.reduce((sum, part) => sum + part, 0n)).toBe(amount);
        const whole = given.reduce((sum, weight) => sum + weight, 0n);
        for (const [index, part] of parts.entries()) {
          const off = part * whole - amount * given[index]!;
          if (whole > 0n) expect(off < whole && off > -whole).toBe(true);
        }
      }),
    );
  });
});

describe("from lines to what is due", () => {
  test("100.00 with 30.00 promotional, 19 % on 70.00, 50.00 paid and 10.00 balance leaves 23.30", () => {
    const funds = { promotional: 3000n, paid: 5000n, balance: 1000n };
    const { totals, lines } = assemble(
      [
        { minor: 7500n, rate: vat },
        { minor: 2500n, rate: vat },
      ],
      funds,
    );
    expect(totals).toEqual({
      subtotal: 10_000n,
      promotional: 3000n,
      tax: 1330n,
      total: 8330n,
      paidCredits: 5000n,
      balanceUsed: 1000n,
      toBalance: 0n,
      due: 2330n,
    });
    expect(lines.map((line) => [line.promotional, line.taxable, line.tax])).toEqual([
      [2250n, 5250n, 998n],
      [750n, 1750n, 332n],
    ]);
  });

  test("prices that include their tax: 119.00 is 100.00 and 19.00", () => {
    const { totals, lines } = assemble([{ minor: 11_900n, rate: rate("19", true) }], none);
    expect([totals.subtotal, totals.tax, totals.total, lines[0]!.taxable]).toEqual([
      11_900n,
      1900n,
      11_900n,
      10_000n,
    ]);
  });

  test("what is below zero becomes balance with its tax, and takes no credits", () => {
    const { totals } = assemble([{ minor: -1000n, rate: vat }], {
      promotional: 500n,
      paid: 500n,
      balance: 500n,
    });
    expect([totals.total, totals.promotional, totals.paidCredits, totals.toBalance, totals.due]).toEqual([
      -1190n,
      0n,
      0n,
      1190n,
      0n,
    ]);
  });
});

const line = fc.record({
  minor: fc.bigInt({ min: -100_000n, max: 100_000n }),
  rate: fc.constantFrom(vat, rate("7"), rate("25.5"), rate("19", true), {
    ...vat,
    treatment: "exempt" as const,
  }),
});
const lines = fc.array(line, { maxLength: 12 });
const funds = fc.record({
  promotional: fc.bigInt({ min: 0n, max: 100_000n }),
  paid: fc.bigInt({ min: 0n, max: 100_000n }),
  balance: fc.bigInt({ min: 0n, max: 100_000n }),
});
const services = [
  { start: at("2026-01-01"), end: at("2026-02-01") },
  { start: at("2026-02-01"), end: at("2026-03-01") },
];
const payer = newId("cus", at("2026-01-01"));

function invoiceOf(given: readonly AssembledInput[], with_: Funds): PostedInvoice {
  const assembled = assemble(given, with_);
  return {
    id: newId("inv", at("2026-01-01")),
    payer,
    currency: usd,
    totals: assembled.totals,
    lines: assembled.lines.map((one, index) => ({ ...one, service: services[index % 2]!, deferred: 0n })),
  };
}

/** What accounts come to, debits above zero. */
function sums(transfers: readonly Transfer[]): Map<string, bigint> {
  const found = new Map<string, bigint>();
  for (const { debit, credit, amount } of transfers) {
    expect(amount.minor > 0n).toBe(true);
    found.set(codeOf(debit), (found.get(codeOf(debit)) ?? 0n) + amount.minor);
    found.set(codeOf(credit), (found.get(codeOf(credit)) ?? 0n) - amount.minor);
  }
  return found;
}

test("what is for services still to come is deferred, and owed all the same", () => {
  const invoice = invoiceOf(
    [
      { minor: 1000n, rate: vat },
      { minor: 300n, rate: vat },
    ],
    none,
  );
  const [first, ...others] = invoice.lines;
  const accounts = sums(
    finalizeTransfers({ ...invoice, lines: [{ ...first!, deferred: 1000n }, ...others] }),
  );
  expect([accounts.get("deferred_revenue"), accounts.get("revenue")]).toEqual([-1000n, -300n]);
  expect(accounts.get(`receivable:${payer}`)).toBe(1547n);
});

test("an invoice never goes below zero, and its amounts add up", () => {
  fc.assert(
    fc.property(lines, funds, (given, with_) => {
      const { totals, lines: assembled } = assemble(given, with_);
      expect(totals.due >= 0n && totals.toBalance >= 0n).toBe(true);
      expect(totals.promotional <= with_.promotional && totals.paidCredits <= with_.paid).toBe(true);
      expect(totals.total).toBe(totals.due + totals.paidCredits + totals.balanceUsed - totals.toBalance);
      expect(assembled.reduce((sum, one) => sum + one.promotional, 0n)).toBe(totals.promotional);
      expect(assembled.reduce((sum, one) => sum + one.taxable + one.tax, 0n)).toBe(totals.total);
      expect(assembled.reduce((sum, one) => sum + one.tax, 0n)).toBe(totals.tax);
      for (const [index, one] of assembled.entries())
        expect(
          one.promotional >= 0n && one.promotional <= (given[index]!.minor > 0n ? given[index]!.minor : 0n),
        ).toBe(true);
    }),
  );
});

test("the ledger: the receivable ends at what is due, revenue and tax at what the lines bear", () => {
  fc.assert(
    fc.property(lines, funds, (given, with_) => {
      const invoice = invoiceOf(given, with_);
      const { totals } = invoice;
      const transfers = finalizeTransfers(invoice);
      const accounts = sums(transfers);
      const of = (code: string) => accounts.get(code) ?? 0n;
      expect([...accounts.values()].reduce((sum, minor) => sum + minor, 0n)).toBe(0n);
      expect(of(`receivable:${payer}`)).toBe(totals.due);
      expect(of("tax_payable")).toBe(-totals.tax);
      expect(of("revenue")).toBe(-(totals.total - totals.tax + totals.promotional));
      expect(of("promotional_credit")).toBe(totals.promotional);
      expect(of(`prepaid_credit:${payer}`)).toBe(totals.paidCredits);
      expect(of(`customer_balance:${payer}`)).toBe(totals.balanceUsed - totals.toBalance);
      const debited = transfers.filter(
        ({ debit, credit }) => debit.kind === "receivable" && credit.kind !== "customer_balance",
      );
      const credited = transfers.filter(
        ({ credit, debit }) =>
          credit.kind === "receivable" && (debit.kind === "revenue" || debit.kind === "tax_payable"),
      );
      const net = (some: readonly Transfer[]) => some.reduce((sum, { amount }) => sum + amount.minor, 0n);
      expect(net(debited) - net(credited)).toBe(
        totals.due + totals.promotional + totals.paidCredits + totals.balanceUsed - totals.toBalance,
      );
    }),
  );
});

describe("credit notes", () => {
  const billed = { id: "il_1", taxable: 1000n, tax: 190n, creditedNet: 0n, creditedTax: 0n };

  test("a line is given back with the tax that it bore, and never more than was charged", () => {
    expect(decideCredits([billed], [{ line: "il_1" }])).toEqual({
      ok: true,
      lines: [{ line: "il_1", net: 1000n, tax: 190n }],
    });
    expect(decideCredits([billed], [{ line: "il_1", minor: 333n }])).toEqual({
      ok: true,
      lines: [{ line: "il_1", net: 333n, tax: 63n }],
    });
    const messages = [{ line: "il_1", minor: 1001n }, { line: "il_2" }, { line: "il_1", minor: 0n }].map(
      (request) => {
        const decided = decideCredits([billed], [request]);
        return decided.ok ? "" : decided.faults[0]!.message;
      },
    );
    expect(messages).toEqual([
      "would be given back more than was charged",
      "is not a line of the invoice",
      "must be given back an amount above zero",
    ]);
  });

  test("bit by bit or at once, what is given back of a line is its amount and its tax", () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 1n, max: 10_000n }),
        fc.array(fc.bigInt({ min: 1n, max: 3000n })),
        (taxable, bits) => {
          const tax = assemble([{ minor: taxable, rate: vat }], none).totals.tax;
          let creditable = { id: "l", taxable, tax, creditedNet: 0n, creditedTax: 0n };
          const give = (minor?: bigint) => {
            const decided = decideCredits(
              [creditable],
              [{ line: "l", ...(minor === undefined ? {} : { minor }) }],
            );
            if (!decided.ok) return;
            const [given] = decided.lines;
            expect(given!.tax >= 0n).toBe(true);
            creditable = {
              ...creditable,
              creditedNet: creditable.creditedNet + given!.net,
              creditedTax: creditable.creditedTax + given!.tax,
            };
          };
          for (const bit of bits) give(bit);
          give();
          expect([creditable.creditedNet, creditable.creditedTax]).toEqual([taxable, tax]);
        },
      ),
    );
  });

  test("what was not earned yet is taken back from what is deferred, the rest from revenue", () => {
    const { transfers } = creditNotePosting({
      id: "cn_1",
      payer,
      currency: usd,
      lines: [
        { net: 1000n, tax: 0n, service: services[0]!, deferred: 400n },
        { net: 500n, tax: 0n, service: services[1]!, deferred: 0n },
      ],
      toBalance: 0n,
    });
    const accounts = sums(transfers);
    expect([accounts.get("revenue"), accounts.get("deferred_revenue")]).toEqual([1100n, 400n]);
    expect(accounts.get(`receivable:${payer}`)).toBe(-1500n);
  });

  test("what exceeds what is still to be paid becomes balance", () => {
    const { transfers } = creditNotePosting({
      id: "cn_1",
      payer,
      currency: usd,
      lines: [{ net: 1000n, tax: 190n, service: services[0]!, deferred: 0n }],
      toBalance: 190n,
    });
    const accounts = sums(transfers);
    expect(accounts.get(`receivable:${payer}`)).toBe(-1000n);
    expect(accounts.get(`customer_balance:${payer}`)).toBe(-190n);
    expect([accounts.get("revenue"), accounts.get("tax_payable")]).toEqual([1000n, 190n]);
  });
});
