import { TupleParam } from "@clickhouse/client";
import type { TenantDoor } from "../../engines/columnar/index.js";
import { superseded } from "./query-usage.js";
import type { BulkRequest } from "./read-in-bulk.js";
import { at_watermark, watermarkParameters } from "./watermark-filter.js";

/** Where a page ended. The key tells events apart that two writers accepted at one instant under one number. */
export interface ValueCursor {
  readonly us: string;
  readonly sequence: string;
  readonly position: string;
  readonly key: string;
}

/** A page of one selection's values, in (time, order of acceptance); `next` is absent on the last. */
export async function listValues(
  door: TenantDoor,
  request: BulkRequest & { readonly after: ValueCursor | undefined; readonly limit: number },
): Promise<{ values: string[]; next: ValueCursor | undefined }> {
  const { after, spans, limit } = request;
  const rows = await door.query(
    "event values",
    `SELECT toString(value) AS value_text, toUnixTimestamp64Micro(time) AS us, event_sequence, event_position, hex(key) AS key_hex
     FROM weir.usage
     WHERE organization = {organization:String} AND meter = {meter:String} AND subject IN {subjects:Array(String)}
       AND arrayAll(f -> has(f.2, dimensions[f.1 + 1]), {filters:Array(Tuple(UInt32, Array(String)))})
       AND time >= fromUnixTimestamp64Micro({from:Int64}, 'UTC') AND time < fromUnixTimestamp64Micro({to:Int64}, 'UTC')
       AND arrayExists(s -> s.1 = subject AND us >= s.2 AND us < s.3, {spans:Array(Tuple(String, Int64, Int64))})
       AND ${at_watermark}
       AND ({uncorrected:Bool} OR (key, revision) NOT IN (${superseded}))
       AND ({first:Bool} OR (us, event_sequence, event_position, key_hex) > ({after_us:Int64}, {after_sequence:UInt64}, {after_position:UInt32}, {after_key:String}))
     ORDER BY us, event_sequence, event_position, key_hex
     LIMIT {limit:UInt32}`,
    {
      meter: request.meterVersion,
      subjects: [...new Set(spans.map((span) => span.subject))],
      spans: spans.map(({ subject, from, to }) => new TupleParam([subject, from, to])),
      filters: request.filters.map((filter) => new TupleParam([filter.position, filter.values])),
      // What was read already need not be looked at again.
      from: Number(after?.us ?? spans.reduce((least, { from }) => Math.min(least, from), Infinity)),
      to: spans.reduce((most, { to }) => Math.max(most, to), -Infinity),
      uncorrected: request.uncorrected,
      first: after === undefined,
      after_us: after?.us ?? "0",
      after_sequence: after?.sequence ?? "0",
      after_position: after?.position ?? "0",
      after_key: after?.key ?? "",
      limit: limit + 1,
      // At the watermark, corrections too.
      latest: false,
      ...watermarkParameters(request.at),
    },
    (row) => row,
  );
  const page = rows.slice(0, limit);
  const last = rows.length > limit ? page.at(-1) : undefined;
  return {
    values: page.map((row) => String(row["value_text"])),
    next:
      last === undefined
        ? undefined
        : {
            us: String(last["us"]),
            sequence: String(last["event_sequence"]),
            position: String(last["event_position"]),
            key: String(last["key_hex"]),
          },
  };
}
