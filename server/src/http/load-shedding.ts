import { monitorEventLoopDelay } from "node:perf_hooks";
import { getHeapStatistics } from "node:v8";
import type { FastifyInstance } from "fastify";
import { makeProblem } from "../kernel/problem.js";
import { sendProblem } from "./problem-handler.js";

export interface SheddingLimits {
  readonly requestsInFlightMax: number;
  /** Delay of the event loop, at the 90th percentile of the last second, from which new work is refused. */
  readonly loopDelayMsMax: number;
  /** Share of the heap limit from which new work is refused. */
  readonly heapShareMax: number;
}

export const defaultShedding = { loopDelayMsMax: 500, heapShareMax: 0.9 } as const;
const sample_ms = 1000;

/** Whether the process takes new work, and how much it has. */
export interface LoadShedding {
  /** Why new work is refused now; undefined when it is taken. */
  refusal(): string | undefined;
  pressure(): string | undefined;
  inFlight(): number;
  /** A request begins, or is answered: for what does not go through Fastify. */
  enter(): void;
  leave(): void;
}

/**
 * Under pressure the process refuses new work (503, Retry-After) before it degrades; what it has accepted, it
 * finishes. Health and metrics are always answered.
 */
export function shedLoad(app: FastifyInstance, limits: SheddingLimits): LoadShedding {
  const delay = monitorEventLoopDelay({ resolution: 10 });
  delay.enable();
  const heapLimit = getHeapStatistics().heap_size_limit;
  let pressure: string | undefined;
  let inFlight = 0;
  const timer = setInterval(() => {
    const loopDelayMs = delay.percentile(90) / 1e6 - 10;
    delay.reset();
    const heap = process.memoryUsage().heapUsed;
    pressure =
      loopDelayMs > limits.loopDelayMsMax
        ? "event_loop"
        : heap > heapLimit * limits.heapShareMax
          ? "memory"
          : undefined;
  }, sample_ms);
  timer.unref();

  const refusal = () => (inFlight >= limits.requestsInFlightMax ? "requests_in_flight" : pressure);
  const enter = () => void (inFlight += 1);
  const leave = () => void (inFlight -= 1);

  app.addHook("onRequest", (request, reply, done) => {
    const reason = refusal();
    enter();
    reply.raw.once("close", leave);
    if (reason !== undefined && !/^\/(healthz|readyz|metrics)/.test(request.url)) {
      const detail = "Weir is shedding load to finish what it has accepted. Send this again.";
      void sendProblem(
        reply,
        makeProblem("overloaded", 503, "Too busy", detail, { reason, retryAfterSeconds: 1 }),
      );
      return;
    }
    done();
  });
  app.addHook("onClose", (_instance, done) => {
    clearInterval(timer);
    delay.disable();
    done();
  });
  return { refusal, pressure: () => pressure, inFlight: () => inFlight, enter, leave };
}
