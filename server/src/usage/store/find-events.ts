import type { Row, TenantDoor } from "../../engines/columnar/index.js";
import type { Instant } from "../../kernel/instant.js";
import { given_keys, hexKeys } from "./key-set.js";

/** An event as it stands: its latest revision, and whether it still counts. */
export interface StoredEvent {
  readonly source: string;
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  readonly time: Instant;
  /** JSON text; '' without data. */
  readonly data: string;
  /** 16 latin1 characters. */
  readonly key: string;
  readonly revision: number;
  readonly receivedAt: Instant;
  readonly voided: boolean;
  readonly sequence: number;
  readonly position: number;
}

export interface EventListRequest {
  readonly from?: Instant;
  readonly to?: Instant;
  readonly type?: string;
  readonly subject?: string;
  readonly source?: string;
  readonly id?: string;
  /** Where the page before ended. */
  readonly after?: string;
  readonly limit: number;
}

const columns = `source, id, type, subject, toString(toUnixTimestamp64Micro(time)) AS time_us, data, hex(key) AS key_hex, revision,
  toString(toUnixTimestamp64Micro(received_at)) AS received_us, toString(sequence) AS sequence_text, position`;

/** The event of an identity; undefined when none is visible. */
export async function findEvent(
  door: TenantDoor,
  source: string,
  id: string,
): Promise<StoredEvent | undefined> {
  const found = await door.query(
    "find event",
    `SELECT ${columns},
            (SELECT max(revision) FROM weir.usage_corrections
             WHERE organization = {organization:String} AND source = {source:String} AND id = {id:String} AND void) AS void_revision
     FROM weir.usage_events
     WHERE organization = {organization:String} AND source = {source:String} AND id = {id:String}
     ORDER BY revision DESC LIMIT 1`,
    { source, id },
    readEvent,
  );
  return found[0];
}

/** Which of these identities (16 latin1 characters each) are stored; each key's first revision. */
export async function findStoredKeys(door: TenantDoor, keys: readonly string[]): Promise<StoredEvent[]> {
  if (keys.length === 0) return [];
  return door.query(
    "find stored keys",
    `SELECT ${columns}, 0 AS void_revision
     FROM weir.usage_events
     WHERE organization = {organization:String} AND revision = 0
       AND key IN (${given_keys})`,
    { keys: hexKeys(keys) },
    readEvent,
  );
}

/** Events newest first, a page at a time; superseded revisions are left out. */
export async function listEvents(
  door: TenantDoor,
  request: EventListRequest,
): Promise<{ rows: StoredEvent[]; next?: string }> {
  const after = request.after === undefined ? undefined : readCursor(request.after);
  const rows = await door.query(
    "list events",
    `SELECT ${columns},
            (SELECT groupArray((key, revision)) FROM weir.usage_corrections WHERE organization = {organization:String} AND void) AS voids,
            arrayFirst(v -> v.1 = key, voids).2 AS void_revision
     FROM weir.usage_events
     WHERE organization = {organization:String}
       AND time >= fromUnixTimestamp64Micro({from:Int64}, 'UTC') AND time < fromUnixTimestamp64Micro({to:Int64}, 'UTC')
       AND ({type:String} = '' OR type = {type:String}) AND ({subject:String} = '' OR subject = {subject:String})
       AND ({source:String} = '' OR source = {source:String}) AND ({id:String} = '' OR id = {id:String})
       AND (toUnixTimestamp64Micro(time), hex(key)) < ({after_time:Int64}, {after_key:String})
       AND (key, revision) NOT IN (
         SELECT key, arrayJoin(range(toUInt32(max(revision)))) FROM weir.usage_corrections
         WHERE organization = {organization:String} AND NOT void GROUP BY key)
     ORDER BY time DESC, hex(key) DESC LIMIT {limit:UInt32}`,
    {
      from: request.from ?? 0,
      to: request.to ?? 7_258_118_400_000_000,
      type: request.type ?? "",
      subject: request.subject ?? "",
      source: request.source ?? "",
      id: request.id ?? "",
      after_time: after?.time ?? 9_000_000_000_000_000,
      after_key: after?.key ?? "",
      limit: request.limit + 1,
    },
    readEvent,
  );
  const page = rows.slice(0, request.limit);
  const last = page.at(-1);
  return rows.length > request.limit && last !== undefined
    ? { rows: page, next: writeCursor(last) }
    : { rows: page };
}

function readEvent(row: Row): StoredEvent {
  return {
    source: String(row["source"]),
    id: String(row["id"]),
    type: String(row["type"]),
    subject: String(row["subject"]),
    time: Number(row["time_us"]) as Instant,
    data: String(row["data"]),
    key: Buffer.from(String(row["key_hex"]), "hex").toString("latin1"),
    revision: Number(row["revision"]),
    receivedAt: Number(row["received_us"]) as Instant,
    voided: Number(row["void_revision"] ?? 0) > 0,
    sequence: Number(row["sequence_text"]),
    position: Number(row["position"]),
  };
}

function writeCursor(event: StoredEvent): string {
  return `${event.time}.${Buffer.from(event.key, "latin1").toString("hex").toUpperCase()}`;
}

function readCursor(cursor: string): { time: number; key: string } | undefined {
  const match = /^(-?\d+)\.([0-9A-F]{32})$/.exec(cursor);
  return match === null ? undefined : { time: Number(match[1]), key: match[2] ?? "" };
}
