export { tax_rates_max, Taxes, type TaxesOptions, type TaxPort } from "./taxes.js";
export type { NewTaxRate, NewTaxSettings } from "./check-tax.js";
export type { StoredTaxRate } from "./store/tax-rates.js";
