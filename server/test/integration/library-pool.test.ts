import { afterAll, beforeAll, expect, test } from "vitest";
import { openLibraryPool } from "../../src/engines/workflow/library-pool.js";
import { silentLog } from "../../src/kernel/log.js";
import { openTestPostgres } from "./embedded-postgres.js";

let opened: Awaited<ReturnType<typeof openTestPostgres>>;
beforeAll(async () => (opened = await openTestPostgres()));
afterAll(() => opened?.remove());

test("a connection of workflows that is lost at any moment ends no process, and the next query has another", async () => {
  const pool = openLibraryPool({ url: opened.postgres.url, connectionsMax: 1, log: silentLog });
  for (let round = 0; round < 3; round += 1) {
    const client = await pool.connect();
    // Emitted to nobody it would be thrown.
    expect(client.listenerCount("error")).toBeGreaterThan(0);
    const gone = new Promise((resolve) => client.once("end", resolve));
    await client.query("SELECT pg_terminate_backend(pg_backend_pid())").catch(() => undefined);
    await gone;
    client.release(true);
    const { rows } = await pool.query<{ one: number }>("SELECT 1 AS one");
    expect(rows).toEqual([{ one: 1 }]);
  }
  await pool.end();
});
