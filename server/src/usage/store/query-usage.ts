import { TupleParam } from "@clickhouse/client";
import type { Row, TenantDoor } from "../../engines/columnar/index.js";
import type { Watermark } from "../../engines/stream/index.js";
import type { MeterVersionId } from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";
import type { Aggregation } from "../core/index.js";
import { at_watermark, watermarkParameters } from "./watermark-filter.js";

/** What to add up: one meter version, over windows, for some subjects and dimensions. */
export interface UsageSelection {
  readonly meterVersion: MeterVersionId;
  readonly aggregation: Aggregation;
  /** Window starts in order, then the end of the last; at least two. */
  readonly boundaries: readonly Instant[];
  /** Only events of [from, to) count, whatever the windows cover. */
  readonly range: { readonly from: Instant; readonly to: Instant };
  /** How long a WEIGHTED_SUM's last value holds, at most. */
  readonly until: Instant;
  readonly subjects?: readonly string[];
  /** Subjects as long as they count: [from, to). */
  readonly spans?: readonly {
    readonly subject: string;
    readonly from: Instant;
    readonly to: Instant | undefined;
  }[];
  readonly groupBySubject: boolean;
  /** Positions in the version's group-by. */
  readonly groupByDimensions: readonly number[];
  readonly filters: readonly { readonly position: number; readonly values: readonly string[] }[];
  /** Only the groups with the largest totals. */
  readonly top?: number;
  /** Usage at or below the watermark only, from the rows themselves: what bills are made of. */
  readonly at?: Watermark;
  readonly limit: number;
}

/** One window of one group. AVG: `value` is the sum, to be divided by `count`. */
export interface UsageSum {
  readonly windowStart: Instant;
  readonly windowEnd: Instant;
  readonly subject: string;
  readonly dimensions: readonly string[];
  /** Exact decimal text. */
  readonly value: string | null;
  /** Measured events, as text. */
  readonly count: string;
}

const bucket_us = 900_000_000;
const day_us = 86_400_000_000;
const buckets_a_day = day_us / bucket_us;
const far_future = 7_258_118_400_000_000;

/** Rows of the asked meter version that pass subjects and dimension filters. */
const selected = `organization = {organization:String} AND meter = {meter:String}
  AND (empty({subjects:Array(String)}) OR subject IN {subjects:Array(String)})
  AND arrayAll(f -> has(f.2, dimensions[f.1 + 1]), {filters:Array(Tuple(UInt32, Array(String)))})`;

/** `us` is the row's instant. */
const in_spans = `({any_span:Bool} OR arrayExists(s -> s.1 = subject AND us >= s.2 AND us < s.3, {spans:Array(Tuple(String, Int64, Int64))}))`;

/** (key, revision) pairs that a correction superseded. */
export const superseded = `SELECT key, arrayJoin(range(toUInt32(max(revision)))) FROM weir.usage_corrections
  WHERE organization = {organization:String} AND ({latest:Bool} OR (${at_watermark})) GROUP BY key`;

/** Buckets that a correction touched: they are read from the rows instead of the rollups. */
const corrected_buckets = `SELECT subject, toUInt32(intDiv(toUnixTimestamp64Micro(time), ${bucket_us})) AS bucket FROM weir.usage_corrections
  WHERE organization = {organization:String}
  UNION ALL
  SELECT new_subject, toUInt32(intDiv(toUnixTimestamp64Micro(new_time), ${bucket_us})) FROM weir.usage_corrections
  WHERE organization = {organization:String} AND NOT void`;

/** UTC days with such a bucket: their other buckets are read from the 15-minute rollup. */
const corrected_days = `SELECT subject, intDiv(bucket, ${buckets_a_day}) FROM (${corrected_buckets})`;

/** What of a live row, and of a row of a rollup, is added up. */
interface PartColumns {
  readonly live: string;
  readonly rolled: string;
}

const numbers: PartColumns = {
  live: `toUInt64(1) AS part_count, toDecimal256(value, 18) AS part_sum, value AS part_min, value AS part_max,
    initializeAggregation('argMaxState', value, (time, event_sequence, event_position)) AS part_latest`,
  rolled: "count AS part_count, sum AS part_sum, min AS part_min, max AS part_max, latest AS part_latest",
};

/** Rollups keep fingerprints instead of texts (docs/decisions/0027-unique-counts-of-fingerprints.md). */
const fingerprints: PartColumns = {
  live: "toUInt64(1) AS part_count, initializeAggregation('uniqExactState', sipHash64(unique)) AS part_uniques",
  rolled: "count AS part_count, uniques AS part_uniques",
};

const live_texts = "toUInt64(1) AS part_count, unique";

