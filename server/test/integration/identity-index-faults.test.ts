import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, open, readdir, rm, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Instant } from "../../src/kernel/instant.js";
import {
  type IdentityIndex,
  IdentityIndexDamaged,
  openIdentityIndex,
} from "../../src/usage/identity-index/index.js";
import { silentLog, TestClock } from "./identity-index-support.js";

const second = 1_000_000;
const start = 1_800_000_000 * second;
const identity = (name: string | number): string =>
  createHash("sha256").update(String(name)).digest("binary").slice(0, 16);
const print = (name: string | number): string => identity(name).slice(8);
const after = (seconds: number): Instant => (start + seconds * second) as Instant;

let folder: string;
let dir: string;
let clock: TestClock;
const opened: IdentityIndex[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "weir-index-"));
  dir = join(folder, "index");
  clock = new TestClock(start);
});
afterEach(async () => {
  for (const index of opened.splice(0)) await index.close();
  await rm(folder, { recursive: true, force: true });
});

async function openIndex(): Promise<IdentityIndex> {
  const index = await openIdentityIndex({ dir, clock, log: silentLog });
  opened.push(index);
  return index;
}

async function* pages(
  ...names: number[]
): AsyncGenerator<{ key: string; fingerprint: string; expiresAt: Instant }[]> {
  for (const name of names) yield [{ key: identity(name), fingerprint: print(name), expiresAt: after(1000) }];
}

async function openWhole(): Promise<IdentityIndex> {
  const index = await openIndex();
  await index.rebuildFrom(pages());
  return index;
}

test("a key lives up to its expiry and not at it, in memory and once flushed", async () => {
  const index = await openWhole();
  index.add(1, identity("a"), print("a"), after(10));
  for (const flushed of [false, true]) {
    if (flushed) await index.flush(1);
    expect(index.find(identity("a"), after(9.999_999))).toMatchObject({ fingerprint: print("a") });
    expect(index.find(identity("a"), after(10))).toBeUndefined();
  }
});

test("a key without an expiry is found after decades", async () => {
  const index = await openWhole();
  index.add(1, identity("a"), print("a"), "never");
  await index.flush(1);
  await index.sweep(after(1e9));
  expect(index.find(identity("a"), after(1e9))).toMatchObject({ fingerprint: print("a") });
  expect(index.hasForgotten()).toBe(false);
});

test("keys of a failed append are gone, whether their segment was flushed or not, and stay gone", async () => {
  let index = await openWhole();
  index.add(1, identity("early"), print("early"), after(1000));
  index.add(1, identity("late"), print("late"), after(1000));
  index.add(1, identity("kept"), print("kept"), after(1000));
  index.remove(1, [identity("early")]);
  await index.flush(1);
  expect(index.find(identity("early"), after(0))).toBeUndefined();
  index.remove(1, [identity("late")]);
  expect(index.find(identity("late"), after(0))).toBeUndefined();
  index.add(2, identity("late"), print("other"), after(1000));
  expect(index.find(identity("late"), after(0))).toMatchObject({ fingerprint: print("other") });
  index.remove(2, [identity("late")]);
  await index.close();
  index = await openIndex();
  expect(index.find(identity("late"), after(0))).toBeUndefined();
  expect(index.find(identity("kept"), after(0))).toMatchObject({ fingerprint: print("kept") });
});

test("the index says that it has forgotten as soon as a key may have expired, and for ever after a sweep", async () => {
  let index = await openWhole();
  index.add(1, identity("a"), print("a"), after(10));
  await index.flush(1);
  expect(index.hasForgotten()).toBe(false);
  clock.advance(11 * second);
  expect(index.hasForgotten()).toBe(true);
  expect(await index.sweep(clock.now())).toBe(1);
  expect(index.stats().keys).toBe(0);
  await index.close();
  index = await openIndex();
  expect(index.hasForgotten()).toBe(true);
});

test("a lost index asks to be rebuilt until it has been", async () => {
  let index = await openIndex();
  expect(index.needsRebuild).toBe(true);
  await index.close();
  index = await openIndex();
  expect(index.needsRebuild).toBe(true);
  expect(await index.rebuildFrom(pages(1, 2, 3))).toBe(3);
  expect(index.needsRebuild).toBe(false);
  await index.close();
  index = await openIndex();
  expect(index.needsRebuild).toBe(false);
  expect([1, 2, 3, 4].map((name) => index.find(identity(name), after(0)) !== undefined)).toEqual([
    true,
    true,
    true,
    false,
  ]);
});

test("a truncated file is moved aside and the index rebuilt", async () => {
  let index = await openWhole();
  for (let name = 0; name < 5_000; name += 1) index.add(1, identity(name), print(name), after(1000));
  await index.flush(1);
  await index.close();
  await truncate(join(dir, "data.mdb"), 40_960);
  index = await openIndex();
  expect(index.needsRebuild).toBe(true);
  expect(index.find(identity(1), after(0))).toBeUndefined();
  expect((await readdir(folder)).some((name) => name.startsWith("index.damaged-"))).toBe(true);
  await index.rebuildFrom(pages(1));
  expect(index.find(identity(1), after(0))).toMatchObject({ fingerprint: print(1) });
});

