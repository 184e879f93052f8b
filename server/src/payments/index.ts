export { openPayments, type Payments, type PaymentsOptions } from "./open-payments.js";
export type { TransferInstructions } from "./payment-instructions.js";
export { Receivables, type ReceivablesDependencies } from "./receivables.js";
export { stripeProvider, type StripeTransport } from "./providers/stripe/index.js";
export { mailedCardLinks } from "./api/card-update-link.js";
export { registerBatchRoutes } from "./api/batch-routes.js";
export { registerCardUpdateRoutes } from "./api/card-update-routes.js";
export { registerWebhookRoutes } from "./api/webhook-routes.js";
export type { PaymentProvider } from "./provider.js";
export type { GateOptions } from "./provider-gate.js";
export type {
  BillingPort,
  ExceptionsPort,
  MailPort,
  NoticesPort,
  PaidInvoice,
  PayersPort,
  PayingCustomer,
  PaymentException,
  PaymentMail,
  PaymentNotice,
  TopUpPort,
} from "./ports.js";
export type { PaymentAttempt } from "./store/attempts.js";
