import { Decimal } from "../../kernel/decimal.js";
import type { TaxRate } from "../../tax/core/index.js";

/** A rate as invoices keep it. */
export interface TaxRateJson extends Omit<TaxRate, "percent"> {
  readonly percent: string;
}

export function taxRateToJson({ notice: _, ...rate }: TaxRate): TaxRateJson {
  return { ...rate, percent: rate.percent.toString() };
}

export function taxRateFromJson(json: TaxRateJson): TaxRate {
  return { ...json, percent: Decimal.of(json.percent) };
}
