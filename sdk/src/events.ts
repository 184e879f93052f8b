import type { Transport } from "./transport.js";

/** A usage event: a CloudEvent. `source` and `id` identify it: sending it again counts nothing twice. */
export interface UsageEvent {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject: string;
  /** RFC 3339; Weir's clock when left out. */
  readonly time?: string;
  readonly data?: unknown;
}

/** What happened to the events of a request. */
export interface Receipt {
  readonly accepted: number;
  readonly duplicates: number;
  readonly conflicting: number;
  readonly unmetered: number;
  readonly conflicts?: readonly { readonly index: number; readonly source: string; readonly id: string }[];
  readonly unmeteredEvents?: readonly { readonly index: number; readonly reason: string }[];
}

/** An event as Weir has it: its latest revision. */
export interface StoredEvent extends UsageEvent {
  readonly receivedAt: string;
  readonly revision: number;
  readonly voided: boolean;
}

export interface EventFilter {
  readonly from?: string;
  readonly to?: string;
  readonly type?: string;
  readonly subject?: string;
  readonly source?: string;
  readonly id?: string;
  readonly after?: string;
  readonly limit?: number;
}

export interface Correction {
  readonly source: string;
  readonly id: string;
  readonly action: "voided" | "amended";
  readonly revision: number;
  /** What it does not do: no invoice takes in what is older than 35 days. */
  readonly notice?: string;
}

const batch_max = 1000;
const listed_max = 1000;

/** Usage events: sent, listed, corrected. */
export class Events {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /**
   * Sends events in batches of up to 1,000, each until it is acknowledged: retries count nothing twice.
   *
   * @returns the sums over all batches; conflicts and unmetered events by their place among all that were sent, the
   *          first 1,000 of each
   * @throws  WeirError when a batch is refused; the batches before it were taken
   */
  async send(events: Iterable<UsageEvent> | AsyncIterable<UsageEvent>): Promise<Receipt> {
    const total = {
      accepted: 0,
      duplicates: 0,
      conflicting: 0,
      unmetered: 0,
      conflicts: [] as NonNullable<Receipt["conflicts"]>[number][],
      unmeteredEvents: [] as NonNullable<Receipt["unmeteredEvents"]>[number][],
    };
    let sent = 0;
    let batch: UsageEvent[] = [];
    const flush = async () => {
      if (batch.length === 0) return;
      const first = sent;
      const body = JSON.stringify(batch.map((event) => ({ specversion: "1.0", ...event })));
      sent += batch.length;
      batch = [];
      const receipt = await this.#transport.json<Receipt>("/v1/events", {
        method: "POST",
        body,
        headers: { "content-type": "application/cloudevents-batch+json" },
        repeatable: true,
      });
      total.accepted += receipt.accepted;
      total.duplicates += receipt.duplicates;
      total.conflicting += receipt.conflicting;
      total.unmetered += receipt.unmetered;
      addListed(total.conflicts, receipt.conflicts, first);
      addListed(total.unmeteredEvents, receipt.unmeteredEvents, first);
    };
    for await (const event of events) {
      batch.push(event);
      if (batch.length === batch_max) await flush();
    }
    await flush();
    return total;
  }

  /** Newest first; `next` goes on as `after`. */
  list(filter: EventFilter = {}): Promise<{ events: StoredEvent[]; next: string | null }> {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(filter))
      if (value !== undefined) query.set(name, String(value));
    return this.#transport.json("/v1/events", { query });
  }

  /** Says that an event does not count. The reason is kept with it. */
  void(target: { source: string; id: string; reason: string }): Promise<Correction> {
    return this.#transport.json("/v1/events/void", { method: "POST", json: target });
  }

  /** Replaces an event by a corrected revision; what `change` leaves out stays as it was. */
  amend(target: {
    source: string;
    id: string;
    reason: string;
    change: { type?: string; subject?: string; time?: string; data?: unknown };
  }): Promise<Correction> {
    return this.#transport.json("/v1/events/amend", { method: "POST", json: target });
  }
}

function addListed<T extends { readonly index: number }>(
  all: T[],
  more: readonly T[] | undefined,
  first: number,
): void {
  for (const each of more ?? [])
    if (all.length < listed_max) all.push({ ...each, index: first + each.index });
}
