import type { Services } from "../services.js";
import type { Caller } from "../identity/index.js";
import type { Clock } from "../kernel/clock.js";
import { day, formatInstant, hour, type Instant } from "../kernel/instant.js";
import type { Log } from "../kernel/log.js";
import { playNimbusPayments, startNimbusStripe, type PaymentsDemo } from "./nimbus-payments.js";
import { setUpNimbus } from "./set-up-nimbus.js";
import { trafficOfHour, trafficOfNow, type DemoEvent } from "./traffic.js";

export interface DemoOptions {
  /** Where the demo sends its traffic: Weir's own public endpoints. */
  readonly url: string;
  /** A secret key of Nimbus Cloud. */
  readonly key: string;
  readonly caller: Caller;
  readonly catalog: Services["catalog"];
  readonly billing: Services["billing"];
  readonly usage: Services["usage"];
  readonly clock: Clock;
  readonly log: Log;
  readonly payments: PaymentsDemo;
}

const history_days = 34;
const events_per_request = 1000;
const live_interval_ms = 1000;
const live_events = 8;

/**
 * Runs Nimbus Cloud: sets it up once, sends its last weeks (the same events at every start, so that Weir's own
 * deduplication keeps them counted once), then a trickle of live traffic until stopped.
 */
export function runDemo(options: DemoOptions): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const running = play(options, stopping.signal).catch((error: unknown) => {
    if (!stopping.signal.aborted) options.log.warn("the demo stopped", { error: String(error) });
  });
  return {
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

async function play(options: DemoOptions, signal: AbortSignal): Promise<void> {
  await setUpNimbus(options, signal);
  const stripe = await startNimbusStripe(options.payments);
  try {
    await sendHistory(options, signal);
    await options.usage.settled();
    await playNimbusPayments(options.payments, stripe, signal);
    while (!signal.aborted) {
      await send(options, trafficOfNow(options.clock.now(), live_events), signal);
      await pause(live_interval_ms, signal);
    }
  } finally {
    await stripe.stop();
  }
}

/** The past weeks, hour by hour; hours that an earlier run sent are skipped from the newest one back. */
async function sendHistory(options: DemoOptions, signal: AbortSignal): Promise<void> {
  const now = options.clock.now();
  const thisHour = (now - (now % hour)) as Instant;
  let pending: DemoEvent[] = [];
  let sent = 0;
  for (let at = thisHour - hour; at > now - history_days * day && !signal.aborted; at -= hour) {
    pending.push(...trafficOfHour(at as Instant));
    if (pending.length < events_per_request) continue;
    const accepted = await send(options, pending.splice(0, events_per_request), signal);
    sent += accepted;
    // A request in which nothing is new: what is older was sent by an earlier run.
    if (accepted === 0 && sent > 0) break;
    if (accepted === 0 && at < thisHour - 2 * day) break;
  }
  if (pending.length > 0 && sent > 0) await send(options, pending, signal);
  if (sent > 0) options.log.info("demo history is in", { events: sent, until: formatInstant(thisHour) });
}

/** Sends one request, again and again while Weir is busy; returns how many events were new. */
async function send(
  options: DemoOptions,
  events: readonly DemoEvent[],
  signal: AbortSignal,
): Promise<number> {
  for (;;) {
    signal.throwIfAborted();
    const response = await fetch(new URL("/v1/events", options.url), {
      method: "POST",
      headers: {
        "content-type": "application/cloudevents-batch+json",
        authorization: `Bearer ${options.key}`,
      },
      body: JSON.stringify(events),
      signal,
    });
    if (response.status === 202) return ((await response.json()) as { accepted: number }).accepted;
    const detail = await response.text();
    if (response.status !== 503 && response.status !== 429)
      throw new Error(`${response.status}: ${detail.slice(0, 500)}`);
    await pause(Number(response.headers.get("retry-after") ?? "1") * 1000, signal);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    function done() {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
    signal.addEventListener("abort", done);
  });
}
