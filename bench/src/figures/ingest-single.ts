import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { against, atLeast, below, type BenchOptions, type FigureRow, median } from "../figure.js";
import { createBenchMeters, generate, repeatLoad } from "../measure-load.js";
import { WeirProcess } from "../weir-process.js";

const single_load = { connections: 64, eventsPerRequest: 1, eventsPerSecond: 0 } as const;

/** One event a request from 64 connections, each answered after its fsync. */
export async function measureIngestSingle(options: BenchOptions): Promise<FigureRow[]> {
  const reference = await measureBareServer(options);
  const weir = await WeirProcess.start(join(options.dir, "ingest-single"));
  try {
    await createBenchMeters(weir);
    const { eventsPerSecond, runs } = await repeatLoad(weir, options, single_load);
    const p99 = median(runs.map((run) => run.p99Ms));
    const p50 = median(runs.map((run) => run.p50Ms));
    const name = "one event a request, 64 connections";
    return [
      {
        name,
        figure: eventsPerSecond,
        unit: "requests/s",
        ...atLeast(eventsPerSecond, 8_000),
        ...against(eventsPerSecond, reference.eventsPerSecond, "node:http that stores nothing: requests/s"),
        detail: { runs },
      },
      {
        name: `${name}, p99`,
        figure: p99,
        unit: "ms",
        ...below(p99, 50),
        ...against(p99, reference.p99Ms, "node:http that stores nothing: p99 ms"),
      },
      {
        name: `${name}, p50`,
        figure: p50,
        unit: "ms",
        target: "stated",
        ...against(p50, reference.p50Ms, "node:http that stores nothing: p50 ms"),
      },
    ];
  } finally {
    await weir.stop();
  }
}

async function measureBareServer(options: BenchOptions) {
  const child = fork(fileURLToPath(new URL("../reference-server-process.js", import.meta.url)));
  const listening = once(child, "message") as Promise<[{ result: number }]>;
  child.send({});
  const [{ result: port }] = await listening;
  try {
    const { warmupSeconds, loadSeconds: seconds } = options;
    return await generate({ ...single_load, port, path: "/", key: "none", warmupSeconds, seconds });
  } finally {
    child.disconnect();
  }
}
