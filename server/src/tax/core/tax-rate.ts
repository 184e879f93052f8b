import type { Decimal } from "../../kernel/decimal.js";

/**
 * - `taxed`: the percentage applies.
 * - `exempt`: the buyer or the thing is exempt, or it is exported.
 * - `reverse_charge`: the buyer owes the tax, in its own country.
 * - `not_collected`: the seller collects no tax there, or Weir knows no rate; `notice` says which.
 */
export type TaxTreatment = "taxed" | "exempt" | "reverse_charge" | "not_collected";

/** The rate of a line. Lines of one key share one rounded tax on an invoice. */
export interface TaxRate {
  /** Such as "DE:standard:19"; equal keys are equal rates. */
  readonly key: string;
  /** As printed: "VAT", "GST". */
  readonly name: string;
  /** 19 is 19 %; zero unless taxed. */
  readonly percent: Decimal;
  /** The lines' amounts contain the tax: it is taken out, not added. */
  readonly inclusive: boolean;
  readonly treatment: TaxTreatment;
  /** To print on the invoice; without one, a document has a sentence for the treatment. */
  readonly note?: string;
  /** For the seller, not for the invoice: what was assumed, or what is missing. */
  readonly notice?: string;
}
