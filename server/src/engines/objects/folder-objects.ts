import { createHash, randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { link, mkdir, open, readdir, rm, stat, statfs, type FileHandle } from "node:fs/promises";
import path from "node:path";
import { pipeline, Readable } from "node:stream";
import { pipeline as finishPipeline } from "node:stream/promises";
import type { Secrets } from "../secrets/index.js";
import { ObjectDiffers, ObjectMissing, ObjectsFull, ObjectTooLarge } from "./errors.js";
import { partsOfKey } from "./object-key.js";
import type { Objects, PutOptions, StoredObject } from "./objects.js";

export interface FolderObjectsOptions {
  /** Made when missing. */
  readonly dir: string;
  /** Objects rest encrypted, each bound to its key. */
  readonly secrets: Pick<Secrets, "sealingStream" | "openingStream">;
  readonly diskFreeBytesMin: number;
}

const disk_check_bytes = 16 * 1024 * 1024;
// Where objects arrive: no part of a key begins with a dot.
const drafts = ".drafts";

/** Objects as files below a folder, encrypted. A file comes to its name only when it is whole and on disk. */
export class FolderObjects implements Objects {
  readonly #on: FolderObjectsOptions;

  constructor(options: FolderObjectsOptions) {
    this.#on = options;
  }

  /** Before anything is put: makes the folder, and deletes what a crash cut off. */
  async open(): Promise<void> {
    const folder = path.join(this.#on.dir, drafts);
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await syncFolder(this.#on.dir);
  }

  async put(key: string, content: Readable, options: PutOptions): Promise<StoredObject> {
    const target = this.#pathOf(key);
    await this.#makeFolders(path.dirname(target));
    const draft = path.join(this.#on.dir, drafts, randomBytes(12).toString("hex"));
    try {
      const stored = await this.#write(draft, key, content, options);
      try {
        // Unlike rename, it never takes the place of what is there.
        await link(draft, target);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
        if ((await this.#read(key)).sha256 !== stored.sha256) throw new ObjectDiffers(key);
        return stored;
      }
      await syncFolder(path.dirname(target));
      return stored;
    } finally {
      await rm(draft, { force: true });
    }
  }

  async get(key: string): Promise<Readable> {
    const file = this.#pathOf(key);
    if (!(await this.has(key))) throw new ObjectMissing(key);
    const opening = this.#on.secrets.openingStream(contextOf(key));
    // What fails, or is left before its end, is told to whoever reads, and closes the file.
    pipeline(createReadStream(file), opening, () => undefined);
    return opening;
  }

  async has(key: string): Promise<boolean> {
    return (await stat(this.#pathOf(key)).catch(() => undefined))?.isFile() === true;
  }

  async delete(key: string): Promise<void> {
    const file = this.#pathOf(key);
    await rm(file, { force: true });
    if ((await stat(path.dirname(file)).catch(() => undefined)) !== undefined)
      await syncFolder(path.dirname(file));
  }

  async list(prefix: string): Promise<readonly string[]> {
    const folder = this.#pathOf(prefix);
    const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(
      (error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT" || error.code === "ENOTDIR") return [];
        throw error;
      },
    );
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => path.relative(this.#on.dir, path.join(entry.parentPath, entry.name)))
      .map((file) => file.split(path.sep).join("/"))
      .sort();
  }

  async #write(
    draft: string,
    key: string,
    content: Readable,
    { bytesMax, onBytes }: PutOptions,
  ): Promise<StoredObject> {
    const hash = createHash("sha256");
    let bytes = 0;
    let checkedAt = -disk_check_bytes;
    const measured = async function* (this: FolderObjects) {
      for await (const chunk of content.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        if (bytes - checkedAt >= disk_check_bytes) {
          await this.#checkDisk();
          checkedAt = bytes;
        }
        bytes += chunk.length;
        if (bytes > bytesMax) throw new ObjectTooLarge(bytesMax);
        onBytes?.(chunk.length);
        hash.update(chunk);
        yield chunk;
      }
    }.call(this);
    const file = await open(draft, "wx", 0o600);
    try {
      await finishPipeline(
        Readable.from(measured),
        this.#on.secrets.sealingStream(contextOf(key)),
        async (sealed: AsyncIterable<Buffer>) => {
          for await (const chunk of sealed) await writeWhole(file, chunk);
        },
      );
      await file.sync();
    } finally {
      await file.close();
    }
    return { sha256: hash.digest("hex"), bytes };
  }

  async #read(key: string): Promise<StoredObject> {
    const hash = createHash("sha256");
    let bytes = 0;
    for await (const chunk of (await this.get(key)) as AsyncIterable<Buffer>) {
      hash.update(chunk);
      bytes += chunk.length;
    }
    return { sha256: hash.digest("hex"), bytes };
  }

  /** Each folder's name is on disk before anything lies in it. */
  async #makeFolders(folder: string): Promise<void> {
    const made = await mkdir(folder, { recursive: true, mode: 0o700 });
    if (made === undefined) return;
    for (let each = folder; each.length >= made.length; each = path.dirname(each))
      await syncFolder(path.dirname(each));
  }

  async #checkDisk(): Promise<void> {
    const { bavail, bsize } = await statfs(this.#on.dir);
    if (bavail * bsize < this.#on.diskFreeBytesMin) throw new ObjectsFull();
  }

  #pathOf(key: string): string {
    return path.join(this.#on.dir, ...partsOfKey(key));
  }
}

/** A file that is moved to another key does not open there. */
function contextOf(key: string): string {
  return `objects:${key}`;
}

async function writeWhole(file: FileHandle, chunk: Buffer): Promise<void> {
  for (let written = 0; written < chunk.length; ) written += (await file.write(chunk, written)).bytesWritten;
}

async function syncFolder(dir: string): Promise<void> {
  const folder = await open(dir, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
