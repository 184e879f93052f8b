export { Taxes, type TaxesOptions, type TaxPort } from "./taxes.js";
export { taxRatesSection } from "./tax-rates-section.js";
export { tax_rates_max } from "./write-tax-rate.js";
export type { NewTaxRate, NewTaxSettings } from "./check-tax.js";
export type { StoredTaxRate } from "./store/tax-rates.js";
