import * as path from "node:path";
import type { FileEntry, FileLayer, WritableFile } from "../../../src/engines/stream/index.js";

/** Small, so that a small test has frames over several sectors. */
const sector_bytes = 64;

/** The bytes of a file: what a reader sees, and what the platter has. */
interface Inode {
  seen: Buffer;
  platter: Buffer;
  /** Sectors written since they were last synced. A failed sync forgets them, as Linux does: they look clean ever after. */
  dirty: Set<number>;
}

type NameChange =
  | { readonly kind: "set"; readonly name: string; readonly inode: Inode }
  | { readonly kind: "remove"; readonly name: string }
  | { readonly kind: "rename"; readonly from: string; readonly to: string; readonly inode: Inode };

interface Folder {
  seen: Map<string, Inode>;
  platter: Map<string, Inode>;
  changes: NameChange[];
}

/**
 * What is left of unsynced writes. `killed`: all is seen, as after kill -9, and still not durable, so that a power cut soon
 * after the restart may take it. `nothing`: none of them. `some`: any sectors, and names in the order they changed, up to
 * some moment. `shuffled`: any sectors and any of the name changes, each on its own, harsher than journalled file systems.
 */
export type CutMode = "killed" | "nothing" | "some" | "shuffled";

type PowerCut = Exclude<CutMode, "killed">;

export interface Operation {
  readonly number: number;
  readonly kind: string;
  readonly path: string;
}

/**
 * A disk in memory that keeps no promise it did not give. `onOperation` may throw an error to make an operation fail, or
 * call `die` to cut the power in the middle of it: this and every later operation then never return.
 */
export class SimulatedDisk implements FileLayer {
  operations = 0;
  onOperation: (operation: Operation) => void = () => {};
  capacityBytes = Number.POSITIVE_INFINITY;
  #folders = new Map<string, Folder>();
  #dead = false;
  #onDeath: () => void = () => {};
  readonly whenDead = new Promise<void>((resolve) => {
    this.#onDeath = resolve;
  });

  get dead(): boolean {
    return this.#dead;
  }

  die(): void {
    this.#dead = true;
    this.#onDeath();
  }

  /** The disk of the next start. @param random in [0, 1) */
  afterCut(mode: CutMode, random: () => number): SimulatedDisk {
    this.die();
    const next = new SimulatedDisk();
    next.capacityBytes = this.capacityBytes;
    const inodes = new Map<Inode, Inode>();
    const survivorOf = (inode: Inode, cut: PowerCut): Inode => {
      const survivor = inodes.get(inode) ?? survive(inode, cut, random);
      inodes.set(inode, survivor);
      return survivor;
    };
    for (const [name, folder] of this.#folders) {
      if (mode === "killed") {
        next.#folders.set(name, folder);
        continue;
      }
      const names = survivingNames(folder, mode, random);
      const survivors = new Map([...names].map(([file, inode]) => [file, survivorOf(inode, mode)]));
      next.#folders.set(name, { seen: survivors, platter: new Map(survivors), changes: [] });
    }
    return next;
  }

  /** For assertions and for planting damage; no operation. */
  peek(file: string): Buffer | undefined {
    const inode = this.#folderOf(file).seen.get(path.basename(file));
    return inode && Buffer.from(inode.seen);
  }

  plant(file: string, bytes: Buffer): void {
    const inode = { seen: Buffer.from(bytes), platter: Buffer.from(bytes), dirty: new Set<number>() };
    const folder = this.#folderOf(file);
    folder.seen.set(path.basename(file), inode);
    folder.platter.set(path.basename(file), inode);
  }

