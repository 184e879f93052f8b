import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { Readable } from "node:stream";
import { afterAll, beforeEach, expect, test } from "vitest";
import { createSecrets, MasterKey } from "../secrets/index.js";
import { FolderObjects } from "./index.js";

const folders: string[] = [];
const secrets = createSecrets([new MasterKey(randomBytes(32))]);
const limits = { bytesMax: 1_000_000 };
let dir: string;
let objects: FolderObjects;

beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), "weir-objects-"));
  folders.push(dir);
  objects = new FolderObjects({ dir, secrets, diskFreeBytesMin: 0 });
  await objects.open();
});
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

const streamOf = (...parts: (string | Uint8Array)[]) => Readable.from(parts.map((part) => Buffer.from(part)));
const filesIn = async (folder: string) =>
  (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
const read = async (key: string) => {
  const chunks: Buffer[] = [];
  for await (const chunk of await objects.get(key)) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
};

test("what is put comes back, by its SHA-256, and no byte of it rests in clear", async () => {
  const content = Buffer.concat([Buffer.from("4111111111111111;"), randomBytes(200_000)]);
  const stored = await objects.put(
    "a/b/c.csv",
    streamOf(content.subarray(0, 70_000), content.subarray(70_000)),
    limits,
  );
  expect(stored).toEqual({
    sha256: createHash("sha256").update(content).digest("hex"),
    bytes: content.length,
  });
  expect((await read("a/b/c.csv")).equals(content)).toBe(true);
  const [file = ""] = await filesIn(dir);
  expect((await readFile(file)).includes("4111111111111111")).toBe(false);
  expect(await objects.has("a/b/c.csv")).toBe(true);
  expect(await objects.list("a")).toEqual(["a/b/c.csv"]);
  await objects.delete("a/b/c.csv");
  await objects.delete("a/b/c.csv");
  expect(await objects.has("a/b/c.csv")).toBe(false);
  await expect(objects.get("a/b/c.csv")).rejects.toMatchObject({ name: "ObjectMissing" });
  expect(await objects.list("nothing/here")).toEqual([]);
});

test("an object never changes: the same content again is welcome, other content is refused and nothing of it is left", async () => {
  await objects.put("k", streamOf("one"), limits);
  expect(await objects.put("k", streamOf("o", "ne"), limits)).toMatchObject({ bytes: 3 });
  await expect(objects.put("k", streamOf("two"), limits)).rejects.toMatchObject({ name: "ObjectDiffers" });
  expect((await read("k")).toString()).toBe("one");
  expect(await filesIn(dir)).toHaveLength(1);
});

test("two that put under one key at once: one content stands, and whoever brought another is told", async () => {
  const outcomes = await Promise.allSettled(
    ["first", "other", "first", "other"].map((text) => objects.put("k", streamOf(text), limits)),
  );
  const kept = (await read("k")).toString();
  expect(outcomes.map(({ status }) => status)).toEqual(
    ["first", "other", "first", "other"].map((text) => (text === kept ? "fulfilled" : "rejected")),
  );
});

test("one that is too large, that its sender breaks off, or that is counted out leaves nothing, and its stream may be read on", async () => {
  const long = Readable.from([Buffer.alloc(600), Buffer.alloc(600), Buffer.alloc(600)]);
  await expect(objects.put("k", long, { bytesMax: 1_000 })).rejects.toMatchObject({ name: "ObjectTooLarge" });
  expect(long.destroyed).toBe(false);
  const broken = Readable.from(
    (function* () {
      yield Buffer.from("begin");
      throw new Error("gone");
    })(),
  );
  await expect(objects.put("k", broken, limits)).rejects.toThrow("gone");
  const refuse = () => {
    throw new Error("too many at once");
  };
  await expect(objects.put("k", streamOf("x"), { ...limits, onBytes: refuse })).rejects.toThrow(
    "too many at once",
  );
  expect(await filesIn(dir)).toEqual([]);
  const full = new FolderObjects({ dir, secrets, diskFreeBytesMin: Number.MAX_SAFE_INTEGER });
  await expect(full.put("k", streamOf("x"), limits)).rejects.toMatchObject({
    name: "ObjectsFull",
    retry: true,
  });
});

test("no key leads out of the folder", async () => {
  for (const key of [
    "",
    "/",
    "../x",
    "a/../../x",
    "a//b",
    "/etc/passwd",
    ".drafts/x",
    "a/.hidden",
    "A",
    "a\\b",
    "a\0b",
    "x/".repeat(9) + "x",
  ])
    await expect(objects.put(key, streamOf("x"), limits), key).rejects.toThrow(RangeError);
  expect(await filesIn(dir)).toEqual([]);
});

test("what was changed on disk, cut, or moved to another key does not open", async () => {
  await objects.put("one", streamOf(randomBytes(100_000)), limits);
  const file = path.join(dir, "one");
  const sealed = await readFile(file);
  const changed = Buffer.from(sealed);
  changed[50_000] = (changed[50_000] ?? 0) ^ 1;
  await writeFile(file, changed);
  await expect(read("one")).rejects.toMatchObject({ name: "SealBroken" });
  await writeFile(file, sealed.subarray(0, 90_000));
  await expect(read("one")).rejects.toMatchObject({ name: "SealBroken" });
  await writeFile(file, sealed);
  await rename(file, path.join(dir, "two"));
  await expect(read("two")).rejects.toMatchObject({ name: "SealBroken" });
});

test("a start deletes what a crash cut off, and nothing else", async () => {
  await objects.put("k", streamOf("kept"), limits);
  await writeFile(path.join(dir, ".drafts", "abc"), "half");
  await objects.open();
  expect(await filesIn(dir)).toEqual([path.join(dir, "k")]);
});
