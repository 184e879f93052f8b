import { createHash } from "node:crypto";
import { chmod, chown, lstat, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { codeOf } from "../store-failure.js";
import { isReachableBy } from "./reachable.js";
import type { RunAs } from "./run-as.js";

// A socket's path has room for 104 bytes on macOS and 108 on Linux, which a data directory's path soon exceeds.
const path_bytes_max = 103;
const socket_name = "/.s.PGSQL.5432";

/**
 * Makes the folder of the Unix socket: short, mode 0700, so that its owner and root alone can connect (the server trusts
 * whoever can). Its name is a hash of the data folder's, so that a crash leaves one folder, not many.
 */
export async function makeSocketFolder(dataFolder: string, runAs: RunAs | undefined): Promise<string> {
  const owner = runAs?.uid ?? process.getuid?.() ?? -1;
  const parent = await chooseParent(runAs);
  const name = `weir-${createHash("sha256").update(`${owner}:${dataFolder}`).digest("hex").slice(0, 16)}`;
  const folder = join(parent, name);
  try {
    await mkdir(folder, { mode: 0o700 });
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
    const existing = await lstat(folder);
    if (!existing.isDirectory() || (existing.uid !== owner && existing.uid !== process.getuid?.())) {
      // Somebody else sits on the name: any other will do, postmaster.pid says which it was.
      return give(await mkdtemp(`${folder}-`), runAs);
    }
  }
  return give(folder, runAs);
}

/** Removes the socket and its lock file of a server that was killed; a zombie's would keep the next from starting. */
export async function clearSocketFolder(folder: string): Promise<void> {
  await rm(folder + socket_name, { force: true });
  await rm(`${folder}${socket_name}.lock`, { force: true });
}

/** Removes the folder after the server is gone. */
export async function removeSocketFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
}

async function give(folder: string, runAs: RunAs | undefined): Promise<string> {
  await chmod(folder, 0o700);
  if (runAs !== undefined) await chown(folder, runAs.uid, runAs.gid);
  return folder;
}

async function chooseParent(runAs: RunAs | undefined): Promise<string> {
  const parent = tmpdir();
  const longest = Buffer.byteLength(join(parent, `weir-${"0".repeat(16)}-XXXXXX`)) + socket_name.length;
  if (longest > path_bytes_max) return "/tmp";
  if (runAs !== undefined && !(await isReachableBy(parent, runAs))) return "/tmp";
  return parent;
}
