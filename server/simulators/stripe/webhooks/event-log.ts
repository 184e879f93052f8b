import type Stripe from "stripe";
import { seconds } from "../unix-time.js";
import type { ObjectIds } from "../object-ids.js";
import { ObjectStore, type StoredObject } from "../objects/object-store.js";

/** The version whose objects the simulator gives: the SDK's own. */
export const api_version: Stripe.LatestApiVersion = "2026-10-28.endive";

export interface EventRecord extends StoredObject {
  readonly type: string;
  /** The object that it is about. */
  readonly objectId: string;
  /** The event as JSON, with the object as it was then, all but the number of webhooks that are pending. */
  readonly json: string;
  pendingWebhooks: number;
  /** A delivery was given up. */
  isUndelivered: boolean;
}

/** The request that an event comes of: null for what comes of the passing of time. */
export interface EventCause {
  readonly id: string;
  readonly idempotency_key: string | null;
}

export interface EventLogOptions {
  readonly ids: ObjectIds;
  readonly events_max: number;
  readonly now_ms: () => number;
  /** Told of each new event, and of the object that it is about. */
  readonly onEvent: (event: EventRecord, object: object) => void;
}

/** What happened, with each object as it was at that time. */
export class EventLog {
  readonly store: ObjectStore<EventRecord>;
  /** The request that is being carried out. */
  cause: EventCause | null = null;
  readonly #on: EventLogOptions;

  constructor(options: EventLogOptions) {
    this.#on = options;
    this.store = new ObjectStore<EventRecord>({
      noun: "event",
      ids: options.ids,
      objects_max: options.events_max,
      isSettled: () => true,
    });
  }

  emit(type: Stripe.Event.Type, object: { readonly id: string }, previous?: object): void {
    const id = this.#on.ids.next("evt");
    const created = seconds(this.#on.now_ms());
    const json = JSON.stringify({
      id,
      object: "event",
      api_version,
      created,
      data: { object, ...(previous !== undefined && { previous_attributes: previous }) },
      livemode: false,
      request: this.cause,
      type,
    });
    const event: EventRecord = {
      wire: { id, created },
      type,
      objectId: object.id,
      json,
      pendingWebhooks: 0,
      isUndelivered: false,
    };
    this.store.add(event);
    this.#on.onEvent(event, object);
  }
}

/** An event as it goes over the wire. */
export function eventJson(event: EventRecord): string {
  return `${event.json.slice(0, -1)},"pending_webhooks":${event.pendingWebhooks}}`;
}
