import { seconds } from "../unix-time.js";
import type { Agenda } from "../agenda.js";
import type { PlannedDelivery } from "../faults/planned-deliveries.js";
import { eventJson, type EventRecord } from "./event-log.js";
import { signatureHeader } from "./signature.js";

/** A webhook as it arrives: the body is exactly what was signed. */
export interface WebhookDelivery {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Where events are sent. */
export interface WebhookTarget {
  readonly id: string;
  readonly url: string;
  /** `whsec_…` */
  readonly secret: string;
  /** The types of events that are sent; "*" for all. */
  readonly events: readonly string[];
  /** A target that is switched off gets nothing, and keeps its place. */
  readonly isEnabled: boolean;
  /** Takes a webhook in place of HTTP, and gives the status of its reply. */
  readonly receive?: (delivery: WebhookDelivery) => Promise<number>;
}

export interface WebhookSenderOptions {
  readonly agenda: Agenda;
  readonly now_ms: () => number;
  readonly firstDelay_ms: number;
  readonly deliveries_max: number;
  /** How often, and how late, an event about an object is delivered to each target. */
  readonly plan: (event: EventRecord, object: object) => readonly PlannedDelivery[];
}

// As Stripe in test mode: a few times within hours.
const retry_delays_ms = [60_000, 600_000, 3_600_000, 10_800_000];
const reply_ms_max = 20_000;
const parallel_max = 8;

/** Delivers events: signed anew at each try, up to five times while the reply is no 2xx; at most eight at once. */
export class WebhookSender {
  readonly targets = new Map<string, WebhookTarget>();
  readonly #on: WebhookSenderOptions;
  readonly #waiting: (() => Promise<void>)[] = [];
  #running = 0;
  #scheduled = 0;
  #idle: (() => void)[] = [];
  /** Nobody is told of what happens, while it only happens again. */
  isMuted = false;
  #targets = 0;
  /** Deliveries that were not even scheduled, for want of room. */
  lost = 0;

  constructor(options: WebhookSenderOptions) {
    this.#on = options;
  }

  /** Gives the id of the target. */
  addTarget(target: Omit<WebhookTarget, "id">): string {
    this.#targets += 1;
    const id = `target_${this.#targets}`;
    this.targets.set(id, { ...target, id });
    return id;
  }

  send(event: EventRecord, object: object): void {
    if (this.isMuted) return;
    for (const target of this.targets.values()) {
      if (!target.isEnabled) continue;
      if (!target.events.includes("*") && !target.events.includes(event.type)) continue;
      const at_ms = this.#on.now_ms() + this.#on.firstDelay_ms;
      for (const { delay_ms, rank } of this.#on.plan(event, object))
        this.#schedule(target, event, at_ms + delay_ms, 0, rank);
    }
  }

  /** Resolves once nothing is being delivered. */
  whenIdle(): Promise<void> {
    if (this.#running === 0 && this.#waiting.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  #schedule(target: WebhookTarget, event: EventRecord, at_ms: number, tries: number, rank: number): void {
    if (this.#scheduled >= this.#on.deliveries_max) {
      this.lost += 1;
      return;
    }
    this.#scheduled += 1;
    event.pendingWebhooks += 1;
    const run = (): void => {
      this.#waiting.push(() => this.#deliver(target, event, tries));
      this.#work();
    };
    this.#on.agenda.add(at_ms, run, rank);
  }

  #work(): void {
    while (this.#running < parallel_max) {
      const next = this.#waiting.shift();
      if (next === undefined) break;
      this.#running += 1;
      void next().finally(() => {
        this.#running -= 1;
        this.#work();
      });
    }
    if (this.#running > 0 || this.#waiting.length > 0) return;
    const idle = this.#idle;
    this.#idle = [];
    for (const resolve of idle) resolve();
  }

  async #deliver(target: WebhookTarget, event: EventRecord, tries: number): Promise<void> {
    this.#scheduled -= 1;
    event.pendingWebhooks -= 1;
    if (this.targets.get(target.id)?.isEnabled !== true) return;
    const body = eventJson(event);
    const delivery: WebhookDelivery = {
      url: target.url,
      headers: {
        "content-type": "application/json; charset=utf-8",
        "user-agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        "stripe-signature": signatureHeader(body, target.secret, seconds(this.#on.now_ms())),
      },
      body,
    };
    const status = await (target.receive ?? postOverHttp)(delivery).catch(() => 0);
    if (status >= 200 && status < 300) return;
    const delay_ms = retry_delays_ms[tries];
    if (delay_ms === undefined) event.isUndelivered = true;
    else this.#schedule(target, event, this.#on.now_ms() + delay_ms, tries + 1, 0);
  }
}

async function postOverHttp(delivery: WebhookDelivery): Promise<number> {
  const response = await fetch(delivery.url, {
    method: "POST",
    headers: delivery.headers,
    body: delivery.body,
    redirect: "manual",
    signal: AbortSignal.timeout(reply_ms_max),
  });
  await response.body?.cancel();
  return response.status;
}
