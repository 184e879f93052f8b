import { join } from "node:path";
import { askProcess } from "../ask-process.js";
import type { ColumnarRequest, ColumnarResult } from "../columnar-process.js";
import { against, below, type BenchOptions, type FigureRow, median, percentile, sleep } from "../figure.js";
import { WeirProcess } from "../weir-process.js";

const customer = "customer-big";
const other_subjects = 5_000;
const unique_values = 200_000;
const rows_per_insert = 5_000_000;
const day_us = 86_400_000_000;
const queries = { sum: 100, unique: 20, quick: 5 } as const;

interface StoredMeter {
  readonly organization: string;
  readonly meter: string;
}

/** 30 daily values of one customer, who has a fifth of all events. */
export async function measureQuery30Days(options: BenchOptions): Promise<FigureRow[]> {
  const dataDir = join(options.dir, "query-30-days");
  const columnarDir = join(dataDir, "clickhouse");
  const meters = await createMeters(dataDir, columnarDir);
  // Windows of whole UTC days that ended before today.
  const to = Math.floor((Date.now() * 1000) / day_us) * day_us;
  const from = to - 30 * day_us;
  const seconds = await loadRows(options, columnarDir, meters, from);
  const reference = await measurePlainSelects(options, columnarDir, meters);

  const weir = await WeirProcess.start(dataDir);
  try {
    const range = `from=${isoOf(from)}&to=${isoOf(to)}&windowSize=DAY&subject=${customer}`;
    const sum = await timeQuery(
      weir,
      `/v1/meters/bench_sum/query?${range}`,
      options.quick ? queries.quick : queries.sum,
    );
    const unique = await timeQuery(
      weir,
      `/v1/meters/bench_unique/query?${range}`,
      options.quick ? queries.quick : queries.unique,
    );
    const size = `${millions(options.queryEvents / 5)} of ${millions(options.queryEvents)} events`;
    const sumP95 = percentile(sum, 95);
    const uniqueP95 = percentile(unique, 95);
    return [
      {
        name: `30 days by day, SUM, ${size}, p95`,
        figure: sumP95,
        unit: "ms",
        ...below(sumP95, 50),
        ...against(sumP95, reference.sum, "plain SELECT sum over the same rows: ms"),
        detail: { p50: median(sum), loadSeconds: seconds, readySeconds: weir.readySeconds },
      },
      {
        name: `30 days by day, UNIQUE_COUNT, ${size}, p95`,
        figure: uniqueP95,
        unit: "ms",
        ...below(uniqueP95, 500),
        ...against(uniqueP95, reference.unique, "plain SELECT uniqExact over the same rows: ms"),
        detail: { p50: median(unique) },
      },
    ];
  } finally {
    await weir.stop();
  }
}

/** Lets the server make the tables, the organization and the meters, and reads their ids from a first event. */
async function createMeters(
  dataDir: string,
  columnarDir: string,
): Promise<{ sum: StoredMeter; unique: StoredMeter }> {
  const weir = await WeirProcess.start(dataDir);
  let sumVersion: string;
  let uniqueVersion: string;
  try {
    sumVersion = await createMeter(weir, {
      slug: "bench_sum",
      eventType: "request",
      aggregation: "SUM",
      valueProperty: "$.tokens",
    });
    uniqueVersion = await createMeter(weir, {
      slug: "bench_unique",
      eventType: "request",
      aggregation: "UNIQUE_COUNT",
      valueProperty: "$.user",
    });
    const data = { tokens: 1, user: "first" };
    await weir.call("POST", "/v1/events", {
      specversion: "1.0",
      id: "first",
      source: "bench",
      type: "request",
      subject: "first",
      data,
    });
    await sleep(5_000);
  } finally {
    await weir.stop();
  }
  const { statements } = await askProcess<ColumnarResult>("./columnar-process.js", {
    dir: columnarDir,
    statements: [{ sql: "SELECT DISTINCT organization, meter FROM weir.usage", rows: true }],
  });
  const found = (version: string): StoredMeter => {
    const row = statements[0]?.rows.find(({ meter }) => meter === version);
    if (row === undefined) throw new Error(`the first event of ${version} was not stored`);
    return { organization: String(row["organization"]), meter: version };
  };
  return { sum: found(sumVersion), unique: found(uniqueVersion) };
}

