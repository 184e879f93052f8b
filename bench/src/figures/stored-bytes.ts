import { join } from "node:path";
import { askProcess } from "../ask-process.js";
import type { ColumnarResult } from "../columnar-process.js";
import { against, type BenchOptions, below, type FigureRow, median, sleep } from "../figure.js";
import { folderBytes } from "../folder-bytes.js";
import { createBenchMeters, measureLoad } from "../measure-load.js";
import { WeirProcess } from "../weir-process.js";
import { batch_load } from "./ingest-batches.js";

const data_tables = ["usage_events", "usage", "usage_15m", "usage_1d"];

/** What events take on disk once they are stored; then, on the same data, starts and memory at rest. */
export async function measureStoredBytesAndStart(options: BenchOptions): Promise<FigureRow[]> {
  const dataDir = join(options.dir, "stored-bytes");
  const weir = await WeirProcess.start(dataDir);
  let events: number;
  let jsonBytes: number;
  try {
    await createBenchMeters(weir);
    // Half of what it can do, so that parts merge as in service.
    const load = await measureLoad(
      weir,
      { ...options, loadSeconds: options.quick ? 3 : 60 },
      { ...batch_load, eventsPerSecond: 25_000 },
    );
    events = load.acceptedInAll;
    jsonBytes = load.bytesPerEvent;
    await sleep(options.quick ? 1_000 : 20_000);
  } finally {
    await weir.stop();
  }
  const index = folderBytes(join(dataDir, "index")) / events;
  const stream = folderBytes(join(dataDir, "stream")) / events;
  const { openMs, statements } = await askProcess<ColumnarResult>("./columnar-process.js", {
    dir: join(dataDir, "clickhouse"),
    statements: [
      {
        sql: `SELECT table, toString(sum(bytes_on_disk)) AS bytes, toString(sum(rows)) AS rows FROM system.parts
              WHERE database = 'weir' AND active GROUP BY table`,
        rows: true,
      },
    ],
  });
  const tables = (statements[0]?.rows ?? []).map((row) => ({
    table: String(row["table"]),
    bytesPerEvent: Number(row["bytes"]) / events,
  }));
  const columnar = tables
    .filter(({ table }) => data_tables.includes(table))
    .reduce((sum, row) => sum + row.bytesPerEvent, 0);
  const total = columnar + index;
  return [
    {
      name: "bytes on disk per event, index included",
      figure: total,
      unit: "bytes",
      target: "stated",
      ...against(total, jsonBytes, "the event as JSON: bytes"),
      detail: { events, tables, index, stream },
    },
    {
      name: "bytes of the identity index per event",
      figure: index,
      unit: "bytes",
      target: "stated",
    },
    ...(await measureStart(options, dataDir, events, openMs)),
  ];
}

/** Starts of the real server on the data that is there. */
async function measureStart(
  options: BenchOptions,
  dataDir: string,
  events: number,
  openMs: number,
): Promise<FigureRow[]> {
  const seconds: number[] = [];
  const memories: { server: number; postgres: number }[] = [];
  for (let repetition = 0; repetition < options.repetitions; repetition += 1) {
    const weir = await WeirProcess.start(dataDir);
    seconds.push(weir.readySeconds);
    await sleep(options.quick ? 1_000 : 10_000);
    memories.push(weir.memory());
    await weir.stop();
  }
  const start = median(seconds);
  const mebibytes = (bytes: number) => bytes / 1024 ** 2;
  return [
    {
      name: `cold start to ready, ${events.toLocaleString("en")} events stored`,
      figure: start,
      unit: "s",
      ...below(start, 3),
      ...against(start, openMs / 1000, "opening chDB alone on the same data: s"),
      detail: { seconds },
    },
    {
      name: "memory at rest, server",
      figure: mebibytes(median(memories.map(({ server }) => server))),
      unit: "MiB",
      target: "stated",
    },
    {
      name: "memory at rest, its PostgreSQL",
      figure: mebibytes(median(memories.map(({ postgres }) => postgres))),
      unit: "MiB",
      target: "stated",
    },
  ];
}
