import { join } from "node:path";
import { against, below, type BenchOptions, type FigureRow, percentile, sleep } from "../figure.js";
import { createBenchMeters, generate } from "../measure-load.js";
import { WeirProcess } from "../weir-process.js";

const half_load_per_second = 25_000;
const probe_every_ms = 150;
const poll_every_ms = 20;
const visible_seconds_max = 30;

/** From the answer to an event until a usage query counts it, while half of the target load goes on. */
export async function measureFreshness(options: BenchOptions): Promise<FigureRow[]> {
  const weir = await WeirProcess.start(join(options.dir, "freshness"));
  try {
    await createBenchMeters(weir);
    await weir.call("POST", "/api/v1/meters", {
      slug: "bench_probe",
      eventType: "probe",
      aggregation: "COUNT",
    });
    const seconds = options.quick ? 4 : 30;
    const idle = await probe(weir, Math.min(seconds, 10), "idle");
    const loading = generate({
      port: weir.port,
      path: "/api/v1/events",
      key: weir.key,
      connections: 16,
      eventsPerRequest: 100,
      eventsPerSecond: options.quick ? half_load_per_second / 5 : half_load_per_second,
      warmupSeconds: options.warmupSeconds,
      seconds: seconds + 4,
    });
    await sleep((options.warmupSeconds + 1) * 1000);
    const busy = await probe(weir, seconds, "busy");
    const load = await loading;
    const p99 = percentile(busy, 99) / 1000;
    return [
      {
        name: "accepted → visible at half load, p99",
        figure: p99,
        unit: "s",
        ...below(p99, 1.5),
        ...against(p99, percentile(idle, 99) / 1000, "the same on an idle server: s"),
        detail: { probes: busy.length, p50Ms: percentile(busy, 50), maxMs: percentile(busy, 100), load },
      },
    ];
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
