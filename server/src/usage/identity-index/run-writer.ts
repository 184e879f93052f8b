import { expiry_word, expiryDay, never_seconds, words_per_entry } from "./entry-format.js";
import type { RunSummary } from "./manifest.js";
import { addToFilter, createFilter } from "./run-filter.js";
import { blockOf, type RunDatabase, writeBlock, writeFilter } from "./run-store.js";

/**
 * 262 entries are 7.3 KB: with the spread of hashes, 97 % of blocks then fit two pages of 4 KiB, which wastes 10 %.
 * Twice as many would waste 8 % and cost a look-up that finds its key 6 µs instead of 4.
 */
const entries_per_block = 262;

/** Writes one run, its entries given in order of key. Calls happen inside LMDB transactions of the caller's. */
export class RunWriter {
  readonly filter: Uint32Array<ArrayBuffer>;
  readonly #database: RunDatabase;
  readonly #id: number;
  readonly #blocks: number;
  readonly #days = new Map<number, number>();
  #words = new Uint32Array(1 + entries_per_block * 2 * words_per_entry);
  #length = 1;
  #block = 0;
  #keys = 0;
  #earliest = never_seconds;
  #latest = 0;

  /** @param keysMax  at least the number of entries that will be added */
  constructor(database: RunDatabase, id: number, keysMax: number) {
    this.#database = database;
    this.#id = id;
    this.#blocks = Math.max(1, Math.round(keysMax / entries_per_block));
    this.filter = createFilter(keysMax);
  }

  add(words: Uint32Array, at: number): void {
    const block = blockOf(words[at] ?? 0, this.#blocks);
    while (this.#block < block) this.#writeBlock();
    if (this.#length + words_per_entry > this.#words.length) {
      const grown = new Uint32Array(this.#words.length * 2);
      grown.set(this.#words);
      this.#words = grown;
    }
    for (let word = 0; word < words_per_entry; word += 1)
      this.#words[this.#length + word] = words[at + word] ?? 0;
    this.#length += words_per_entry;
    addToFilter(this.filter, words[at + 1] ?? 0, words[at + 2] ?? 0, words[at + 3] ?? 0);
    const expiry = words[at + expiry_word] ?? 0;
    this.#earliest = Math.min(this.#earliest, expiry);
    this.#latest = Math.max(this.#latest, expiry);
    const day = expiryDay(expiry);
    this.#days.set(day, (this.#days.get(day) ?? 0) + 1);
    this.#keys += 1;
  }

  /** Writes what is left and the filter. The run exists once the manifest names it. */
  finish(): RunSummary {
    while (this.#block < this.#blocks) this.#writeBlock();
    writeFilter(this.#database, this.#id, this.filter);
    return {
      id: this.#id,
      keys: this.#keys,
      blocks: this.#blocks,
      earliestExpiry: this.#earliest,
      latestExpiry: this.#latest,
      days: [...this.#days],
    };
  }

  /** Empty blocks are written too: a block that is missing is damage. */
  #writeBlock(): void {
    writeBlock(this.#database, this.#id, this.#block, this.#words.subarray(0, this.#length));
    this.#block += 1;
    this.#length = 1;
  }
}
