import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import type { Columnar } from "./open-columnar.js";

/**
 * Applies NNNNNN_name.sql files in order, each once. Every statement guards itself (IF NOT EXISTS), so that two
 * processes that start at once on one server do no harm, and a migration cut off by a crash is repeated.
 * @throws Error when a migration that was applied has changed since
 */
export async function migrateColumnar(columnar: Columnar, dir: string): Promise<void> {
  const { system } = columnar;
  await system.command("create database", "CREATE DATABASE IF NOT EXISTS weir");
  await system.command(
    "create schema_migrations",
    `CREATE TABLE IF NOT EXISTS weir.schema_migrations (name String, checksum String, applied_at DateTime DEFAULT now())
     ENGINE = MergeTree ORDER BY name`,
  );
  const applied = new Map(
    await system.query(
      "applied migrations",
      "SELECT name, checksum FROM weir.schema_migrations",
      {},
      (row) => [String(row["name"]), String(row["checksum"])] as const,
    ),
  );
  const names = (await readdir(dir)).filter((name) => /^\d{6}_[\w-]+\.sql$/.test(name)).sort();
  for (const name of names) {
    const text = await readFile(path.join(dir, name), "utf8");
    const checksum = createHash("sha256").update(text).digest("hex");
    const known = applied.get(name);
    if (known === checksum) continue;
    if (known !== undefined)
      throw new Error(`migration ${name} was changed after it was applied; add a new one instead`);
    for (const statement of splitStatements(text)) await system.command(name, statement);
    await system.command(
      "record migration",
      "INSERT INTO weir.schema_migrations (name, checksum) VALUES ({name:String}, {checksum:String})",
      { name, checksum },
    );
  }
}

/** Statements end with a ; at the end of a line. */
function splitStatements(text: string): string[] {
  return text
    .replace(/^\s*--.*$/gm, "")
    .split(/;\s*$/m)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== "");
}
