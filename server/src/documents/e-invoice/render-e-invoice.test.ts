import { describe, expect, test } from "vitest";
import { arithmeticFaults } from "../../../test/support/e-invoice-arithmetic.js";
import { elementsAt, parseXml, textAt, type ParsedXml } from "../../../test/support/parsed-xml.js";
import { march, sampleDocument, sampleLine } from "../../../test/support/sample-document.js";
import { parseCurrency } from "../../kernel/currency.js";
import { Decimal } from "../../kernel/decimal.js";
import { parseInstant } from "../../kernel/instant.js";
import { Refusal } from "../../kernel/problem.js";
import { parseTimeZone } from "../../kernel/time-zone.js";
import type { DocumentTax, InvoiceDocument } from "../invoice-document.js";
import { checkEInvoice } from "./core/index.js";
import { eInvoiceOf } from "./e-invoice-of.js";
import { renderEInvoice } from "./render-e-invoice.js";

const rendered = (more: Partial<InvoiceDocument> = {}): ParsedXml =>
  parseXml(renderEInvoice(sampleDocument(more)));
const rulesOf = (more: Partial<InvoiceDocument>): string[] =>
  checkEInvoice(eInvoiceOf(sampleDocument(more))).map(({ rule }) => rule);
const tax = (more: Partial<DocumentTax>): DocumentTax => ({ ...sampleDocument().taxes[0]!, ...more });
const seller = (more: object = {}) => ({
  ...sampleDocument().seller,
  iban: "DE02120300000000202051",
  ...more,
});

/** A document of one line, whose sums follow from it. */
function single(
  line: Partial<ReturnType<typeof sampleLine>>,
  of: Partial<DocumentTax> = {},
  more: Partial<InvoiceDocument> = {},
): Partial<InvoiceDocument> {
  const stated = sampleLine({ quantity: undefined, unitAmount: undefined, ...line });
  const { percent = Decimal.of(19), inclusive = false, treatment = "taxed" } = of;
  const rate = treatment === "taxed" ? percent : Decimal.zero;
  const taxMinor =
    inclusive && treatment === "taxed"
      ? stated.minor - stated.promotionalMinor - stated.taxableMinor
      : Decimal.of(stated.taxableMinor).times(rate).dividedBy(Decimal.of(100), 0, "half-away").toBigInt();
  const totalMinor = stated.taxableMinor + taxMinor;
  return {
    sections: [{ title: "Plan", subtitle: undefined, period: march, lines: [stated] }],
    subtotalMinor: stated.minor,
    credits:
      stated.promotionalMinor === 0n
        ? []
        : [{ label: "Promotional credits", minor: -stated.promotionalMinor }],
    taxes: [tax({ percent: rate, taxableMinor: stated.taxableMinor, taxMinor, ...of })],
    totalMinor,
    settlements: [],
    amountDueMinor: totalMinor,
    ...more,
  };
}

