export { StripeSimulator, type NewWebhookTarget, type StripeSimulatorOptions } from "./simulator.js";
export {
  startStripeSimulator,
  type RunningStripeSimulator,
  type StripeSimulatorServerOptions,
} from "./http-server.js";
export { connectionTo, inProcessClient } from "./in-process.js";
export { UnusableJournal } from "./journal.js";
export { LiveKeyRefused } from "./api/secret-key.js";
export { ApiError } from "./api/api-error.js";
export type { SimulatorAnswer, SimulatorReply, SimulatorRequest } from "./api/request-handler.js";
export type { Balance, BalanceTransactionWire, ChargeTotals, Ledger } from "./ledger.js";
export { InvalidFault, type Fault, type FaultEffect, type NewFault } from "./faults/fault.js";
export type { FaultPlan, PlannedFault } from "./faults/fault-plan.js";
export type { DeclineName } from "./objects/decline.js";
export type { NewDispute } from "./objects/disputes.js";
export type { EnteredCard } from "./objects/payment-methods.js";
export { testInstruments, type TestInstrument } from "./objects/test-instrument.js";
export type { SettingsChange, SimulatorSettings } from "./settings.js";
export type { WebhookDelivery } from "./webhooks/webhook-sender.js";
