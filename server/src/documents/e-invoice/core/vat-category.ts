import { isInEuropeanUnion, type TaxTreatment } from "../../../tax/core/index.js";
import { Decimal } from "../../../kernel/decimal.js";
import type { VatCategory, VatCategoryCode } from "./e-invoice.js";

export interface TaxedSupply {
  readonly treatment: TaxTreatment;
  readonly percent: Decimal;
  /** Of the tax rate: "exempt:export…" says that the buyer is in another country. */
  readonly rateKey: string;
  /** The product's; "goods", or "goods-…", is what is delivered. */
  readonly taxCategory: string | undefined;
  readonly sellerCountry: string | undefined;
  readonly buyerCountry: string | undefined;
}

/**
 * The VAT category of a line. What Weir sells is taken for a service, so what goes abroad is outside of the scope of
 * VAT (O), and a business in another member state owes the tax itself (AE); of goods these are an export (G) and an
 * intra-community supply (K).
 */
export function vatCategoryOf(supply: TaxedSupply): VatCategory {
  const { treatment, percent } = supply;
  if (treatment === "taxed") return { code: percent.isZero() ? "Z" : "S", percent };
  const code = untaxedCode(supply);
  return { code, percent: code === "O" ? undefined : Decimal.zero };
}

function untaxedCode({
  treatment,
  rateKey,
  taxCategory,
  sellerCountry,
  buyerCountry,
}: TaxedSupply): VatCategoryCode {
  const isGoods = taxCategory !== undefined && /^goods(-|$)/.test(taxCategory);
  if (treatment === "reverse_charge") {
    const isWithin =
      sellerCountry !== buyerCountry &&
      isInEuropeanUnion(sellerCountry ?? "") &&
      isInEuropeanUnion(buyerCountry ?? "");
    return isGoods && isWithin ? "K" : "AE";
  }
  if (treatment === "exempt" && !rateKey.startsWith("exempt:export")) return "E";
  return isGoods && treatment === "exempt" ? "G" : "O";
}

/** BT-121, of the code list VATEX. An exemption is the law's of a country: it has a text only. */
export const exemptionCodes: Readonly<Partial<Record<VatCategoryCode, string>>> = {
  AE: "VATEX-EU-AE",
  K: "VATEX-EU-IC",
  G: "VATEX-EU-G",
  O: "VATEX-EU-O",
};