describe("an invoice", () => {
  test("has the parts of UBL's Invoice in the order of its schema", () => {
    const root = rendered({ seller: seller() });
    expect(root.name).toBe("Invoice");
    expect(root.attributes["xmlns"]).toBe("urn:oasis:names:specification:ubl:schema:xsd:Invoice-2");
    expect([...new Set(root.children.map(({ name }) => name))]).toEqual([
      "cbc:CustomizationID",
      "cbc:ID",
      "cbc:IssueDate",
      "cbc:DueDate",
      "cbc:InvoiceTypeCode",
      "cbc:Note",
      "cbc:DocumentCurrencyCode",
      "cbc:BuyerReference",
      "cac:InvoicePeriod",
      "cac:AccountingSupplierParty",
      "cac:AccountingCustomerParty",
      "cac:PaymentMeans",
      "cac:PaymentTerms",
      "cac:AllowanceCharge",
      "cac:TaxTotal",
      "cac:LegalMonetaryTotal",
      "cac:InvoiceLine",
    ]);
    const texts = (path: string) => elementsAt(root, path).map(({ text }) => text);
    expect(texts("CustomizationID")).toEqual(["urn:cen.eu:en16931:2017"]);
    expect(texts("ID")).toEqual(["NIM-2026-000042"]);
    expect(texts("InvoiceTypeCode")).toEqual(["380"]);
    expect(texts("BuyerReference")).toEqual(["PO 7781"]);
    expect(texts("AccountingSupplierParty/Party/PartyTaxScheme/CompanyID")).toEqual(["DE123456789"]);
    expect(texts("AccountingCustomerParty/Party/PartyTaxScheme/CompanyID")).toEqual(["PL1234567890"]);
    expect(texts("AccountingCustomerParty/Party/PartyLegalEntity/RegistrationName")).toEqual([
      "Łódź Żółw Sp. z o.o.",
    ]);
    expect(texts("PaymentMeans/PaymentMeansCode")).toEqual(["58"]);
    expect(texts("PaymentMeans/PaymentID")).toEqual(["NIM-2026-000042"]);
    expect(texts("LegalMonetaryTotal/TaxInclusiveAmount")).toEqual(["752.20"]);
    expect(texts("LegalMonetaryTotal/PrepaidAmount")).toEqual(["100.00"]);
    expect(texts("LegalMonetaryTotal/PayableAmount")).toEqual(["652.20"]);
    expect(texts("AllowanceCharge/Amount")).toEqual(["50.00"]);
    expect(arithmeticFaults(root, Decimal.zero)).toEqual([]);
  });

  test("dates days in the customer's zone, of issue and payment in the seller's when it has one", () => {
    const [period] = elementsAt(rendered(), "InvoicePeriod");
    // From the correction of February to the end of March, in Auckland.
    expect([textAt(period!, "StartDate"), textAt(period!, "EndDate")]).toEqual(["2026-02-01", "2026-03-31"]);
    expect(textAt(rendered(), "IssueDate")).toBe("2026-04-02");
    const berlin = rendered({ seller: seller({ timeZone: parseTimeZone("Europe/Berlin") }) });
    expect([textAt(berlin, "IssueDate"), textAt(berlin, "DueDate")]).toEqual(["2026-04-01", "2026-05-01"]);
  });

  test("states a line by quantity and unit price where they give its amount, else as one of its amount", () => {
    const lines = elementsAt(rendered(), "InvoiceLine").map((line) => ({
      quantity: textAt(line, "InvoicedQuantity"),
      unit: elementsAt(line, "InvoicedQuantity")[0]?.attributes["unitCode"],
      price: textAt(line, "Price/PriceAmount"),
      per: textAt(line, "Price/BaseQuantity"),
      note: textAt(line, "Note"),
      off: textAt(line, "AllowanceCharge/Amount"),
    }));
    const nothing = { per: undefined, note: undefined, off: undefined };
    expect(lines).toEqual([
      { ...nothing, quantity: "1", unit: "C62", price: "199" },
      { ...nothing, quantity: "1", unit: "C62", price: "31.5", note: "Quantity: 12,500,000 tokens" },
      {
        ...nothing,
        quantity: "1",
        unit: "C62",
        price: "147.46",
        note: "Quantity: 1,843.27519 GiB",
        off: "14.74",
      },
      {
        ...nothing,
        quantity: "1",
        unit: "C62",
        price: "151.21",
        note: "5 seats added on 12 March, prorated by days · Quantity: 25 seats",
      },
      { ...nothing, quantity: "480250000", unit: "C62", price: "0.35", per: "1000000" },
      {
        ...nothing,
        quantity: "-1200000",
        unit: "C62",
        price: "0.35",
        per: "1000000",
        note: "Correction of an earlier period: events were voided",
      },
    ]);
  });

  test("takes an allowance off the quantity that is priced", () => {
    const [line] = elementsAt(
      rendered(
        single({
          quantity: Decimal.of(1500),
          chargedQuantity: Decimal.of(1400),
          unitAmount: Decimal.of("0.01"),
          unit: "hours",
          minor: 1400n,
        }),
      ),
      "InvoiceLine",
    );
    expect(textAt(line!, "InvoicedQuantity")).toBe("1400");
    expect(elementsAt(line!, "InvoicedQuantity")[0]?.attributes["unitCode"]).toBe("HUR");
  });

  test("a line below zero is minus one of its amount, and a discount of it a charge", () => {
    const root = rendered(
      single({ minor: -900n, discounts: [{ name: "Discount", minor: 100n }] }, {}, { amountDueMinor: 0n }),
    );
    const [line] = elementsAt(root, "InvoiceLine");
    expect(textAt(line!, "InvoicedQuantity")).toBe("-1");
    expect(textAt(line!, "Price/PriceAmount")).toBe("10");
    expect(textAt(line!, "AllowanceCharge/ChargeIndicator")).toBe("true");
    expect(textAt(root, "LegalMonetaryTotal/PrepaidAmount")).toBe("-10.71");
    expect(textAt(root, "LegalMonetaryTotal/PayableAmount")).toBe("0.00");
    expect(arithmeticFaults(root)).toEqual([]);
  });

  test("prices that contain their tax are stated without it, with the invoice's own VAT", () => {
    // 9.99 at 20 %: VAT of 1.67 is taken out, where 20 % of 8.32 is 1.66.
    const line = { minor: 1099n, promotionalMinor: 100n, taxableMinor: 832n };
    const root = rendered(single(line, { percent: Decimal.of(20), inclusive: true }));
    expect(textAt(root, "AllowanceCharge/Amount")).toBe("0.83");
    expect(textAt(root, "InvoiceLine/LineExtensionAmount")).toBe("9.15");
    expect(textAt(root, "TaxTotal/TaxAmount")).toBe("1.67");
    expect(textAt(root, "LegalMonetaryTotal/PayableAmount")).toBe("9.99");
    expect(arithmeticFaults(root)).toEqual([]);
  });

  test("rates of one percentage are one breakdown", () => {
    const line = sampleLine({ quantity: undefined, unitAmount: undefined, minor: 101n });
    const root = rendered({
      sections: [
        { title: "Plan", subtitle: undefined, period: march, lines: [line, { ...line, taxKey: "own" }] },
      ],
      subtotalMinor: 202n,
      credits: [],
      taxes: [
        tax({ taxableMinor: 101n, taxMinor: 19n }),
        tax({ key: "own", taxableMinor: 101n, taxMinor: 19n }),
      ],
      totalMinor: 240n,
      settlements: [],
      amountDueMinor: 240n,
    });
    expect(elementsAt(root, "TaxTotal/TaxSubtotal")).toHaveLength(1);
    expect(textAt(root, "TaxTotal/TaxAmount")).toBe("0.38");
    expect(arithmeticFaults(root)).toEqual([]);
  });

  test("in yen has no digits after the point", () => {
    const root = rendered(single({ minor: 1235n }, {}, { currency: parseCurrency("JPY")! }));
    expect(textAt(root, "LegalMonetaryTotal/PayableAmount")).toBe("1470");
  });

  test("says how a card was charged, by its last four digits", () => {
    const payment = { kind: "card", isCredit: true, network: "VISA", last4: "4242" } as const;
    const root = rendered({ payment });
    expect(textAt(root, "PaymentMeans/PaymentMeansCode")).toBe("54");
    expect(textAt(root, "PaymentMeans/CardAccount/PrimaryAccountNumberID")).toBe("4242");
  });

  test("names the structured reference that a transfer is matched by; other currencies than euros are code 30", () => {
    const payment = { kind: "transfer", reference: "RF18539007547034" } as const;
    const root = rendered({ ...single({}), currency: parseCurrency("USD")!, seller: seller(), payment });
    expect(textAt(root, "PaymentMeans/PaymentMeansCode")).toBe("30");
    expect(textAt(root, "PaymentMeans/PaymentID")).toBe("RF18539007547034");
  });

  test("names the account that the transfer goes to, where that is not the seller's own", () => {
    const account = { holder: "Weir Receivables", iban: "NL91ABNA0417164300", bic: undefined };
    const payment = { kind: "transfer", reference: "RF18539007547034", account } as const;
    const root = rendered({ ...single({}), seller: seller(), payment });
    expect(textAt(root, "PaymentMeans/PaymentMeansCode")).toBe("58");
    expect(textAt(root, "PaymentMeans/PayeeFinancialAccount/ID")).toBe("NL91ABNA0417164300");
    expect(textAt(root, "PaymentMeans/PayeeFinancialAccount/Name")).toBe("Weir Receivables");
    expect(textAt(root, "PaymentMeans/PaymentID")).toBe("RF18539007547034");
  });

  test("texts of customers stay texts", () => {
    const root = rendered({ buyer: { ...sampleDocument().buyer, name: '<b>"Acme" & \u0007Söhne</b>' } });
    expect(textAt(root, "AccountingCustomerParty/Party/PartyLegalEntity/RegistrationName")).toBe(
      '<b>"Acme" &  Söhne</b>',
    );
  });
});

