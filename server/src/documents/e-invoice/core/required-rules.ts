import { exponentOf } from "../../../kernel/currency.js";
import type { EInvoice, EInvoiceLine, EInvoiceParty, EInvoicePeriod } from "./e-invoice.js";
import { isGiven, type RuleFaults } from "./rule-fault.js";

/** How many lines an e-invoice may have here: some 25 MB of XML. */
export const lines_max = 20_000;

const profile = "weir organization billing-profile --name …";
const customer = "weir customers update CUSTOMER";

/** BR-01 to BR-65 and BR-CO-3 to BR-CO-26, as far as what Weir knows can break them: what must be there. */
export function checkRequired(invoice: EInvoice, faults: RuleFaults): void {
  const { seller, buyer, lines, totals, preceding, period, breakdown } = invoice;
  faults.expect(
    "BR-02",
    isGiven(invoice.number),
    "the invoice has no number, since it is a draft: weir invoices finalize INVOICE",
  );
  faults.expect("BR-03", isDate(invoice.issueDate), "the issue date is missing");
  faults.expect(
    "BR-05",
    exponentOf(invoice.currency) <= 2,
    `amounts in ${invoice.currency} have ${exponentOf(invoice.currency)} digits after the point, and an e-invoice has two at most (BR-DEC): send the PDF`,
  );
  faults.expect(
    "BR-06",
    isGiven(seller.name),
    `the seller's name is missing: weir organization billing-profile --name NAME`,
  );
  faults.expect("BR-07", isGiven(buyer.name), `the buyer's name is missing: ${customer} --name NAME`);
  faults.expect(
    "BR-08",
    seller.address !== undefined,
    `the seller's address is missing: ${profile} --line1 … --city … --country DE`,
  );
  faults.expect(
    "BR-09",
    isCountry(seller.address?.country),
    `the seller's country is missing: ${profile} --country DE`,
  );
  faults.expect(
    "BR-10",
    buyer.address !== undefined,
    `the buyer's address is missing: ${customer} --line1 … --city … --country DE`,
  );
  faults.expect(
    "BR-11",
    isCountry(buyer.address?.country),
    `the buyer's country is missing: ${customer} --country DE`,
  );
  faults.expect("BR-16", lines.length > 0, "there is no line");
  faults.expect("BR-16", lines.length <= lines_max, `there are more than ${lines_max} lines`);
  faults.expect("BR-CO-18", breakdown.length > 0, "there is no VAT breakdown, since there is no line");
  for (const line of lines) checkLine(line, faults);
  checkPeriod("BR-29", "BR-CO-19", period, "the invoice's period", faults);
  checkReasons(invoice, faults);
  checkPayment(invoice, faults);
  faults.expect(
    "BR-55",
    preceding === undefined || isGiven(preceding.number),
    "the number of the invoice that is corrected is missing",
  );
  checkVatId(seller, "the seller's", "--tax-id DE123456789", profile, faults);
  checkVatId(buyer, "the buyer's", "--tax-id DE123456789", customer, faults);
  faults.expect(
    "BR-CO-25",
    !isAbove(totals.due) || invoice.dueDate !== undefined || isGiven(invoice.paymentTerms),
    "something is due, and neither a day nor terms of payment are given",
  );
  faults.expect(
    "BR-CO-26",
    seller.registration !== undefined || isGiven(seller.vatId),
    `the seller has neither a registration number nor a VAT identifier on this invoice (one that is not subject to VAT bears none): ${profile} --registration-number …`,
  );
}

function checkLine(line: EInvoiceLine, faults: RuleFaults): void {
  const of = `line ${line.id} (${line.name})`;
  faults.expect("BR-21", isGiven(line.id), `${of} has no id`);
  faults.expect("BR-23", isGiven(line.unitCode), `${of} has no unit`);
  faults.expect("BR-25", isGiven(line.name), `line ${line.id} has no name: give its price a name`);
  faults.expect("BR-27", !line.price.isNegative(), `${of} has a price below zero`);
  faults.expect(
    "PEPPOL-EN16931-R121",
    isAbove(line.priceQuantity),
    `the price of ${of} is for no quantity: base quantities are above zero`,
  );
  checkPeriod("BR-30", "BR-CO-20", line.period, `the period of ${of}`, faults);
}

function checkPeriod(
  order: string,
  presence: string,
  period: EInvoicePeriod | undefined,
  of: string,
  faults: RuleFaults,
): void {
  if (period === undefined) return;
  faults.expect(presence, isDate(period.start) && isDate(period.end), `${of} has no days`);
  faults.expect(order, period.end >= period.start, `${of} ends before it begins`);
}

function checkReasons({ allowances, lines }: EInvoice, faults: RuleFaults): void {
  for (const { isCharge, amount, reason } of allowances) {
    const [amountRule, reasonRule] = isCharge ? ["BR-36", "BR-38"] : ["BR-31", "BR-33"];
    faults.expect(amountRule, !amount.isNegative(), "a discount or charge of the invoice is below zero");
    faults.expect(reasonRule, isGiven(reason), "a discount or charge of the invoice has no reason");
  }
  for (const { id, allowances: ofLine } of lines) {
    for (const { isCharge, amount, reason } of ofLine) {
      const [amountRule, reasonRule] = isCharge ? ["BR-43", "BR-44"] : ["BR-41", "BR-42"];
      faults.expect(amountRule, !amount.isNegative(), `a discount or charge of line ${id} is below zero`);
      faults.expect(reasonRule, isGiven(reason), `a discount or charge of line ${id} has no reason`);
    }
  }
}

function checkPayment({ paymentMeans: means }: EInvoice, faults: RuleFaults): void {
  if (means === undefined) return;
  if ("account" in means)
    faults.expect(
      "BR-61",
      isGiven(means.account),
      `payment is by transfer, and there is no account: ${profile} --iban …`,
    );
  else
    faults.expect(
      "BR-51",
      /^\d{4}$/.test(means.last4),
      "of a card, the last four digits are given, and no more",
    );
}

function checkVatId(
  { vatId }: EInvoiceParty,
  whose: string,
  option: string,
  command: string,
  faults: RuleFaults,
): void {
  faults.expect(
    "BR-CO-09",
    vatId === undefined || /^[A-Z]{2}/.test(vatId),
    `${whose} VAT identifier does not begin with a country's code: ${command} ${option}`,
  );
}

function isDate(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text);
}

function isCountry(text: string | undefined): boolean {
  return text !== undefined && /^[A-Z]{2}$/.test(text);
}

function isAbove(amount: { isNegative(): boolean; isZero(): boolean }): boolean {
  return !amount.isNegative() && !amount.isZero();
}
