import { readFileSync } from "node:fs";
import path from "node:path";
import postgres from "postgres";

/** A superuser's connection to the embedded PostgreSQL of a running Weir: to see, and seed, what no API shows. */
export function superuserOf(dataDir: string): postgres.Sql {
  const lines = readFileSync(path.join(dataDir, "postgres", "postmaster.pid"), "utf8").split("\n");
  const port = lines[3] ?? "5432";
  const socketDir = lines[4] ?? "";
  return postgres({
    path: `${socketDir}/.s.PGSQL.${port}`,
    user: "postgres",
    database: "weir",
    connection: { search_path: "weir" },
    max: 1,
  });
}
