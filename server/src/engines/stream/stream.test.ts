import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { append, openTestStream } from "../../../test/faults/stream/open-test-stream.js";
import { segmentName } from "./core/index.js";

let dir: string;
beforeEach(async () => {
  dir = await fs.promises.mkdtemp(path.join(os.tmpdir(), "weir-stream-"));
});
afterEach(async () => {
  await fs.promises.rm(dir, { recursive: true, force: true });
});

test("what is appended reaches the sink once, in order, and leaves no file behind", async () => {
  const { stream, sink, log } = await openTestStream({ dir });
  const appended = ["a", "b", "c"].map((body) => append(stream, body));
  await Promise.all(appended.map(({ durable }) => durable));
  expect(appended.map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
  await stream.sealNow();
  await stream.whenConfirmed(3);
  expect(sink.bodies()).toEqual(["a", "b", "c"]);
  expect(stream.watermark()).toEqual([{ writer: "w1", sequence: 3 }]);
  await stream.close();
  expect((await fs.promises.readdir(dir)).sort()).toEqual(["quarantine", "watermark.json"]);
  expect(log.errors()).toEqual([]);
});

test("a stream without a sink keeps its segments; the next one inserts them as one batch", async () => {
  const first = await openTestStream({ dir, withoutSink: true });
  for (const body of ["a", "b", "c"]) {
    await append(first.stream, body).durable;
    await first.stream.sealNow();
  }
  expect(first.stream.stats()).toMatchObject({ segments: 3, batches: 0, appended: 3, commits: 3 });
  await first.stream.close();

  const second = await openTestStream({ dir });
  expect(second.recovered.map(({ sequence, segment }) => [sequence, segment])).toEqual([
    [1, 1],
    [2, 2],
    [3, 3],
  ]);
  expect(second.stream.nextSequence).toBe(4);
  await second.stream.whenConfirmed(3);
  expect([...second.sink.rowsByBatch.keys()]).toEqual(["w1.usage.1"]);
  expect(second.sink.bodies()).toEqual(["a", "b", "c"]);
  await second.stream.close();
  expect(second.log.errors()).toEqual([]);
});

test("1,000 concurrent appends share few fsyncs", async () => {
  const { stream } = await openTestStream({ dir, withoutSink: true });
  const body = "x".repeat(400);
  await Promise.all(Array.from({ length: 1_000 }, () => append(stream, body).durable));
  expect(stream.stats().appended).toBe(1_000);
  expect(stream.stats().commits).toBeLessThan(10);
  await stream.close();
});

test("a segment is sealed at its size, and at its age", async () => {
  const { stream } = await openTestStream({
    dir,
    withoutSink: true,
    limits: { sealBytes: 1_000, sealAgeMs: 20 },
  });
  const bySize = Array.from({ length: 5 }, () => append(stream, "x".repeat(300)));
  expect(bySize.map(({ segment }) => segment)).toEqual([1, 1, 1, 2, 2]);
  await stream.flushed();
  expect(stream.stats().segments).toBe(1);
  await expect.poll(() => stream.stats().segments).toBe(2);
  expect(fs.existsSync(path.join(dir, segmentName(2)))).toBe(true);
  await stream.close();
});

test("a segment is sealed as soon as it could be inserted, and while an insert is under way collects", async () => {
  const { stream, sink } = await openTestStream({ dir, limits: { sealWhenDue: true } });
  let release = (): void => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  sink.beforeInsert = () => held;
  await append(stream, "a").durable;
  await expect.poll(() => stream.stats().batches).toBe(1);
  for (const body of ["b", "c"]) await append(stream, body).durable;
  expect(stream.stats()).toMatchObject({ segments: 0, batches: 1 });
  sink.beforeInsert = () => {};
  release();
  await stream.whenConfirmed(3);
  expect([...sink.rowsByBatch.keys()]).toEqual(["w1.usage.1", "w1.usage.2"]);
  await stream.close();
});

test("over the backlog limit appends are refused, and taken again once batches are confirmed", async () => {
  const opened = await openTestStream({ dir, limits: { backlogBytesMax: 1_000 } });
  const { stream, sink } = opened;
  sink.beforeInsert = () => {
    throw new Error("the store is down");
  };
  await append(stream, "x".repeat(1_000)).durable;
  await stream.sealNow();
  expect(() => append(stream, "y")).toThrow(
    expect.objectContaining({ reason: "backlog", retryAfterSeconds: 5 }),
  );
  sink.beforeInsert = () => {};
  await stream.whenConfirmed(1);
  await expect.poll(() => stream.stats().backlogBytes).toBe(0);
  await append(stream, "y").durable;
  await stream.close();
  expect(sink.bodies().at(-1)).toBe("y");
});

test("below the limit of free disk space appends are refused before the disk is full", async () => {
  const { stream } = await openTestStream({ dir, limits: { diskFreeBytesMin: Number.MAX_SAFE_INTEGER } });
  expect(() => append(stream, "x")).toThrow(expect.objectContaining({ reason: "disk_full" }));
  await stream.close();
});

test("an envelope over its limit is refused and holds up neither what follows nor the end", async () => {
  const { stream, sink } = await openTestStream({ dir });
  const tooLarge = "x".repeat(64 * 1024 * 1024);
  expect(() => append(stream, tooLarge)).toThrow(RangeError);
  await stream.flushed();
  const first = append(stream, "a");
  expect(() => append(stream, tooLarge)).toThrow(RangeError);
  await first.durable;
  await stream.sealNow();
  expect(() => append(stream, tooLarge)).toThrow(RangeError);
  await stream.sealNow();
  expect(() => append(stream, tooLarge)).toThrow(RangeError);
  await stream.close();
  expect(sink.sequences()).toEqual([1]);
});

test("after close nothing is taken in", async () => {
  const { stream } = await openTestStream({ dir });
  await stream.close();
  expect(() => append(stream, "x")).toThrow(expect.objectContaining({ reason: "closing" }));
});

test("a folder of another writer, or without its watermark, is refused", async () => {
  const { stream } = await openTestStream({ dir, withoutSink: true });
  await append(stream, "x").durable;
  await stream.close();
  await fs.promises.rm(path.join(dir, "watermark.json"));
  await expect(openTestStream({ dir })).rejects.toThrow(/missing beside segment-000000000001/);
});
