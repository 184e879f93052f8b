import * as fs from "node:fs";
import * as path from "node:path";
import type { FileEntry, FileLayer, WritableFile } from "./file-layer.js";

/**
 * The real disk. Callbacks of node:fs rather than its promises: a FileHandle costs about 20 µs more a call, and
 * the group commit makes two calls for each group.
 */
export const nodeFiles: FileLayer = {
  async create(file, mode) {
    const flags = mode === "new" ? "wx" : "w";
    return new NodeFile(await call<number>((done) => fs.open(file, flags, 0o640, done)));
  },

  async openExisting(file) {
    return new NodeFile(await call<number>((done) => fs.open(file, "r+", done)));
  },

  read: (file) => fs.promises.readFile(file),

  rename: (from, to) => callVoid((done) => fs.rename(from, to, done)),

  unlink: (file) => callVoid((done) => fs.unlink(file, done)),

  async list(directory) {
    const entries: FileEntry[] = [];
    for (const entry of await fs.promises.readdir(directory, { withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const { size } = await fs.promises.stat(path.join(directory, entry.name));
      entries.push({ name: entry.name, bytes: size });
    }
    return entries;
  },

  async makeDirectory(directory) {
    const first = await fs.promises.mkdir(directory, { recursive: true, mode: 0o750 });
    if (first === undefined) return;
    // Every folder made is a name in its parent, and a name is only as durable as its folder.
    for (let made = directory; made.length >= first.length; made = path.dirname(made)) {
      await syncFolder(path.dirname(made));
    }
  },

  syncDirectory: syncFolder,

  async freeBytes(directory) {
    const stats = await fs.promises.statfs(directory);
    return stats.bavail * stats.bsize;
  },
};

/**
 * A small write only copies into the page cache, some 10 µs for 10 KB. Through the thread pool its callback would
 * wait for the event loop's turn, milliseconds under load, before the fsync could begin.
 */
const write_now_bytes_max = 65_536;

class NodeFile implements WritableFile {
  readonly #descriptor: number;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    let done = 0;
    while (done < bytes.length) {
      const from = done;
      const left = bytes.length - from;
      const written =
        left <= write_now_bytes_max
          ? fs.writeSync(this.#descriptor, bytes, from, left, position + from)
          : await call<number>((callback) =>
              fs.write(this.#descriptor, bytes, from, left, position + from, callback),
            );
      if (written === 0) throw Object.assign(new Error("write: the disk took no bytes"), { code: "EIO" });
      done += written;
    }
  }

  syncData(): Promise<void> {
    return callVoid((done) => fs.fdatasync(this.#descriptor, done));
  }

  syncAll(): Promise<void> {
    return callVoid((done) => fs.fsync(this.#descriptor, done));
  }

  truncate(bytes: number): Promise<void> {
    return callVoid((done) => fs.ftruncate(this.#descriptor, bytes, done));
  }

  close(): Promise<void> {
    return callVoid((done) => fs.close(this.#descriptor, done));
  }
}

async function syncFolder(directory: string): Promise<void> {
  const descriptor = await call<number>((done) => fs.open(directory, "r", done));
  try {
    await callVoid((done) => fs.fsync(descriptor, done));
  } finally {
    await callVoid((done) => fs.close(descriptor, done));
  }
}

function call<T>(start: (done: (error: NodeJS.ErrnoException | null, value: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    start((error, value) => (error === null ? resolve(value) : reject(error)));
  });
}

function callVoid(start: (done: (error: NodeJS.ErrnoException | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    start((error) => (error === null || error === undefined ? resolve() : reject(error)));
  });
}