test("a flipped bit is an error, never a key that is not found, and the next start rebuilds", async () => {
  let index = await openWhole();
  const names = Array.from({ length: 5_000 }, (_, name) => name);
  for (const name of names) index.add(1, identity(name), print(name), after(1000));
  await index.flush(1);
  await index.close();
  await flipBit(join(dir, "data.mdb"), Buffer.from(identity(42), "latin1"));
  index = await openIndex();
  if (!index.needsRebuild) {
    expect(() => index.find(identity(42), after(0))).toThrow(IdentityIndexDamaged);
    await index.close();
    index = await openIndex();
  }
  expect(index.needsRebuild).toBe(true);
});

test("on a full disk keys stay in memory, findable, too many of them are reported, and none is lost", async () => {
  await (await openWhole()).close();
  // A limit on the size of files is the full disk that a test can have without mounting one.
  const report = await runProgram(
    `import { openIdentityIndex } from INDEX;
     const index = await openIdentityIndex({ dir: DIR, clock: { now: () => ${start} }, log, memoryKeysMax: 20_000 });
     for (let name = 0; name < 30_000; name += 1) index.add(1, identity(name), identity(name).slice(8), ${after(1000)});
     const tooMany = index.pressure;
     const flushed = index.flush(1).catch((error) => error.message);
     while (index.stats().lastError === undefined) await new Promise((resolve) => setTimeout(resolve, 20));
     const { memoryKeys, lastError } = index.stats();
     const found = index.find(identity(29_999), ${start}) !== undefined;
     await index.close();
     console.log(JSON.stringify({ tooMany, memoryKeys, lastError, found, flushed: await flushed }));`,
    "trap '' XFSZ; ulimit -f 256",
  );
  expect(JSON.parse(report)).toEqual({
    tooMany: true,
    memoryKeys: 30_000,
    lastError: expect.stringMatching(/./),
    found: true,
    flushed: "the identity index is closing",
  });
  const index = await openIndex();
  expect(index.needsRebuild).toBe(false);
  for (let name = 0; name < 30_000; name += 1) index.add(1, identity(name), print(name), after(1000));
  await index.flush(1);
  expect(index.stats()).toMatchObject({ keys: 30_000, memoryKeys: 0 });
});

test("killed at any moment of flushing and merging, it has every key whose flush was reported", async () => {
  await (await openWhole()).close();
  for (const delayMs of [40, 90, 170, 260, 400]) {
    const reported = await flushUntilKilled(delayMs);
    const index = await openIndex();
    expect(index.needsRebuild).toBe(false);
    const lost: string[] = [];
    for (let segment = 1; segment <= reported; segment += 1) {
      for (let number = 0; number < 500; number += 1) {
        const name = `${delayMs}/${segment}/${number}`;
        if (index.find(identity(name), after(0))?.fingerprint !== print(name)) lost.push(name);
      }
    }
    expect(lost).toEqual([]);
    // What recovery would add again is found once more, and flushes.
    index.add(1, identity(`${delayMs}/1/0`), print(`${delayMs}/1/0`), after(1000));
    await index.flush(1);
    await index.close();
  }
});

/** Flushes segments of 500 keys in a process that is killed; returns the last segment it reported as flushed. */
async function flushUntilKilled(delayMs: number): Promise<number> {
  const child = startProgram(`
    import { openIdentityIndex } from INDEX;
    const index = await openIdentityIndex({ dir: DIR, clock: { now: () => ${start} }, log });
    for (let segment = 1; ; segment += 1) {
      for (let number = 0; number < 500; number += 1) {
        const key = identity("${delayMs}/" + segment + "/" + number);
        index.add(segment, key, key.slice(8), ${after(1000)});
      }
      await index.flush(segment);
      console.log(segment);
    }`);
  let reported = 0;
  const lines = createInterface({ input: child.stdout });
  lines.on("line", (line) => (reported = Number(line)));
  await once(lines, "line");
  await new Promise((resolve) => setTimeout(resolve, delayMs));
  const closed = once(child, "close");
  child.kill("SIGKILL");
  await closed;
  return reported;
}

/** Runs a program over the index in a process of its own. INDEX and DIR stand for the module and the folder. */
function startProgram(program: string, limits = ":") {
  const source = new URL("../../src/usage/identity-index/", import.meta.url);
  const text = `
    import { createHash } from "node:crypto";
    const identity = (name) => createHash("sha256").update(String(name)).digest("binary").slice(0, 16);
    const log = { info() {}, warn() {}, error() {}, debug() {} };
    ${program.replace("INDEX", JSON.stringify(new URL("index.ts", source).href)).replace("DIR", JSON.stringify(dir))}`;
  const loader = new URL("load-typescript.mjs", source).href;
  const command = `${limits}; exec "$0" --import "$1" --input-type=module -e "$2"`;
  return spawn("bash", ["-c", command, process.execPath, loader, text], {
    stdio: ["ignore", "pipe", "inherit"],
  });
}

async function runProgram(program: string, limits: string): Promise<string> {
  const child = startProgram(program, limits);
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (output += chunk));
  await once(child, "close");
  return output;
}

async function flipBit(path: string, where: Buffer): Promise<void> {
  const file = await open(path, "r+");
  try {
    const bytes = await file.readFile();
    const at = bytes.indexOf(where);
    expect(at).toBeGreaterThan(0);
    await file.write(Buffer.from([(bytes[at] ?? 0) ^ 1]), 0, 1, at);
  } finally {
    await file.close();
  }
}
