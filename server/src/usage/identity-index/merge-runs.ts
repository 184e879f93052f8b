import { compareKeys, expiry_word, words_per_entry } from "./entry-format.js";
import type { RunSummary } from "./manifest.js";
import { readBlock, type RunDatabase } from "./run-store.js";
import type { RunWriter } from "./run-writer.js";

/** Walks the entries of one run in order of key. */
class RunCursor {
  words: Uint32Array = new Uint32Array(1);
  at = 1;
  readonly #database: RunDatabase;
  readonly #run: RunSummary;
  #block = 0;

  constructor(database: RunDatabase, run: RunSummary) {
    this.#database = database;
    this.#run = run;
    this.#load();
  }

  get done(): boolean {
    return this.at >= this.words.length;
  }

  next(): void {
    this.at += words_per_entry;
    if (this.at >= this.words.length) this.#load();
  }

  #load(): void {
    while (this.#block < this.#run.blocks) {
      this.words = readBlock(this.#database, this.#run.id, this.#block, true);
      this.#block += 1;
      this.at = 1;
      if (this.words.length > 1) return;
    }
  }
}

/**
 * Copies the entries of several runs into one, each key once (the later expiry wins), without those that expired
 * at or before `expiredSeconds`. Yields after every `slice` entries read; returns how many expired.
 */
export function* mergeRuns(
  database: RunDatabase,
  runs: readonly RunSummary[],
  output: RunWriter,
  expiredSeconds: number,
  slice: number,
): Generator<void, number, void> {
  const cursors = runs.map((run) => new RunCursor(database, run)).filter((cursor) => !cursor.done);
  const entry = new Uint32Array(words_per_entry);
  let expired = 0;
  let read = 0;
  while (cursors.length > 0) {
    let least = cursors[0];
    for (const cursor of cursors) {
      if (least === undefined || compareKeys(cursor.words, cursor.at, least.words, least.at) < 0)
        least = cursor;
    }
    if (least === undefined) break;
    for (let word = 0; word < words_per_entry; word += 1) entry[word] = least.words[least.at + word] ?? 0;
    for (let index = cursors.length - 1; index >= 0; index -= 1) {
      const cursor = cursors[index];
      if (cursor === undefined || compareKeys(cursor.words, cursor.at, entry, 0) !== 0) continue;
      const expiry = cursor.words[cursor.at + expiry_word] ?? 0;
      if (expiry > (entry[expiry_word] ?? 0)) {
        for (let word = 4; word < words_per_entry; word += 1)
          entry[word] = cursor.words[cursor.at + word] ?? 0;
      }
      cursor.next();
      if (cursor.done) cursors.splice(index, 1);
      read += 1;
    }
    if ((entry[expiry_word] ?? 0) <= expiredSeconds) expired += 1;
    else output.add(entry, 0);
    if (read >= slice) {
      read = 0;
      yield;
    }
  }
  return expired;
}
