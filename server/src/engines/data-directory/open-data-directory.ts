import { randomBytes } from "node:crypto";
import { mkdir, readFile, realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import { lockDirectory } from "./directory-lock.js";
import { writeDurably } from "./write-durably.js";

/** A data directory that this process holds alone, and who it is. */
export interface DataDirectory {
  /** absolute, without symlinks */
  readonly dir: string;
  /** names this directory's writer in sequences and watermarks: w_ and 10 characters */
  readonly writer: string;
  /** 32 bytes that key the hash of event identities; never leaves the directory */
  readonly hashKey: Buffer;
  release(): Promise<void>;
}

const writer_form = /^w_[0-9a-z]{10}$/;

/**
 * Makes the folder when new (mode 0700), locks it, and reads who it is.
 *
 * @throws DataDirectoryInUse when another process works in it
 * @throws Error when the secret is lost: a new one would let every past event in a second time
 */
export async function openDataDirectory(folder: string): Promise<DataDirectory> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const dir = await realpath(folder);
  const lock = await lockDirectory(dir);
  try {
    const { writer, hashKey } = await readIdentity(dir);
    return { dir, writer, hashKey, release: () => lock.release() };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

async function readIdentity(dir: string): Promise<{ writer: string; hashKey: Buffer }> {
  const instanceFile = join(dir, "instance.json");
  const secretFile = join(dir, "identity-secret");
  if (!(await exists(instanceFile))) {
    // The secret first: instance.json says that both were made.
    if (!(await exists(secretFile))) await writeDurably(secretFile, randomBytes(32));
    const writer = `w_${makeName(10)}`;
    await writeDurably(
      instanceFile,
      `${JSON.stringify({ format: 1, writer, createdAt: new Date().toISOString() }, undefined, 2)}\n`,
    );
  }
  const instance: unknown = JSON.parse(await readFile(instanceFile, "utf8"));
  const writer =
    typeof instance === "object" && instance !== null && "writer" in instance ? instance.writer : undefined;
  if (typeof writer !== "string" || !writer_form.test(writer))
    throw new Error(`${instanceFile} is damaged: restore it from a backup.`);
  const hashKey = (await exists(secretFile)) ? await readFile(secretFile) : Buffer.alloc(0);
  if (hashKey.length !== 32) {
    throw new Error(
      `${secretFile} is lost or damaged, and with it every event's identity: restore it from a backup of this folder.`,
    );
  }
  return { writer, hashKey };
}

function makeName(length: number): string {
  const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
  return Array.from(randomBytes(length), (byte) => alphabet[byte % 32] ?? "").join("");
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
