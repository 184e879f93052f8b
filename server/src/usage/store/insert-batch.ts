import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { ColumnarRejected, type Columnar, type Row } from "../../engines/columnar/index.js";
import { BatchRejected, type Batch, type BatchSink } from "../../engines/stream/index.js";

// What ClickHouse needs of proto/envelope.proto, on one line; unknown fields are skipped.
const proto_schema =
  'syntax = "proto3"; ' +
  "message Measurement { string meter = 1; string value = 2; string unique = 3; repeated string dimensions = 4; } " +
  "message UsageEvent { string source = 1; string id = 2; string type = 3; string subject = 4; int64 time = 5; string data = 6; " +
  "bytes key = 7; uint32 revision = 8; repeated Measurement measurements = 9; bool backfill = 10; uint64 event_sequence = 11; uint32 event_position = 12; } " +
  "message Correction { bytes key = 1; uint32 revision = 2; bool void = 3; string reason = 4; string actor = 5; string source = 6; " +
  "string id = 7; string subject = 8; int64 time = 9; string new_subject = 10; int64 new_time = 11; } " +
  "message UsageBody { repeated UsageEvent events = 1; repeated Correction corrections = 2; } " +
  "message Envelope { string organization = 2; uint64 sequence = 3; int64 received_at = 4; repeated uint32 rejects = 5; UsageBody usage = 10; }";

const measurement = "Tuple(meter String, value String, unique String, dimensions Array(String))";
const event =
  "Tuple(source String, id String, type String, subject String, time Int64, data String, key FixedString(16), revision UInt32, " +
  `measurements Array(${measurement}), backfill Bool, event_sequence UInt64, event_position UInt32)`;
const correction =
  "Tuple(key FixedString(16), revision UInt32, void Bool, reason String, actor String, source String, id String, " +
  "subject String, time Int64, new_subject String, new_time Int64)";
const structure =
  "organization String, sequence UInt64, received_at Int64, rejects Array(UInt32), " +
  `usage Tuple(events Array(${event}), corrections Array(${correction}))`;

/** Every event of a batch with its position in its envelope, from 1, those on the reject list left out. */
const events_of_batch = (file: string) => `
  SELECT organization, sequence, received_at, e, position
  FROM ${file} ARRAY JOIN usage.events AS e, arrayEnumerate(usage.events) AS position
  WHERE NOT has(rejects, toUInt32(position - 1))`;

const usage_of_batch = (file: string) => `
  SELECT organization, sequence, e, position, m
  FROM (${events_of_batch(file)}) ARRAY JOIN e.measurements AS m`;

/** One INSERT for each table of the signal, in the order of the envelope's row counts. */
const inserts: readonly { readonly table: string; readonly select: (file: string) => string }[] = [
  {
    table: "usage_events",
    select: (file) => `
      INSERT INTO weir.usage_events (organization, source, id, type, subject, time, data, key, revision, received_at, writer, sequence, position, batch)
      SELECT organization, e.source, e.id, e.type, e.subject, fromUnixTimestamp64Micro(e.time, 'UTC'), e.data, e.key, e.revision,
             fromUnixTimestamp64Micro(received_at, 'UTC'), {writer:String}, sequence, position, {batch:UInt64}
      FROM (${events_of_batch(file)})
      WHERE NOT e.backfill`,
  },
  {
    table: "usage",
    select: (file) => `
      INSERT INTO weir.usage (organization, meter, subject, time, value, unique, dimensions, key, revision, writer, sequence, event_sequence, event_position, batch)
      SELECT organization, m.meter, e.subject, fromUnixTimestamp64Micro(e.time, 'UTC'), toDecimal128(m.value, 18), m.unique, m.dimensions,
             e.key, e.revision, {writer:String}, sequence,
             if(e.backfill, e.event_sequence, sequence), if(e.backfill, e.event_position, position), {batch:UInt64}
      FROM (${usage_of_batch(file)})`,
  },
  {
    table: "usage_corrections",
    select: (file) => `
      INSERT INTO weir.usage_corrections (organization, key, revision, void, reason, actor, source, id, subject, time, new_subject, new_time, created_at, writer, sequence, batch)
      SELECT organization, c.key, c.revision, c.void, c.reason, c.actor, c.source, c.id, c.subject, fromUnixTimestamp64Micro(c.time, 'UTC'),
             c.new_subject, fromUnixTimestamp64Micro(c.new_time, 'UTC'), fromUnixTimestamp64Micro(received_at, 'UTC'), {writer:String}, sequence, {batch:UInt64}
      FROM (SELECT organization, sequence, received_at, c FROM ${file} ARRAY JOIN usage.corrections AS c)`,
  },
];

/** What a discard builds anew, as the views fill it; `discarded` is the unit of a bucket that was written down as touched. */
const rollups = [
  {
    table: "usage_15m",
    unit: "bucket",
    unit_us: 900_000_000,
    discarded: "bucket",
    states: `sum(toDecimal256(value, 18)) AS sum, count() AS count, min(value) AS min, max(value) AS max,
             argMaxState(value, (time, event_sequence, event_position)) AS latest,
             uniqExactStateIf(sipHash64(unique), unique != '') AS uniques`,
    rows: "true",
  },
  {
    table: "usage_1d",
    unit: "day",
    unit_us: 86_400_000_000,
    discarded: "intDiv(bucket, 96)",
    states: "count() AS count, uniqExactState(sipHash64(unique)) AS uniques",
    rows: "unique != ''",
  },
] as const;

/**
 * Settings that decide how rows become blocks. One batch is one block: only then is a repeated insert recognised
 * whole. They are pinned in the batch's manifest, so that a replay by a later version repeats them.
 */