describe("VAT categories", () => {
  const categoryOf = (line: Partial<ReturnType<typeof sampleLine>>, of: Partial<DocumentTax>, more = {}) => {
    const root = rendered(single({ ...line, ...(of.key === undefined ? {} : { taxKey: of.key }) }, of, more));
    const subtotal = elementsAt(root, "TaxTotal/TaxSubtotal/TaxCategory")[0]!;
    return [
      textAt(subtotal, "ID"),
      textAt(subtotal, "Percent"),
      textAt(subtotal, "TaxExemptionReasonCode"),
      textAt(subtotal, "TaxExemptionReason"),
    ];
  };

  test("taxed is S, at zero Z", () => {
    expect(categoryOf({}, {})).toEqual(["S", "19", undefined, undefined]);
    expect(categoryOf({}, { percent: Decimal.zero })).toEqual(["Z", "0", undefined, undefined]);
  });

  test("reverse charge is AE, of goods within the EU K, with the period and the country that they went to", () => {
    const reverse = { key: "reverse_charge:PL", treatment: "reverse_charge" } as const;
    expect(categoryOf({}, reverse)).toEqual([
      "AE",
      "0",
      "VATEX-EU-AE",
      "Reverse charge: the recipient of the service owes the tax.",
    ]);
    expect(categoryOf({ taxCategory: "goods" }, reverse).slice(0, 3)).toEqual(["K", "0", "VATEX-EU-IC"]);
    const root = rendered(single({ taxCategory: "goods-books", taxKey: reverse.key }, reverse));
    expect(textAt(root, "Delivery/DeliveryLocation/Address/Country/IdentificationCode")).toBe("PL");
  });

  test("an exemption is E, for the reason of its rate or in Weir's words", () => {
    const exempt = { key: "txr_1", treatment: "exempt" } as const;
    expect(categoryOf({}, { ...exempt, note: "Exempt by § 4 No. 21 UStG" })).toEqual([
      "E",
      "0",
      undefined,
      "Exempt by § 4 No. 21 UStG",
    ]);
    expect(categoryOf({}, exempt)[3]).toMatch(/^No tax is charged/);
  });

  test("a service to another continent is O, goods are G; what is not collected is O", () => {
    const exported = { key: "exempt:export:0", treatment: "exempt" } as const;
    const company = seller({ registrationNumber: "HRB 12345" });
    expect(categoryOf({}, exported, { seller: company })).toEqual([
      "O",
      undefined,
      "VATEX-EU-O",
      expect.stringMatching(/^No tax/),
    ]);
    expect(categoryOf({ taxCategory: "goods" }, exported).slice(0, 3)).toEqual(["G", "0", "VATEX-EU-G"]);
    const none = { key: "not_collected:no-rate", treatment: "not_collected" } as const;
    expect(categoryOf({}, none, { seller: company })[0]).toBe("O");
  });

  test("an invoice that is not subject to VAT bears no VAT identifiers, and the seller's registration", () => {
    const exported = { key: "exempt:export:0", treatment: "exempt" } as const;
    const company = seller({ registrationNumber: "HRB 12345" });
    const root = rendered(single({ taxKey: exported.key }, exported, { seller: company }));
    expect(textAt(root, "AccountingSupplierParty/Party/PartyTaxScheme/TaxScheme/ID")).toBe("TAX");
    expect(elementsAt(root, "AccountingCustomerParty/Party/PartyTaxScheme")).toEqual([]);
    expect(textAt(root, "AccountingSupplierParty/Party/PartyLegalEntity/CompanyID")).toBe("HRB 12345");
  });
});

