import { crc32c } from "@node-rs/crc32";
import { open, type RootDatabase, type RootDatabaseOptionsWithPath } from "lmdb";
import { compareKeys, words_per_entry } from "./entry-format.js";
import {
  decodeManifest,
  empty_manifest,
  encodeManifest,
  IdentityIndexDamaged,
  type Manifest,
} from "./manifest.js";

export type RunDatabase = RootDatabase<Buffer, Buffer>;

/** Half a TiB of address space, not of disk; growing a map under a reader in another thread is not safe. */
const map_bytes = 512 * 1024 ** 3;
const filter_chunk_words = 1 << 18;
const filter_record = 0x80000000;

/**
 * Both threads open the same folder; only the worker writes. Every commit is synced before it returns: a flush is
 * one commit of some 1.5 MB appended at the end of the tree, so the sync is cheap and a power cut cannot tear it.
 */
export function openRunDatabase(dir: string): RunDatabase {
  const options: RootDatabaseOptionsWithPath & { noReadAhead: boolean } = {
    path: dir,
    noSubdir: false,
    keyEncoding: "binary",
    encoding: "binary",
    mapSize: map_bytes,
    pageSize: 4096,
    overlappingSync: false,
    noReadAhead: true, // absent from lmdb's types; look-ups are random
  };
  return open<Buffer, Buffer>(options);
}

const key_bytes = Buffer.alloc(8);

/** Records are named by run and number; valid until the next call. */
function recordKey(run: number, record: number): Buffer {
  key_bytes.writeUInt32BE(run, 0);
  key_bytes.writeUInt32BE(record, 4);
  return key_bytes;
}

export function readManifest(database: RunDatabase): Manifest {
  const bytes = database.getBinary(recordKey(0, 0));
  return bytes === undefined ? empty_manifest : decodeManifest(bytes);
}

export function writeManifest(database: RunDatabase, manifest: Manifest): void {
  database.putSync(recordKey(0, 0), encodeManifest(manifest));
}

/** The block that a key with this first word belongs to. */
export function blockOf(word0: number, blocks: number): number {
  return Math.floor((word0 * blocks) / 0x1_0000_0000);
}

/** Stores a block: `words[0]` is filled with the checksum of the rest. */
export function writeBlock(database: RunDatabase, run: number, block: number, words: Uint32Array): void {
  words[0] = crc32c(Buffer.from(words.buffer, words.byteOffset + 4, words.byteLength - 4));
  database.putSync(recordKey(run, block), Buffer.from(words.buffer, words.byteOffset, words.byteLength));
}

/**
 * Reads a block whose checksum is right into words, the checksum first, entries from word 1.
 *
 * @param copy  false: the words are valid until the next read
 * @throws      IdentityIndexDamaged
 */
export function readBlock(database: RunDatabase, run: number, block: number, copy: boolean): Uint32Array {
  const bytes = database.getBinaryFast(recordKey(run, block));
  if (bytes === undefined)
    throw new IdentityIndexDamaged(`run ${run} of the identity index has no block ${block}`);
  const { length } = bytes; // of a reused buffer: byteLength is larger
  const aligned = !copy && bytes.byteOffset % 4 === 0;
  const words = aligned
    ? new Uint32Array(bytes.buffer, bytes.byteOffset, length >>> 2)
    : new Uint32Array(Uint8Array.prototype.slice.call(bytes, 0, length).buffer);
  if (crc32c(Buffer.from(words.buffer, words.byteOffset + 4, length - 4)) !== words[0]) {
    throw new IdentityIndexDamaged(`block ${block} of run ${run} of the identity index fails its checksum`);
  }
  return words;
}

/** The word at which the entry with `key`'s four words begins, or -1. */
export function findInBlock(words: Uint32Array, key: Uint32Array): number {
  let low = 0;
  let high = (words.length - 1) / words_per_entry - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const at = 1 + middle * words_per_entry;
    const order = compareKeys(words, at, key, 0);
    if (order === 0) return at;
    if (order < 0) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}

export function writeFilter(database: RunDatabase, run: number, filter: Uint32Array): void {
  for (let chunk = 0; chunk * filter_chunk_words < filter.length; chunk += 1) {
    const part = filter.subarray(chunk * filter_chunk_words, (chunk + 1) * filter_chunk_words);
    const record = new Uint32Array(part.length + 1);
    record.set(part, 1);
    writeBlock(database, run, filter_record + chunk, record);
  }
}

export function readFilter(database: RunDatabase, run: number): Uint32Array<ArrayBuffer> {
  const parts = [readBlock(database, run, filter_record, true).subarray(1)];
  let length = parts[0]?.length ?? 0;
  while (
    parts.at(-1)?.length === filter_chunk_words &&
    hasRecord(database, run, filter_record + parts.length)
  ) {
    const part = readBlock(database, run, filter_record + parts.length, true).subarray(1);
    parts.push(part);
    length += part.length;
  }
  const filter = new Uint32Array(length);
  let at = 0;
  for (const part of parts) {
    filter.set(part, at);
    at += part.length;
  }
  return filter;
}

function hasRecord(database: RunDatabase, run: number, record: number): boolean {
  return database.doesExist(recordKey(run, record));
}

/** Deletes up to `count` records of a run; false when none is left. To be called inside a transaction. */
export function deleteRecords(database: RunDatabase, run: number, count: number): boolean {
  const range = {
    start: Buffer.from(recordKey(run, 0)),
    end: Buffer.from(recordKey(run + 1, 0)),
    limit: count,
  };
  const keys = Array.from(database.getKeys(range), (key) => Buffer.from(key));
  for (const key of keys) database.removeSync(key);
  return keys.length === count;
}

/** Runs that have records but are not in the manifest: what a merge left behind when the process died. */
export function findOrphans(database: RunDatabase, manifest: Manifest): number[] {
  const known = new Set(manifest.runs.map(({ id }) => id));
  const orphans: number[] = [];
  let next = 1;
  for (;;) {
    const [key] = database.getKeys({ start: Buffer.from(recordKey(next, 0)), limit: 1 });
    if (key === undefined) return orphans;
    const run = Buffer.from(key).readUInt32BE(0);
    if (!known.has(run)) orphans.push(run);
    next = run + 1;
  }
}
