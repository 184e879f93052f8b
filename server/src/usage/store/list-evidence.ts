import { TupleParam } from "@clickhouse/client";
import type { Row, TenantDoor } from "../../engines/columnar/index.js";
import type { Watermark } from "../../engines/stream/index.js";
import type { MeterVersionId } from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";
import { countedUnique } from "../core/index.js";
import { given_keys } from "./key-set.js";
import { atWatermark, watermarkParameters } from "./watermark-filter.js";

/** The measured events behind a quantity. */
export interface EvidenceRequest {
  readonly meterVersion: MeterVersionId;
  readonly period: { readonly start: Instant; readonly end: Instant };
  readonly spans: readonly {
    readonly subject: string;
    readonly from: Instant;
    readonly to: Instant | undefined;
  }[];
  readonly watermark: Watermark;
  /** On dimensions, by their positions in the version's group-by. */
  readonly filters?: readonly { readonly position: number; readonly values: readonly string[] }[];
  readonly after?: string;
  readonly limit: number;
}

export interface Evidence {
  readonly source: string;
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  readonly time: Instant;
  readonly data: string;
  /** Decimal text, or the text that UNIQUE_COUNT counts. */
  readonly value: string;
  readonly dimensions: readonly string[];
}

const within_spans =
  "arrayExists(s -> s.1 = subject AND toUnixTimestamp64Micro(time) >= s.2 AND toUnixTimestamp64Micro(time) < s.3, {spans:Array(Tuple(String, Int64, Int64))})";
const far_future = 7_258_118_400_000_000;

interface MeasuredRow {
  readonly key: string;
  readonly revision: number;
  readonly subject: string;
  readonly time: string;
  readonly value: string;
  readonly unique: string;
  readonly dimensions: readonly string[];
  readonly sequence: string;
  readonly position: string;
}

/** A page of measured events in (time, order of acceptance); each is then looked up among the raw events. */
export async function listEvidence(
  door: TenantDoor,
  request: EvidenceRequest,
): Promise<{ rows: Evidence[]; next?: string }> {
  const after = readCursor(request.after);
  const [only, ...others] = request.spans;
  const alone = others.length === 0 ? only : undefined;
  const at = atWatermark(request.watermark);
  const where = `organization = {organization:String} AND meter = {meter:String}
       AND ${alone === undefined ? "subject IN {subjects:Array(String)}" : "subject = {subject:String}"}
       ${request.filters?.length ? "AND arrayAll(f -> has(f.2, dimensions[f.1 + 1]), {filters:Array(Tuple(UInt32, Array(String)))})" : ""}
       AND time >= fromUnixTimestamp64Micro({from:Int64}, 'UTC') AND time < fromUnixTimestamp64Micro({to:Int64}, 'UTC')
       ${alone === undefined ? `AND ${within_spans}` : ""}
       AND ${at}
       AND (key, revision) NOT IN (
         SELECT key, arrayJoin(range(toUInt32(max(revision)))) FROM weir.usage_corrections
         WHERE organization = {organization:String} AND ${at} GROUP BY key)
       AND (toUnixTimestamp64Micro(time), event_sequence, event_position)
         > ({after_us:Int64}, {after_sequence:UInt64}, {after_position:UInt32})`;
  const parameters = {
    meter: request.meterVersion,
    subject: alone?.subject ?? "",
    subjects: request.spans.map((span) => span.subject),
    spans: request.spans.map((span) => new TupleParam([span.subject, span.from, span.to ?? far_future])),
    filters: (request.filters ?? []).map(({ position, values }) => new TupleParam([position, values])),
    from: Math.max(request.period.start, alone?.from ?? -Infinity, Number(after?.us ?? -Infinity)),
    to: Math.min(request.period.end, alone?.to ?? Infinity),
    after_us: after?.us ?? "-9000000000000000",
    after_sequence: after?.sequence ?? "0",
    after_position: after?.position ?? "0",
    ...watermarkParameters(request.watermark),
  };
  if (alone !== undefined) {
    // Rows of one subject are stored in the order of time: up to where the page goes is found without reading the rest.
    const [until] = await door.query(
      "evidence until",
      `SELECT toString(toUnixTimestamp64Micro(time)) AS until FROM weir.usage WHERE ${where}
       ORDER BY time LIMIT 1 OFFSET {limit:UInt32}`,
      { ...parameters, limit: request.limit },
      (row) => Number(row["until"]),
    );
    if (until !== undefined) parameters.to = until + 1;
  }
  const measured = await door.query(
    "evidence",
    `SELECT hex(key) AS key_hex, revision, subject, toString(toUnixTimestamp64Micro(time)) AS time_us,
            toString(value) AS value_text, unique, dimensions, toString(event_sequence) AS sequence_text, toString(event_position) AS position_text
     FROM weir.usage WHERE ${where}
     ORDER BY time, event_sequence, event_position LIMIT {limit:UInt32}`,
    { ...parameters, limit: request.limit + 1 },
    readMeasured,
  );
  const page = measured.slice(0, request.limit);
  const last = page.at(-1);
  if (last === undefined) return { rows: [] };
  const events = await findEventsOf(door, request, page);
  const rows = page.map((row): Evidence => {
    const event = events.get(`${row.key}:${row.revision}`);
    if (event === undefined) throw new Error(`usage ${row.key} revision ${row.revision} has no event`);
    const { source, id, type, data } = event;
    return {
      source,
      id,
      type,
      data,
      subject: row.subject,
      time: Number(row.time) as Instant,
      value: countedUnique(row.unique) ?? row.value,
      dimensions: row.dimensions,
    };
  });
  return measured.length > request.limit
    ? { rows, next: `${last.time}.${last.sequence}.${last.position}` }
    : { rows };
}

async function findEventsOf(door: TenantDoor, request: EvidenceRequest, page: readonly MeasuredRow[]) {
  const times = page.map((row) => Number(row.time));
  const events = await door.query(
    "events of evidence",
    `SELECT hex(key) AS key_hex, revision, source, id, type, data FROM weir.usage_events
     WHERE organization = {organization:String} AND subject IN {subjects:Array(String)}
       AND time >= fromUnixTimestamp64Micro({first:Int64}, 'UTC') AND time <= fromUnixTimestamp64Micro({last:Int64}, 'UTC')
       AND key IN (${given_keys})`,
    {
      subjects: [...new Set(page.map((row) => row.subject))],
      first: Math.min(...times),
      last: Math.max(...times),
      keys: page.map((row) => row.key),
    },
    (row) => ({
      key: `${String(row["key_hex"])}:${Number(row["revision"])}`,
      source: String(row["source"]),
      id: String(row["id"]),
      type: String(row["type"]),
      data: String(row["data"]),
    }),
  );
  return new Map(events.map((event) => [event.key, event]));
}

function readMeasured(row: Row): MeasuredRow {
  return {
    key: String(row["key_hex"]),
    revision: Number(row["revision"]),
    subject: String(row["subject"]),
    time: String(row["time_us"]),
    value: String(row["value_text"]),
    unique: String(row["unique"]),
    dimensions: row["dimensions"] as string[],
    sequence: String(row["sequence_text"]),
    position: String(row["position_text"]),
  };
}

function readCursor(
  cursor: string | undefined,
): { us: string; sequence: string; position: string } | undefined {
  const match = /^(-?\d{1,16})\.(\d{1,19})\.(\d{1,9})$/.exec(cursor ?? "");
  const [, us, sequence, position] = match ?? [];
  return us === undefined || sequence === undefined || position === undefined
    ? undefined
    : { us, sequence, position };
}