test("a credit note gives back amounts above zero, and names the invoice that it corrects with its day", () => {
  const line = sampleLine({ quantity: undefined, unitAmount: undefined, minor: -1000n });
  const root = rendered({
    kind: "credit_note",
    number: "CN-000001",
    corrects: "NIM-2026-000042",
    correctedIssuedAt: parseInstant("2026-04-01T11:00:00Z")!,
    dueAt: undefined,
    sections: [{ title: "Scale", subtitle: undefined, period: march, lines: [line] }],
    subtotalMinor: -1000n,
    credits: [],
    taxes: [tax({ taxableMinor: -1000n, taxMinor: -190n })],
    totalMinor: -1190n,
    settlements: [],
    amountDueMinor: -1190n,
    paymentTerms: undefined,
  });
  expect(root.name).toBe("CreditNote");
  expect(textAt(root, "CreditNoteTypeCode")).toBe("381");
  expect(textAt(root, "BillingReference/InvoiceDocumentReference/ID")).toBe("NIM-2026-000042");
  expect(textAt(root, "BillingReference/InvoiceDocumentReference/IssueDate")).toBe("2026-04-02");
  expect(textAt(root, "CreditNoteLine/CreditedQuantity")).toBe("1");
  expect(textAt(root, "LegalMonetaryTotal/PayableAmount")).toBe("11.90");
  expect(textAt(root, "PaymentTerms/Note")).toBe("Credited to you");
  expect(arithmeticFaults(root, Decimal.zero)).toEqual([]);
});