/** Live rows, one by one. */
const rowsExact = (
  columns: string,
) => `SELECT toUnixTimestamp64Micro(time) AS us, subject, dimensions, ${columns}
  FROM weir.usage
  WHERE ${selected}
    AND time >= fromUnixTimestamp64Micro({from:Int64}, 'UTC') AND time < fromUnixTimestamp64Micro({to:Int64}, 'UTC')
    AND ${in_spans}`;

const rowsAt = (columns: string) => `${rowsExact(columns)}
    AND ({latest:Bool} OR (${at_watermark}))
    AND ({uncorrected:Bool} OR (key, revision) NOT IN (${superseded}))`;

const rolledBuckets = (
  columns: string,
) => `SELECT toInt64(bucket) * ${bucket_us} AS us, subject, dimensions, ${columns}
  FROM weir.usage_15m
  WHERE ${selected} AND bucket >= {from_bucket:UInt32} AND bucket < {to_bucket:UInt32} AND ${in_spans}`;

/** UTC days of which nothing is cut off. */
const wholeDays = (columns: string) => `SELECT toInt64(day) * ${day_us} AS us, subject, dimensions, ${columns}
  FROM weir.usage_1d
  WHERE ${selected} AND day >= {from_day:UInt32} AND day < {to_day:UInt32} AND day NOT IN {split_days:Array(UInt32)} AND ${in_spans}`;

const withCorrectedRows = (
  rolled: string,
  { live }: PartColumns,
) => `${rolled} AND (subject, bucket) NOT IN (${corrected_buckets})
  UNION ALL
  ${rowsAt(live)} AND (subject, toUInt32(intDiv(us, ${bucket_us}))) IN (${corrected_buckets})`;

function rolledParts(columns: PartColumns, uncorrected: boolean): string {
  const buckets = rolledBuckets(columns.rolled);
  return uncorrected ? buckets : withCorrectedRows(buckets, columns);
}

function rolledPartsByDay(columns: PartColumns, uncorrected: boolean): string {
  const days = wholeDays(columns.rolled);
  const isSplit = `intDiv(bucket, ${buckets_a_day}) IN {split_days:Array(UInt32)}`;
  if (uncorrected) return `${days} UNION ALL ${rolledBuckets(columns.rolled)} AND ${isSplit}`;
  const isCorrected = `(subject, intDiv(bucket, ${buckets_a_day})) IN (${corrected_days})`;
  const buckets = `${rolledBuckets(columns.rolled)} AND (${isSplit} OR ${isCorrected})`;
  return `${days} AND (subject, day) NOT IN (${corrected_days}) UNION ALL ${withCorrectedRows(buckets, columns)}`;
}

const value_of: Readonly<Record<Exclude<Aggregation, "WEIGHTED_SUM">, string>> = {
  SUM: "toString(sum(part_sum))",
  AVG: "toString(sum(part_sum))",
  COUNT: "toString(sum(part_count))",
  MIN: "toString(min(part_min))",
  MAX: "toString(max(part_max))",
  LATEST: "toString(argMaxMerge(part_latest))",
  UNIQUE_COUNT: "toString(uniqExact(unique))",
};

const fingerprint_count = "toString(uniqExactMerge(part_uniques))";

/** The windows that are asked for, and the whole range as one: over which groups are found to be the largest. */
type Windows = "{boundaries:Array(Int64)}" | "{range:Array(Int64)}";

/** By which groups compare; exact, as the values are. */
const size_of = (aggregation: Aggregation) =>
  aggregation === "AVG" ? "toDecimal256(value, 18) / toInt256(count)" : "toDecimal256OrNull(value, 18)";

const grouped = (
  aggregation: Exclude<Aggregation, "WEIGHTED_SUM">,
  parts: string,
  windows: Windows,
  value = value_of[aggregation],
) => `
  SELECT roundDown(us, ${windows}) AS window_us, if({by_subject:Bool}, subject, '') AS group_subject,
         arrayMap(p -> dimensions[p + 1], {by_dimensions:Array(UInt32)}) AS group_dimensions,
         ${value} AS value, toString(sum(part_count)) AS count, ${size_of(aggregation)} AS size
  FROM (${parts})
  GROUP BY window_us, group_subject, group_dimensions`;

/**
 * WEIGHTED_SUM: each value holds from its event to the next one of the same subject and dimensions (or `until`), and
 * counts for as long as the subject is asked for, split at the windows' boundaries. What held before is carried in,
 * whoever owned the subject then.
 */
