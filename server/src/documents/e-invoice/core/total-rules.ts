import { Decimal } from "../../../kernel/decimal.js";
import type { AllowanceOrCharge, EInvoice, EInvoiceLine, VatBreakdown } from "./e-invoice.js";
import type { RuleFaults } from "./rule-fault.js";

const hundred = Decimal.of(100);
/** What the standard's own validation lets a rate's tax differ from taxable amount × rate by, in major units; exclusive. */
const vat_tolerance = Decimal.one;

/** BR-CO-10 to BR-CO-17, the arithmetic of lines, and BR-DEC: to the cent, and no more digits than a cent has. */
export function checkTotals({ totals, lines, allowances, breakdown }: EInvoice, faults: RuleFaults): void {
  const equal = (rule: string, found: Decimal, expected: Decimal, what: string) =>
    faults.expect(rule, found.equals(expected), `${what}: ${found.toString()} is not ${expected.toString()}`);
  const sum = (of: readonly AllowanceOrCharge[], charges: boolean) =>
    Decimal.sum(of.filter(({ isCharge }) => isCharge === charges).map(({ amount }) => amount));
  equal("BR-CO-10", totals.lines, Decimal.sum(lines.map(({ net }) => net)), "the sum of the lines");
  equal("BR-CO-11", totals.allowances, sum(allowances, false), "the sum of the allowances");
  equal("BR-CO-12", totals.charges, sum(allowances, true), "the sum of the charges");
  equal(
    "BR-CO-13",
    totals.withoutVat,
    totals.lines.minus(totals.allowances).plus(totals.charges),
    "the total without VAT",
  );
  equal("BR-CO-14", totals.vat, Decimal.sum(breakdown.map(({ tax }) => tax)), "the VAT of all rates");
  equal("BR-CO-15", totals.withVat, totals.withoutVat.plus(totals.vat), "the total with VAT");
  equal("BR-CO-16", totals.due, totals.withVat.minus(totals.prepaid), "the amount due");
  for (const each of breakdown) checkTax(each, faults);
  for (const line of lines) checkLine(line, faults);
  checkDigits({ totals, lines, allowances, breakdown }, faults);
}

/** To two digits, whatever the currency has. Tax that is taken out of prices differs from it by up to a minor unit. */
function checkTax({ vat, taxable, tax }: VatBreakdown, faults: RuleFaults): void {
  const exact = taxable.times(vat.percent ?? Decimal.zero).dividedBy(hundred, 2, "half-away");
  faults.expect(
    "BR-CO-17",
    tax.minus(exact).abs().compare(vat_tolerance) < 0,
    `VAT at ${(vat.percent ?? Decimal.zero).toString()} % on ${taxable.toString()} is not ${tax.toString()}`,
  );
}

/** EN 16931-1, BT-131: quantity × price for its base quantity to two digits, with charges and without allowances. */
function checkLine(line: EInvoiceLine, faults: RuleFaults): void {
  if (line.priceQuantity.isZero()) return;
  const amount = line.quantity.times(line.price).dividedBy(line.priceQuantity, 2, "half-away");
  const expected = line.allowances.reduce(
    (net, { isCharge, amount: by }) => (isCharge ? net.plus(by) : net.minus(by)),
    amount,
  );
  faults.expect(
    "PEPPOL-EN16931-R120",
    line.net.equals(expected),
    `line ${line.id} (${line.name}) is not quantity × price: ${line.net.toString()} is not ${expected.toString()}`,
  );
}

type Amounts = Pick<EInvoice, "totals" | "lines" | "allowances" | "breakdown">;

function checkDigits({ totals, lines, allowances, breakdown }: Amounts, faults: RuleFaults): void {
  const named: readonly (readonly [rule: string, amount: Decimal])[] = [
    ["BR-DEC-09", totals.lines],
    ["BR-DEC-10", totals.allowances],
    ["BR-DEC-11", totals.charges],
    ["BR-DEC-12", totals.withoutVat],
    ["BR-DEC-13", totals.vat],
    ["BR-DEC-14", totals.withVat],
    ["BR-DEC-16", totals.prepaid],
    ["BR-DEC-18", totals.due],
    ...breakdown.flatMap(({ taxable, tax }) => [
      ["BR-DEC-19", taxable] as const,
      ["BR-DEC-20", tax] as const,
    ]),
    ...allowances.map(({ isCharge, amount }) => [isCharge ? "BR-DEC-05" : "BR-DEC-01", amount] as const),
    ...lines.map(({ net }) => ["BR-DEC-23", net] as const),
    ...lines.flatMap(({ allowances: ofLine }) =>
      ofLine.map(({ isCharge, amount }) => [isCharge ? "BR-DEC-27" : "BR-DEC-24", amount] as const),
    ),
  ];
  for (const [rule, amount] of named)
    faults.expect(
      rule,
      amount.round(2, "down").equals(amount),
      `${amount.toString()} has more than two digits`,
    );
}
