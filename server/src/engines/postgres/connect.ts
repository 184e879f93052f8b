import postgres from "postgres";
import type { Log } from "../../kernel/log.js";
import type { ConnectionTarget } from "./connection-target.js";

/** The schema that holds every table of ours; a database may be shared with other programs. */
export const schema_name = "weir";

export interface PoolOptions {
  readonly connectionsMax: number;
  readonly log: Log;
}

/** Opens a pool (lazily: nothing is connected yet). Every session is in UTC and sees schema weir only. */
export function connect(target: ConnectionTarget, { connectionsMax, log }: PoolOptions): postgres.Sql {
  const { sslmode, sslrootcert, ...settings } = target.settings;
  return postgres({
    ...(target.host.startsWith("/")
      ? { path: `${target.host}/.s.PGSQL.${target.port}` }
      : { host: target.host, port: target.port }),
    database: target.database,
    user: target.user,
    password: target.password,
    ssl: sslOption(sslrootcert === "system" ? "verify-full" : sslmode),
    max: connectionsMax,
    connect_timeout: 10,
    // A backend costs some 10 MB; an idle laptop gives them back.
    idle_timeout: 300,
    connection: {
      application_name: "weir",
      search_path: schema_name,
      TimeZone: "UTC",
      idle_in_transaction_session_timeout: 300_000,
      ...settings,
    },
    onnotice: (notice) => {
      log.debug(`PostgreSQL: ${notice["message"] ?? ""}`, { severity: notice["severity"] ?? "" });
    },
  });
}

function sslOption(mode: string | undefined): "require" | "allow" | "prefer" | "verify-full" | false {
  if (mode === "require" || mode === "allow" || mode === "prefer" || mode === "verify-full") return mode;
  return mode === "verify-ca" ? "verify-full" : false;
}
