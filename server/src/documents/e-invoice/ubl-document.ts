import { exponentOf, type Currency } from "../../kernel/currency.js";
import type { Decimal } from "../../kernel/decimal.js";
import type {
  AllowanceOrCharge,
  EInvoice,
  EInvoiceAddress,
  EInvoiceLine,
  EInvoiceParty,
  EInvoicePeriod,
  EInvoiceSeller,
  PaymentMeans,
  VatBreakdown,
  VatCategory,
} from "./core/index.js";
import { element, type XmlElement } from "./xml-element.js";

/*
 * The binding of EN 16931 to UBL 2.1 (CEN/TS 16931-3-2). The order of elements is the schema's.
 */

const specification = "urn:cen.eu:en16931:2017";
const peppol_specification = `${specification}#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0`;
const peppol_process = "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0";
const namespaces = {
  cac: "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2",
  cbc: "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2",
} as const;

/** Amounts with their currency and its digits. */
interface Amounts {
  readonly currency: Currency;
  readonly of: (name: string, amount: Decimal) => XmlElement | undefined;
}

/** An e-invoice as UBL's Invoice or CreditNote. */
export function ublDocumentOf(invoice: EInvoice): XmlElement {
  const isInvoice = invoice.kind === "invoice";
  const root = isInvoice ? "Invoice" : "CreditNote";
  const amounts = amountsIn(invoice.currency);
  const { number, issueDate, dueDate, note, currency, buyerReference, totals } = invoice;
  const typeCode = isInvoice ? text("InvoiceTypeCode", "380") : text("CreditNoteTypeCode", "381");
  const isPeppol = invoice.specification === "peppol";
  const content = [
    text("CustomizationID", isPeppol ? peppol_specification : specification),
    text("ProfileID", isPeppol ? peppol_process : undefined),
    text("ID", number),
    text("IssueDate", issueDate),
    text("DueDate", isInvoice ? dueDate : undefined),
    typeCode,
    text("Note", note),
    text("DocumentCurrencyCode", currency),
    text("BuyerReference", buyerReference),
    periodOf(invoice.period),
    precedingOf(invoice),
    group("AccountingSupplierParty", [sellerOf(invoice.seller)]),
    group("AccountingCustomerParty", [partyOf(invoice.buyer)]),
    group("Delivery", [group("DeliveryLocation", [group("Address", [countryOf(invoice.deliverTo)])])]),
    invoice.paymentMeans === undefined ? undefined : paymentOf(invoice.paymentMeans),
    group("PaymentTerms", [text("Note", invoice.paymentTerms)]),
    ...invoice.allowances.map((each) => allowanceOf(each, amounts, each.vat)),
    group("TaxTotal", [
      amounts.of("TaxAmount", totals.vat),
      ...invoice.breakdown.map((each) => breakdownOf(each, amounts)),
    ]),
    group("LegalMonetaryTotal", [
      amounts.of("LineExtensionAmount", totals.lines),
      amounts.of("TaxExclusiveAmount", totals.withoutVat),
      amounts.of("TaxInclusiveAmount", totals.withVat),
      totals.allowances.isZero() ? undefined : amounts.of("AllowanceTotalAmount", totals.allowances),
      totals.charges.isZero() ? undefined : amounts.of("ChargeTotalAmount", totals.charges),
      totals.prepaid.isZero() ? undefined : amounts.of("PrepaidAmount", totals.prepaid),
      amounts.of("PayableAmount", totals.due),
    ]),
    ...invoice.lines.map((line) => lineOf(line, isInvoice, amounts)),
  ];
  return {
    name: root,
    attributes: {
      xmlns: `urn:oasis:names:specification:ubl:schema:xsd:${root}-2`,
      "xmlns:cac": namespaces.cac,
      "xmlns:cbc": namespaces.cbc,
    },
    content: content.filter((each) => each !== undefined),
  };
}

function text(
  name: string,
  value: string | undefined,
  attributes?: Readonly<Record<string, string>>,
): XmlElement | undefined {
  return element(`cbc:${name}`, value, attributes);
}

function group(name: string, content: readonly (XmlElement | undefined)[]): XmlElement | undefined {
  return element(`cac:${name}`, content);
}

function amountsIn(currency: Currency): Amounts {
  const digits = Math.min(exponentOf(currency), 2);
  return { currency, of: (name, amount) => text(name, amount.toFixed(digits), { currencyID: currency }) };
}

function periodOf(period: EInvoicePeriod | undefined): XmlElement | undefined {
  return group("InvoicePeriod", [text("StartDate", period?.start), text("EndDate", period?.end)]);
}

function precedingOf({ preceding }: EInvoice): XmlElement | undefined {
  return group("BillingReference", [
    group("InvoiceDocumentReference", [
      text("ID", preceding?.number),
      text("IssueDate", preceding?.issueDate),
    ]),
  ]);
}

