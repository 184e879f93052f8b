export { openPayments, type Payments, type PaymentsOptions } from "./open-payments.js";
export { Receivables, type ReceivablesDependencies } from "./receivables.js";
export { stripeProvider, type StripeTransport } from "./providers/stripe/index.js";
export { registerWebhookRoutes } from "./api/webhook-routes.js";
export type { PaymentProvider } from "./provider.js";
export type { GateOptions } from "./provider-gate.js";
export type {
  BillingPort,
  ExceptionsPort,
  NoticesPort,
  PaidInvoice,
  PayingCustomer,
  PaymentException,
  PaymentNotice,
  TopUpPort,
} from "./ports.js";
