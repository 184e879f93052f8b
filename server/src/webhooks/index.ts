export { openWebhooks, type Webhooks, type WebhooksOptions } from "./open-webhooks.js";
export type { NewMessage } from "./publisher.js";
export type { WebhookAttempt, WebhookDelivery, WebhookMessage } from "./delivery.js";
export type { EndpointInput, WebhookEndpoint } from "./endpoint.js";
export { endpoints_max, overlap_hours_default, type EndpointWithSecret } from "./webhook-endpoints.js";
export { redeliveries_max } from "./webhook-deliveries.js";
export type { DeliveryFilter } from "./store/deliveries.js";
export { event_types, phaseOf, type BreakerPhase, type DeliveryState, type EventType } from "./core/index.js";
