// Invoices as billing assembles them, and credit notes of them, as e-invoices: what was written is parsed and computed anew.
import fc from "fast-check";
import { expect, test } from "vitest";
import { documentedCreditNote, documentedInvoice } from "../../src/billing/invoicing/documented-invoice.js";
import { checkEInvoice, eInvoiceOf, writeEInvoice, type InvoiceDocument } from "../../src/documents/index.js";
import { Decimal } from "../../src/kernel/decimal.js";
import { toDecimal } from "../../src/kernel/money.js";
import { arbitraryInvoice } from "../support/arbitrary-invoice.js";
import { arithmeticFaults } from "../support/e-invoice-arithmetic.js";
import { parseXml, textAt } from "../support/parsed-xml.js";

/** Written without the check, so that a fault of one shows although the other is blind to it. */
function expectToHold(document: InvoiceDocument): void {
  const invoice = eInvoiceOf(document);
  const root = parseXml(writeEInvoice(invoice));
  // Two of the organization's rates have one percentage, and each is rounded once; so is what is taken out of prices.
  const slack = Decimal.of(document.currency === "JPY" ? "2" : "0.02");
  expect(arithmeticFaults(root, slack)).toEqual([]);
  expect(
    checkEInvoice(invoice).filter(({ rule }) => !(slack.equals(Decimal.of(2)) && rule === "BR-CO-17")),
  ).toEqual([]);
  const sign = document.kind === "credit_note" ? -1n : 1n;
  const stated = (path: string) => Decimal.of(textAt(root, path) ?? "0");
  const own = (minor: bigint) => toDecimal({ currency: document.currency, minor: sign * minor });
  const tax = document.taxes.reduce((sum, { taxMinor }) => sum + taxMinor, 0n);
  for (const [path, minor] of [
    ["LegalMonetaryTotal/TaxInclusiveAmount", document.totalMinor],
    ["LegalMonetaryTotal/PayableAmount", document.amountDueMinor],
    ["TaxTotal/TaxAmount", tax],
  ] as const)
    expect(stated(path).toString(), path).toBe(own(minor).toString());
}

test("every invoice foots to the cent when it is computed anew from its XML, and says what the invoice says", () => {
  fc.assert(
    fc.property(arbitraryInvoice, ({ sources }) => expectToHold(documentedInvoice(sources))),
    { numRuns: 500 },
  );
});

test("so does every credit note of one", () => {
  let notes = 0;
  fc.assert(
    fc.property(arbitraryInvoice, ({ sources, note }) => {
      if (note === undefined) return;
      notes += 1;
      expectToHold(documentedCreditNote(note, sources));
    }),
    { numRuns: 500 },
  );
  expect(notes).toBeGreaterThan(50);
});
