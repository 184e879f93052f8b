import { entries_per_sort_max, sortEntries, words_per_entry } from "./entry-format.js";
import { chooseMerge, hasExpired, isWorthRewriting, tierOf } from "./choose-merge.js";
import { IdentityIndexDamaged, type Manifest, type RunSummary } from "./manifest.js";
import { mergeRuns } from "./merge-runs.js";
import {
  blockOf,
  deleteRecords,
  findInBlock,
  findOrphans,
  readBlock,
  readManifest,
  type RunDatabase,
  writeBlock,
  writeManifest,
} from "./run-store.js";
import { RunWriter } from "./run-writer.js";
import type { Changed, RunView } from "./writer-messages.js";

/** Entries read, or records deleted, in one transaction of background work: some 10 ms with its sync. */
const merge_slice = 32_768;
const delete_slice = 1_000;

interface ActiveMerge {
  readonly inputs: readonly RunSummary[];
  readonly id: number;
  readonly output: RunWriter;
  readonly steps: Generator<void, number, void>;
  /** Keys (4 words) erased since the merge began: its output may have copied them before. */
  readonly erased: Uint32Array[];
  readonly done: ((expired: number) => void) | undefined;
}

/** Everything that writes to the index's LMDB file. Lives in the worker thread; all calls are synchronous. */
export class RunCollection {
  readonly #database: RunDatabase;
  readonly #announce: (change: Changed) => void;
  #manifest: Manifest;
  #merges: ActiveMerge[] = [];
  /** Runs that nobody reads any more. */
  readonly #doomed: number[];
  /** Nothing is let go before a sweep says up to when. */
  #expiredSeconds = -1;

  constructor(database: RunDatabase, announce: (change: Changed) => void) {
    this.#database = database;
    this.#announce = announce;
    const manifest = readManifest(database);
    this.#doomed = findOrphans(database, manifest);
    // A merge that died may have used numbers that the manifest does not know.
    this.#manifest = {
      ...manifest,
      nextRun: Math.max(manifest.nextRun, ...this.#doomed.map((run) => run + 1)),
    };
  }

  /** Makes the entries durable as a new run. */
  append(entries: Uint32Array): void {
    if (entries.length === 0) return;
    if (entries.length > entries_per_sort_max * words_per_entry)
      throw new RangeError("too many entries at once");
    const sorted = sortEntries(entries);
    const id = this.#takeRunNumber();
    const writer = new RunWriter(this.#database, id, sorted.length / words_per_entry);
    const summary = this.#database.transactionSync(() => {
      for (let at = 0; at < sorted.length; at += words_per_entry) writer.add(sorted, at);
      const written = writer.finish();
      writeManifest(this.#database, { ...this.#manifest, runs: [...this.#manifest.runs, written] });
      return written;
    });
    this.#manifest = { ...this.#manifest, runs: [...this.#manifest.runs, summary] };
    this.#changed([{ summary, filter: writer.filter }], []);
  }

  /** Takes the keys (4 words each) out of whatever run holds them. */
  erase(keys: Uint32Array): void {
    this.#database.transactionSync(() => {
      for (const run of this.#manifest.runs) this.#eraseFrom(run, keys);
    });
    for (const merge of this.#merges) merge.erased.push(keys);
  }

  /** The index now has every key that usage_events has. */
  markComplete(): void {
    this.#save({ ...this.#manifest, complete: true });
  }

