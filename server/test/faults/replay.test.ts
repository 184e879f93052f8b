import { mkdir } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { migrateColumnar, openColumnar, type Columnar } from "../../src/engines/columnar/index.js";
import { openStream, type Batch, type BatchSink, type SignalStream } from "../../src/engines/stream/index.js";
import { systemClock } from "../../src/kernel/clock.js";
import { silentLog } from "../../src/kernel/log.js";
import { usageSink } from "../../src/usage/store/insert-batch.js";
import { UsageBodyEncoder, usage_body_field } from "../../src/usage/usage-body.js";
import { at, framed, meterVersion, orgA, orgB } from "../support/batch-file.js";
import { temporaryFolder } from "../support/temporary-folder.js";
import { generousLimits } from "./stream/open-test-stream.js";

const replays = process.env["WEIR_SOAK"] === "1" ? 200 : 20;
const segments = 5;
const envelopes_a_segment = 40;
const events_an_envelope = 25;
const migrations = fileURLToPath(new URL("../../migrations/clickhouse", import.meta.url));

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let columnar: Columnar;
let sink: BatchSink;

beforeAll(async () => {
  folder = await temporaryFolder("replay");
  columnar = await openColumnar({ dir: path.join(folder.dir, "clickhouse"), log: silentLog });
  await migrateColumnar(columnar, migrations);
  await mkdir(path.join(folder.dir, "schemas"));
  sink = await usageSink(columnar, path.join(folder.dir, "schemas"));
});
afterAll(async () => {
  await columnar.close();
  await folder.remove();
});

function open(through: BatchSink | undefined): Promise<SignalStream> {
  return openStream({
    dir: path.join(folder.dir, "stream"),
    signal: "usage",
    writer: "w_0123456789",
    sink: through,
    hooks: { recover: () => {}, sealed: () => Promise.resolve() },
    limits: generousLimits,
    clock: systemClock,
    log: silentLog,
  });
}

/** Everything that is stored, as text that changes when anything does. */
async function contents(): Promise<Record<string, string>> {
  const digest = async (table: string, columns: string) => {
    const [text] = await columnar.system.query(
      "digest",
      `SELECT concat(toString(count()), ':', toString(sum(cityHash64(${columns})))) AS text FROM ${table}`,
      {},
      (row) => String(row["text"]),
    );
    return text ?? "";
  };
  const rollup = (table: string, unit: string, states: string) =>
    `(SELECT organization, meter, subject, ${unit}, dimensions, sum(count), uniqExactMerge(uniques), ${states}
      FROM weir.${table} GROUP BY ALL)`;
  return {
    events: await digest("weir.usage_events", "*"),
    usage: await digest("weir.usage", "*"),
    rollup: await digest(
      rollup("usage_15m", "bucket", "sum(sum), min(min), max(max), argMaxMerge(latest)"),
      "*",
    ),
    days: await digest(rollup("usage_1d", "day", "1"), "*"),
    parts: await digest(
      "system.parts WHERE database = 'weir' AND table LIKE 'usage%' AND active",
      "table, rows",
    ),
  };
}

async function settingOf(name: string): Promise<string | undefined> {
  const sql = "SELECT toString(getSetting({name:String})) AS value";
  return (await columnar.system.query("setting", sql, { name }, (row) => String(row["value"])))[0];
}

// What another version, or an operator, might make the default; none of it may reach a pinned insert.
const changed_defaults: readonly (readonly string[])[] = [
  ["max_insert_block_size = 100", "min_insert_block_size_rows = 100", "min_insert_block_size_bytes = 1"],
  ["max_block_size = 64", "max_threads = 8", "max_insert_threads = 4"],
  ["async_insert = 1", "wait_for_async_insert = 0", "async_insert_deduplicate = 0"],
  ["min_insert_block_size_rows_for_materialized_views = 10", "parallel_view_processing = 1"],
  ["insert_deduplicate = 0", "deduplicate_blocks_in_dependent_materialized_views = 0"],
  ["max_read_buffer_size = 4096", "preferred_block_size_bytes = 1000", "input_format_parallel_parsing = 1"],
  ["optimize_on_insert = 0", "max_partitions_per_insert_block = 1", "insert_deduplication_token = 'another'"],
];

