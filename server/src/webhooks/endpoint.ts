import type { WebhookEndpointId } from "../kernel/ids.js";
import type { Instant } from "../kernel/instant.js";
import type { DisabledReason, EndpointHealth } from "./core/index.js";

/** A receiver of an organization's webhooks. Instants are real time. */
export interface WebhookEndpoint {
  readonly id: WebhookEndpointId;
  readonly url: string;
  readonly description: string | undefined;
  /** Types, or patterns such as invoice.* and *. */
  readonly eventTypes: readonly string[];
  /** Attempts at once. */
  readonly concurrencyMax: number;
  /** Attempts begun per second. */
  readonly ratePerSecondMax: number;
  readonly state: "enabled" | "disabled";
  readonly disabledReason: DisabledReason | undefined;
  readonly disabledAt: Instant | undefined;
  readonly health: EndpointHealth;
  /** Until when an older secret signs too. */
  readonly oldSecretsUntil: Instant | undefined;
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
}

/** What a caller gives; left out is what the standard is, or stays as it is. */
export interface EndpointInput {
  readonly url?: string;
  readonly description?: string;
  readonly eventTypes?: readonly string[];
  readonly concurrencyMax?: number;
  readonly ratePerSecondMax?: number;
}
