import { stat } from "node:fs/promises";
import type { Clock } from "../../kernel/clock.js";
import type { Instant } from "../../kernel/instant.js";
import type { Log } from "../../kernel/log.js";
import {
  elapsedSeconds,
  expirySeconds,
  never_seconds,
  packEntry,
  wordOf,
  words_per_entry,
} from "./entry-format.js";
import { markDamaged, prepareFolder } from "./index-folder.js";
import { IdentityIndexDamaged, type Manifest } from "./manifest.js";
import { MemoryTable, packTable, type RememberedKey } from "./memory-table.js";
import { RunReader } from "./run-reader.js";
import type { RunDatabase } from "./run-store.js";
import { IdentityIndexUnavailable, WriterThread } from "./writer-thread.js";

export interface IdentityIndexStats {
  /** Keys in LMDB, expired ones included until they are swept. */
  readonly keys: number;
  /** Of LMDB's file. */
  readonly bytes: number;
  readonly memoryKeys: number;
  /** Sorted runs that a look-up may have to ask. */
  readonly runs: number;
  readonly filterBytes: number;
  readonly lastError: string | undefined;
}

/** One identity of usage_events, for rebuilding. */
export interface IndexedKey {
  /** 16 latin1 characters. */
  readonly key: string;
  /** 8 latin1 characters. */
  readonly fingerprint: string;
  readonly expiresAt: Instant | "never";
}

/**
 * Which event identities have been accepted, so that a repeated one is found whatever its timestamp says.
 * A key is 16 bytes and a fingerprint 8, both as latin1 strings. All methods that are not promises are synchronous
 * and wait for nothing but the page cache.
 */
export interface IdentityIndex {
  /** True when the index was lost or damaged and lacks keys until `rebuildFrom` has finished. */
  readonly needsRebuild: boolean;
  /** True while memory holds so many unflushed keys that ingest should answer 503. */
  readonly pressure: boolean;
  /** Throws IdentityIndexDamaged, after which every call does until a restart has moved the index aside. */
  find(key: string, now: Instant): { readonly fingerprint: string } | undefined;
  /** Remembers in memory under the segment; visible to `find` at once. Adding again changes nothing that matters. */
  add(segment: number, key: string, fingerprint: string, expiresAt: Instant | "never"): void;
  /** Forgets keys of an append that failed. */
  remove(segment: number, keys: readonly string[]): void;
  /**
   * Resolves when the segment's keys are in LMDB and synced, and their memory is free. Failures are tried again
   * every second until it works; rejects only when the index closes or is damaged. Flushing again does nothing.
   */
  flush(segment: number): Promise<void>;
  /** Whether any key may have expired: then an import must ask usage_events about keys that are not found. */
  hasForgotten(): boolean;
  /** Lets go of expired keys, in slices in the writer's thread; resolves with how many. */
  sweep(now: Instant): Promise<number>;
  /** Adds the keys of usage_events, after which the index no longer needs a rebuild. May be repeated after a crash. */
  rebuildFrom(pages: AsyncIterable<readonly IndexedKey[]>): Promise<number>;
  stats(): IdentityIndexStats;
  /** Waits for writes in flight. Unflushed keys are left to the stream's recovery. */
  close(): Promise<void>;
}

/** 4 M keys are some 500 MB of memory, and 80 s at 50,000 a second. */
const memory_keys_max = 4_000_000;
const entries_per_append = 1 << 19;
const retry_ms = 1_000;

export interface IdentityIndexOptions {
  readonly dir: string;
  readonly clock: Clock;
  readonly log: Log;
  /** For tests: the number of keys in memory that is too many. */
  readonly memoryKeysMax?: number;
}

/** Opens the index, moving a damaged one aside (`needsRebuild`). Throws when the folder cannot be used. */
export async function openIdentityIndex(options: IdentityIndexOptions): Promise<IdentityIndex> {
  const { database, manifest, filters, file } = await prepareFolder(options);
  return new LmdbIdentityIndex(
    options,
    file,
    database,
    new RunReader(database, manifest.runs, filters),
    manifest,
  );
}

