import type { TenantDoor } from "../../engines/columnar/index.js";
import type { Instant } from "../../kernel/instant.js";
import type { BackfillCursor } from "./meters.js";

/** One page of history: events of a type, accepted before an envelope of a writer, in the order of the table's key. */
export interface BackfillPageRequest {
  readonly eventType: string;
  readonly beforeSequence: { readonly writer: string; readonly sequence: number };
  readonly after: BackfillCursor | undefined;
  readonly limit: number;
}

export interface BackfillEvent {
  readonly subject: string;
  readonly time: Instant;
  readonly data: string;
  /** 16 latin1 characters. */
  readonly key: string;
  readonly revision: number;
  readonly sequence: number;
  readonly position: number;
}

export interface BackfillPage {
  readonly events: readonly BackfillEvent[];
  /** Absent after the last page. */
  readonly next: BackfillCursor | undefined;
}

/**
 * What lies below the envelope never changes, so a page asked for twice is the same page. Events of writers that
 * are no more are all older, and count too.
 */
export async function scanForBackfill(door: TenantDoor, request: BackfillPageRequest): Promise<BackfillPage> {
  const { after, limit } = request;
  const events = await door.query(
    "scan for backfill",
    `SELECT subject, toString(toUnixTimestamp64Micro(time)) AS time_us, data, hex(key) AS key_hex, revision,
            toString(sequence) AS sequence_text, position
     FROM weir.usage_events
     WHERE organization = {organization:String} AND type = {type:String}
       AND (writer != {writer:String} OR sequence < {before:UInt64})
       AND ({first:Bool} OR (subject, time, key, revision) >
            ({subject:String}, fromUnixTimestamp64Micro({time:Int64}, 'UTC'), toFixedString(unhex({key:String}), 16), {revision:UInt32}))
     ORDER BY subject, time, key, revision LIMIT {limit:UInt32}`,
    {
      type: request.eventType,
      writer: request.beforeSequence.writer,
      before: request.beforeSequence.sequence,
      first: after === undefined,
      subject: after?.subject ?? "",
      time: after?.time ?? "0",
      key: after?.key ?? "00".repeat(16),
      revision: after?.revision ?? 0,
      limit,
    },
    (row): BackfillEvent => ({
      subject: String(row["subject"]),
      time: Number(row["time_us"]) as Instant,
      data: String(row["data"]),
      key: Buffer.from(String(row["key_hex"]), "hex").toString("latin1"),
      revision: Number(row["revision"]),
      sequence: Number(row["sequence_text"]),
      position: Number(row["position"]),
    }),
  );
  const last = events.at(-1);
  if (events.length < limit || last === undefined) return { events, next: undefined };
  const key = Buffer.from(last.key, "latin1").toString("hex");
  return { events, next: { subject: last.subject, time: String(last.time), key, revision: last.revision } };
}
