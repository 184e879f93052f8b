import { mkdir } from "node:fs/promises";
import path from "node:path";
import type { OrganizationId } from "../../kernel/ids.js";
import type { Log } from "../../kernel/log.js";
import { Session, type ColumnarTarget, type Parameters } from "./session.js";
import { openTenantDoor, type Row, type TenantDoor } from "./tenant-door.js";

/** What belongs to no organization: inserts of batches, migrations, the engine's own figures. */
export interface SystemDoor {
  command(name: string, sql: string, parameters?: Parameters): Promise<void>;
  query<T>(name: string, sql: string, parameters: Parameters, row: (raw: Row) => T): Promise<T[]>;
}

/** The columnar store: chDB in this process, or a ClickHouse server. */
export interface Columnar {
  readonly kind: "embedded" | "server";
  version(): Promise<string>;
  forOrganization(organization: OrganizationId): TenantDoor;
  readonly system: SystemDoor;
  close(): Promise<void>;
}

export interface ColumnarOptions {
  /** Where chDB keeps its files. */
  readonly dir: string;
  /** A server instead. */
  readonly url?: string;
  /** Of one tenant's query; 4 GiB when left out. */
  readonly memoryBytesMax?: number;
  readonly log: Log;
}

// Two sessions on one path run in parallel, one serialises its statements; two cores gain nothing from more readers.
const readers_embedded = 2;
const memory_bytes_default = 4 * 1024 ** 3;

export async function openColumnar(options: ColumnarOptions): Promise<Columnar> {
  const target: ColumnarTarget =
    options.url === undefined ? { path: path.resolve(options.dir) } : { url: options.url };
  if ("path" in target) await mkdir(target.path, { recursive: true });
  const writer = new Session(target, "writer");
  const readers = Array.from({ length: readers_embedded }, () => new Session(target, "reader"));
  const idlest = () =>
    readers.reduce((least, next) => (next.pending < least.pending ? next : least), readers[0] ?? writer);
  let version: Promise<string> | undefined;

  const system: SystemDoor = {
    command: (name, sql, parameters) => writer.command(name, sql, parameters),
    query: async (name, sql, parameters, row) =>
      (await writer.query(name, sql, parameters)).map((raw) => row(raw as Row)),
  };
  return {
    kind: options.url === undefined ? "embedded" : "server",
    version: () =>
      (version ??= system
        .query("version", "SELECT version() AS version", {}, (row) => String(row["version"]))
        .then(([found]) => found ?? "")),
    forOrganization: (organization) =>
      openTenantDoor(organization, idlest, options.memoryBytesMax ?? memory_bytes_default),
    system,
    async close() {
      for (const session of [...readers, writer]) await session.close();
    },
  };
}