test(`a batch of ${segments} segments replayed ${replays} times, under other defaults each time, changes nothing`, async () => {
  const meters = [
    meterVersion({ groupBy: [{ name: "model", property: "$.model" }] }, "mtv_01arz3ndektsv4rrffq69g5fa1"),
    meterVersion({ aggregation: "COUNT" }, "mtv_01arz3ndektsv4rrffq69g5fa2"),
    meterVersion({ aggregation: "UNIQUE_COUNT" }, "mtv_01arz3ndektsv4rrffq69g5fa3"),
  ].map(({ valueProperty, ...rest }) =>
    rest.aggregation === "COUNT" ? rest : { ...rest, valueProperty: valueProperty ?? "$.n" },
  );
  let expected = 0;
  let events = 0;
  const log = await open(undefined);
  for (let segment = 0; segment < segments; segment += 1) {
    for (let envelope = 0; envelope < envelopes_a_segment; envelope += 1) {
      const encoder = new UsageBodyEncoder(4096);
      for (let event = 0; event < events_an_envelope; event += 1) {
        events += 1;
        const n = events % 1_000;
        expected += n;
        const year = 2020 + (events % 4);
        const time = `${year}-03-${String((events % 28) + 1).padStart(2, "0")}T12:${String(events % 60).padStart(2, "0")}:00Z`;
        const data = { n, model: `m${events % 7}` };
        encoder.event(framed(meters, { id: `e${events}`, time, subject: `s${events % 13}`, data }));
      }
      await log.append({
        organization: envelope % 3 === 0 ? orgB : orgA,
        receivedAt: at("2026-02-01T00:00:00Z"),
        rowCounts: encoder.rowCounts,
        body: () => encoder.finish(),
        bodyField: usage_body_field,
      }).durable;
    }
    await log.sealNow();
  }
  await log.close();
  expect(log.stats()).toMatchObject({ segments });

  const tokens = new Set<string>();
  const pinned = new Set<string>();
  /** Opens the log with a sink after whose insert the process is as good as killed. */
  const replay = (number: number) =>
    new Promise<Batch>((resolve, reject) => {
      const dying: BatchSink = {
        ...sink,
        settings: () => ({ ...sink.settings(), max_block_size: 1 + number, max_insert_threads: number }),
        insert: async (batch) => {
          await sink.insert(batch);
          resolve(batch);
          await new Promise(() => {});
        },
      };
      open(dying).catch(reject);
    });
  let first: Record<string, string> | undefined;
  for (let number = 0; number < replays; number += 1) {
    if (number > 0) {
      for (const setting of changed_defaults[(number - 1) % changed_defaults.length] ?? [])
        await columnar.system.command("change a default", `SET ${setting}`);
    }
    if (number === 1) expect(await settingOf("max_insert_block_size")).toBe("100");
    const batch = await replay(number);
    tokens.add(batch.token);
    pinned.add(JSON.stringify(batch.settings));
    expect(batch.envelopes).toBe(segments * envelopes_a_segment);
    first ??= await contents();
    expect(await contents(), `after replay ${number}`).toEqual(first);
  }
  expect(tokens.size).toBe(1);
  expect(pinned.size).toBe(1);

  const last = await open(sink);
  await last.whenConfirmed(last.nextSequence - 1);
  await last.close();
  expect(await contents()).toEqual(first);
  const [counted] = await columnar.system.query(
    "count",
    `SELECT (SELECT count() FROM weir.usage_events) AS events, (SELECT sum(value) FROM weir.usage WHERE meter LIKE '%1') AS sum,
            (SELECT sum(sum) FROM weir.usage_15m WHERE meter LIKE '%1') AS rolled, (SELECT sum(count) FROM weir.usage_15m) AS count,
            (SELECT uniqExactMerge(uniques) FROM weir.usage_15m WHERE meter LIKE '%3') AS uniques,
            (SELECT uniqExactMerge(uniques) FROM weir.usage_1d) AS uniques_by_day, (SELECT sum(count) FROM weir.usage_1d) AS count_by_day`,
    {},
    (row) =>
      ["events", "sum", "rolled", "count", "uniques", "uniques_by_day", "count_by_day"].map((name) =>
        Number(row[name]),
      ),
  );
  const distinct = Math.min(events, 1_000);
  expect(counted).toEqual([events, expected, expected, events * 3, distinct, distinct, events]);
});