const weighted = (windows: Windows) => `
  WITH
    held AS (
      SELECT subject, dimensions, value, toUnixTimestamp64Micro(time) AS start_us,
             leadInFrame(start_us, 1, {until:Int64}) OVER (
               PARTITION BY subject, dimensions ORDER BY time, event_sequence, event_position
               ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS next_us
      FROM weir.usage
      WHERE ${selected} AND time < fromUnixTimestamp64Micro({to:Int64}, 'UTC')
        AND ({latest:Bool} OR (${at_watermark}))
        AND ({uncorrected:Bool} OR (key, revision) NOT IN (${superseded}))
    ),
    pieces AS (
      SELECT dimensions, subject, value, greatest(held.start_us, span.1, {from:Int64}) AS piece_start,
             least(next_us, span.2, {until:Int64}) AS piece_end
      FROM held
      ARRAY JOIN if({any_span:Bool}, [({from:Int64}, {until:Int64})],
        arrayMap(s -> (s.2, s.3), arrayFilter(s -> s.1 = subject, {spans:Array(Tuple(String, Int64, Int64))}))) AS span
      WHERE piece_end > piece_start
    )
  SELECT window.1 AS window_us, if({by_subject:Bool}, subject, '') AS group_subject,
         arrayMap(p -> dimensions[p + 1], {by_dimensions:Array(UInt32)}) AS group_dimensions,
         toString(sum(toDecimal256(value, 24) * toInt256(least(piece_end, window.2) - greatest(piece_start, window.1)) / toInt256(1000000))) AS value,
         toString(count()) AS count, ${size_of("WEIGHTED_SUM")} AS size
  FROM pieces
  ARRAY JOIN arrayFilter(w -> w.2 > piece_start AND w.1 < piece_end,
    arrayZip(arrayPopBack(${windows}), arrayPopFront(${windows}))) AS window
  GROUP BY window_us, group_subject, group_dimensions`;

/**
 * Adds usage up by window and group. Dashboards read the rollups where boundaries allow (15-minute buckets; of
 * UNIQUE_COUNT whole UTC days where there are any), and rows where a correction touched a bucket; with a watermark everything is read
 * from the rows. With `top`, the largest come first.
 */
export async function queryUsage(door: TenantDoor, selection: UsageSelection): Promise<UsageSum[]> {
  const uncorrected = !(await hasCorrections(door));
  const sql = `SELECT * FROM (${sumsOf(selection, uncorrected, "{boundaries:Array(Int64)}")})
    ${selection.top === undefined ? "" : largestOnly(sumsOf(selection, uncorrected, "{range:Array(Int64)}"))}
    ORDER BY window_us, ${selection.top === undefined ? "" : "size DESC NULLS LAST,"} group_subject, group_dimensions
    LIMIT {limit:UInt32}`;
  const parameters = parametersOf(selection, uncorrected);
  const ends = endsOf(selection.boundaries);
  return door.query(`usage ${selection.aggregation}`, sql, parameters, (row) => readSum(row, ends));
}

/** Only the groups with the largest totals; of equals the first by name. */
const largestOnly = (totals: string) => `
  WHERE (group_subject, group_dimensions) IN (
    SELECT group_subject, group_dimensions FROM (${totals})
    ORDER BY size DESC NULLS LAST, group_subject, group_dimensions LIMIT {top:UInt32})`;

function sumsOf(selection: UsageSelection, uncorrected: boolean, windows: Windows): string {
  const { aggregation } = selection;
  if (aggregation === "WEIGHTED_SUM") return weighted(windows);
  if (!isRollable(selection)) {
    const columns = aggregation === "UNIQUE_COUNT" ? live_texts : numbers.live;
    // Without corrections and watermark the key column, 16 random bytes a row, is not read.
    const needsKey = !uncorrected || selection.at !== undefined;
    return grouped(aggregation, needsKey ? rowsAt(columns) : rowsExact(columns), windows);
  }
  if (aggregation !== "UNIQUE_COUNT") return grouped(aggregation, rolledParts(numbers, uncorrected), windows);
  const { days, splitDays } = daysOf(selection);
  const hasWholeDays = splitDays.length < days.to - days.from;
  const parts = (hasWholeDays ? rolledPartsByDay : rolledParts)(fingerprints, uncorrected);
  return grouped(aggregation, parts, windows, fingerprint_count);
}

function isRollable(selection: UsageSelection): boolean {
  if (selection.at !== undefined) return false;
  const aligned = (instant: Instant | undefined) => instant === undefined || instant % bucket_us === 0;
  const { from, to } = selection.range;
  // Nothing is metered after `until`, so an end in the present need not be aligned.
  const end = to >= selection.until ? undefined : to;
  return (
    aligned(from) &&
    aligned(end) &&
    selection.boundaries.slice(0, -1).every(aligned) &&
    (selection.spans ?? []).every((span) => aligned(span.from) && aligned(span.to))
  );
}

