import { randomFillSync } from "node:crypto";
import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { words_per_entry } from "../../server/dist/usage/identity-index/entry-format.js";
import { empty_manifest, type Manifest } from "../../server/dist/usage/identity-index/manifest.js";
import { openRunDatabase, writeManifest } from "../../server/dist/usage/identity-index/run-store.js";
import { RunWriter } from "../../server/dist/usage/identity-index/run-writer.js";
import { answerQuestion } from "./answer-question.js";

/** Fills a new identity index with synthetic keys, in runs as merges would have left them. */
export interface LoadIndexRequest {
  readonly dir: string;
  readonly keys: number;
}

export interface LoadIndexResult {
  readonly runs: number;
  readonly bytes: number;
  readonly seconds: number;
}

const lifetime_seconds = 35 * 86_400;
const smallest_run = 20_000;
const runs_per_size = 5;
const entries_per_commit = 200_000;

/** Five runs of each size, each size an eighth of the one above. */
export function runSizes(keys: number): number[] {
  const sizes: number[] = [];
  let rest = keys;
  for (;;) {
    const size = Math.floor((rest * 7) / 8 / runs_per_size);
    if (size < smallest_run) return rest > 0 ? [...sizes, rest] : sizes;
    for (let run = 0; run < runs_per_size; run += 1) sizes.push(size);
    rest -= size * runs_per_size;
  }
}

function loadIndex({ dir, keys }: LoadIndexRequest): LoadIndexResult {
  const started = performance.now();
  mkdirSync(dir, { recursive: true });
  const database = openRunDatabase(dir);
  const random = new Uint32Array(1 << 16);
  const entry = new Uint32Array(words_per_entry);
  const now = Math.floor(Date.now() / 1000);
  let manifest: Manifest = { ...empty_manifest, complete: true };
  database.transactionSync(() => writeManifest(database, manifest));
  for (const size of runSizes(keys)) {
    const writer = new RunWriter(database, manifest.nextRun, size);
    const step = 2 ** 32 / size;
    for (let from = 0; from < size; from += entries_per_commit) {
      database.transactionSync(() => {
        for (let index = from; index < Math.min(size, from + entries_per_commit); index += 1) {
          const at = (index * 8) & 0xffff;
          if (at === 0) randomFillSync(random);
          entry[0] = index * step;
          for (let word = 1; word < 6; word += 1) entry[word] = random[at + word] ?? 0;
          entry[6] = now + lifetime_seconds - ((random[at + 6] ?? 0) % 86_400);
          writer.add(entry, 0);
        }
      });
    }
    database.transactionSync(() => {
      const summary = writer.finish();
      manifest = { ...manifest, nextRun: manifest.nextRun + 1, runs: [...manifest.runs, summary] };
      writeManifest(database, manifest);
    });
  }
  const { blocks } = statSync(join(dir, "data.mdb"));
  return { runs: manifest.runs.length, bytes: blocks * 512, seconds: (performance.now() - started) / 1000 };
}

answerQuestion<LoadIndexRequest>(loadIndex);
