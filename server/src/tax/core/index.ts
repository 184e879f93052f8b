export {
  computeTax,
  type ComputedTax,
  type RateTax,
  type TaxableLine,
  type TaxAmounts,
} from "./compute-tax.js";
export {
  decideRate,
  standard_category,
  type OwnTaxRate,
  type RateQuestion,
  type TaxBuyer,
  type TaxExemption,
  type TaxRegistration,
  type TaxSettings,
} from "./decide-rate.js";
export {
  standard_rates_as_of,
  standard_rates_from,
  standardRateOn,
  standardRates,
  type StandardRate,
} from "./standard-rates.js";
export { checkTaxId, isInEuropeanUnion, normalizeTaxId } from "./tax-id.js";
export type { TaxRate, TaxTreatment } from "./tax-rate.js";
export { decideRates, type BuyerInTime, type TaxTable } from "./tax-table.js";
