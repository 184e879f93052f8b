import { closeSync, fsyncSync, openSync, writeSync } from "node:fs";
import { mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Clock } from "../../kernel/clock.js";
import type { Log } from "../../kernel/log.js";
import { IdentityIndexDamaged, type Manifest } from "./manifest.js";
import { openRunDatabase, readBlock, readFilter, readManifest, type RunDatabase } from "./run-store.js";

const data_name = "data.mdb";
const damaged_name = "damaged";
// LMDB's meta page as lmdb 3.5.6 writes it: a page header of 24 bytes, then magic, version, address, map size, two
// databases of 48 bytes (the first begins with the page size), the last page's number.
const magic_at = 24;
const page_size_at = 48;
const last_page_at = 144;
const lmdb_magic = 0xbeefc0de;

export interface OpenedFolder {
  readonly database: RunDatabase;
  readonly manifest: Manifest;
  /** In the order of the manifest's runs. */
  readonly filters: readonly Uint32Array<ArrayBuffer>[];
  readonly file: string;
}

/**
 * Opens the folder's database, or a new one after moving aside what cannot be read. LMDB maps its file, so a
 * truncated one would kill the process instead of failing: its size is checked before it is opened.
 */
export async function prepareFolder(options: {
  readonly dir: string;
  readonly clock: Clock;
  readonly log: Log;
}): Promise<OpenedFolder> {
  const { dir, log } = options;
  const file = join(dir, data_name);
  const fault = (await readMark(dir)) ?? (await findFault(file));
  if (fault !== undefined) await moveAside(options, fault);
  await mkdir(dir, { recursive: true });
  try {
    return { ...openRuns(dir), file };
  } catch (error) {
    if (fault !== undefined || !isDamage(error)) throw error;
    await moveAside(options, error.message);
    await mkdir(dir, { recursive: true });
    log.info("the identity index begins empty and will be rebuilt", { dir });
    return { ...openRuns(dir), file };
  }
}

/** Leaves a mark that makes the next start rebuild the index. */
export function markDamaged(dir: string, reason: string): void {
  const handle = openSync(join(dir, damaged_name), "w");
  writeSync(handle, reason);
  fsyncSync(handle);
  closeSync(handle);
}

function openRuns(dir: string): Omit<OpenedFolder, "file"> {
  const database = openRunDatabase(dir);
  try {
    const manifest = readManifest(database);
    const filters = manifest.runs.map(({ id, blocks }) => {
      readBlock(database, id, 0, false);
      readBlock(database, id, blocks - 1, false);
      return readFilter(database, id);
    });
    return { database, manifest, filters };
  } catch (error) {
    void database.close();
    throw error;
  }
}

function isDamage(error: unknown): error is Error {
  return (
    error instanceof IdentityIndexDamaged ||
    (error instanceof Error &&
      /^MDB_(INVALID|CORRUPTED|VERSION_MISMATCH|PAGE_NOTFOUND|PANIC)/.test(error.message))
  );
}

async function readMark(dir: string): Promise<string | undefined> {
  const marked = await stat(join(dir, damaged_name)).then(
    () => true,
    () => false,
  );
  return marked ? "damage was found while it ran" : undefined;
}

async function findFault(file: string): Promise<string | undefined> {
  const handle = await open(file, "r").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (handle === undefined) return undefined;
  try {
    const { size } = await handle.stat();
    if (size === 0) return undefined; // a first start that died before LMDB wrote anything
    const head = Buffer.alloc(last_page_at + 8);
    for (let page = 0; page < 2; page += 1) {
      const offset = page * 4096;
      const { bytesRead } = await handle.read(head, 0, head.length, offset);
      if (bytesRead < head.length || head.readUInt32LE(magic_at) !== lmdb_magic)
        return `meta page ${page} is not LMDB's`;
      const pageSize = head.readUInt32LE(page_size_at);
      if (pageSize !== 4096) return `meta page ${page} says pages of ${pageSize} bytes`;
      const needed = (head.readBigUInt64LE(last_page_at) + 1n) * 4096n;
      if (BigInt(size) < needed) return `the file has ${size} of ${needed} bytes`;
    }
    return undefined;
  } finally {
    await handle.close();
  }
}

/** Keeps the last damaged folder for whoever wants to look; older ones are deleted, they may be large. */
async function moveAside(
  options: { readonly dir: string; readonly clock: Clock; readonly log: Log },
  reason: string,
): Promise<void> {
  const { dir, clock, log } = options;
  const prefix = `${basename(dir)}.damaged-`;
  for (const name of await readdir(dirname(dir))) {
    if (name.startsWith(prefix)) await rm(join(dirname(dir), name), { recursive: true, force: true });
  }
  const aside = join(dirname(dir), `${prefix}${clock.now()}`);
  log.error("the identity index is damaged; it is moved aside and will be rebuilt", { dir, aside, reason });
  await rename(dir, aside);
}
