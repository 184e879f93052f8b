/**
 * The stream's view of a disk: few operations, each either done or failed. What is not synced may vanish at any
 * moment: bytes need `syncData` (or `syncAll`), names need `syncDirectory` of their folder. The tests put a
 * simulated disk behind it that takes these rules literally.
 */
export interface FileLayer {
  /** Creates a file for writing. `new`: fails with EEXIST if it is there; `replace`: empties it first. */
  create(path: string, mode: "new" | "replace"): Promise<WritableFile>;
  /** Opens an existing file to cut it. Fails with ENOENT. */
  openExisting(path: string): Promise<WritableFile>;
  /** The whole file. */
  read(path: string): Promise<Buffer>;
  /** Atomic within one folder: afterwards `to` is what `from` was, never a mixture. */
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  /** Names in a folder, and the size of each in bytes; folders within are left out. */
  list(directory: string): Promise<readonly FileEntry[]>;
  /** Creates the folder and its parents; nothing happens if it is there. */
  makeDirectory(directory: string): Promise<void>;
  syncDirectory(directory: string): Promise<void>;
  /** Bytes that an ordinary user may still write. */
  freeBytes(directory: string): Promise<number>;
}

export interface FileEntry {
  readonly name: string;
  readonly bytes: number;
}

export interface WritableFile {
  /** Writes all of `bytes` at `position`, or fails with an unknown part written. */
  write(bytes: Uint8Array, position: number): Promise<void>;
  /** fdatasync: afterwards the bytes and the length survive a power cut. Never repeated after a failure. */
  syncData(): Promise<void>;
  /** fsync. */
  syncAll(): Promise<void>;
  truncate(bytes: number): Promise<void>;
  close(): Promise<void>;
}
