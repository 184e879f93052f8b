import { Decimal } from "../../../kernel/decimal.js";
import type { EInvoice, VatBreakdown, VatCategory, VatCategoryCode } from "./e-invoice.js";
import { isGiven, type RuleFaults } from "./rule-fault.js";

/** How the standard calls the rules of a category: BR-S-01, BR-IC-02. */
const families: Readonly<Record<VatCategoryCode, string>> = {
  S: "BR-S",
  Z: "BR-Z",
  E: "BR-E",
  AE: "BR-AE",
  K: "BR-IC",
  G: "BR-G",
  O: "BR-O",
};

const profile = "weir organization billing-profile --name …";
const customer = "weir customers update CUSTOMER";

/** The families BR-S, BR-Z, BR-E, BR-AE, BR-IC (K), BR-G and BR-O: who must be named, and that each rate's amounts add up. */
export function checkVat(invoice: EInvoice, faults: RuleFaults): void {
  const { lines, allowances, breakdown } = invoice;
  const used = new Set([...lines, ...allowances].map(({ vat }) => vat.code));
  for (const code of used) {
    checkParties(code, invoice, faults);
    faults.expect(
      `${families[code]}-01`,
      breakdown.some(({ vat }) => vat.code === code),
      `lines are taxed as ${code}, and the VAT breakdown has no such category`,
    );
  }
  for (const { vat } of [...lines, ...allowances]) checkRate(vat, faults);
  for (const each of breakdown) checkBreakdown(each, invoice, faults);
  if (used.has("O"))
    faults.expect(
      "BR-O-11",
      used.size === 1 && breakdown.length === 1,
      "what is not subject to VAT stands together with what is, which an e-invoice must not have: weir tax settings, or weir tax rates add for the category that has no rate",
    );
  if (used.has("K")) {
    faults.expect("BR-IC-11", invoice.period !== undefined, "an intra-community supply names its period");
    faults.expect(
      "BR-IC-12",
      isGiven(invoice.deliverTo),
      `an intra-community supply names the country it went to: ${customer} --country …`,
    );
  }
}

function checkParties(code: VatCategoryCode, { seller, buyer }: EInvoice, faults: RuleFaults): void {
  const rule = `${families[code]}-02`;
  if (code === "O") {
    faults.expect(
      rule,
      seller.vatId === undefined && buyer.vatId === undefined,
      "an invoice that is not subject to VAT bears no VAT identifier",
    );
    return;
  }
  const needsVatId = code === "K" || code === "G";
  faults.expect(
    rule,
    isGiven(seller.vatId) || (!needsVatId && isGiven(seller.taxRegistration)),
    `the seller's tax id is missing: ${profile} --tax-id DE123456789`,
  );
  if (code === "AE")
    faults.expect(
      rule,
      isGiven(buyer.vatId) || buyer.registration !== undefined,
      `under reverse charge the buyer's VAT identifier is needed: ${customer} --tax-id FR12345678901`,
    );
  if (code === "K")
    faults.expect(
      rule,
      isGiven(buyer.vatId),
      `for an intra-community supply the buyer's VAT identifier is needed: ${customer} --tax-id FR12345678901`,
    );
}

function checkRate({ code, percent }: VatCategory, faults: RuleFaults): void {
  const rule = `${families[code]}-05`;
  if (code === "O") faults.expect(rule, percent === undefined, "what is not subject to VAT has no rate");
  else if (code === "S")
    faults.expect(rule, percent !== undefined && isAbove(percent), "the standard rate is above zero");
  else faults.expect(rule, percent?.isZero() === true, `the rate of category ${code} is zero`);
}

function checkBreakdown(of: VatBreakdown, { lines, allowances }: EInvoice, faults: RuleFaults): void {
  const family = families[of.vat.code];
  const net = Decimal.sum(lines.filter(({ vat }) => isSame(vat, of.vat)).map((line) => line.net));
  const expected = allowances
    .filter(({ vat }) => isSame(vat, of.vat))
    .reduce((sum, { isCharge, amount }) => (isCharge ? sum.plus(amount) : sum.minus(amount)), net);
  faults.expect(
    `${family}-08`,
    of.taxable.equals(expected),
    `the taxable amount of category ${of.vat.code} is not the sum of its lines: ${of.taxable.toString()} is not ${expected.toString()}`,
  );
  if (of.vat.code !== "S")
    faults.expect(`${family}-09`, of.tax.isZero(), `category ${of.vat.code} bears no tax`);
  const hasReason = isGiven(of.exemptionCode) || isGiven(of.exemptionReason);
  const needsReason = of.vat.code !== "S" && of.vat.code !== "Z";
  faults.expect(
    `${family}-10`,
    hasReason === needsReason,
    needsReason
      ? `why no VAT is charged is missing: weir tax rates add … --note 'Exempt by § 4 No. 8 UStG'`
      : `category ${of.vat.code} has no reason for an exemption`,
  );
}

function isSame(one: VatCategory, other: VatCategory): boolean {
  return one.code === other.code && (one.percent ?? Decimal.zero).equals(other.percent ?? Decimal.zero);
}

function isAbove(percent: Decimal): boolean {
  return !percent.isZero() && !percent.isNegative();
}
