export { checkEInvoice } from "./check-e-invoice.js";
export type {
  AllowanceOrCharge,
  DocumentAllowance,
  EInvoice,
  EInvoiceAddress,
  EInvoiceContact,
  EInvoiceLine,
  EInvoiceParty,
  EInvoicePeriod,
  EInvoiceSeller,
  EInvoiceTotals,
  PaymentMeans,
  VatBreakdown,
  VatCategory,
  VatCategoryCode,
} from "./e-invoice.js";
export { lines_max } from "./required-rules.js";
export type { RuleFault } from "./rule-fault.js";
export { one_unit, unitCodeOf } from "./unit-code.js";
export { exemptionCodes, vatCategoryOf, type TaxedSupply } from "./vat-category.js";
