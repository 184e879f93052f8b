import {
  ClickHouseLogLevel,
  createClient,
  type ClickHouseClient,
  type ClickHouseClientConfigOptions,
} from "@clickhouse/client";
import { createChdbConnection } from "chdb/connection";
import { classifyFailure } from "./errors.js";

export type Parameters = Readonly<Record<string, unknown>>;

/** Where the store is: a folder (chDB, in this process) or a server. */
export type ColumnarTarget = { readonly path: string } | { readonly url: string };

/**
 * One session. Settings go only into a statement's own SETTINGS clause: in chDB those given beside it stick to the
 * session (an insert's deduplication token would drop the inserts after it in silence).
 */
export class Session {
  readonly #client: ClickHouseClient;
  readonly #role: "writer" | "reader";
  #tail: Promise<unknown> = Promise.resolve();
  pending = 0;

  constructor(target: ColumnarTarget, role: "writer" | "reader") {
    this.#role = role;
    // What fails is thrown, and logged by who catches it: the client would print it besides, in a format of its own.
    const log = { level: ClickHouseLogLevel.OFF };
    this.#client =
      "path" in target
        ? createClient({ connection: embedded(target.path), log })
        : createClient({ url: target.url, request_timeout: 120_000, max_open_connections: 8, log });
  }

  async command(name: string, sql: string, parameters: Parameters = {}): Promise<void> {
    await this.#run(name, () => this.#client.command({ query: sql, query_params: { ...parameters } }));
  }

  /** Rows as JSON objects; decimals and 64-bit integers are strings. */
  async query(name: string, sql: string, parameters: Parameters): Promise<unknown[]> {
    return this.#run(name, async () => {
      const result = await this.#client.query({
        query: sql,
        query_params: { ...parameters },
        format: "JSONEachRow",
      });
      return result.json();
    });
  }

  async close(): Promise<void> {
    await this.#tail.catch(() => undefined);
    await this.#client.close();
  }

  /** One statement at a time: a chDB session serialises them anyhow, and closing waits for the last. */
  #run<T>(name: string, work: () => Promise<T>): Promise<T> {
    this.pending += 1;
    const result = this.#tail.then(work).catch((error: unknown) => {
      throw classifyFailure(name, error, this.#role);
    });
    this.#tail = result.catch(() => undefined).finally(() => (this.pending -= 1));
    return result;
  }
}

// chdb types its connection against a second copy of the client's declarations, whose private members differ in name only.
function embedded(path: string): NonNullable<ClickHouseClientConfigOptions["connection"]> {
  return createChdbConnection({ path }) as unknown as NonNullable<
    ClickHouseClientConfigOptions["connection"]
  >;
}
