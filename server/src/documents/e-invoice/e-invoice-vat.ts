import { Decimal } from "../../kernel/decimal.js";
import { toDecimal } from "../../kernel/money.js";
import { formatsOf } from "../formats.js";
import type { DocumentTax, InvoiceDocument } from "../invoice-document.js";
import { labelsOf } from "../labels.js";
import { short } from "../limits.js";
import { exemptionCodes, type DocumentAllowance, type VatBreakdown, type VatCategory } from "./core/index.js";
import { discount_code, type StatedLine } from "./e-invoice-lines.js";

/** Promotional credits: one allowance for each category and rate. */
export function allowancesOf(document: InvoiceDocument, lines: readonly StatedLine[]): DocumentAllowance[] {
  const labels = document.credits.map(({ label }) => short(label)).filter((label) => label !== "");
  const reason = labels.length === 0 ? "Credits" : labels.join(", ");
  return [...groupsOf(lines).values()].flatMap(({ vat, promotional }): DocumentAllowance[] =>
    promotional.isZero()
      ? []
      : [{ isCharge: false, amount: promotional, reason, reasonCode: discount_code, vat }],
  );
}

/**
 * One for each category and rate, however many of the organization's rates there are of one percentage. Its VAT is the
 * document's: rounded once for each of those rates.
 */
export function breakdownOf(document: InvoiceDocument, lines: readonly StatedLine[]): VatBreakdown[] {
  const { currency, kind } = document;
  const sign = kind === "credit_note" ? -1n : 1n;
  return [...groupsOf(lines).values()].map(({ vat, taxable }) => {
    const minor = document.taxes.reduce(
      (sum, tax) => (isTaxOf(tax, vat) ? sum + sign * tax.taxMinor : sum),
      0n,
    );
    const needsReason = vat.code !== "S" && vat.code !== "Z";
    return {
      vat,
      taxable,
      tax: toDecimal({ currency, minor }),
      exemptionCode: exemptionCodes[vat.code],
      exemptionReason: needsReason ? reasonOf(document, vat) : undefined,
    };
  });
}

interface Group {
  readonly vat: VatCategory;
  readonly taxable: Decimal;
  readonly promotional: Decimal;
}

function groupsOf(lines: readonly StatedLine[]): Map<string, Group> {
  const groups = new Map<string, Group>();
  for (const { line, promotional } of lines) {
    const key = `${line.vat.code} ${line.vat.percent?.toString() ?? ""}`;
    const known = groups.get(key) ?? { vat: line.vat, taxable: Decimal.zero, promotional: Decimal.zero };
    groups.set(key, {
      vat: known.vat,
      taxable: known.taxable.plus(line.net).minus(promotional),
      promotional: known.promotional.plus(promotional),
    });
  }
  return groups;
}

function isTaxOf({ treatment, percent }: DocumentTax, vat: VatCategory): boolean {
  if (treatment !== "taxed" || (vat.code !== "S" && vat.code !== "Z")) return false;
  return vat.percent?.equals(percent) === true;
}

/** BT-120: what the organization says of its untaxed rates, else Weir's sentence for it in the document's language. */
function reasonOf(document: InvoiceDocument, { code }: VatCategory): string {
  const labels = labelsOf(formatsOf(document).locale);
  const treatments: readonly DocumentTax["treatment"][] =
    code === "AE" || code === "K"
      ? ["reverse_charge"]
      : code === "O"
        ? ["exempt", "not_collected"]
        : ["exempt"];
  const notes = document.taxes
    .filter(({ treatment }) => treatments.includes(treatment))
    .flatMap(({ note }) => (note === undefined || note === "" ? [] : [short(note)]));
  if (notes.length > 0) return [...new Set(notes)].join(" · ");
  return code === "AE" ? labels.reverseCharge : code === "K" ? labels.intraCommunity : labels.exempt;
}
