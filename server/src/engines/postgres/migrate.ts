import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type postgres from "postgres";
import { migration_lock } from "./prepare-roles.js";
import { UnusableDatabase } from "./unusable-database.js";

interface Migration {
  readonly name: string;
  readonly text: string;
  readonly checksum: string;
}

/**
 * Applies what is new in a folder of NNNNNN_name.sql files, in the order of their names, each in a transaction of its own
 * under one advisory lock: of two processes that start at once, one applies and the other finds it applied.
 *
 * @returns the names applied by this call
 * @throws UnusableDatabase when an applied migration was changed, or is unknown here (a newer Weir was at work)
 */
export async function migrate(pool: postgres.Sql, folder: string): Promise<string[]> {
  const migrations = await readMigrations(folder);
  await pool.begin(async (sql) => {
    await sql`SELECT pg_advisory_xact_lock(${migration_lock})`;
    await sql`
      CREATE TABLE IF NOT EXISTS migrations (
        name text COLLATE "C" PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`;
    const recorded = await sql<
      { name: string; checksum: string }[]
    >`SELECT name, checksum FROM migrations ORDER BY name`;
    checkHistory(migrations, recorded);
  });
  const applied: string[] = [];
  for (const migration of migrations) {
    if (await applyOnce(pool, migration)) applied.push(migration.name);
  }
  return applied;
}

async function applyOnce(pool: postgres.Sql, { name, text, checksum }: Migration): Promise<boolean> {
  let isNew = false;
  try {
    await pool.begin(async (sql) => {
      await sql`SELECT pg_advisory_xact_lock(${migration_lock})`;
      const recorded = await sql`SELECT FROM migrations WHERE name = ${name}`;
      if (recorded.length > 0) return;
      await sql`SELECT set_config('weir.maintenance', 'on', true)`; // see weir_protect in 000001
      await sql.unsafe(text).simple();
      await sql`INSERT INTO migrations (name, checksum) VALUES (${name}, ${checksum})`;
      isNew = true;
    });
  } catch (error) {
    throw describeFailure(name, text, error);
  }
  return isNew;
}

async function readMigrations(folder: string): Promise<Migration[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".sql")).toSorted();
  const numbers = new Map<string, string>();
  const migrations: Migration[] = [];
  for (const name of names) {
    const number = /^(\d{6})_[a-z0-9_]+\.sql$/.exec(name)?.[1];
    if (number === undefined)
      throw new Error(`A migration is named NNNNNN_name.sql, not ${name} (in ${folder}).`);
    const other = numbers.get(number);
    if (other !== undefined) throw new Error(`Two migrations have one number: ${other} and ${name}.`);
    numbers.set(number, name);
    // Line ends do not count: git may change them on the way to another machine.
    const text = (await readFile(join(folder, name), "utf8")).replaceAll("\r\n", "\n");
    migrations.push({ name, text, checksum: createHash("sha256").update(text).digest("hex") });
  }
  return migrations;
}

function checkHistory(
  migrations: readonly Migration[],
  recorded: readonly { name: string; checksum: string }[],
): void {
  const known = new Map(migrations.map((migration) => [migration.name, migration]));
  const unknown = recorded.filter(({ name }) => !known.has(name)).map(({ name }) => name);
  if (unknown.length > 0) {
    throw new UnusableDatabase(
      `This database was migrated by another, probably newer Weir (it has ${unknown.join(", ")}). Start that version, or restore a backup.`,
    );
  }
  const changed = recorded
    .filter(({ name, checksum }) => known.get(name)?.checksum !== checksum)
    .map(({ name }) => name);
  if (changed.length > 0) {
    throw new UnusableDatabase(
      `Applied migrations were changed afterwards: ${changed.join(", ")}. Put the files back as they were and add a new migration instead.`,
    );
  }
}

function describeFailure(name: string, text: string, error: unknown): unknown {
  if (!(error instanceof Error) || !("position" in error)) return error;
  const line = text.slice(0, Number(error.position)).split("\n").length;
  return new Error(`Migration ${name} failed at line ${line}: ${error.message}`, { cause: error });
}