  names(directory: string): string[] {
    return [...(this.#folders.get(directory)?.seen.keys() ?? [])].sort();
  }

  async create(file: string, mode: "new" | "replace"): Promise<WritableFile> {
    await this.#operate(`create-${mode}`, file);
    const folder = this.#folderOf(file);
    const name = path.basename(file);
    let inode = folder.seen.get(name);
    if (inode !== undefined && mode === "new") throw systemError("EEXIST");
    if (inode === undefined) {
      inode = { seen: Buffer.alloc(0), platter: Buffer.alloc(0), dirty: new Set() };
      folder.seen.set(name, inode);
      folder.changes.push({ kind: "set", name, inode });
    } else {
      inode.seen = Buffer.alloc(0);
      inode.dirty.clear();
    }
    return this.#open(file, inode);
  }

  async openExisting(file: string): Promise<WritableFile> {
    await this.#operate("open", file);
    return this.#open(file, this.#find(file));
  }

  async read(file: string): Promise<Buffer> {
    await this.#operate("read", file);
    return Buffer.from(this.#find(file).seen);
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#operate("rename", from);
    const folder = this.#folderOf(from);
    const inode = this.#find(from);
    folder.seen.delete(path.basename(from));
    folder.seen.set(path.basename(to), inode);
    folder.changes.push({ kind: "rename", from: path.basename(from), to: path.basename(to), inode });
  }

  async unlink(file: string): Promise<void> {
    await this.#operate("unlink", file);
    this.#find(file);
    const folder = this.#folderOf(file);
    folder.seen.delete(path.basename(file));
    folder.changes.push({ kind: "remove", name: path.basename(file) });
  }

  async list(directory: string): Promise<FileEntry[]> {
    await this.#operate("list", directory);
    const folder = this.#folders.get(directory);
    if (folder === undefined) throw systemError("ENOENT");
    return [...folder.seen].map(([name, inode]) => ({ name, bytes: inode.seen.length }));
  }

  async makeDirectory(directory: string): Promise<void> {
    await this.#operate("mkdir", directory);
    if (!this.#folders.has(directory)) {
      this.#folders.set(directory, { seen: new Map(), platter: new Map(), changes: [] });
    }
  }

  async syncDirectory(directory: string): Promise<void> {
    await this.#operate("syncDirectory", directory);
    const folder = this.#folders.get(directory);
    if (folder === undefined) throw systemError("ENOENT");
    folder.platter = new Map(folder.seen);
    folder.changes = [];
  }

  freeBytes(): Promise<number> {
    return Promise.resolve(this.capacityBytes - this.#usedBytes());
  }

  #open(file: string, inode: Inode): WritableFile {
    return {
      write: async (bytes, position) => {
        const free = this.capacityBytes - this.#usedBytes();
        const fits = Math.max(0, Math.min(bytes.length, free));
        await this.#operate("write", file, () => writeSectors(inode, bytes.subarray(0, fits >> 1), position));
        writeSectors(inode, bytes.subarray(0, fits), position);
        if (fits < bytes.length) throw systemError("ENOSPC");
      },
      syncData: () => this.#sync("syncData", file, inode),
      syncAll: () => this.#sync("syncAll", file, inode),
      truncate: async (length) => {
        await this.#operate("truncate", file);
        inode.seen = Buffer.from(inode.seen.subarray(0, length));
        for (const sector of inode.dirty) if (sector * sector_bytes >= length) inode.dirty.delete(sector);
        if (length % sector_bytes !== 0) inode.dirty.add(Math.floor(length / sector_bytes));
      },
      close: () => this.#operate("close", file),
    };
  }

  async #sync(kind: string, file: string, inode: Inode): Promise<void> {
    await this.#operate(kind, file, () => inode.dirty.clear());
    inode.platter = persist(inode, inode.dirty, inode.seen.length);
    inode.dirty.clear();
  }

  /** `half` is what has happened when the operation fails. */
  async #operate(kind: string, file: string, half?: () => void): Promise<void> {
    if (this.#dead) return never();
    await Promise.resolve();
    if (this.#dead) return never();
    this.operations += 1;
    try {
      this.onOperation({ number: this.operations, kind, path: file });
    } catch (error) {
      half?.();
      throw error;
    }
    if (!this.#dead) return;
    if (kind === "write") half?.();
    return never();
  }

  #usedBytes(): number {
    let bytes = 0;
    for (const folder of this.#folders.values())
      for (const inode of folder.seen.values()) bytes += inode.seen.length;
    return bytes;
  }

  #folderOf(file: string): Folder {
    const folder = this.#folders.get(path.dirname(file));
    if (folder === undefined) throw systemError("ENOENT");
    return folder;
  }

  #find(file: string): Inode {
    const inode = this.#folderOf(file).seen.get(path.basename(file));
    if (inode === undefined) throw systemError("ENOENT");
    return inode;
  }
}

export function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: simulated`), { code });
}

function never<T>(): Promise<T> {
  return new Promise<T>(() => {});
}

function writeSectors(inode: Inode, bytes: Uint8Array, position: number): void {
  if (bytes.length === 0) return;
  const end = position + bytes.length;
  if (end > inode.seen.length)
    inode.seen = Buffer.concat([inode.seen, Buffer.alloc(end - inode.seen.length)]);
  inode.seen.set(bytes, position);
  for (let sector = Math.floor(position / sector_bytes); sector * sector_bytes < end; sector += 1)
    inode.dirty.add(sector);
}

/** The platter after these sectors and this length are on it. */
function persist(inode: Inode, sectors: Iterable<number>, length: number): Buffer {
  const platter = Buffer.alloc(length);
  inode.platter.copy(platter, 0, 0, length);
  for (const sector of sectors) {
    const start = sector * sector_bytes;
    if (start < length) inode.seen.copy(platter, start, start, Math.min(start + sector_bytes, length));
  }
  return platter;
}

function survive(inode: Inode, mode: PowerCut, random: () => number): Inode {
  const bytes = survivingBytes(inode, mode, random);
  return { seen: bytes, platter: Buffer.from(bytes), dirty: new Set() };
}

function survivingBytes(inode: Inode, mode: PowerCut, random: () => number): Buffer {
  switch (mode) {
    case "nothing":
      return Buffer.from(inode.platter);
    case "some":
    case "shuffled": {
      const sectors = [...inode.dirty].filter(() => random() < 0.5);
      const length = random() < 0.5 ? inode.seen.length : inode.platter.length;
      return persist(inode, sectors, length);
    }
  }
}

function survivingNames(folder: Folder, mode: PowerCut, random: () => number): Map<string, Inode> {
  const { changes } = folder;
  let surviving: readonly NameChange[];
  switch (mode) {
    case "nothing":
      return folder.platter;
    case "some":
      surviving = changes.slice(0, Math.floor(random() * (changes.length + 1)));
      break;
    case "shuffled":
      surviving = changes.filter(() => random() < 0.5);
      break;
  }
  const names = new Map(folder.platter);
  for (const change of surviving) {
    if (change.kind === "set") names.set(change.name, change.inode);
    else if (change.kind === "remove") names.delete(change.name);
    else {
      if (names.get(change.from) === change.inode) names.delete(change.from);
      names.set(change.to, change.inode);
    }
  }
  return names;
}
