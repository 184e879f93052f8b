export { openBilling, type Billing, type BillingOptions } from "./open-billing.js";
export { Customers, type CustomersDependencies } from "./customers.js";
export type { BillingAddress, Customer, CustomerUpdate, NewCustomer, TaxExemption } from "./customer.js";
export type { CustomerErased, Erased, Erasure } from "./erase-customer.js";
export type { EndedSubject, MovedSubject, NewSubject } from "./subject-assignment.js";
export type { InvoicedScope, InvoicedUntil } from "./store/invoiced-until.js";
export { Subscriptions, type SubscriptionChanged, type SubscriptionsDependencies } from "./subscriptions.js";
export { SubscriptionChanges, type SubscriptionChangesDependencies } from "./subscription-changes.js";
export type {
  AttachInput,
  CancelInput,
  CouponInput,
  DetachInput,
  NewSubscription,
  PlanChangeInput,
  QuantityInput,
  Subscription,
  SubscriptionChange,
} from "./subscription.js";
export * from "./invoicing/index.js";
export { mustFindCustomer } from "./find-customer.js";
export { registerDocumentRoutes } from "./api/document-routes.js";
export type { BilledSpan, Period, SubjectSpan } from "./core/index.js";
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
