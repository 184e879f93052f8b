import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openPostgres, type Postgres, type PostgresOptions } from "../../src/engines/postgres/index.js";
import { silentLog } from "../../src/kernel/log.js";

/** A real embedded server in a folder of its own; `remove` stops it and deletes the folder. */
export async function openTestPostgres(
  options: Partial<PostgresOptions> = {},
): Promise<{ postgres: Postgres; dataDir: string; remove: () => Promise<void> }> {
  const dataDir = await mkdtemp(join(tmpdir(), "weir-test-postgres-"));
  const postgres = await openPostgres({ dataDir, log: silentLog, ...options });
  return {
    postgres,
    dataDir,
    remove: async () => {
      await postgres.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
