import pg from "pg";
import type { Log } from "../../kernel/log.js";

export interface LibraryPoolOptions {
  readonly url: string;
  readonly connectionsMax: number;
  readonly log: Log;
}

/**
 * The connections of the workflow library. Its own pool leaves a connection that goes from one query to the next that waits for it
 * without a listener for a moment: should the server go away right then, the whole process would end.
 */
export function openLibraryPool({ url, connectionsMax, log }: LibraryPoolOptions): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max: connectionsMax,
    connectionTimeoutMillis: 10_000,
    application_name: "weir workflows",
  });
  const lost = (error: Error) => log.debug("a connection of workflows was lost", { error: error.message });
  pool.on("connect", (client) => client.on("error", lost));
  pool.on("error", lost);
  return pool;
}
