import type { Currency } from "../kernel/currency.js";
import type { Decimal } from "../kernel/decimal.js";
import type { Instant } from "../kernel/instant.js";
import type { TimeZone } from "../kernel/time-zone.js";

/** A postal address; what is empty is left out. */
export interface PostalAddress {
  readonly line1?: string | undefined;
  readonly line2?: string | undefined;
  readonly city?: string | undefined;
  readonly postalCode?: string | undefined;
  readonly region?: string | undefined;
  /** ISO 3166-1 alpha-2, such as "DE". */
  readonly country?: string | undefined;
}

/** Who sells or buys, as the document names them. */
export interface DocumentParty {
  readonly name: string;
  readonly address?: PostalAddress | undefined;
  readonly taxId?: string | undefined;
  readonly email?: string | undefined;
  /** Where its e-invoices go, such as "0204:991-01234-56"; not printed. */
  readonly electronicAddress?: string | undefined;
  /** In a register of companies: "HRB 12345", or with its scheme of ISO 6523 "0106:12345678". */
  readonly registrationNumber?: string | undefined;
}

/** The seller, with where to pay. */
export interface DocumentSeller extends DocumentParty {
  readonly contactName?: string | undefined;
  readonly phone?: string | undefined;
  readonly iban?: string | undefined;
  readonly bic?: string | undefined;
  /** Free text of several lines: account, bank, what to name. */
  readonly bankDetails?: string | undefined;
  /** In which the days of issue and payment are written; the document's when left out. */
  readonly timeZone?: TimeZone | undefined;
}

/** How the document is, or was, to be paid, where that is known. */
export type DocumentPayment =
  | {
      readonly kind: "transfer";
      /** What to name, by which the payment is matched: a structured reference. */
      readonly reference: string;
      /** Where to; the seller's own account when left out. */
      readonly account?: {
        readonly holder: string;
        readonly iban: string;
        readonly bic?: string | undefined;
      };
      /** The text of a QR code that fills a transfer in, where there is one. */
      readonly code?: string | undefined;
    }
  | {
      readonly kind: "card";
      readonly isCredit: boolean;
      readonly network: string;
      readonly last4: string;
    };

/** Half-open [start, end). */
export interface DocumentPeriod {
  readonly start: Instant;
  readonly end: Instant;
}

/** What a detail can be called in every language; see `details` of the labels. */
export type DetailWord =
  | "flat"
  | "packages"
  | "percentage"
  | "percentageFree"
  | "percentageMinimum"
  | "percentageMaximum"
  | "converted"
  | "otherValues"
  | "eventPrices"
  | "window"
  | "change"
  | "tierFee"
  | "lastTierFee"
  | "floor";

/** What one tier, package, cell or window contributed to a line; shown below it in small type. */
export type DocumentDetail =
  | {
      readonly kind: "tier";
      /** Exclusive lower bound. */
      readonly from: Decimal;
      /** Inclusive upper bound; undefined when the tier is open. */
      readonly upTo: Decimal | undefined;
      readonly quantity: Decimal;
      /** Exact, in major units, for `per` units; undefined when the tier has only a flat fee. */
      readonly unitAmount: Decimal | undefined;
      readonly per: Decimal;
      readonly flatAmount: Decimal | undefined;
      readonly amount: Decimal;
    }
  | {
      /** Worded in the document's language. */
      readonly kind: "worded";
      readonly word: DetailWord;
      /** For the places in the wording, such as `size` of "Packages of {size}". */
      readonly values: Readonly<Record<string, Decimal>>;
      readonly quantity: Decimal | undefined;
      /** Exact, in major units. */
      readonly amount: Decimal | undefined;
    }
  | {
      readonly kind: "text";
      /** Names what it is: "EU region", "Included", "Commitment of 50,000". */
      readonly text: string;
      readonly quantity: Decimal | undefined;
      /** Exact, in major units. */
      readonly amount: Decimal | undefined;
    };

export interface DocumentDiscount {
  /** The coupon's or the agreement's name. */
  readonly name: string;
  /** In minor units, below zero when it lowers the line. */
  readonly minor: bigint;
}

