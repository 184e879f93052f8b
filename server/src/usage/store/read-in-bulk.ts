import type { Row, TenantDoor } from "../../engines/columnar/index.js";
import type { Watermark } from "../../engines/stream/index.js";
import type { MeterVersionId } from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";
import type { Aggregation } from "../core/index.js";
import { TupleParam } from "@clickhouse/client";
import { superseded } from "./query-usage.js";
import { atWatermark, watermarkParameters } from "./watermark-filter.js";

/** A subject's usage in [from, to) belongs to one of the selections that are read together. */
export interface SelectedSpan {
  readonly selection: number;
  readonly subject: string;
  readonly from: Instant;
  readonly to: Instant;
}

/** What all selections of one query have in common. */
export interface BulkRequest {
  readonly meterVersion: MeterVersionId;
  readonly at: Watermark;
  readonly filters: readonly { readonly position: number; readonly values: readonly string[] }[];
  /** Whether the organization has no corrections at all: the keys are then not read. */
  readonly uncorrected: boolean;
  readonly spans: readonly SelectedSpan[];
}

export interface BulkSumRequest extends BulkRequest {
  readonly aggregation: Aggregation;
  /** Positions in the version's group-by. */
  readonly dimensions: readonly number[];
  /** Window starts in order, then the end of the last; undefined without windows. */
  readonly boundaries: readonly Instant[] | undefined;
  readonly limit: number;
}

/** One window of one group of one selection. AVG: `value` is the sum, to be divided by `count`. */
export interface BulkSum {
  readonly selection: number;
  /** Undefined without windows. */
  readonly windowStart: Instant | undefined;
  readonly dimensions: readonly string[];
  /** Exact decimal text. */
  readonly value: string;
  /** Measured events, as text. */
  readonly count: string;
}

/** What makes a query cheaper than the general one: of all this, what no row needs is not read. */
interface Shape {
  readonly at: string;
  readonly uncorrected: boolean;
  readonly filtered: boolean;
  /** Whether results are grouped by dimensions. */
  readonly byDimensions: boolean;
}

/** The rows of all spans; `us` is the row's instant. */
const rows = (columns: string, { at, uncorrected, filtered, byDimensions }: Shape) => `
  SELECT subject, ${columns}, ${byDimensions ? "dimensions" : "[]::Array(String)"} AS row_dimensions, toUnixTimestamp64Micro(time) AS us
  FROM weir.usage
  WHERE organization = {organization:String} AND meter = {meter:String} AND subject IN {subjects:Array(String)}
    ${filtered ? "AND arrayAll(f -> has(f.2, dimensions[f.1 + 1]), {filters:Array(Tuple(UInt32, Array(String)))})" : ""}
    AND time >= fromUnixTimestamp64Micro({from:Int64}, 'UTC') AND time < fromUnixTimestamp64Micro({to:Int64}, 'UTC')
    AND ${at}
    ${uncorrected ? "" : `AND (key, revision) NOT IN (${superseded})`}`;

const spans = `
  SELECT span.1 AS span_subject, span.2 AS selection, span.3 AS span_from, span.4 AS span_to
  FROM (SELECT arrayJoin({spans:Array(Tuple(String, UInt32, Int64, Int64))}) AS span)`;

const group_columns = `if({by_window:Bool}, roundDown(us, {boundaries:Array(Int64)}), 0) AS window_us,
  arrayMap(p -> row_dimensions[p + 1], {by_dimensions:Array(UInt32)}) AS group_dimensions`;

/**
 * How an aggregation's state is made of rows, and how states of several subjects become the value of their union; `whole`
 * where the state is not the value of its rows.
 */
const states: Readonly<
  Record<
    Exclude<Aggregation, "WEIGHTED_SUM">,
    { columns: string; state: string; value: string; whole?: string }
  >
