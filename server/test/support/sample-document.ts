import type { DocumentLine, InvoiceDocument } from "../../src/documents/index.js";
import type { Currency } from "../../src/kernel/currency.js";
import { Decimal } from "../../src/kernel/decimal.js";
import { parseInstant } from "../../src/kernel/instant.js";
import type { TimeZone } from "../../src/kernel/time-zone.js";

const d = (text: string) => Decimal.of(text);
const at = (text: string) => parseInstant(text)!;

/** March 2026 in Auckland. */
export const march = { start: at("2026-02-28T11:00:00Z"), end: at("2026-03-31T11:00:00Z") };

export function sampleLine(more: Partial<DocumentLine> = {}): DocumentLine {
  const { minor = 1000n, promotionalMinor = 0n } = more;
  return {
    description: "Requests",
    period: march,
    quantity: d("1000"),
    unit: "requests",
    unitAmount: d("0.01"),
    details: [],
    discounts: [],
    minor,
    promotionalMinor,
    taxableMinor: minor - promotionalMinor,
    taxKey: "DE:standard:19",
    note: undefined,
    ...more,
  };
}

/** An invoice with one of everything, whose sums add up. */
export function sampleDocument(more: Partial<InvoiceDocument> = {}): InvoiceDocument {
  return {
    kind: "invoice",
    number: "NIM-2026-000042",
    reference: "inv_01kmz3v0hbe8p8sxm5gaxr5z3q",
    corrects: undefined,
    buyerReference: "PO 7781",
    locale: "en-GB",
    timeZone: "Pacific/Auckland" as TimeZone,
    currency: "EUR" as Currency,
    issuedAt: at("2026-04-01T11:00:00Z"),
    dueAt: at("2026-05-01T11:00:00Z"),
    seller: {
      name: "Nimbus Cloud GmbH",
      address: { line1: "Torstraße 140", city: "Berlin", postalCode: "10119", country: "DE" },
      taxId: "DE123456789",
      email: "billing@nimbus.example",
      bankDetails: "IBAN DE02 1203 0000 0000 2020 51 · BIC BYLADEM1001\nPlease name the invoice number.",
    },
    buyer: {
      name: "Łódź Żółw Sp. z o.o.",
      address: {
        line1: "ul. Piotrkowska 77",
        line2: "III piętro",
        city: "Łódź",
        postalCode: "90-423",
        country: "PL",
      },
      taxId: "PL1234567890",
      email: "faktury@zolw.example",
    },
    sections: [
      {
        title: "Scale plan",
        subtitle: undefined,
        period: march,
        lines: [
          sampleLine({
            description: "Platform fee",
            quantity: d("1"),
            unit: undefined,
            unitAmount: d("199"),
            minor: 19900n,
            promotionalMinor: 5000n,
          }),
          sampleLine({
            description: "LLM tokens, all models",
            quantity: d("12500000"),
            unit: "tokens",
            unitAmount: undefined,
            minor: 3150n,
            details: [
              {
                kind: "tier",
                from: d("0"),
                upTo: d("1000000"),
                quantity: d("1000000"),
                unitAmount: d("0"),
                per: d("1000000"),
                flatAmount: undefined,
                amount: d("0"),
              },
              {
                kind: "tier",
                from: d("1000000"),
                upTo: d("10000000"),
                quantity: d("9000000"),
                unitAmount: d("3"),
                per: d("1000000"),
                flatAmount: undefined,
                amount: d("27"),
              },
              {
                kind: "tier",
                from: d("10000000"),
                upTo: undefined,
                quantity: d("2500000"),
                unitAmount: d("1.8"),
                per: d("1000000"),
                flatAmount: undefined,
                amount: d("4.5"),
              },
            ],
          }),
          sampleLine({
            description: "Egress",
            quantity: d("1843.27519"),
            unit: "GiB",
            unitAmount: undefined,
            minor: 13272n,
            details: [
              { kind: "text", text: "Europe, 0.08 per GiB", quantity: d("1500"), amount: d("120") },
              {
                kind: "text",
                text: "Oceania, 0.08 per GiB",
                quantity: d("343.27519"),
                amount: d("27.4620152"),
              },
            ],
            discounts: [{ name: "Launch coupon, 10 %", minor: -1474n }],
          }),
          sampleLine({
            description: "Seats",
            quantity: d("25"),
            unit: "seats",
            unitAmount: d("12.5"),
            period: { start: march.start, end: at("2026-03-15T11:00:00Z") },
            minor: 15121n,
            note: "5 seats added on 12 March, prorated by days",
          }),
        ],
      },
      {
        title: "Archive add-on",
        subtitle: "project kereru",
        period: march,
        lines: [
          sampleLine({
            description: "Stored log records",
            quantity: d("480250000"),
            unit: "records",
            unitAmount: d("0.35"),
            unitPer: d("1000000"),
            minor: 16809n,
          }),
          sampleLine({
            description: "Stored log records",
            quantity: d("-1200000"),
            unit: "records",
            unitAmount: d("0.35"),
            unitPer: d("1000000"),
            minor: -42n,
            period: { start: at("2026-01-31T11:00:00Z"), end: march.start },
            note: "Correction of an earlier period: events were voided",
          }),
        ],
      },
    ],
    subtotalMinor: 68210n,
    credits: [{ label: "Welcome credit", minor: -5000n }],
    taxes: [
      {
        key: "DE:standard:19",
        name: "VAT",
        percent: d("19"),
        treatment: "taxed",
        inclusive: false,
        taxableMinor: 63210n,
        taxMinor: 12010n,
        note: undefined,
      },
    ],
    totalMinor: 75220n,
    settlements: [{ label: "Prepaid credit", minor: -10000n }],
    amountDueMinor: 65220n,
    paymentTerms: "Net 30 days",
    notes: ["Questions about a line? weir invoices explain NIM-2026-000042 shows its events."],
    ...more,
  };
}