function sellerOf(seller: EInvoiceSeller): XmlElement | undefined {
  // BT-32 is told from BT-31 by a scheme that is not VAT.
  return partyOf(seller, taxSchemeOf(seller.taxRegistration, "TAX"));
}

function partyOf(party: EInvoiceParty, otherTaxScheme?: XmlElement): XmlElement | undefined {
  const { name, address, vatId, registration, electronicAddress: endpoint, contact } = party;
  return group("Party", [
    endpoint === undefined ? undefined : text("EndpointID", endpoint.value, { schemeID: endpoint.scheme }),
    addressOf(address),
    taxSchemeOf(vatId, "VAT"),
    otherTaxScheme,
    group("PartyLegalEntity", [text("RegistrationName", name), registrationOf(registration)]),
    group("Contact", [
      text("Name", contact?.name),
      text("Telephone", contact?.phone),
      text("ElectronicMail", contact?.email),
    ]),
  ]);
}

function registrationOf(registration: EInvoiceParty["registration"]): XmlElement | undefined {
  if (registration === undefined) return undefined;
  const { scheme, value } = registration;
  return text("CompanyID", value, scheme === undefined ? {} : { schemeID: scheme });
}

function addressOf(address: EInvoiceAddress | undefined): XmlElement | undefined {
  return group("PostalAddress", [
    text("StreetName", address?.line1),
    text("AdditionalStreetName", address?.line2),
    text("CityName", address?.city),
    text("PostalZone", address?.postalCode),
    text("CountrySubentity", address?.region),
    countryOf(address?.country),
  ]);
}

function countryOf(country: string | undefined): XmlElement | undefined {
  return group("Country", [text("IdentificationCode", country)]);
}

function taxSchemeOf(number: string | undefined, scheme: string): XmlElement | undefined {
  if (number === undefined) return undefined;
  return group("PartyTaxScheme", [text("CompanyID", number), group("TaxScheme", [text("ID", scheme)])]);
}

function paymentOf(means: PaymentMeans): XmlElement | undefined {
  const code = text("PaymentMeansCode", means.code);
  if ("last4" in means)
    return group("PaymentMeans", [
      code,
      group("CardAccount", [text("PrimaryAccountNumberID", means.last4), text("NetworkID", means.network)]),
    ]);
  return group("PaymentMeans", [
    code,
    text("PaymentID", means.reference),
    group("PayeeFinancialAccount", [
      text("ID", means.account),
      text("Name", means.holder),
      group("FinancialInstitutionBranch", [text("ID", means.bic)]),
    ]),
  ]);
}

function allowanceOf(each: AllowanceOrCharge, amounts: Amounts, vat?: VatCategory): XmlElement | undefined {
  return group("AllowanceCharge", [
    text("ChargeIndicator", each.isCharge ? "true" : "false"),
    text("AllowanceChargeReasonCode", each.reasonCode),
    text("AllowanceChargeReason", each.reason),
    amounts.of("Amount", each.amount),
    vat === undefined ? undefined : categoryOf("TaxCategory", vat),
  ]);
}

function categoryOf(
  name: string,
  { code, percent }: VatCategory,
  reason: readonly (XmlElement | undefined)[] = [],
): XmlElement | undefined {
  return group(name, [
    text("ID", code),
    text("Percent", percent?.toString()),
    ...reason,
    group("TaxScheme", [text("ID", "VAT")]),
  ]);
}

function breakdownOf(each: VatBreakdown, amounts: Amounts): XmlElement | undefined {
  return group("TaxSubtotal", [
    amounts.of("TaxableAmount", each.taxable),
    amounts.of("TaxAmount", each.tax),
    categoryOf("TaxCategory", each.vat, [
      text("TaxExemptionReasonCode", each.exemptionCode),
      text("TaxExemptionReason", each.exemptionReason),
    ]),
  ]);
}

function lineOf(line: EInvoiceLine, isInvoice: boolean, amounts: Amounts): XmlElement | undefined {
  const unit = { unitCode: line.unitCode };
  return group(isInvoice ? "InvoiceLine" : "CreditNoteLine", [
    text("ID", line.id),
    text("Note", line.note),
    text(isInvoice ? "InvoicedQuantity" : "CreditedQuantity", line.quantity.toString(), unit),
    amounts.of("LineExtensionAmount", line.net),
    periodOf(line.period),
    ...line.allowances.map((each) => allowanceOf(each, amounts)),
    group("Item", [
      text("Description", line.description),
      text("Name", line.name),
      categoryOf("ClassifiedTaxCategory", line.vat),
    ]),
    group("Price", [
      // Exact, with as many digits as the price has: only amounts are bound to two.
      text("PriceAmount", line.price.toString(), { currencyID: amounts.currency }),
      line.priceQuantity.toString() === "1"
        ? undefined
        : text("BaseQuantity", line.priceQuantity.toString(), unit),
    ]),
  ]);
}