async function createMeter(weir: WeirProcess, meter: object): Promise<string> {
  const created = (await weir.call("POST", "/api/v1/meters", meter)) as { versionId: string };
  return created.versionId;
}

/** Writes the measured rows as an INSERT of a batch would leave them, without the days of sending them. */
async function loadRows(
  options: BenchOptions,
  dir: string,
  meters: { sum: StoredMeter; unique: StoredMeter },
  from: number,
): Promise<number> {
  const started = performance.now();
  const statements: { sql: string }[] = [];
  // Whole microseconds between two events: number * 30 days would be over 64 bits from 7 million events on.
  const step_us = Math.floor((30 * day_us) / options.queryEvents);
  for (let first = 0; first < options.queryEvents; first += rows_per_insert) {
    const count = Math.min(rows_per_insert, options.queryEvents - first);
    for (const { organization, meter } of [meters.sum, meters.unique]) {
      const isUnique = meter === meters.unique.meter;
      // Every fifth event is the customer's; events come in order of time, as they would.
      statements.push({
        sql: `INSERT INTO weir.usage (organization, meter, subject, time, value, unique, dimensions, key, revision, writer, sequence, event_sequence, event_position, batch)
          SELECT '${organization}', '${meter}',
            if(number % 5 = 0, '${customer}', concat('customer-', toString(cityHash64(number) % ${other_subjects}))),
            fromUnixTimestamp64Micro(toInt64(${from} + number * ${step_us}), 'UTC'),
            toDecimal128(${isUnique ? "1" : "100 + number % 900"}, 18),
            ${isUnique ? `concat('user-', toString(cityHash64(number, 1) % ${unique_values}))` : "''"},
            [], reinterpretAsFixedString(sipHash128(number)), 0, 'w_bench', intDiv(number, 100), intDiv(number, 100), number % 100 + 1, 0
          FROM numbers(${first}, ${count})`,
      });
    }
    options.say(`  planned rows to ${millions(first + count)}`);
  }
  // A month that came in over a month is merged; one that was written in minutes would be merged while it is measured.
  for (const table of ["usage", "usage_15m", "usage_1d"])
    statements.push({ sql: `OPTIMIZE TABLE weir.${table} FINAL` });
  await askProcess<ColumnarResult>("./columnar-process.js", { dir, statements } satisfies ColumnarRequest);
  return (performance.now() - started) / 1000;
}

async function measurePlainSelects(
  options: BenchOptions,
  dir: string,
  meters: { sum: StoredMeter; unique: StoredMeter },
) {
  const select = (aggregate: string, { organization, meter }: StoredMeter) => ({
    sql: `SELECT toStartOfDay(time) AS day, ${aggregate} AS value FROM weir.usage
          WHERE organization = '${organization}' AND meter = '${meter}' AND subject = '${customer}' GROUP BY day ORDER BY day`,
    rows: true,
    repetitions: options.quick ? 2 : 10,
  });
  const statements = [
    select("toString(sum(value))", meters.sum),
    select("toString(uniqExact(unique))", meters.unique),
  ];
  const result = await askProcess<ColumnarResult>("./columnar-process.js", {
    dir,
    statements,
  } satisfies ColumnarRequest);
  return {
    sum: percentile(result.statements[0]?.ms ?? [], 95),
    unique: percentile(result.statements[1]?.ms ?? [], 95),
  };
}

async function timeQuery(weir: WeirProcess, path: string, repetitions: number): Promise<number[]> {
  const times: number[] = [];
  for (let repetition = 0; repetition < repetitions; repetition += 1) {
    const started = performance.now();
    const { data } = (await weir.call("GET", path)) as { data: { value: string }[] };
    times.push(performance.now() - started);
    if (data.length !== 30 || data.some(({ value }) => Number(value) === 0))
      throw new Error(`${path} answered ${data.length} days`);
  }
  return times;
}

function isoOf(us: number): string {
  return new Date(us / 1000).toISOString();
}

function millions(events: number): string {
  return events >= 1e6 ? `${events / 1e6} M` : events.toLocaleString("en");
}