describe("Peppol", () => {
  const parties = {
    seller: seller({ electronicAddress: "9930:DE123456789" }),
    buyer: { ...sampleDocument().buyer, electronicAddress: "9945:PL1234567890" },
  };

  test("is what an invoice between two electronic addresses is made for", () => {
    const root = rendered(parties);
    expect(textAt(root, "CustomizationID")).toMatch(
      /^urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017/,
    );
    expect(textAt(root, "ProfileID")).toBe("urn:fdc:peppol.eu:2017:poacc:billing:01:1.0");
    const [endpoint] = elementsAt(root, "AccountingCustomerParty/Party/EndpointID");
    expect(endpoint).toMatchObject({ text: "PL1234567890", attributes: { schemeID: "9945" } });
  });

  test("is not what an e-mail address is of", () => {
    const root = rendered({
      ...parties,
      buyer: { ...parties.buyer, electronicAddress: "EM:ap@zolw.example" },
    });
    expect(textAt(root, "CustomizationID")).toBe("urn:cen.eu:en16931:2017");
    expect(elementsAt(root, "AccountingCustomerParty/Party/EndpointID")).toMatchObject([
      { text: "ap@zolw.example", attributes: { schemeID: "EM" } },
    ]);
  });

  test.each([
    ["0007", "5560360793", "5560360794"],
    ["0088", "4035811991014", "4035811991015"],
    ["0106", "12345678", "1234567"],
    ["0151", "51824753556", "51824753557"],
    ["0184", "DK12345678", "DK1234567"],
    ["0192", "923609016", "923609017"],
    ["0208", "0202239951", "0202239952"],
  ])("checks the digits of %s: %s, not %s", (scheme, right, wrong) => {
    const of = (value: string) =>
      rulesOf({ ...parties, buyer: { ...parties.buyer, electronicAddress: `${scheme}:${value}` } });
    expect(of(right)).toEqual([]);
    expect(of(wrong)).toEqual([expect.stringMatching(/^PEPPOL-COMMON-R0/)]);
  });

  test("asks for the buyer's reference, and in Germany for whom to ask", () => {
    expect(rulesOf({ ...parties, buyerReference: undefined })).toEqual(["PEPPOL-EN16931-R003"]);
    const german = { ...parties.buyer, address: { city: "Bonn", country: "DE" }, taxId: "DE987654321" };
    expect(rulesOf({ ...parties, buyer: german })).toEqual(["DE-R-005", "DE-R-006", "DE-R-009"]);
  });
});