/**
 * The UTC days that the range touches, and those of them that cannot be read whole: the range, a window or a span
 * begins or ends within them.
 */
function daysOf(selection: UsageSelection): { days: { from: number; to: number }; splitDays: number[] } {
  const { from, to } = bucketsOf(selection);
  const days = { from: Math.floor(from / buckets_a_day), to: Math.ceil(to / buckets_a_day) };
  const spans = spansOf(selection);
  const cuts = [
    from * bucket_us,
    to * bucket_us,
    ...selection.boundaries,
    ...spans.flatMap((span) => [span.from, span.to ?? far_future]),
  ];
  const split = cuts.filter((cut) => cut % day_us !== 0).map((cut) => Math.floor(cut / day_us));
  return { days, splitDays: [...new Set(split)].filter((day) => day >= days.from && day < days.to) };
}

function bucketsOf({ range }: UsageSelection): { from: number; to: number } {
  return { from: Math.floor(range.from / bucket_us), to: Math.ceil(range.to / bucket_us) };
}

function parametersOf(selection: UsageSelection, uncorrected: boolean): Record<string, unknown> {
  const { from, to } = selection.range;
  const buckets = bucketsOf(selection);
  const { days, splitDays } = daysOf(selection);
  const spans = spansOf(selection);
  const subjects =
    selection.spans === undefined ? (selection.subjects ?? []) : spans.map((span) => span.subject);
  return {
    meter: selection.meterVersion,
    // No span at all selects nothing; an empty list would select everything.
    subjects: selection.spans !== undefined && subjects.length === 0 ? [""] : subjects,
    filters: selection.filters.map((filter) => tuple(filter.position, filter.values)),
    any_span: selection.spans === undefined,
    spans: spans.map((span) => tuple(span.subject, span.from, span.to ?? far_future)),
    from,
    to,
    until: selection.until,
    from_bucket: buckets.from,
    to_bucket: buckets.to,
    from_day: days.from,
    to_day: days.to,
    split_days: splitDays,
    boundaries: selection.boundaries,
    by_subject: selection.groupBySubject,
    by_dimensions: selection.groupByDimensions,
    latest: selection.at === undefined,
    uncorrected,
    limit: selection.limit,
    top: selection.top ?? 0,
    range: [from, to],
    ...watermarkParameters(selection.at ?? []),
  };
}

/** Customers' spans, cut down to the subjects that were asked for besides. */
function spansOf({ spans = [], subjects = [] }: UsageSelection): NonNullable<UsageSelection["spans"]> {
  return subjects.length === 0 ? spans : spans.filter((span) => subjects.includes(span.subject));
}

export async function hasCorrections(door: TenantDoor): Promise<boolean> {
  const found = await door.query(
    "has corrections",
    "SELECT 1 AS one FROM weir.usage_corrections WHERE organization = {organization:String} LIMIT 1",
    {},
    () => true,
  );
  return found.length > 0;
}

/** The instants of the first and last measured event of a meter version; undefined when there is none. */
export async function findUsageSpan(
  door: TenantDoor,
  meter: MeterVersionId,
): Promise<{ first: Instant; last: Instant } | undefined> {
  const [span] = await door.query(
    "usage span",
    `SELECT toString(min(bucket)) AS first, toString(max(bucket)) AS last, count() AS buckets
     FROM weir.usage_15m WHERE organization = {organization:String} AND meter = {meter:String}`,
    { meter },
    (row) =>
      Number(row["buckets"]) === 0 ? undefined : { first: Number(row["first"]), last: Number(row["last"]) },
  );
  if (span === undefined) return undefined;
  return { first: (span.first * bucket_us) as Instant, last: ((span.last + 1) * bucket_us - 1) as Instant };
}

function endsOf(boundaries: readonly Instant[]): ReadonlyMap<number, Instant> {
  return new Map(boundaries.slice(0, -1).map((start, index) => [start, boundaries[index + 1] ?? start]));
}

function readSum(row: Row, ends: ReadonlyMap<number, Instant>): UsageSum {
  const start = Number(row["window_us"]) as Instant;
  return {
    windowStart: start,
    windowEnd: ends.get(start) ?? start,
    subject: String(row["group_subject"]),
    dimensions: row["group_dimensions"] as string[],
    value: row["value"] === null ? null : String(row["value"] as string | number),
    count: String(row["count"]),
  };
}

/** A value of ClickHouse's Tuple type: the client writes TupleParam as (a, b). */
function tuple(...values: unknown[]): TupleParam {
  return new TupleParam(values);
}