> = {
  SUM: { columns: "value", state: "sum(toDecimal256(value, 18))", value: "sum(state)" },
  AVG: { columns: "value", state: "sum(toDecimal256(value, 18))", value: "sum(state)" },
  COUNT: { columns: "1 AS one", state: "count()", value: "sum(state)" },
  MIN: { columns: "value", state: "min(value)", value: "min(state)" },
  MAX: { columns: "value", state: "max(value)", value: "max(state)" },
  LATEST: {
    columns: "value, time, event_sequence, event_position",
    state: "argMaxState(value, (time, event_sequence, event_position))",
    value: "argMaxMerge(state)",
    whole: "argMax(value, (time, event_sequence, event_position))",
  },
  UNIQUE_COUNT: {
    columns: "unique",
    state: "uniqExactState(unique)",
    value: "uniqExactMerge(state)",
    whole: "uniqExact(unique)",
  },
};

type Grouping = "by_subject" | "by_span";

/**
 * Where every span is the whole period, rows are grouped by subject, in the order that they are stored in, and each
 * subject's state is then given to its selection. Where spans are cut, each row is looked up in them.
 */
const grouped = (aggregation: Exclude<Aggregation, "WEIGHTED_SUM">, grouping: Grouping, shape: Shape) => {
  const { columns, state, value } = states[aggregation];
  const read = rows(columns, shape);
  const partial =
    grouping === "by_subject"
      ? `SELECT selection, window_us, group_dimensions, state, events
         FROM (
           SELECT subject, ${group_columns}, ${state} AS state, count() AS events
           FROM (${read}) GROUP BY subject, window_us, group_dimensions
         ) AS used INNER JOIN (${spans}) AS owned ON used.subject = owned.span_subject`
      : `SELECT selection, ${group_columns}, ${state} AS state, count() AS events
         FROM (${read}) AS used INNER JOIN (${spans}) AS owned ON used.subject = owned.span_subject
         WHERE us >= span_from AND us < span_to
         GROUP BY selection, subject, window_us, group_dimensions`;
  return `
    SELECT selection, window_us, group_dimensions, toString(${value}) AS value, toString(sum(events)) AS count
    FROM (${partial})
    GROUP BY selection, window_us, group_dimensions
    ORDER BY selection, window_us, group_dimensions
    LIMIT {limit:UInt32}`;
};

/** Where each selection is one subject's whole period: half the time of the general form, most of which plans the query. */
const bySubject = (aggregation: Exclude<Aggregation, "WEIGHTED_SUM">, shape: Shape) => {
  const { columns, state, whole = state } = states[aggregation];
  return `
    SELECT subject, toString(${whole}) AS value, toString(count()) AS count
    FROM (${rows(columns, shape)}) GROUP BY subject LIMIT {limit:UInt32}`;
};

/** Each value holds until the next of its subject and dimensions, and counts for the spans and windows it holds in. */
const weighted = (shape: Shape) => `
  WITH
    held AS (
      SELECT subject, row_dimensions, value, us AS start_us,
             leadInFrame(us, 1, {to:Int64}) OVER (
               PARTITION BY subject, row_dimensions ORDER BY us, event_sequence, event_position
               ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS next_us
      FROM (${rows("value, event_sequence, event_position", shape)})
    ),
    pieces AS (
      SELECT selection, row_dimensions, value, greatest(start_us, span_from) AS piece_start, least(next_us, span_to) AS piece_end
      FROM held INNER JOIN (${spans}) AS owned ON held.subject = owned.span_subject
      WHERE piece_end > piece_start
    )
  SELECT selection, if({by_window:Bool}, window.1, 0) AS window_us,
         arrayMap(p -> row_dimensions[p + 1], {by_dimensions:Array(UInt32)}) AS group_dimensions,
         toString(sum(toDecimal256(value, 24) * toInt256(least(piece_end, window.2) - greatest(piece_start, window.1)) / toInt256(1000000))) AS value,
         toString(count()) AS count
  FROM pieces
  ARRAY JOIN if({by_window:Bool},
    arrayFilter(w -> w.2 > piece_start AND w.1 < piece_end,
      arrayZip(arrayPopBack({boundaries:Array(Int64)}), arrayPopFront({boundaries:Array(Int64)}))),
    [(piece_start, piece_end)]) AS window
  GROUP BY selection, window_us, group_dimensions
  ORDER BY selection, window_us, group_dimensions
  LIMIT {limit:UInt32}`;

