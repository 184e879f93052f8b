import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openPostgres, type Postgres, type PostgresOptions } from "../../src/engines/postgres/index.js";
import { silentLog } from "../../src/kernel/log.js";
import { createTestDatabase, postgresServer } from "../support/postgres-server.js";

/** A superuser's way to a server: a Unix socket's folder, and the database of the opened store. */
export interface SuperuserAccess {
  readonly path: string;
  readonly user: "postgres";
  readonly database: string;
}

/**
 * A real server's database of its own: an embedded server in a folder of its own, or a database of the server that
 * `npm run test:postgres` started. `remove` leaves nothing behind.
 */
export async function openTestPostgres(
  options: Partial<PostgresOptions> = {},
): Promise<{ postgres: Postgres; dataDir: string; superuser: SuperuserAccess; remove: () => Promise<void> }> {
  const dataDir = await mkdtemp(join(tmpdir(), "weir-test-postgres-"));
  const database = postgresServer === undefined ? undefined : await createTestDatabase();
  const postgres = await openPostgres({
    dataDir,
    log: silentLog,
    ...(database === undefined ? {} : { url: database.url }),
    ...options,
  });
  const server = new URL(postgresServer ?? postgres.url);
  return {
    postgres,
    dataDir,
    superuser: {
      path: `${server.searchParams.get("host")}/.s.PGSQL.${server.port || "5432"}`,
      user: "postgres",
      database: database?.name ?? "weir",
    },
    remove: async () => {
      await postgres.close();
      await database?.drop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
