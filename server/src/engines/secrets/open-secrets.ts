import { randomBytes } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import path from "node:path";
import type { Log } from "../../kernel/log.js";
import { writeDurably } from "../data-directory/index.js";
import type { Postgres } from "../postgres/index.js";
import { createSecrets } from "./create-secrets.js";
import { MasterKeyUnusable } from "./errors.js";
import { key_bytes, MasterKey } from "./master-key.js";
import type { Secrets } from "./secrets.js";
import { insertMasterKey, lockMasterKeys, type UsedMasterKey } from "./store/master-keys.js";

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
  if (first !== undefined) return rely([first, ...others], { postgres, hint: () => fileHint(file) });
  const kept = await readKeyFile(file, log);
  if (kept !== undefined) return rely([kept], { postgres, hint: () => Promise.resolve("") });
  // Not made where secrets were sealed with another, which is lost or elsewhere.
  const used = await postgres.asSystem(lockMasterKeys);
  if (used.length > 0) throw notGiven(used, `There is no ${file} either. `);
  const made = randomBytes(key_bytes);
  await writeDurably(file, `${made.toString("base64")}\n`);
  log.info("made a master key; keep a copy of it apart from the data", { file });
  return rely([new MasterKey(made)], { postgres, hint: () => Promise.resolve("") });
}

/** Uses these keys, unless one that has sealed something is missing. */
async function rely(
  keys: readonly [MasterKey, ...MasterKey[]],
  on: { readonly postgres: Postgres; readonly hint: () => Promise<string> },
): Promise<Secrets> {
  const byId = new Map(keys.map((key) => [key.idText, key]));
  const { used, missing } = await on.postgres.asSystem(async (sql) => {
    const known = await lockMasterKeys(sql);
    const unknown = known.filter(({ id }) => !byId.has(id));
    const [{ idText }] = keys;
    if (unknown.length === 0 && !known.some(({ id }) => id === idText)) {
      const added = { id: idText, hashes: known.length === 0 };
      await insertMasterKey(sql, added);
      known.push(added);
    }
    return { used: known, missing: unknown };
  });
  if (missing.length > 0) throw notGiven(missing, await on.hint());
  const hashing = used.find(({ hashes }) => hashes);
  return createSecrets(keys, hashing === undefined ? undefined : byId.get(hashing.id));
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
