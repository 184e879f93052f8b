// Writes e-invoices into a folder, for a validator that is not ours: npm run test:einvoice.
import fc from "fast-check";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { documentedCreditNote, documentedInvoice } from "../../src/billing/invoicing/documented-invoice.js";
import {
  checkEInvoice,
  eInvoiceOf,
  renderEInvoice,
  type InvoiceDocument,
} from "../../src/documents/index.js";
import { parseCurrency } from "../../src/kernel/currency.js";
import { arbitraryInvoice, nimbus } from "../support/arbitrary-invoice.js";
import { sampleDocument } from "../support/sample-document.js";

const random_seed = 16931;
const random_invoices = 60;

/** By their names, those that `checkEInvoice` finds nothing wrong with: each must be valid for others too. */
function samples(): Map<string, InvoiceDocument> {
  const documents = new Map<string, InvoiceDocument>();
  const sample = sampleDocument();
  const german = {
    ...sample.buyer,
    name: "Stadt Bonn",
    address: { line1: "Berliner Platz 2", city: "Bonn", postalCode: "53111", country: "DE" },
    taxId: "DE123456788",
  };
  const peppolSeller = { ...nimbus, electronicAddress: "9930:DE123456788" };
  documents.set("sample", sample);
  documents.set("transfer", { ...sample, seller: nimbus });
  documents.set("dollars", { ...sample, seller: nimbus, currency: parseCurrency("USD") ?? sample.currency });
  documents.set("card", {
    ...sample,
    seller: nimbus,
    payment: { kind: "card", isCredit: false, network: "VISA", last4: "4242" },
  });
  documents.set("peppol", {
    ...sample,
    seller: peppolSeller,
    buyer: { ...sample.buyer, electronicAddress: "9945:PL1234567890" },
  });
  documents.set("peppol-german", {
    ...sample,
    seller: peppolSeller,
    buyer: { ...german, electronicAddress: "0204:05314000-12345-34" },
    buyerReference: "05314000-12345-34",
  });
  documents.set("peppol-dutch", {
    ...sample,
    seller: {
      ...nimbus,
      address: { line1: "Damrak 1", city: "Amsterdam", postalCode: "1012 LG", country: "NL" },
      taxId: "NL123456789B01",
      registrationNumber: "0106:12345678",
      electronicAddress: "0106:12345678",
    },
    buyer: {
      ...sample.buyer,
      address: { line1: "Coolsingel 40", city: "Rotterdam", postalCode: "3011 AD", country: "NL" },
      taxId: "NL987654321B01",
      registrationNumber: "0106:87654321",
      electronicAddress: "0106:87654321",
    },
  });
  documents.set("goods", withCategory(sample, "goods", "reverse_charge:PL", "reverse_charge"));
  documents.set("goods-exported", {
    ...withCategory(sample, "goods", "exempt:export", "exempt"),
    buyer: { ...sample.buyer, address: { city: "Zürich", country: "CH" }, taxId: undefined },
  });
  const random = fc.sample(arbitraryInvoice, { seed: random_seed, numRuns: random_invoices });
  for (const [index, { sources, note }] of random.entries()) {
    const number = String(index).padStart(2, "0");
    documents.set(`random-${number}`, documentedInvoice(sources));
    const isAbroad = sources.buyer.address?.country === "FR";
    const address = isAbroad ? "0009:73282932000074" : "9930:DE123456788";
    if (index % 2 === 0 && sources.buyer.address?.country !== "US")
      documents.set(
        `random-peppol-${number}`,
        documentedInvoice({
          ...sources,
          seller: peppolSeller,
          buyer: { ...sources.buyer, electronicAddress: address },
        }),
      );
    if (note !== undefined) documents.set(`random-credit-${number}`, documentedCreditNote(note, sources));
  }
  return documents;
}

/** The same, with every line taxed as what is neither a service nor taxed. */
function withCategory(
  document: InvoiceDocument,
  taxCategory: string,
  key: string,
  treatment: "reverse_charge" | "exempt",
): InvoiceDocument {
  const tax = document.taxes.reduce((sum, { taxMinor }) => sum + taxMinor, 0n);
  const [first] = document.taxes;
  if (first === undefined) throw new RangeError("the sample has a tax");
  return {
    ...document,
    sections: document.sections.map((section) => ({
      ...section,
      lines: section.lines.map((line) => ({ ...line, taxKey: key, taxCategory })),
    })),
    taxes: [{ ...first, key, treatment, percent: first.percent.minus(first.percent), taxMinor: 0n }],
    totalMinor: document.totalMinor - tax,
    amountDueMinor: document.amountDueMinor - tax,
  };
}

const [folder = ""] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
let refused = 0;
for (const [name, document] of samples()) {
  const faults = checkEInvoice(eInvoiceOf(document));
  if (faults.length > 0) {
    refused += 1;
    console.log(`refused ${name}: ${faults.map(({ rule }) => rule).join(", ")}`);
  } else writeFileSync(path.join(folder, `${name}.xml`), renderEInvoice(document));
}
console.log(`${refused} were refused by Weir itself`);
