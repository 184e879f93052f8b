import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { askProcess } from "../ask-process.js";
import type { ColumnarRequest, ColumnarResult } from "../columnar-process.js";
import { against, atLeast, type BenchOptions, type FigureRow, median } from "../figure.js";
import { eventText, number_digits } from "../load/event-batch.js";
import type { LoadIndexResult } from "../load-index-process.js";
import { createBenchMeters, newRunName, repeatLoad } from "../measure-load.js";
import { WeirProcess } from "../weir-process.js";

export const batch_load = { connections: 32, eventsPerRequest: 100, eventsPerSecond: 0 } as const;
const target_per_second = 50_000;

/** Durable, deduplicated, metered ingest: batches of 100 events, two meters. */
export async function measureIngestBatches(options: BenchOptions): Promise<FigureRow[]> {
  const reference = await measurePlainInsert(options);
  const weir = await WeirProcess.start(join(options.dir, "ingest-batches"));
  try {
    await createBenchMeters(weir);
    const { eventsPerSecond, runs } = await repeatLoad(weir, options, batch_load);
    return [
      {
        name: "ingest, batches of 100",
        figure: eventsPerSecond,
        unit: "events/s",
        ...atLeast(eventsPerSecond, target_per_second),
        ...against(eventsPerSecond, reference, "ClickHouse inserting the same rows from a file: rows/s"),
        detail: { runs },
      },
      {
        name: "ingest, batches of 100, until visible",
        figure: median(runs.map((run) => run.sustainedPerSecond)),
        unit: "events/s",
        target: "stated",
      },
      {
        name: "ingest, batches of 100, p99 of a request",
        figure: median(runs.map((run) => run.p99Ms)),
        unit: "ms",
        target: "stated",
      },
    ];
  } finally {
    await weir.stop();
  }
}

/** The same with many keys in the index already, and without. */
export async function measureIngestLargeIndex(options: BenchOptions): Promise<FigureRow[]> {
  const dataDir = join(options.dir, "ingest-large-index");
  options.say(`  loading ${options.indexKeys.toLocaleString("en")} keys`);
  const index = await askProcess<LoadIndexResult>("./load-index-process.js", {
    dir: join(dataDir, "index"),
    keys: options.indexKeys,
  });
  const empty = await WeirProcess.start(join(options.dir, "ingest-small-index"));
  let reference: number;
  try {
    await createBenchMeters(empty);
    reference = (await repeatLoad(empty, { ...options, repetitions: 1 }, batch_load)).eventsPerSecond;
  } finally {
    await empty.stop();
  }
  const weir = await WeirProcess.start(dataDir);
  try {
    await createBenchMeters(weir);
    const { eventsPerSecond, runs } = await repeatLoad(weir, options, batch_load);
    return [
      {
        name: `ingest, ${options.indexKeys.toLocaleString("en")} keys in the index`,
        figure: eventsPerSecond,
        unit: "events/s",
        target: "stated",
        ...against(eventsPerSecond, reference, "the same with an empty index: events/s"),
        detail: { runs, index, readySeconds: weir.readySeconds, memory: weir.memory() },
      },
    ];
  } finally {
    await weir.stop();
  }
}

/** Rows a second of a plain INSERT … SELECT FROM file of the same events as JSON lines: no HTTP, index or metering. */
async function measurePlainInsert(options: BenchOptions): Promise<number> {
  const rows = options.quick ? 100_000 : 1_000_000;
  const file = join(options.dir, "reference-events.ndjson");
  const run = newRunName();
  const time = new Date().toISOString();
  const chunks: string[] = [];
  for (let row = 0; row < rows; row += 1) {
    chunks.push(
      eventText(run, String(row).padStart(number_digits, "0"), (row * 7919) % 1_000, row * 17, time),
    );
  }
  writeFileSync(file, `${chunks.join("\n")}\n`);
  const columns = "id String, source String, type String, subject String, time String, data String";
  const request: ColumnarRequest = {
    dir: join(options.dir, "reference-columnar"),
    statements: [
      { sql: "CREATE DATABASE IF NOT EXISTS bench" },
      {
        sql: `CREATE TABLE bench.events (id String CODEC(ZSTD(1)), source LowCardinality(String), type LowCardinality(String),
              subject String CODEC(ZSTD(1)), time DateTime64(6, 'UTC'), data String CODEC(ZSTD(1)))
              ENGINE = MergeTree ORDER BY (subject, time)`,
      },
      {
        sql: `INSERT INTO bench.events SELECT id, source, type, subject, parseDateTime64BestEffort(time, 6, 'UTC'), data
              FROM file('${file}', 'JSONEachRow', '${columns}')
              SETTINGS input_format_json_read_objects_as_strings = 1, input_format_skip_unknown_fields = 1`,
        repetitions: options.repetitions,
      },
      { sql: "SELECT count() AS rows FROM bench.events", rows: true },
    ],
  };
  const { statements } = await askProcess<ColumnarResult>("./columnar-process.js", request);
  const counted = Number(statements[3]?.rows[0]?.["rows"]);
  if (counted !== rows * options.repetitions) throw new Error(`the reference stored ${counted} rows`);
  return rows / (median(statements[2]?.ms ?? []) / 1000);
}