describe("what breaks a rule is not written", () => {
  test.each<[string, Partial<InvoiceDocument>]>([
    ["BR-02", { kind: "draft", number: undefined }],
    ["BR-06", { seller: seller({ name: " " }) }],
    ["BR-07", { buyer: { ...sampleDocument().buyer, name: "" } }],
    ["BR-08", { seller: seller({ address: undefined }) }],
    ["BR-09", { seller: seller({ address: { city: "Berlin" } }) }],
    ["BR-10", { buyer: { ...sampleDocument().buyer, address: {} } }],
    ["BR-11", { buyer: { ...sampleDocument().buyer, address: { city: "Łódź" } } }],
    ["BR-16", { sections: [] }],
    ["BR-S-02", { seller: seller({ taxId: undefined }) }],
    ["BR-CO-26", { seller: seller({ taxId: "12/345/67890" }) }],
    ["BR-CO-25", { dueAt: undefined, paymentTerms: undefined }],
    ["BR-CO-15", { totalMinor: 75221n, amountDueMinor: 65221n }],
    [
      "BR-AE-02",
      {
        ...single({ taxKey: "r" }, { key: "r", treatment: "reverse_charge" }),
        buyer: { ...sampleDocument().buyer, taxId: undefined },
      },
    ],
    ["BR-05", { currency: parseCurrency("KWD")! }],
  ])("%s", (rule, more) => {
    expect(rulesOf(more)).toContain(rule);
    expect(() => renderEInvoice(sampleDocument(more))).toThrow(Refusal);
  });

  test("the sample itself breaks none", () => {
    expect(rulesOf({})).toEqual([]);
  });

  test("what is and what is not subject to VAT do not stand on one invoice", () => {
    const line = sampleLine({ quantity: undefined, unitAmount: undefined });
    const sections = [
      { title: "Plan", subtitle: undefined, period: march, lines: [line, { ...line, taxKey: "none" }] },
    ];
    const none = tax({ key: "none", treatment: "not_collected", percent: Decimal.zero, taxMinor: 0n });
    expect(rulesOf({ sections, taxes: [tax({}), none] })).toContain("BR-O-11");
  });

  test("every rule is named, with what to do", () => {
    let error: Refusal | undefined;
    try {
      renderEInvoice(sampleDocument({ buyer: { name: "" }, seller: { name: "Nimbus" } }));
    } catch (thrown) {
      error = thrown as Refusal;
    }
    expect(error?.problem.status).toBe(422);
    expect(error?.problem.detail).toContain("BR-07: the buyer's name is missing: weir customers update");
    expect(error?.problem["errors"]).toEqual(
      expect.arrayContaining([{ rule: "BR-08", message: expect.stringContaining("billing-profile") }]),
    );
  });

  test("three digits after the point are refused in words", () => {
    const [fault] = checkEInvoice(
      eInvoiceOf(sampleDocument(single({}, {}, { currency: parseCurrency("KWD")! }))),
    );
    expect(fault?.message).toContain("amounts in KWD have 3 digits after the point");
  });
});
