export type {
  Buyer,
  Finalization,
  Invoice,
  InvoiceHead,
  InvoiceLine,
  InvoicePreview,
  InvoiceSection,
  InvoiceStatus,
  InvoiceTax,
  PreviewLine,
  RecordedAdjustment,
} from "./invoice.js";
export type { RecordedPortion } from "./recorded-portion.js";
export type { CreditNote, CreditNoteLine, CreditedLineInput, NewCreditNote } from "./credit-note.js";
export { Invoices, type InvoicesDependencies } from "./invoices.js";
export { CreditNotes, type CreditNotesDependencies } from "./credit-notes.js";
export {
  InvoiceDocuments,
  type InvoiceDocumentsDependencies,
  type PaymentOfInvoice,
} from "./invoice-documents.js";
export { DueInvoices, type DueInvoicesDependencies, type RunOutcome } from "./due-invoices.js";
export type { CreditsPort, LedgerPort } from "./funds.js";
export type { InvoiceMessage, WebhooksPort } from "./invoice-webhooks.js";
export { billingWakes, registerInvoiceRuns } from "./invoice-runs.js";
export type { FinalizedInvoice, InvoicesFinalized } from "./write-invoices.js";
export { late_usage_days } from "./price-invoices.js";
export {
  UnbilledCosts,
  unbilled_subscriptions_max,
  type UnbilledCost,
  type UnbilledSum,
} from "./unbilled-costs.js";
export { mustFindPayable } from "./find-finalized.js";
export type { OwedInvoice, ReceivablesPort } from "./receivables-port.js";