/** The value of each event, in (time, order of acceptance) within its selection. */
const values = (shape: Shape) => `
  SELECT selection, toString(value) AS value_text
  FROM (${rows("value, event_sequence, event_position, key", shape)}) AS used
    INNER JOIN (${spans}) AS owned ON used.subject = owned.span_subject
  WHERE us >= span_from AND us < span_to
  ORDER BY selection, us, event_sequence, event_position, key`;

/** The sums of many selections of one meter version by one query; selections without usage are not among them. */
export async function sumInBulk(door: TenantDoor, request: BulkSumRequest): Promise<BulkSum[]> {
  const { aggregation, boundaries } = request;
  const parameters = {
    ...parametersOf(request),
    by_window: boundaries !== undefined,
    boundaries: boundaries ?? [0],
    by_dimensions: request.dimensions,
    limit: request.limit,
  };
  const read = (row: Row) => readSum(row, boundaries !== undefined);
  if (aggregation === "WEIGHTED_SUM") {
    // What holds in the period may have been reported at any time before it.
    const sinceEver = { ...parameters, from: since_ever };
    return door.query(
      `usage in bulk ${aggregation}`,
      weighted({ ...shapeOf(request), byDimensions: true }),
      sinceEver,
      read,
    );
  }
  const grouping = groupingOf(request.spans);
  const selections = new Map(request.spans.map(({ subject, selection }) => [subject, selection]));
  const isPlain = boundaries === undefined && request.dimensions.length === 0 && grouping === "by_subject";
  if (isPlain && new Set(selections.values()).size === request.spans.length) {
    return door.query(
      `usage of subjects ${aggregation}`,
      bySubject(aggregation, shapeOf(request)),
      { ...parameters, spans: [] },
      (row) => readSum({ ...row, selection: selections.get(String(row["subject"])) }, false),
    );
  }
  const sql = grouped(aggregation, grouping, shapeOf(request));
  return door.query(`usage in bulk ${aggregation}`, sql, parameters, read);
}

/** The events' values of many selections, by selection and then in order. The caller knows how many there are. */
export async function readValuesInBulk(
  door: TenantDoor,
  request: BulkRequest,
): Promise<{ selection: number; value: string }[]> {
  return door.query("event values in bulk", values(shapeOf(request)), parametersOf(request), (row) => ({
    selection: Number(row["selection"]),
    value: String(row["value_text"]),
  }));
}

const since_ever = -9_000_000_000_000_000;

/** One query may look at the same subject for several selections only by its spans. */
function groupingOf(given: readonly SelectedSpan[]): Grouping {
  const [first] = given;
  const isWhole = given.every((span) => span.from === first?.from && span.to === first.to);
  return isWhole && new Set(given.map((span) => span.subject)).size === given.length
    ? "by_subject"
    : "by_span";
}

function shapeOf(request: BulkRequest & { readonly dimensions?: readonly number[] }): Shape {
  return {
    at: atWatermark(request.at),
    uncorrected: request.uncorrected,
    filtered: request.filters.length > 0,
    byDimensions: (request.dimensions ?? []).length > 0,
  };
}

function parametersOf(request: BulkRequest): Record<string, unknown> {
  return {
    meter: request.meterVersion,
    subjects: [...new Set(request.spans.map((span) => span.subject))],
    spans: request.spans.map(
      ({ subject, selection, from, to }) => new TupleParam([subject, selection, from, to]),
    ),
    filters: request.filters.map((filter) => new TupleParam([filter.position, filter.values])),
    from: request.spans.reduce((least, { from }) => Math.min(least, from), Infinity),
    to: request.spans.reduce((most, { to }) => Math.max(most, to), -Infinity),
    // At the watermark, corrections too.
    latest: false,
    ...watermarkParameters(request.at),
  };
}

function readSum(row: Row, byWindow: boolean): BulkSum {
  return {
    selection: Number(row["selection"]),
    windowStart: byWindow ? (Number(row["window_us"]) as Instant) : undefined,
    dimensions: (row["group_dimensions"] ?? []) as string[],
    value: String(row["value"]),
    count: String(row["count"]),
  };
}
