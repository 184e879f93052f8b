import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, expect, test } from "vitest";
import type { Instant } from "../../src/kernel/instant.js";
import { type IdentityIndex, openIdentityIndex } from "../../src/usage/identity-index/index.js";
import { silentLog, TestClock } from "../integration/identity-index-support.js";

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

const second = 1_000_000;
const keys: string[] = [];
const keyOf = (number: number): string =>
  (keys[number] ??= createHash("sha256").update(`${number}`).digest("binary").slice(0, 16));
const printOf = (number: number): string => keyOf(number).slice(4, 12);

type Action =
  | { readonly kind: "add"; readonly keys: readonly number[]; readonly livesSeconds: number | "never" }
  | { readonly kind: "remove"; readonly count: number }
  | { readonly kind: "flush" | "sweep" | "reopen" }
  | { readonly kind: "wait"; readonly seconds: number };

const key = fc.nat({ max: 4_000 });
const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("add" as const),
      keys: fc.uniqueArray(key, { minLength: 1, maxLength: 60 }),
      livesSeconds: fc.oneof(fc.constant("never" as const), fc.integer({ min: 1, max: 200_000 })),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("remove" as const), count: fc.nat({ max: 10 }) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("flush" as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("wait" as const), seconds: fc.nat({ max: 120_000 }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("sweep" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("reopen" as const) }) },
);

/** What the stream does around the index, and a Map that says what must be found. */
async function play(actions: readonly Action[]): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), "weir-index-"));
  folders.push(dir);
  const clock = new TestClock(1_000_000 * second);
  const open = (): Promise<IdentityIndex> =>
    openIdentityIndex({ dir: join(dir, "index"), clock, log: silentLog });
  let index = await open();
  await index.rebuildFrom((async function* () {})());
  const model = new Map<number, number | "never">();
  const unflushed = new Map<number, number | "never">();
  let segment = 1;
  const lives = (number: number): boolean => {
    const expiry = model.get(number);
    return expiry !== undefined && (expiry === "never" || expiry > clock.now());
  };
  for (const step of actions) {
    switch (step.kind) {
      case "add":
        for (const number of step.keys) {
          if (lives(number)) continue;
          const expiry =
            step.livesSeconds === "never" ? "never" : ((clock.now() + step.livesSeconds * second) as Instant);
          index.add(segment, keyOf(number), printOf(number), expiry);
          model.set(number, expiry);
          unflushed.set(number, expiry);
        }
        break;
      case "remove": {
        const gone = [...unflushed.keys()].slice(0, step.count);
        index.remove(segment, gone.map(keyOf));
        for (const number of gone) {
          model.delete(number);
          unflushed.delete(number);
        }
        break;
      }
      case "flush":
        await index.flush(segment);
        segment += 1;
        unflushed.clear();
        expect(index.stats().memoryKeys).toBe(0);
        break;
      case "wait":
        clock.advance(step.seconds * second);
        break;
      case "sweep":
        await index.sweep(clock.now());
        break;
      case "reopen":
        await index.close();
        index = await open();
        expect(index.needsRebuild).toBe(false);
        for (const [number, expiry] of unflushed)
          index.add(segment, keyOf(number), printOf(number), expiry as Instant);
    }
    const wrong: number[] = [];
    for (let number = 0; number <= 4_000; number += 7) {
      const found = index.find(keyOf(number), clock.now())?.fingerprint;
      if (found !== (lives(number) ? printOf(number) : undefined)) wrong.push(number);
    }
    expect(wrong, `keys told wrongly after ${step.kind}`).toEqual([]);
  }
  for (const number of model.keys()) {
    expect(index.find(keyOf(number), clock.now())?.fingerprint).toBe(
      lives(number) ? printOf(number) : undefined,
    );
    if (!lives(number)) expect(index.hasForgotten()).toBe(true);
  }
  await index.close();
}

test("an index finds exactly what a Map would, through flushes, expiry, sweeps and restarts", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(action, { minLength: 10, maxLength: 60 }), (actions) => play(actions)),
    { numRuns: 12 },
  );
});
