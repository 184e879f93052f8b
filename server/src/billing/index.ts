export { openBilling, type Billing, type BillingOptions } from "./open-billing.js";
export { Customers, type CustomersDependencies, type NewSubject } from "./customers.js";
export type { Customer, NewCustomer } from "./customer.js";
export type { NewSubscription, Subscription } from "./subscription.js";
export type { Invoice, InvoiceLine, InvoicePreview } from "./invoice.js";
export type { LineExplanation } from "./explanations.js";
export type { BilledSpan, Period, RatedLine, SubjectSpan } from "./core/index.js";
export {
  usagePortOf,
  type BilledMeter,
  type EvidencePage,
  type EvidenceRow,
  type UsagePort,
  type UsageFilter,
  type UsagePart,
  type UsageSelection,
  type UsageSource,
  type UsageWatermark,
  type WindowQuantity,
} from "./usage-port.js";
export { refuseTestClock } from "./test-clock-check.js";
