import type { Postgres } from "../engines/postgres/index.js";
import type { Secrets } from "../engines/secrets/index.js";
import type { Clock } from "../kernel/clock.js";
import type { OrganizationId, WebhookDeliveryId, WebhookEndpointId } from "../kernel/ids.js";
import { second, type Instant } from "../kernel/instant.js";
import type { Log } from "../kernel/log.js";
import type { AtOnce } from "./at-once.js";
import type { AttemptRecorder } from "./attempt-recorder.js";
import {
  allowance,
  fullBucket,
  refilled,
  signatureHeader,
  taken,
  untilNext,
  type TokenBucket,
} from "./core/index.js";
import { signingSecrets } from "./endpoint-secrets.js";
import type { Sender } from "./sender.js";
import { selectDue, type DueDelivery } from "./store/deliveries.js";
import { leaveEndpoint, takeEndpoint } from "./store/endpoint-health.js";

/** What all lanes share. */
export interface LaneDependencies {
  readonly postgres: Postgres;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly log: Log;
  /** Names this process. */
  readonly executor: string;
  readonly sender: Sender;
  readonly recorder: AttemptRecorder;
  /** Transactions that take deliveries: they share PostgreSQL's pool with requests. */
  readonly taking: AtOnce;
  /** How many more attempts may be in flight, of all lanes. */
  readonly room: () => number;
  readonly stop: AbortSignal;
}

interface Taken {
  readonly url: string;
  readonly secrets: readonly Uint8Array[];
  readonly deliveries: readonly DueDelivery[];
}

// An attempt, its look-up and its record take less; after a crash another process waits so long.
const served_for = 60 * second;
export const endpoint_concurrency_max = 20;

/** Delivers to one endpoint, within its limits: what is due is taken as places become free, so that a slow one holds up only itself. */
export class Lane {
  readonly organization: OrganizationId;
  readonly endpoint: WebhookEndpointId;
  readonly #on: LaneDependencies;
  readonly #inFlight = new Set<WebhookDeliveryId>();
  #bucket: TokenBucket | undefined;
  #rate = 0;
  #pumping = false;
  #again = false;
  #timer: NodeJS.Timeout | undefined;
  #idleSince: number = performance.now();

  constructor(organization: OrganizationId, endpoint: WebhookEndpointId, on: LaneDependencies) {
    this.organization = organization;
    this.endpoint = endpoint;
    this.#on = on;
  }

  get inFlight(): number {
    return this.#inFlight.size;
  }

  /** How long it has had nothing to do; 0 while it has. */
  get idle_ms(): number {
    const isBusy = this.#pumping || this.#inFlight.size > 0 || this.#timer !== undefined;
    return isBusy ? 0 : performance.now() - this.#idleSince;
  }

  /** Takes what is due and tries it, until nothing is or the limits are reached; an attempt that ends goes on. */
  pump(): void {
    this.#again = true;
    if (this.#pumping) return;
    this.#pumping = true;
    this.#pumpAll()
      .catch((error: unknown) => {
        // The endpoint is still due: the next look finds it.
        if (!this.#on.stop.aborted)
          this.#on.log.warn("webhook deliveries were not taken", {
            endpoint: this.endpoint,
            error: String(error),
          });
      })
      .finally(() => {
        this.#pumping = false;
        this.#idleSince = performance.now();
      });
  }

  /** Another process may go on at once. */
  async leave(): Promise<void> {
    clearTimeout(this.#timer);
    const { postgres, executor } = this.#on;
    await postgres.inOrganization(this.organization, (sql) => leaveEndpoint(sql, this.endpoint, executor));
  }

  async #pumpAll(): Promise<void> {
    while (this.#again && !this.#on.stop.aborted) {
      this.#again = false;
      const { url, secrets, deliveries } = await this.#on.taking.do(() => this.#take());
      for (const delivery of deliveries) {
        this.#inFlight.add(delivery.id);
        void this.#deliver(url, secrets, delivery);
      }
    }
  }

  #take(): Promise<Taken> {
    const { postgres, clock, executor, secrets, room } = this.#on;
    const nothing: Taken = { url: "", secrets: [], deliveries: [] };
    if (this.#on.stop.aborted) return Promise.resolve(nothing);
    return postgres.inOrganization(this.organization, async (sql) => {
      const now = clock.now();
      const until = (now + served_for) as Instant;
      const served = await takeEndpoint(sql, this.endpoint, { by: executor, now, until });
      if (served === undefined) return nothing;
      const inFlight = this.#inFlight.size;
      const places = Math.min(
        served.concurrencyMax - inFlight,
        room(),
        this.#mayBegin(served.ratePerSecondMax, now),
      );
      const allowed = allowance(served.health.breaker, { now, inFlight, room: Math.max(places, 0) });
      if (allowed.byHand === 0) return nothing;
      const except = [...this.#inFlight];
      const deliveries = await selectDue(sql, this.endpoint, { now, except, ...allowed });
      if (deliveries.length === 0) return nothing;
      this.#bucket = taken(this.#bucket ?? fullBucket(this.#rate, now), deliveries.length);
      return { url: served.url, deliveries, secrets: await signingSecrets(sql, secrets, this, now) };
    });
  }

  /** By the endpoint's rate; looks again when the next may. */
  #mayBegin(rate: number, now: Instant): number {
    if (this.#bucket === undefined || this.#rate !== rate) this.#bucket = fullBucket(rate, now);
    this.#rate = rate;
    this.#bucket = refilled(this.#bucket, rate, now);
    const wait = untilNext(this.#bucket, rate);
    if (wait > 0 && this.#timer === undefined) {
      this.#timer = setTimeout(
        () => {
          this.#timer = undefined;
          this.pump();
        },
        Math.ceil(wait / 1000),
      );
      this.#timer.unref();
    }
    return Math.floor(this.#bucket.tokens);
  }

  async #deliver(url: string, secrets: readonly Uint8Array[], delivery: DueDelivery): Promise<void> {
    const { clock, sender, recorder, stop } = this.#on;
    try {
      const at = clock.now();
      const timestamp_s = Math.floor(at / second);
      const body = Buffer.from(delivery.body);
      const headers = {
        "content-type": "application/json",
        "user-agent": "Weir-Webhooks/1",
        "webhook-id": delivery.message,
        "webhook-timestamp": String(timestamp_s),
        "webhook-signature": signatureHeader(secrets, { id: delivery.message, timestamp_s, body }),
      };
      const sent = await sender.send({ url, headers, body }, stop);
      const { organization, endpoint } = this;
      await recorder.record({ organization, endpoint, delivery, result: { at, ...sent } });
      this.#inFlight.delete(delivery.id);
      this.pump();
    } catch (error) {
      // Weir stops, so it is not known how it went: it is made again after the next start. Anything else is made again with the next look.
      this.#inFlight.delete(delivery.id);
      if (!stop.aborted)
        this.#on.log.error("a webhook was not sent", { delivery: delivery.id, error: String(error) });
    }
  }
}
