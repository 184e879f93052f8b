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
  for (const address of [
    "EM:ap@zolw.example",
    "0007:5560360793",
    "0088:4035811991014",
    "0151:51824753556",
    "0192:923609016",
    "0208:0202239951",
  ])
    documents.set(`address-${address.slice(0, address.indexOf(":"))}`, {
      ...sample,
      seller: peppolSeller,
      buyer: { ...sample.buyer, electronicAddress: address },
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

const countries: readonly { country: string; taxId: string; registrationNumber: string; address: string }[] =
  [
    { country: "DE", taxId: "DE123456788", registrationNumber: "HRB 1", address: "9930:DE123456788" },
    { country: "NL", taxId: "NL123456789B01", registrationNumber: "0106:12345678", address: "0106:12345678" },
    { country: "DK", taxId: "DK12345678", registrationNumber: "0184:DK12345678", address: "0184:DK12345678" },
    { country: "SE", taxId: "SE556036079301", registrationNumber: "5560360793", address: "0007:5560360793" },
    { country: "NO", taxId: "NO923609016MVA", registrationNumber: "923609016", address: "0192:923609016" },
    { country: "IT", taxId: "IT12345678903", registrationNumber: "RM 1", address: "0211:IT12345678903" },
    { country: "IS", taxId: "IS12345", registrationNumber: "0196:1234567890", address: "0196:1234567890" },
    { country: "FR", taxId: "FR32123456789", registrationNumber: "RCS 1", address: "0009:73282932000074" },
    { country: "GR", taxId: "EL123456789", registrationNumber: "G 1", address: "9933:123456789" },
    { country: "US", taxId: "12-3456789", registrationNumber: "EIN 1", address: "EM:ap@acme.example" },
  ];

/** A text that is there, or is missing, or is none: what people leave out, and mistype. */
const maybe = (text: string) => fc.constantFrom(text, text, text, undefined, "1");

/** Parties of any two countries, each of whose fields may be missing. */
const arbitraryGaps = fc
  .tuple(arbitraryInvoice, fc.constantFrom(...countries), fc.constantFrom(...countries), fc.boolean())
  .chain(([{ sources, note }, seller, buyer, isCredit]) => {
    const party = (of: (typeof countries)[number]) => ({
      address: fc.record({
        line1: maybe("Street 1"),
        city: maybe("City"),
        postalCode: maybe("12345"),
        country: fc.constantFrom(of.country, of.country, of.country, undefined),
      }),
      taxId: maybe(of.taxId),
      registrationNumber: maybe(of.registrationNumber),
      electronicAddress: fc.constantFrom(of.address, of.address, undefined),
      email: maybe("billing@acme.example"),
    });
    return fc
      .record({
        seller: fc.record({
          ...party(seller),
          contactName: maybe("Billing"),
          phone: maybe("+49 30 1234567"),
          iban: fc.constantFrom("DE02120300000000202051", undefined),
        }),
        buyer: fc.record({ ...party(buyer), buyerReference: maybe("PO 7") }),
      })
      .map((given) => {
        const changed = {
          ...sources,
          seller: { ...sources.seller, ...given.seller },
          buyer: { ...sources.buyer, ...given.buyer },
        };
        return note !== undefined && isCredit
          ? documentedCreditNote(note, changed)
          : documentedInvoice(changed);
      });
  });

const gaps_tried = 3_000;
const gaps_written_max = 250;

const [folder = ""] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
const write = (name: string, document: InvoiceDocument) =>
  writeFileSync(path.join(folder, `${name}.xml`), renderEInvoice(document));
for (const [name, document] of samples()) write(name, document);
// One that must not pass: a validator that lets everything through proves nothing.
const broken = renderEInvoice(sampleDocument()).replace(
  /(<cbc:PayableAmount[^>]*>)[^<]*/,
  (_, start: string) => `${start}1.00`,
);
writeFileSync(path.join(folder, "broken.xml"), broken);
// Whatever passes our own check must be valid for others: what is missing from it shows here.
const refusals = new Map<string, number>();
let written = 0;
for (const document of fc.sample(arbitraryGaps, { seed: random_seed, numRuns: gaps_tried })) {
  const faults = checkEInvoice(eInvoiceOf(document));
  for (const { rule } of faults) refusals.set(rule, (refusals.get(rule) ?? 0) + 1);
  if (faults.length > 0 || written >= gaps_written_max) continue;
  written += 1;
  write(`gaps-${String(written).padStart(3, "0")}`, document);
}
const told = [...refusals].map(([rule, count]) => `${rule} ${count}`);
console.log(`Of ${gaps_tried} with gaps, ${written} passed Weir's own check; refused by ${told.join(", ")}`);
