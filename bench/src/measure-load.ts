import { randomBytes } from "node:crypto";
import { askProcess } from "./ask-process.js";
import { type BenchOptions, median, sleep } from "./figure.js";
import { bench_meters } from "./load/event-batch.js";
import type { LoadRequest, LoadResult } from "./load/generator.js";
import type { WeirProcess } from "./weir-process.js";

const drain_seconds_max = 120;

export interface MeasuredLoad extends LoadResult {
  /** Processor seconds of the server for each second of load. */
  readonly serverCores: number;
  /** Seconds from the end of the load until every accepted event was in the COUNT meter. */
  readonly drainSeconds: number;
  /** Accepted events over load and drain: what could go on for ever. */
  readonly sustainedPerSecond: number;
}

export function newRunName(): string {
  return randomBytes(3).toString("hex");
}

export async function createBenchMeters(weir: WeirProcess): Promise<void> {
  for (const meter of bench_meters) await weir.call("POST", "/api/v1/meters", meter);
}

export function generate(request: Omit<LoadRequest, "run">): Promise<LoadResult> {
  return askProcess<LoadResult>("./load/generator.js", { ...request, run: newRunName() });
}

/** Puts the load on the server and waits until all of it is visible. Throws when the count is wrong. */
export async function measureLoad(
  weir: WeirProcess,
  options: BenchOptions,
  load: Pick<LoadRequest, "connections" | "eventsPerRequest" | "eventsPerSecond">,
): Promise<MeasuredLoad> {
  const { warmupSeconds, loadSeconds: seconds } = options;
  const before = await countRequests(weir);
  const cpuBefore = weir.cpuSeconds();
  const result = await generate({
    ...load,
    port: weir.port,
    path: "/api/v1/events",
    key: weir.key,
    warmupSeconds,
    seconds,
  });
  const cpu = weir.cpuSeconds() - cpuBefore;
  const ended = performance.now();
  for (;;) {
    const counted = (await countRequests(weir)) - before;
    const drainSeconds = (performance.now() - ended) / 1000;
    if (counted > result.acceptedInAll)
      throw new Error(`${counted} events counted, ${result.acceptedInAll} accepted`);
    if (counted === result.acceptedInAll) {
      const sustainedPerSecond = result.acceptedInAll / (warmupSeconds + seconds + drainSeconds);
      return { ...result, serverCores: cpu / (warmupSeconds + seconds), drainSeconds, sustainedPerSecond };
    }
    if (drainSeconds > drain_seconds_max) {
      throw new Error(
        `${counted} of ${result.acceptedInAll} accepted events visible after ${drain_seconds_max} s`,
      );
    }
    await sleep(100);
  }
}

export async function repeatLoad(
  weir: WeirProcess,
  options: BenchOptions,
  load: Pick<LoadRequest, "connections" | "eventsPerRequest" | "eventsPerSecond">,
): Promise<{ eventsPerSecond: number; runs: MeasuredLoad[] }> {
  const runs: MeasuredLoad[] = [];
  for (let repetition = 0; repetition < options.repetitions; repetition += 1) {
    runs.push(await measureLoad(weir, options, load));
    const last = runs.at(-1);
    options.say(
      `  ${Math.round(last?.eventsPerSecond ?? 0).toLocaleString("en")} events/s, sustained ${Math.round(last?.sustainedPerSecond ?? 0).toLocaleString("en")}`,
    );
  }
  return { eventsPerSecond: median(runs.map((run) => run.eventsPerSecond)), runs };
}

export async function countRequests(weir: WeirProcess): Promise<number> {
  const answer = (await weir.call("GET", "/v1/meters/bench_requests/query")) as {
    data: { value: string | null }[];
  };
  return answer.data.reduce((sum, row) => sum + Number(row.value ?? 0), 0);
}
