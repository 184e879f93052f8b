import type { WebhookDeliveryId, WebhookEndpointId, WebhookMessageId } from "../kernel/ids.js";
import type { Instant } from "../kernel/instant.js";
import type { DeliveryState } from "./core/index.js";

/** Something that happened, as receivers are told. */
export interface WebhookMessage {
  readonly id: WebhookMessageId;
  readonly type: string;
  readonly key: string;
  /** What is sent: JSON of { type, timestamp, data }. */
  readonly body: string;
  /** In the organization's time. */
  readonly occurredAt: Instant;
  readonly createdAt: Instant;
}

/** A message on its way to one endpoint. Instants are real time. */
export interface WebhookDelivery {
  readonly id: WebhookDeliveryId;
  readonly message: WebhookMessageId;
  readonly type: string;
  readonly endpoint: WebhookEndpointId;
  readonly state: DeliveryState;
  /** In all, also those before it was asked for again. */
  readonly attempts: number;
  /** Not before; of one that is pending. Later while the endpoint is disabled or its breaker is open. */
  readonly nextAttemptAt: Instant | undefined;
  /** Of the last attempt. */
  readonly lastStatus: number | undefined;
  readonly lastError: string | undefined;
  readonly createdAt: Instant;
  readonly endedAt: Instant | undefined;
}

/** One try. */
export interface WebhookAttempt {
  readonly number: number;
  readonly at: Instant;
  readonly duration_ms: number;
  readonly status: number | undefined;
  readonly error: string | undefined;
  /** The beginning of what the receiver answered. */
  readonly response: string | undefined;
}
