import type { Sql } from "../engines/postgres/index.js";
import type { Clock, Clocks } from "../kernel/clock.js";
import { newId, type OrganizationId, type WebhookEndpointId } from "../kernel/ids.js";
import { formatInstant, type Instant } from "../kernel/instant.js";
import type { JsonValue } from "../kernel/json.js";
import { patternsFor, wants, type EventType } from "./core/index.js";
import type { WebhookMessage } from "./delivery.js";
import { selectSubscribed } from "./store/endpoints.js";
import { insertMessages, type NewDelivery } from "./store/messages.js";

/** Something that happened, to be told. */
export interface NewMessage {
  readonly type: EventType;
  /** The business's name for it, 1 to 256 characters: published again, nothing more is told. */
  readonly key: string;
  /** What receivers get of it. Amounts as { currency, minor, amount } with text, instants as RFC 3339. */
  readonly data: JsonValue;
  /** When it happened, in the organization's time; now when left out. */
  readonly at?: Instant;
}

export interface PublisherOptions {
  /** Real time. */
  readonly clock: Clock;
  readonly clocks: Clocks;
  /** Endpoints have something to get, once the transaction has committed. */
  readonly nudge: (organization: OrganizationId, endpoints: readonly WebhookEndpointId[]) => void;
}

const body_bytes_max = 262_144;
// One statement takes so many: 2,500 messages to 4 endpoints.
const deliveries_at_once_max = 10_000;

/** Writes messages for those who want them, in the transaction of what happened: it is told exactly if it happened. */
export class Publisher {
  readonly #on: PublisherOptions;

  constructor(options: PublisherOptions) {
    this.#on = options;
  }

  /**
   * One look-up when nobody listens, whatever the number of messages; else that and one insert for each 10,000 deliveries.
   * @throws RangeError for data of more than 256 KiB
   */
  async publishAll(sql: Sql, organization: OrganizationId, messages: readonly NewMessage[]): Promise<void> {
    if (messages.length === 0) return;
    const patterns = new Set(messages.flatMap(({ type }) => patternsFor(type)));
    const listeners = await selectSubscribed(sql, [...patterns]);
    if (listeners.length === 0) return;
    const at = this.#on.clock.now();
    const now = this.#on.clocks.of(organization).now();
    const listenersOf = new Map<EventType, readonly WebhookEndpointId[]>();
    let page: WebhookMessage[] = [];
    let deliveries: NewDelivery[] = [];
    const told = new Set<WebhookEndpointId>();
    for (const message of messages) {
      const endpoints =
        listenersOf.get(message.type) ??
        listeners.filter((listener) => wants(listener.patterns, message.type)).map(({ id }) => id);
      listenersOf.set(message.type, endpoints);
      if (endpoints.length === 0) continue;
      const written = messageOf({ at: now, ...message }, at);
      page.push(written);
      for (const endpoint of endpoints) {
        deliveries.push({ id: newId("whd", at), message: written.id, endpoint });
        told.add(endpoint);
      }
      if (deliveries.length < deliveries_at_once_max) continue;
      await insertMessages(sql, organization, page, deliveries, { at });
      page = [];
      deliveries = [];
    }
    if (page.length > 0) await insertMessages(sql, organization, page, deliveries, { at });
    this.#on.nudge(organization, [...told]);
  }
}

/** A message as it is kept: its body is what is sent, the same bytes each time. */
export function messageOf(
  {
    type,
    key,
    data,
    at: occurredAt,
  }: { readonly type: string; readonly key: string; readonly data: JsonValue; readonly at: Instant },
  now: Instant,
): WebhookMessage {
  const body = JSON.stringify({ type, timestamp: formatInstant(occurredAt), data });
  const bytes = Buffer.byteLength(body);
  if (bytes > body_bytes_max)
    throw new RangeError(`the data of ${type} ${key} make ${bytes} bytes, more than ${body_bytes_max}`);
  return { id: newId("msg", now), type, key, body, occurredAt, createdAt: now };
}
