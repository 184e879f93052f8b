import { expiry_word, fingerprintAt, never_seconds, wordOf } from "./entry-format.js";
import type { RememberedKey } from "./memory-table.js";
import type { RunSummary } from "./manifest.js";
import { mayContain } from "./run-filter.js";
import { blockOf, findInBlock, readBlock, type RunDatabase } from "./run-store.js";
import type { Changed, RunView } from "./writer-messages.js";

/** The main thread's view of the runs: filters in memory, blocks read from LMDB when a filter says maybe. */
export class RunReader {
  readonly #database: RunDatabase;
  readonly #key = new Uint32Array(4);
  /** The newest first: what is sent twice is mostly sent twice soon. */
  #views: RunView[];
  earliestExpiry = never_seconds;

  constructor(
    database: RunDatabase,
    runs: readonly RunSummary[],
    filters: readonly Uint32Array<ArrayBuffer>[],
  ) {
    this.#database = database;
    this.#views = runs.map((summary, index) => ({ summary, filter: filters[index] ?? new Uint32Array(0) }));
    this.#arrange();
  }

  get keys(): number {
    return this.#views.reduce((sum, { summary }) => sum + summary.keys, 0);
  }

  get runs(): number {
    return this.#views.length;
  }

  get filterBytes(): number {
    return this.#views.reduce((sum, { filter }) => sum + filter.byteLength, 0);
  }

  /** Throws IdentityIndexDamaged. */
  find(text: string, nowSeconds: number): RememberedKey | undefined {
    const key = this.#key;
    const word0 = wordOf(text, 0);
    const word1 = wordOf(text, 1);
    const word2 = wordOf(text, 2);
    const word3 = wordOf(text, 3);
    for (const { summary, filter } of this.#views) {
      if (!mayContain(filter, word1, word2, word3)) continue;
      key[0] = word0;
      key[1] = word1;
      key[2] = word2;
      key[3] = word3;
      const words = readBlock(this.#database, summary.id, blockOf(word0, summary.blocks), false);
      const at = findInBlock(words, key);
      if (at < 0) continue;
      const expirySeconds = words[at + expiry_word] ?? 0;
      if (expirySeconds > nowSeconds) return { fingerprint: fingerprintAt(words, at + 4), expirySeconds };
    }
    return undefined;
  }

  change({ added, removed }: Changed): void {
    // The open read transaction is from before the change.
    this.#database.resetReadTxn();
    this.#views = [...added, ...this.#views.filter(({ summary }) => !removed.includes(summary.id))];
    this.#arrange();
  }

  #arrange(): void {
    this.#views.sort((a, b) => b.summary.id - a.summary.id);
    this.earliestExpiry = this.#views.reduce(
      (least, { summary }) => Math.min(least, summary.earliestExpiry),
      never_seconds,
    );
  }
}
