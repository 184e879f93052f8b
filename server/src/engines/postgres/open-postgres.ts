import type postgres from "postgres";
import type { OrganizationId } from "../../kernel/ids.js";
import type { Log } from "../../kernel/log.js";
import { connect } from "./connect.js";
import {
  describeTarget,
  formatConnectionUrl,
  parseConnectionUrl,
  type ConnectionTarget,
} from "./connection-target.js";
import { startEmbedded } from "./embedded/index.js";
import { migrate } from "./migrate.js";
import { migrationsFolder } from "./migrations-folder.js";
import { migration_lock, prepareRoles } from "./prepare-roles.js";
import { isPassing, nameFailure } from "./store-failure.js";
import { UnusableDatabase } from "./unusable-database.js";
import { verifyIsolation } from "./verify-isolation.js";

/** A transaction under one of the two roles; SQL as a tagged template, values always bound. */
export type Sql = postgres.TransactionSql;

/** The money store. Both doors run one transaction, which commits when `work` resolves and is undone when it rejects. */
export interface Postgres {
  /**
   * Role weir_app, with row-level security bound to the organization: other organizations' rows do not exist.
   * @throws StoreUnavailable when PostgreSQL is away or another transaction was in the way: try again
   */
  inOrganization<T>(organization: OrganizationId, work: (sql: Sql) => Promise<T>): Promise<T>;
  /** Role weir_system: organizations, sign-in and due work of everyone, and nothing else. */
  asSystem<T>(work: (sql: Sql) => Promise<T>): Promise<T>;
  /** As the owner of the schema, one process at a time: for an engine that brings tables of its own, and nothing else. */
  setUp(work: (sql: Sql) => Promise<void>): Promise<void>;
  /** The libpq URL, with the password if there is one: for other clients such as a workflow engine. Never log it. */
  readonly url: string;
  /** Waits for running transactions (5 s), closes the pool, and stops an embedded server. */
  close(): Promise<void>;
}

export interface PostgresOptions {
  readonly dataDir: string;
  /** DATABASE_URL; without it the embedded server starts in dataDir/postgres */
  readonly url?: string;
  readonly log: Log;
  /** where the migrations are, when not in the package */
  readonly migrations?: string;
}

const embedded_connections_max = 20;
const server_connections_max = 16;
const close_seconds_max = 5;
const first_connection_seconds_max = 20;

/**
 * Starts or adopts the embedded server, or connects to the one at `url`; then sees to roles, migrations and isolation.
 * Safe when several processes do so at once on one database. A data directory belongs to one process: lock it first.
 *
 * @throws UnusableDatabase with the SQL that fixes it
 */
export async function openPostgres({ dataDir, url, log, migrations }: PostgresOptions): Promise<Postgres> {
  const embedded = url === undefined ? await startEmbedded({ dataDir, log }) : undefined;
  const target = embedded?.target ?? parseConnectionUrl(url ?? "");
  const pool = connect(target, {
    connectionsMax: embedded === undefined ? server_connections_max : embedded_connections_max,
    log,
  });
  try {
    if (embedded === undefined) await awaitFirstConnection(pool, target, log);
    await prepareRoles(pool);
    const applied = await migrate(pool, migrations ?? migrationsFolder());
    await verifyIsolation(pool);
    log.info("PostgreSQL is ready", {
      server: embedded === undefined ? describeTarget(target) : "embedded",
      migrations: applied.length,
    });
  } catch (error) {
    await pool.end({ timeout: 0 });
    await embedded?.stop();
    throw nameFailure(error);
  }

  async function transact<T>(
    role: "weir_app" | "weir_system",
    organization: string,
    work: (sql: Sql) => Promise<T>,
  ): Promise<T> {
    try {
      const { value } = await pool.begin(async (sql) => {
        // Local to the transaction, so a pooled connection goes back as nobody. It travels with the work's first statement and is
        // done before it; should it fail, PostgreSQL does nothing of what follows.
        const bound =
          sql`SELECT set_config('role', ${role}, true), set_config('weir.organization', ${organization}, true)`.execute();
        // Until it is waited for, nobody else hears of it.
        bound.catch(() => undefined);
        try {
          return { value: await work(sql) };
        } finally {
          // Why nothing of the work was done, when it is that.
          await bound;
        }
      });
      return value;
    } catch (error) {
      throw nameFailure(error);
    }
  }

  return {
    url: formatConnectionUrl(target),
    inOrganization(organization, work) {
      if (organization.length === 0)
        return Promise.reject(new RangeError("inOrganization needs an organization"));
      return transact("weir_app", organization, work);
    },
    asSystem: (work) => transact("weir_system", "", work),
    async setUp(work) {
      await pool.begin(async (sql) => {
        await sql`SELECT pg_advisory_xact_lock(${migration_lock})`;
        await work(sql);
      });
    },
    async close() {
      await pool.end({ timeout: close_seconds_max });
      await embedded?.stop();
    },
  };
}

/** A database in the next container may need a moment; one that refuses us for good is reported at once. */
async function awaitFirstConnection(pool: postgres.Sql, target: ConnectionTarget, log: Log): Promise<void> {
  const giveUpAt = performance.now() + first_connection_seconds_max * 1000;
  for (;;) {
    try {
      await pool`SELECT 1`;
      return;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (!isPassing(error) || performance.now() > giveUpAt) {
        throw new UnusableDatabase(
          `Cannot connect to ${describeTarget(target)} (DATABASE_URL): ${reason}`,
          undefined,
          { cause: error },
        );
      }
      log.warn("PostgreSQL does not answer yet", { server: describeTarget(target), reason });
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
}
