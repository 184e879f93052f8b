import { Decimal } from "../../src/kernel/decimal.js";
import { elementsAt, textAt, type ParsedXml } from "./parsed-xml.js";

/** Whatever an e-invoice's arithmetic breaks, computed anew from its XML alone: nothing of the code that wrote it. */
export function arithmeticFaults(root: ParsedXml, taxSlack = Decimal.of("0.01")): string[] {
  const faults: string[] = [];
  const of = (element: ParsedXml, path: string) => Decimal.of(textAt(element, path) ?? "0");
  const sum = (elements: readonly ParsedXml[], path: string) =>
    Decimal.sum(elements.map((element) => of(element, path)));
  const equal = (what: string, one: Decimal, other: Decimal) => {
    if (!one.equals(other)) faults.push(`${what}: ${one.toString()} is not ${other.toString()}`);
  };
  const lines = [...elementsAt(root, "InvoiceLine"), ...elementsAt(root, "CreditNoteLine")];
  const adjustments = elementsAt(root, "AllowanceCharge");
  const isCharge = (element: ParsedXml) => textAt(element, "ChargeIndicator") === "true";
  const allowances = adjustments.filter((element) => !isCharge(element));
  const charges = adjustments.filter(isCharge);
  const [totals] = elementsAt(root, "LegalMonetaryTotal");
  const [tax] = elementsAt(root, "TaxTotal");
  if (totals === undefined || tax === undefined) return ["there are no totals"];

  for (const line of lines) {
    const id = textAt(line, "ID") ?? "?";
    const quantity = of(line, root.name.endsWith("Invoice") ? "InvoicedQuantity" : "CreditedQuantity");
    const price = of(line, "Price/PriceAmount");
    const base = Decimal.of(textAt(line, "Price/BaseQuantity") ?? "1");
    if (price.isNegative()) faults.push(`BR-27: line ${id} has the price ${price.toString()}`);
    const ofLine = elementsAt(line, "AllowanceCharge");
    const expected = quantity
      .times(price)
      .dividedBy(base, 2, "half-away")
      .plus(sum(ofLine.filter(isCharge), "Amount"))
      .minus(
        sum(
          ofLine.filter((each) => !isCharge(each)),
          "Amount",
        ),
      );
    equal(`line ${id}`, of(line, "LineExtensionAmount"), expected);
  }
  equal("BR-CO-10", of(totals, "LineExtensionAmount"), sum(lines, "LineExtensionAmount"));
  equal("BR-CO-11", of(totals, "AllowanceTotalAmount"), sum(allowances, "Amount"));
  equal("BR-CO-12", of(totals, "ChargeTotalAmount"), sum(charges, "Amount"));
  equal(
    "BR-CO-13",
    of(totals, "TaxExclusiveAmount"),
    sum(lines, "LineExtensionAmount").minus(sum(allowances, "Amount")).plus(sum(charges, "Amount")),
  );
  const subtotals = elementsAt(tax, "TaxSubtotal");
  equal("BR-CO-14", of(tax, "TaxAmount"), sum(subtotals, "TaxAmount"));
  equal(
    "BR-CO-15",
    of(totals, "TaxInclusiveAmount"),
    of(totals, "TaxExclusiveAmount").plus(of(tax, "TaxAmount")),
  );
  equal(
    "BR-CO-16",
    of(totals, "PayableAmount"),
    of(totals, "TaxInclusiveAmount").minus(of(totals, "PrepaidAmount")),
  );
  const keyOf = (element: ParsedXml, category: string) =>
    `${textAt(element, `${category}/ID`)} ${textAt(element, `${category}/Percent`) ?? "none"}`;
  const seen = new Set<string>();
  for (const subtotal of subtotals) {
    const key = keyOf(subtotal, "TaxCategory");
    if (seen.has(key)) faults.push(`there are two breakdowns of ${key}`);
    seen.add(key);
    const taxable = Decimal.sum([
      ...lines
        .filter((line) => keyOf(line, "Item/ClassifiedTaxCategory") === key)
        .map((line) => of(line, "LineExtensionAmount")),
      ...adjustments
        .filter((each) => keyOf(each, "TaxCategory") === key)
        .map((each) => (isCharge(each) ? of(each, "Amount") : of(each, "Amount").negate())),
    ]);
    equal(`taxable of ${key}`, of(subtotal, "TaxableAmount"), taxable);
    const exact = taxable
      .times(of(subtotal, "TaxCategory/Percent"))
      .dividedBy(Decimal.of(100), 2, "half-away");
    const off = of(subtotal, "TaxAmount").minus(exact).abs();
    if (off.compare(taxSlack) > 0) faults.push(`BR-CO-17: ${key} is off by ${off.toString()}`);
  }
  for (const line of lines)
    if (!seen.has(keyOf(line, "Item/ClassifiedTaxCategory")))
      faults.push(`the category of line ${textAt(line, "ID")} has no breakdown`);
  return faults;
}