export interface DocumentLine {
  readonly description: string;
  /** The service period; shown under the line when it is not the section's. */
  readonly period: DocumentPeriod | undefined;
  readonly quantity: Decimal | undefined;
  /** What the quantity counts: "requests", "GiB", "seats". */
  readonly unit: string | undefined;
  /** Exact, in major units, for `unitPer` units (1 when left out); left out when tiers or a model decide. */
  readonly unitAmount: Decimal | undefined;
  readonly unitPer?: Decimal | undefined;
  readonly details: readonly DocumentDetail[];
  readonly discounts: readonly DocumentDiscount[];
  /** After discounts, before tax (with it, when its rate is inclusive), in minor units. */
  readonly minor: bigint;
  /** What the unit price is charged on, where that is not the quantity: without the allowance. */
  readonly chargedQuantity?: Decimal | undefined;
  /** Promotional credits that fell to the line, zero or more: of what `minor` counts. */
  readonly promotionalMinor: bigint;
  /** After promotional credits, without tax, in minor units. */
  readonly taxableMinor: bigint;
  /** The `key` of one of the document's taxes. */
  readonly taxKey: string | undefined;
  /** The product's, by which its rate was found: "standard", "goods-books"; not printed. */
  readonly taxCategory?: string | undefined;
  /** Printed under the line, such as "Late usage of an earlier period". */
  readonly note: string | undefined;
}

/** Lines that belong together: those of one subscription, product or customer of a consolidated invoice. */
export interface DocumentSection {
  readonly title: string;
  /** Such as the customer of a consolidated invoice. */
  readonly subtitle: string | undefined;
  readonly period: DocumentPeriod | undefined;
  readonly lines: readonly DocumentLine[];
}

/** An amount with a name, in minor units: credits, balance, minimums below the lines. */
export interface DocumentAmount {
  readonly label: string;
  readonly minor: bigint;
}

/** What one rate came to on the document. */
export interface DocumentTax {
  readonly key: string;
  readonly name: string;
  readonly percent: Decimal;
  readonly treatment: "taxed" | "exempt" | "reverse_charge" | "not_collected";
  /** The lines' amounts contain it. */
  readonly inclusive: boolean;
  /** Without tax, in minor units. */
  readonly taxableMinor: bigint;
  readonly taxMinor: bigint;
  /** Printed: why no tax is charged. Left out, the document's language has a sentence for the treatment. */
  readonly note: string | undefined;
}

/**
 * An invoice or credit note as plain data: everything that is printed, nothing to look up. The same document gives the
 * same HTML and the same bytes of PDF. A credit note has the amounts of what it gives back below zero, as its lines have.
 */
export interface InvoiceDocument {
  readonly kind: "invoice" | "credit_note" | "draft";
  /** Undefined while a draft. */
  readonly number: string | undefined;
  /** The invoice's id, to find it by. */
  readonly reference: string;
  /** The number of the invoice that a credit note corrects. */
  readonly corrects: string | undefined;
  /** When that one was issued. */
  readonly correctedIssuedAt?: Instant | undefined;
  /** The buyer's purchase order or other reference. */
  readonly buyerReference: string | undefined;
  /** BCP 47, such as "de-AT": how numbers and dates are written, and in which language labels are. */
  readonly locale: string;
  /** In which days and service periods are written: the customer's. */
  readonly timeZone: TimeZone;
  readonly currency: Currency;
  readonly issuedAt: Instant;
  readonly dueAt: Instant | undefined;
  readonly seller: DocumentSeller;
  readonly buyer: DocumentParty;
  readonly sections: readonly DocumentSection[];
  /** The lines' sum, in minor units. */
  readonly subtotalMinor: bigint;
  /** Off the subtotal before tax: promotional credits; below zero. */
  readonly credits: readonly DocumentAmount[];
  readonly taxes: readonly DocumentTax[];
  /** With tax. */
  readonly totalMinor: bigint;
  /** Off the total after tax: paid credits, the customer's balance, payments; below zero. */
  readonly settlements: readonly DocumentAmount[];
  readonly amountDueMinor: bigint;
  /** Such as "Net 30 days". */
  readonly paymentTerms: string | undefined;
  readonly payment?: DocumentPayment | undefined;
  readonly notes: readonly string[];
}
