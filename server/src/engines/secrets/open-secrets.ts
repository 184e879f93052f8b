import { randomBytes } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import path from "node:path";
import type { Log } from "../../kernel/log.js";
import { writeDurably } from "../data-directory/index.js";
import type { Postgres, Sql } from "../postgres/index.js";
import { createSecrets, type MasterKeys } from "./create-secrets.js";
import { MasterKeyUnusable } from "./errors.js";
import { key_bytes, MasterKey } from "./master-key.js";
import type { Secrets } from "./secrets.js";
import {
  insertMasterKey,
  lockMasterKeys,
  selectMasterKeys,
  type UsedMasterKey,
} from "./store/master-keys.js";

export interface SecretsOptions {
  /** WEIR_MASTER_KEY: 32 bytes each; the first seals, all open. Without any, the key is a file in `dataDir`. */
  readonly masterKeys?: readonly Uint8Array[] | undefined;
  readonly dataDir: string;
  /** Remembers which keys have sealed something. */
  readonly postgres: Postgres;
  readonly log: Log;
}

export const master_key_file = "master.key";

/**
 * Finds the master key, or makes one on the first start, and sees that it is the one that the database's secrets were sealed with.
 * The data directory must be held.
 * @throws MasterKeyUnusable when a key that has sealed something is not given, or the file is damaged
 */
export async function openSecrets({ masterKeys, dataDir, postgres, log }: SecretsOptions): Promise<Secrets> {
  const file = path.join(dataDir, master_key_file);
  const given = (masterKeys ?? []).map((bytes) => new MasterKey(bytes));
  const [first, ...others] = given;
  if (first !== undefined) return rely([first, ...others], { postgres, log, hint: () => fileHint(file) });
  const on = { postgres, log, hint: () => Promise.resolve("") };
  const kept = await readKeyFile(file, log);
  if (kept !== undefined) return rely([kept], on);
  // Not made where secrets were sealed with another, which is lost or elsewhere.
  const used = await postgres.asSystem(selectMasterKeys);
  if (used.length > 0) throw notGiven(used, `There is no ${file} either. `);
  const made = randomBytes(key_bytes);
  await writeDurably(file, `${made.toString("base64")}\n`);
  log.info("made a master key; keep a copy of it apart from the data", { file });
  return rely([new MasterKey(made)], on);
}

/** Uses these keys, unless one that has sealed something is missing. */
async function rely(
  keys: MasterKeys,
  on: { readonly postgres: Postgres; readonly log: Log; readonly hint: () => Promise<string> },
): Promise<Secrets> {
  const byId = new Map(keys.map((key) => [key.idText, key]));
  const [{ idText }] = keys;
  const known = await on.postgres.asSystem(selectMasterKeys);
  const missing = known.filter(({ id }) => !byId.has(id));
  if (missing.length > 0) throw notGiven(missing, await on.hint());
  const hashing = byId.get(known.find(({ hashes }) => hashes)?.id ?? "");
  // Not before it is used: processes that share a database and seal nothing need not share a key.
  let registered: Promise<void> | undefined = known.some(({ id }) => id === idText)
    ? Promise.resolve()
    : undefined;
  const registerKey = async (sql: Sql) => {
    const used = await lockMasterKeys(sql);
    const unknown = used.filter(({ id }) => !byId.has(id));
    if (unknown.length > 0) throw notGiven(unknown, await on.hint());
    if (!used.some(({ id }) => id === idText))
      await insertMasterKey(sql, { id: idText, hashes: used.length === 0 });
  };
  const register = () =>
    (registered ??= on.postgres.asSystem(registerKey).catch((error: unknown) => {
      registered = undefined;
      on.log.error("the master key was not registered in the database", { error: String(error) });
      throw error;
    }));
  return createSecrets(keys, { hashing, register });
}

async function readKeyFile(file: string, log?: Log): Promise<MasterKey | undefined> {
  const found = await stat(file).catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  });
  if (found === undefined) return undefined;
  if ((found.mode & 0o077) !== 0)
    log?.warn("others than its owner may read the master key; run chmod 600 on it", { file });
  const bytes = Buffer.from((await readFile(file, "utf8")).trim(), "base64");
  if (bytes.length === key_bytes) return new MasterKey(bytes);
  throw new MasterKeyUnusable(
    `${file} is damaged: it holds the base64 text of ${key_bytes} bytes, and secrets in the database cannot be opened without it. ` +
      "Restore it from a backup (docs/runbooks/master-key.md).",
  );
}

async function fileHint(file: string): Promise<string> {
  const kept = await readKeyFile(file).catch(() => undefined);
  return kept === undefined
    ? ""
    : `${file} holds the key ${kept.idText}: if that is it, write the file's text behind the others in WEIR_MASTER_KEY. `;
}

function notGiven(keys: readonly UsedMasterKey[], hint: string): MasterKeyUnusable {
  const ids = keys.map(({ id }) => id).join(", ");
  return new MasterKeyUnusable(
    `Secrets in this database were sealed with the master key ${ids}, which was not given. ${hint}` +
      `Restore ${master_key_file} in the data directory from a backup, or set WEIR_MASTER_KEY to its text, here and wherever else a Weir uses ` +
      "this database (docs/runbooks/master-key.md).",
  );
}
