import type { Currency } from "../../../kernel/currency.js";
import type { Decimal } from "../../../kernel/decimal.js";
import type { ElectronicAddress } from "../../../kernel/electronic-address.js";

/*
 * The semantic model of EN 16931-1, as far as Weir knows its terms. BT-n and BG-n are the standard's names of terms and
 * groups. Amounts are in major units; dates are YYYY-MM-DD.
 */

/**
 * How a supply is taxed (UNCL5305): S standard or reduced rate, Z zero rate, E exempt, AE reverse charge, K intra-community
 * supply, G export outside the EU, O not subject to VAT.
 */
export type VatCategoryCode = "S" | "Z" | "E" | "AE" | "K" | "G" | "O";

export interface VatCategory {
  readonly code: VatCategoryCode;
  /** Undefined for O. */
  readonly percent: Decimal | undefined;
}

/** Both ends included. */
export interface EInvoicePeriod {
  readonly start: string;
  readonly end: string;
}

export interface EInvoiceAddress {
  readonly line1: string | undefined;
  readonly line2: string | undefined;
  readonly city: string | undefined;
  readonly postalCode: string | undefined;
  readonly region: string | undefined;
  readonly country: string | undefined;
}

export interface EInvoiceParty {
  /** BT-27, BT-44 */
  readonly name: string;
  /** BG-5, BG-8 */
  readonly address: EInvoiceAddress | undefined;
  /** BT-31, BT-48: with the country's prefix. */
  readonly vatId: string | undefined;
  /** BT-30, BT-47; the scheme is one of ISO 6523. */
  readonly registration: { readonly scheme: string | undefined; readonly value: string } | undefined;
  /** BT-34, BT-49 */
  readonly electronicAddress: ElectronicAddress | undefined;
  /** BG-6, BG-9 */
  readonly contact: EInvoiceContact | undefined;
}

export interface EInvoiceContact {
  readonly name: string | undefined;
  readonly phone: string | undefined;
  readonly email: string | undefined;
}

export interface EInvoiceSeller extends EInvoiceParty {
  /** BT-32: a number at the tax office that is no VAT identifier. */
  readonly taxRegistration: string | undefined;
}

/** BG-16; codes of UNCL4461: 30 credit transfer, 58 SEPA credit transfer, 48 card, 54 credit card. */
export type PaymentMeans =
  | {
      readonly code: "30" | "58";
      /** BT-84 */
      readonly account: string;
      /** BT-85 */
      readonly holder: string;
      /** BT-86 */
      readonly bic: string | undefined;
      /** BT-83: what to name when paying. */
      readonly reference: string | undefined;
    }
  | {
      readonly code: "48" | "54";
      /** BT-87: the last four digits, never more. */
      readonly last4: string;
      readonly network: string;
    };

/** BG-20, BG-21 of the document, BG-27, BG-28 of a line: zero or more, off or on. */
export interface AllowanceOrCharge {
  readonly isCharge: boolean;
  readonly amount: Decimal;
  readonly reason: string;
  /** UNCL5189 for allowances: 95 discount. */
  readonly reasonCode: string | undefined;
}

export interface DocumentAllowance extends AllowanceOrCharge {
  readonly vat: VatCategory;
}

/** BG-23 */
export interface VatBreakdown {
  readonly vat: VatCategory;
  /** BT-116 */
  readonly taxable: Decimal;
  /** BT-117 */
  readonly tax: Decimal;
  /** BT-121, of the list VATEX */
  readonly exemptionCode: string | undefined;
  /** BT-120 */
  readonly exemptionReason: string | undefined;
}

/** BG-22 */
export interface EInvoiceTotals {
  /** BT-106 */
  readonly lines: Decimal;
  /** BT-107 */
  readonly allowances: Decimal;
  /** BT-108 */
  readonly charges: Decimal;
  /** BT-109 */
  readonly withoutVat: Decimal;
  /** BT-110 */
  readonly vat: Decimal;
  /** BT-112 */
  readonly withVat: Decimal;
  /** BT-113 */
  readonly prepaid: Decimal;
  /** BT-115 */
  readonly due: Decimal;
}

/** BG-25 */
export interface EInvoiceLine {
  /** BT-126 */
  readonly id: string;
  /** BT-127 */
  readonly note: string | undefined;
  /** BT-129 */
  readonly quantity: Decimal;
  /** BT-130, of UN/ECE Recommendation 20 */
  readonly unitCode: string;
  /** BT-131 */
  readonly net: Decimal;
  /** BG-26 */
  readonly period: EInvoicePeriod | undefined;
  readonly allowances: readonly AllowanceOrCharge[];
  /** BT-146, for `priceQuantity` units; never below zero. */
  readonly price: Decimal;
  /** BT-149 */
  readonly priceQuantity: Decimal;
  readonly vat: VatCategory;
  /** BT-153 */
  readonly name: string;
  /** BT-154 */
  readonly description: string | undefined;
}

export interface EInvoice {
  /** BT-24: the standard itself, or Peppol BIS Billing 3.0. */
  readonly specification: "en16931" | "peppol";
  /** BT-3: 380 or 381. Amounts of a credit note are what is given back, above zero. */
  readonly kind: "invoice" | "credit_note";
  /** BT-1; undefined while a draft */
  readonly number: string | undefined;
  /** BT-2 */
  readonly issueDate: string;
  /** BT-9 */
  readonly dueDate: string | undefined;
  /** BT-5 */
  readonly currency: Currency;
  /** BT-10 */
  readonly buyerReference: string | undefined;
  /** BT-22 */
  readonly note: string | undefined;
  /** BG-14 */
  readonly period: EInvoicePeriod | undefined;
  /** BG-3 */
  readonly preceding: { readonly number: string; readonly issueDate: string | undefined } | undefined;
  readonly seller: EInvoiceSeller;
  readonly buyer: EInvoiceParty;
  /** BT-80: the country that goods went to. */
  readonly deliverTo: string | undefined;
  readonly paymentMeans: PaymentMeans | undefined;
  /** BT-20 */
  readonly paymentTerms: string | undefined;
  readonly allowances: readonly DocumentAllowance[];
  readonly breakdown: readonly VatBreakdown[];
  readonly totals: EInvoiceTotals;
  readonly lines: readonly EInvoiceLine[];
}
