import { join } from "node:path";
import { against, below, type BenchOptions, type FigureRow, median, percentile, sleep } from "../figure.js";
import { createBenchMeters, generate, repeatLoad } from "../measure-load.js";
import type { LoadResult } from "../load/generator.js";
import { batch_load } from "./ingest-batches.js";
import { WeirProcess } from "../weir-process.js";

const probe_every_ms = 150;
const poll_every_ms = 20;
const visible_seconds_max = 30;

/**
 * From the answer to an event until a usage query counts it, while half of what this machine can take in goes on; the
 * median of the repetitions. How much that is, is measured first, on a folder of its own that leaves no merges behind.
 */
export async function measureFreshness(options: BenchOptions): Promise<FigureRow[]> {
  const full = await withWeir(join(options.dir, "freshness-full"), (weir) =>
    repeatLoad(weir, options, batch_load),
  );
  const half = Math.round(median(full.runs.map(({ sustainedPerSecond }) => sustainedPerSecond)) / 2);
  return withWeir(join(options.dir, "freshness"), async (weir) => {
    await weir.call("POST", "/api/v1/meters", {
      slug: "bench_probe",
      eventType: "probe",
      aggregation: "COUNT",
    });
    const seconds = options.quick ? 4 : 30;
    const idle = percentile(await probe(weir, Math.min(seconds, 10), "idle"), 99) / 1000;
    const rounds: { p50Ms: number; p99Ms: number; maxMs: number; probes: number; load: LoadResult }[] = [];
    for (let round = 1; round <= options.repetitions; round += 1) {
      const loading = generate({
        port: weir.port,
        path: "/api/v1/events",
        key: weir.key,
        ...batch_load,
        eventsPerSecond: half,
        warmupSeconds: options.warmupSeconds,
        seconds: seconds + 4,
      });
      await sleep((options.warmupSeconds + 1) * 1000);
      const delays = await probe(weir, seconds, `busy-${round}`);
      const p99Ms = percentile(delays, 99);
      rounds.push({
        p50Ms: median(delays),
        p99Ms,
        maxMs: percentile(delays, 100),
        probes: delays.length,
        load: await loading,
      });
      options.say(`  visible p99 ${(p99Ms / 1000).toFixed(2)} s at ${half} events/s`);
    }
    const p99 = median(rounds.map(({ p99Ms }) => p99Ms)) / 1000;
    return [
      {
        name: "accepted → visible at half load, p99",
        figure: p99,
        unit: "s",
        ...below(p99, 1.5),
        ...against(p99, idle, "the same on an idle server: s"),
        detail: { half, full: full.runs, rounds },
      },
    ];
  });
}

async function withWeir<T>(dir: string, work: (weir: WeirProcess) => Promise<T>): Promise<T> {
  const weir = await WeirProcess.start(dir);
  try {
    await createBenchMeters(weir);
    return await work(weir);
  } finally {
    await weir.stop();
  }
}

/** Sends an event of a new subject now and then, and asks which subjects are visible; milliseconds for each. */
async function probe(weir: WeirProcess, seconds: number, name: string): Promise<number[]> {
  const from = new Date(Date.now() - 60_000).toISOString();
  const waiting = new Map<string, number>();
  const delays: number[] = [];
  const end = performance.now() + seconds * 1000;
  let sending = true;
  const send = async (): Promise<void> => {
    for (let number = 0; performance.now() < end; number += 1) {
      const subject = `${name}-${number}`;
      await weir.call("POST", "/v1/events", {
        specversion: "1.0",
        id: subject,
        source: "bench/probe",
        type: "probe",
        subject,
      });
      waiting.set(subject, performance.now());
      await sleep(probe_every_ms);
    }
    sending = false;
  };
  const poll = async (): Promise<void> => {
    while (sending || waiting.size > 0) {
      const query = `/v1/meters/bench_probe/query?groupBy=subject&from=${encodeURIComponent(from)}`;
      const { data } = (await weir.call("GET", query)) as { data: { subject: string }[] };
      const seen = performance.now();
      for (const { subject } of data) {
        const since = waiting.get(subject);
        if (since === undefined) continue;
        waiting.delete(subject);
        delays.push(seen - since);
      }
      for (const [subject, since] of waiting) {
        if (seen - since > visible_seconds_max * 1000)
          throw new Error(`${subject} is not visible after ${visible_seconds_max} s`);
      }
      await sleep(poll_every_ms);
    }
  };
  await Promise.all([send(), poll()]);
  return delays;
}