const pinned_settings = {
  max_block_size: 4_000_000,
  max_insert_block_size: 4_000_000,
  min_insert_block_size_rows: 4_000_000,
  min_insert_block_size_bytes: 0,
  max_threads: 1,
  max_insert_threads: 1,
  input_format_parallel_parsing: 0,
  max_partitions_per_insert_block: 0,
} as const;

/**
 * Inserts batches of the usage signal, each exactly once: ClickHouse parses the batch file, the batch's token
 * makes a repetition change nothing, materialized views included.
 */
export async function usageSink(columnar: Columnar, schemaDir: string): Promise<BatchSink> {
  const { system } = columnar;
  const schema = await placeSchema(columnar, schemaDir);
  return {
    settings: () => ({ ...pinned_settings }),
    engineVersion: () => columnar.version(),

    async insert(batch) {
      for (const { table, select } of inserts) {
        const index = inserts.findIndex((entry) => entry.table === table);
        if (batch.rowCounts[index] === 0) continue;
        const sql = `${select(fileOf(batch))}\n${settingsOf(batch, table, schema)}`;
        try {
          await system.command(`insert ${table} of batch ${batch.id}`, sql, {
            writer: batch.writer,
            batch: batch.number,
          });
        } catch (error) {
          if (error instanceof ColumnarRejected) throw new BatchRejected(error.message, { cause: error });
          throw error;
        }
      }
    },

    async countRows(batch) {
      const counts = inserts.map(() => 0);
      // One question for all tables: each costs milliseconds whatever it reads.
      const rows = await system.query(
        `count rows of batch ${batch.id}`,
        inserts
          .map(
            ({ table }, index) =>
              `SELECT ${index} AS place, count() AS rows FROM weir.${table} WHERE writer = {writer:String} AND sequence BETWEEN {first:UInt64} AND {last:UInt64}`,
          )
          .join(" UNION ALL "),
        { writer: batch.writer, first: batch.firstSequence, last: batch.lastSequence },
        (row: Row) => ({ place: Number(row["place"]), rows: Number(row["rows"]) }),
      );
      for (const { place, rows: found } of rows) counts[place] = found;
      return counts;
    },

    async discard(batch) {
      const range = { writer: batch.writer, first: batch.firstSequence, last: batch.lastSequence };
      const own = "writer = {writer:String} AND sequence BETWEEN {first:UInt64} AND {last:UInt64}";
      // Which buckets were touched is read from the file, so that a discard cut off anywhere can begin anew.
      await system.command("forget discarded buckets", "TRUNCATE TABLE weir.discarded_buckets");
      await system.command(
        `find buckets of batch ${batch.id}`,
        `INSERT INTO weir.discarded_buckets
         SELECT DISTINCT organization, m.meter, e.subject, toUInt32(intDiv(e.time, 900000000))
         FROM (${usage_of_batch(fileOf(batch))}) ${formatSettings(schema)}`,
      );
      for (const { table } of inserts) {
        await system.command(
          `discard ${table} of batch ${batch.id}`,
          `ALTER TABLE weir.${table} DELETE WHERE ${own} SETTINGS mutations_sync = 1`,
          range,
        );
      }
      for (const { table, unit, unit_us, discarded, states, rows } of rollups) {
        const touched = `(organization, meter, subject, ${unit}) IN (SELECT organization, meter, subject, ${discarded} FROM weir.discarded_buckets)`;
        await system.command(
          `discard ${table}`,
          `ALTER TABLE weir.${table} DELETE WHERE ${touched} SETTINGS mutations_sync = 1`,
        );
        await system.command(
          `rebuild ${table}`,
          `INSERT INTO weir.${table}
           SELECT organization, meter, subject, toUInt32(intDiv(toUnixTimestamp64Micro(time), ${unit_us})) AS ${unit}, dimensions, ${states}
           FROM weir.usage WHERE ${touched} AND ${rows}
           GROUP BY organization, meter, subject, ${unit}, dimensions
           SETTINGS insert_deduplicate = 0`,
        );
      }
    },
  };
}

function fileOf(batch: Batch): string {
  return `file(${quote(batch.path)}, 'Protobuf', ${quote(structure)})`;
}

function settingsOf(batch: Batch, table: string, schema: Settings): string {
  return formatSettings({
    ...schema,
    ...batch.settings,
    insert_deduplication_token: `${batch.token}/${table}`,
    insert_deduplicate: 1,
    deduplicate_insert_select: "force_enable",
    deduplicate_blocks_in_dependent_materialized_views: 1,
  });
}

type Settings = Readonly<Record<string, string | number>>;

/**
 * Tells ClickHouse the message types. A server takes them as text; chDB would keep such a text as a file in the
 * process's working directory, so it gets a file of ours.
 */
async function placeSchema(columnar: Columnar, dir: string): Promise<Settings> {
  if (columnar.kind === "server") {
    return {
      format_schema_source: "string",
      format_schema: proto_schema,
      format_schema_message_name: "Envelope",
    };
  }
  const name = `usage-${createHash("sha256").update(proto_schema).digest("hex").slice(0, 12)}.proto`;
  await mkdir(dir, { recursive: true });
  await writeFile(path.join(dir, name), proto_schema);
  return { format_schema: `${path.join(dir, name)}:Envelope` };
}

function formatSettings(settings: Settings): string {
  const list = Object.entries(settings).map(
    ([name, value]) => `${name} = ${typeof value === "number" ? value : quote(value)}`,
  );
  return `SETTINGS ${list.join(", ")}`;
}

function quote(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