  /**
   * Drops runs of which everything has expired, and rewrites those of which much has. `done` gets the number of
   * keys let go. The forgotten mark is in the transaction that lets the first of them go.
   */
  sweep(expiredSeconds: number, done: (count: number) => void): void {
    this.#expiredSeconds = Math.max(this.#expiredSeconds, expiredSeconds);
    const busy = this.#busy();
    const idle = this.#manifest.runs.filter(({ id }) => !busy.has(id));
    const expired = idle.filter((run) => hasExpired(run, expiredSeconds));
    let count = 0;
    if (expired.length > 0) {
      const runs = this.#manifest.runs.filter((run) => !expired.includes(run));
      this.#save({ ...this.#manifest, forgotten: true, runs });
      this.#changed(
        [],
        expired.map(({ id }) => id),
      );
      for (const run of expired) count += run.keys;
    }
    const rewrites = idle.filter((run) => !expired.includes(run) && isWorthRewriting(run, expiredSeconds));
    let waiting = rewrites.length;
    if (waiting === 0) return done(count);
    for (const run of rewrites) {
      this.#startMerge([run], (gone) => {
        count += gone;
        waiting -= 1;
        if (waiting === 0) done(count);
      });
    }
  }

  /** The main thread no longer reads these runs: their space can be used again. */
  release(runs: readonly number[]): void {
    this.#doomed.push(...runs);
  }

  /** Does a slice of the work that can wait; false when there is none. Throws what LMDB throws. */
  workInBackground(): boolean {
    for (;;) {
      const chosen = chooseMerge(this.#manifest.runs, this.#busy());
      if (chosen.length === 0) break;
      this.#startMerge(chosen, undefined);
    }
    // Small merges first: they keep the number of runs that a look-up asks low.
    const merge = this.#merges.sort((a, b) => sizeOf(a) - sizeOf(b))[0];
    if (merge !== undefined) {
      this.#stepMerge(merge);
      return true;
    }
    const run = this.#doomed[0];
    if (run === undefined) return false;
    const more = this.#database.transactionSync(() => deleteRecords(this.#database, run, delete_slice));
    if (!more) this.#doomed.shift();
    return true;
  }

  #stepMerge(merge: ActiveMerge): void {
    try {
      const finished = this.#database.transactionSync(() => {
        const step = merge.steps.next();
        if (step.done !== true) return undefined;
        const summary = merge.output.finish();
        for (const keys of merge.erased) this.#eraseFrom(summary, keys);
        const kept = this.#manifest.runs.filter(({ id }) => !merge.inputs.some((input) => input.id === id));
        const forgotten = this.#manifest.forgotten || step.value > 0;
        const manifest = {
          ...this.#manifest,
          forgotten,
          runs: summary.keys === 0 ? kept : [...kept, summary],
        };
        writeManifest(this.#database, manifest);
        return { manifest, summary, expired: step.value };
      });
      if (finished === undefined) return;
      this.#merges = this.#merges.filter((other) => other !== merge);
      this.#manifest = finished.manifest;
      const { summary } = finished;
      if (summary.keys === 0) this.#doomed.push(summary.id);
      this.#changed(
        summary.keys === 0 ? [] : [{ summary, filter: merge.output.filter }],
        merge.inputs.map(({ id }) => id),
      );
      merge.done?.(finished.expired);
    } catch (error) {
      // Its inputs are untouched; what it wrote so far is deleted and the merge begins anew later.
      this.#merges = this.#merges.filter((other) => other !== merge);
      this.#doomed.push(merge.id);
      merge.done?.(0);
      throw error;
    }
  }

  #startMerge(inputs: readonly RunSummary[], done: ((expired: number) => void) | undefined): void {
    const id = this.#takeRunNumber();
    const keysMax = inputs.reduce((sum, run) => sum + run.keys, 0);
    const output = new RunWriter(this.#database, id, keysMax);
    const steps = mergeRuns(this.#database, inputs, output, this.#expiredSeconds, merge_slice);
    this.#merges.push({ inputs, id, output, steps, erased: [], done });
  }

  #eraseFrom(run: RunSummary, keys: Uint32Array): void {
    for (let at = 0; at < keys.length; at += 4) {
      const key = keys.subarray(at, at + 4);
      const block = blockOf(key[0] ?? 0, run.blocks);
      const words = readBlock(this.#database, run.id, block, true);
      const found = findInBlock(words, key);
      if (found < 0) continue;
      words.copyWithin(found, found + words_per_entry);
      writeBlock(this.#database, run.id, block, words.subarray(0, words.length - words_per_entry));
    }
  }

  #busy(): Set<number> {
    return new Set(this.#merges.flatMap(({ inputs }) => inputs.map(({ id }) => id)));
  }

  #takeRunNumber(): number {
    const id = this.#manifest.nextRun;
    if (id >= 0xffffffff) throw new IdentityIndexDamaged("run numbers are used up");
    this.#manifest = { ...this.#manifest, nextRun: id + 1 };
    return id;
  }

  #save(manifest: Manifest): void {
    this.#database.transactionSync(() => writeManifest(this.#database, manifest));
    this.#manifest = manifest;
  }

  #changed(added: readonly RunView[], removed: readonly number[]): void {
    this.#announce({ kind: "changed", added, removed, forgotten: this.#manifest.forgotten });
  }
}

function sizeOf(merge: ActiveMerge): number {
  return tierOf(merge.inputs.reduce((sum, run) => sum + run.keys, 0));
}