class LmdbIdentityIndex implements IdentityIndex {
  needsRebuild: boolean;
  readonly #options: IdentityIndexOptions;
  readonly #file: string;
  readonly #database: RunDatabase;
  readonly #reader: RunReader;
  readonly #writer: WriterThread;
  readonly #memoryKeysMax: number;
  /** Tables that accept keys, by segment. */
  readonly #open = new Map<number, MemoryTable>();
  /** All tables, the newest first, those being flushed included. */
  #tables: MemoryTable[] = [];
  readonly #erasing = new Set<string>();
  #flushing: Promise<void> = Promise.resolve();
  #inFlight = new Set<Promise<unknown>>();
  #memoryKeys = 0;
  #bytes = 0;
  #forgotten: boolean;
  #earliestAdded = never_seconds;
  #closing = false;
  #lastError: string | undefined;
  #damage: IdentityIndexDamaged | undefined;
  #wake: () => void = () => undefined;

  constructor(
    options: IdentityIndexOptions,
    file: string,
    database: RunDatabase,
    reader: RunReader,
    manifest: Manifest,
  ) {
    this.#options = options;
    this.#file = file;
    this.#database = database;
    this.#reader = reader;
    this.#forgotten = manifest.forgotten;
    this.needsRebuild = !manifest.complete;
    this.#memoryKeysMax = options.memoryKeysMax ?? memory_keys_max;
    this.#writer = new WriterThread(
      { dir: options.dir },
      {
        changed: (change) => {
          this.#forgotten ||= change.forgotten;
          this.#reader.change(change);
          if (change.removed.length > 0) this.#writer.release(change.removed);
          this.#measure();
        },
        failed: (error) => this.#noteFailure("work in the background of the identity index failed", error),
      },
    );
    this.#measure();
  }

  get pressure(): boolean {
    return this.#memoryKeys > this.#memoryKeysMax;
  }

  find(key: string, now: Instant): RememberedKey | undefined {
    const seconds = elapsedSeconds(now);
    for (const table of this.#tables) {
      const found = table.keys.get(key);
      if (found !== undefined && found.expirySeconds > seconds) return found;
    }
    if (this.#damage !== undefined) throw this.#damage;
    if (this.#erasing.size > 0 && this.#erasing.has(key)) return undefined;
    try {
      return this.#reader.find(key, seconds);
    } catch (error) {
      if (error instanceof IdentityIndexDamaged) this.#noteFailure("the identity index is damaged", error);
      throw error;
    }
  }

  add(segment: number, key: string, fingerprint: string, expiresAt: Instant | "never"): void {
    let table = this.#open.get(segment);
    if (table === undefined) {
      table = new MemoryTable(segment);
      this.#open.set(segment, table);
      this.#tables.unshift(table);
    }
    const seconds = expirySeconds(expiresAt);
    const before = table.keys.size;
    table.keys.set(key, { fingerprint, expirySeconds: seconds });
    this.#memoryKeys += table.keys.size - before;
    if (seconds < this.#earliestAdded) this.#earliestAdded = seconds;
  }

  remove(segment: number, keys: readonly string[]): void {
    const erase: string[] = [];
    const tables = this.#tables.filter((table) => table.segment === segment);
    for (const key of keys) {
      let onlyInMemory = false;
      for (const table of tables) {
        if (!table.keys.delete(key)) continue;
        this.#memoryKeys -= 1;
        onlyInMemory ||= !table.handedOver;
      }
      if (!onlyInMemory) erase.push(key);
    }
    // Rare: an append that failed after its segment was flushed. It must not make its resend a duplicate.
    // In the order of flushes: after the one that may be under way, before one that brings a key back.
    if (erase.length === 0) return;
    for (const key of erase) this.#erasing.add(key);
    this.#flushing = this.#flushing.then(() => this.#erase(erase));
  }

  flush(segment: number): Promise<void> {
    const table = this.#open.get(segment);
    if (table === undefined)
      return this.#tables.some((other) => other.segment === segment) ? this.#flushing : Promise.resolve();
    this.#open.delete(segment);
    // One hand-over at a time: what waits is the tables themselves, whose keys `pressure` bounds.
    const flushed = this.#flushing.then(() => this.#flushTable(table));
    this.#flushing = flushed.catch(() => undefined);
    return flushed;
  }

  hasForgotten(): boolean {
    if (this.#forgotten) return true;
    const earliest = Math.min(this.#earliestAdded, this.#reader.earliestExpiry);
    return earliest <= elapsedSeconds(this.#options.clock.now());
  }

  sweep(now: Instant): Promise<number> {
    return this.#track(this.#writer.ask({ kind: "sweep", expiredSeconds: elapsedSeconds(now) }));
  }

  async rebuildFrom(pages: AsyncIterable<readonly IndexedKey[]>): Promise<number> {
    let words = new Uint32Array(entries_per_append * words_per_entry);
    let at = 0;
    let count = 0;
    for await (const page of pages) {
      for (const { key, fingerprint, expiresAt } of page) {
        packEntry(words, at, key, fingerprint, expirySeconds(expiresAt));
        at += words_per_entry;
        count += 1;
        if (at < words.length) continue;
        await this.#track(this.#writer.ask({ kind: "append", entries: words }));
        words = new Uint32Array(entries_per_append * words_per_entry);
        at = 0;
      }
    }
    await this.#track(this.#writer.ask({ kind: "append", entries: words.slice(0, at) }));
    await this.#track(this.#writer.ask({ kind: "complete" }));
    this.needsRebuild = false;
    return count;
  }

  stats(): IdentityIndexStats {
    const { keys, runs, filterBytes } = this.#reader;
    return {
      keys,
      runs,
      filterBytes,
      bytes: this.#bytes,
      memoryKeys: this.#memoryKeys,
      lastError: this.#lastError,
    };
  }

  async close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    this.#wake();
    await Promise.allSettled([this.#flushing, ...this.#inFlight]);
    await this.#writer.close();
    await this.#database.close();
  }

  async #flushTable(table: MemoryTable): Promise<void> {
    if (table.keys.size > 0) {
      for (const entries of await packTable(table, entries_per_append)) await this.#append(entries);
    }
    this.#tables = this.#tables.filter((other) => other !== table);
    this.#memoryKeys -= table.keys.size;
    this.#lastError = undefined;
  }

  async #append(entries: Uint32Array<ArrayBuffer>): Promise<void> {
    for (;;) {
      if (this.#closing) throw new IdentityIndexUnavailable("the identity index is closing");
      try {
        // The buffer moves to the worker, so a copy stays in case it fails there.
        await this.#track(this.#writer.ask({ kind: "append", entries: entries.slice() }));
        return;
      } catch (error) {
        if (!(error instanceof IdentityIndexUnavailable)) throw error;
        this.#noteFailure("the identity index could not be written; trying again", error);
        await this.#pause();
      }
    }
  }

  async #erase(keys: readonly string[]): Promise<void> {
    const words = Uint32Array.from(keys.flatMap((key) => [0, 1, 2, 3].map((word) => wordOf(key, word))));
    for (;;) {
      try {
        await this.#writer.ask({ kind: "erase", keys: words });
        this.#database.resetReadTxn();
        for (const key of keys) this.#erasing.delete(key);
        return;
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        this.#noteFailure("keys of a failed append could not be erased", error);
        if (!(error instanceof IdentityIndexUnavailable) || this.#closing) return;
        await this.#pause();
      }
    }
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, retry_ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #track<T>(work: Promise<T>): Promise<T> {
    this.#inFlight.add(work);
    const forget = (): boolean => this.#inFlight.delete(work);
    work.then(forget, forget);
    return work;
  }

  #noteFailure(what: string, error: Error): void {
    this.#lastError = error.message;
    this.#options.log.error(what, { error: error.message });
    if (!(error instanceof IdentityIndexDamaged) || this.#damage !== undefined) return;
    this.#damage = error;
    markDamaged(this.#options.dir, error.message);
  }

  #measure(): void {
    void stat(this.#file).then(
      ({ blocks }) => (this.#bytes = blocks * 512),
      () => undefined,
    );
  }
}
