import { setMaxListeners } from "node:events";
import type { Postgres } from "../engines/postgres/index.js";
import type { Secrets } from "../engines/secrets/index.js";
import type { Clock } from "../kernel/clock.js";
import type { OrganizationId, WebhookEndpointId } from "../kernel/ids.js";
import type { Log } from "../kernel/log.js";
import { AtOnce } from "./at-once.js";
import { AttemptRecorder } from "./attempt-recorder.js";
import { endpoint_concurrency_max, Lane, type LaneDependencies } from "./lane.js";
import type { Sender } from "./sender.js";
import { selectDueEndpoints } from "./store/endpoint-health.js";

export interface CourierOptions {
  readonly postgres: Postgres;
  readonly secrets: Secrets;
  /** Real time: receivers live by it, whatever an organization's clock says. */
  readonly clock: Clock;
  readonly log: Log;
  /** Names this process, after a restart too. */
  readonly executor: string;
  readonly sender: Sender;
  readonly random?: (() => number) | undefined;
}

const look_every_ms = 1_000;
// A transaction that wrote a message has committed after so long, or the next look finds it.
const nudge_ms = 30;
const endpoints_page = 500;
// Of all endpoints: sockets. 25 endpoints with 20 places each may be as slow as they like before others wait for a place.
const in_flight_max = 500;
const takes_at_once = 3;
const lane_idle_ms = 10_000;
const stop_ms_max = 2_000;

/**
 * Brings messages to endpoints: finds endpoints with something due, and gives each a lane. Deliveries are rows; nothing is lost with
 * the process, and one that ended unrecorded is made again. Why these are no workflow runs: docs/decisions/0070.
 */
export class Courier {
  readonly #on: CourierOptions;
  readonly #recorder: AttemptRecorder;
  readonly #stopping = new AbortController();
  readonly #taking = new AtOnce(takes_at_once);
  readonly #lanes = new Map<WebhookEndpointId, Lane>();
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  #isRunning = false;

  constructor(options: CourierOptions) {
    this.#on = options;
    // Each attempt in flight listens to it.
    setMaxListeners(in_flight_max + endpoint_concurrency_max, this.#stopping.signal);
    this.#recorder = new AttemptRecorder({ ...options, random: options.random ?? Math.random });
  }

  /** Begins to look for what is due: every second, and at once after a nudge. */
  start(): void {
    this.#isRunning = true;
    this.#lookAfter(0);
  }

  /** Something was written for these endpoints, in a transaction that is about to commit. */
  nudge(organization: OrganizationId, endpoints: readonly WebhookEndpointId[]): void {
    if (!this.#isRunning || endpoints.length === 0) return;
    setTimeout(() => {
      for (const endpoint of endpoints) this.#laneOf(organization, endpoint).pump();
    }, nudge_ms).unref();
  }

  /** Attempts in flight, and endpoints that have had some lately. */
  stats(): { readonly attemptsInFlight: number; readonly endpointsServed: number } {
    return { attemptsInFlight: this.#inFlight(), endpointsServed: this.#lanes.size };
  }

  /** Attempts in flight may end (2 s); what is cut off is made again after the next start. */
  async stop(): Promise<void> {
    this.#isRunning = false;
    clearTimeout(this.#timer);
    await this.#looking;
    this.#recorder.stop();
    const giveUpAt = performance.now() + stop_ms_max;
    while (this.#inFlight() > 0 && performance.now() < giveUpAt) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    this.#stopping.abort(new Error("Weir stops"));
    await Promise.allSettled([...this.#lanes.values()].map((lane) => this.#taking.do(() => lane.leave())));
  }

  #lookAfter(wait_ms: number): void {
    if (!this.#isRunning) return;
    this.#timer = setTimeout(() => {
      this.#looking = this.#look()
        .catch((error: unknown) =>
          this.#on.log.warn("looking for due webhooks failed", { error: String(error) }),
        )
        .finally(() => {
          this.#looking = undefined;
          this.#lookAfter(look_every_ms);
        });
    }, wait_ms);
    this.#timer.unref();
  }

  async #look(): Promise<void> {
    const { postgres, clock, executor: by } = this.#on;
    for (const [endpoint, lane] of this.#lanes) {
      if (lane.idle_ms <= lane_idle_ms) continue;
      this.#lanes.delete(endpoint);
      await this.#taking.do(() => lane.leave());
    }
    // A lane with attempts in flight goes on by itself as they end.
    const except = [...this.#lanes.values()]
      .filter(({ inFlight }) => inFlight >= endpoint_concurrency_max)
      .map(({ endpoint }) => endpoint);
    const due = await postgres.asSystem((sql) =>
      selectDueEndpoints(sql, { by, now: clock.now(), except, limit: endpoints_page }),
    );
    for (const { organization, endpoint } of due) this.#laneOf(organization, endpoint).pump();
  }

  #laneOf(organization: OrganizationId, endpoint: WebhookEndpointId): Lane {
    const known = this.#lanes.get(endpoint);
    if (known !== undefined) return known;
    const on: LaneDependencies = {
      ...this.#on,
      recorder: this.#recorder,
      taking: this.#taking,
      room: () => in_flight_max - this.#inFlight(),
      stop: this.#stopping.signal,
    };
    const lane = new Lane(organization, endpoint, on);
    this.#lanes.set(endpoint, lane);
    return lane;
  }

  #inFlight(): number {
    let sum = 0;
    for (const { inFlight } of this.#lanes.values()) sum += inFlight;
    return sum;
  }
}
