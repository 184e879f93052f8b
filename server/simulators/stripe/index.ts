export { StripeSimulator, type NewWebhookTarget, type StripeSimulatorOptions } from "./simulator.js";
export {
  startStripeSimulator,
  type RunningStripeSimulator,
  type StripeSimulatorServerOptions,
} from "./http-server.js";
export { connectionTo, inProcessClient } from "./in-process.js";
export { LiveKeyRefused } from "./api/secret-key.js";
export { ApiError } from "./api/api-error.js";
export type { SimulatorReply, SimulatorRequest } from "./api/request-handler.js";
export type { Balance, BalanceTransactionWire, ChargeTotals, Ledger } from "./ledger.js";
export type { EnteredCard } from "./objects/payment-methods.js";
export type { SettingsChange, SimulatorSettings } from "./settings.js";
export type { WebhookDelivery } from "./webhooks/webhook-sender.js";
