import { afterAll, beforeAll, expect, test } from "vitest";
import { dir, quarantinedFrames, randomFrom } from "./stream/acceptance.js";
import { scanFrames } from "../../src/engines/stream/index.js";
import { append, hurryTimers, openTestStream, type TestStream } from "./stream/open-test-stream.js";
import { RecordingSink } from "./stream/recording-sink.js";
import { SimulatedDisk } from "./stream/simulated-disk.js";

let restoreTimers: () => void;
beforeAll(() => {
  restoreTimers = hurryTimers();
});
afterAll(() => restoreTimers());

const manifestFile = `${dir}/batch-000000000001.manifest.json`;

async function sendSealed(stream: TestStream["stream"], bodies: readonly string[]): Promise<void> {
  await Promise.all(bodies.map((body) => append(stream, body).durable));
  await stream.sealNow();
}

function newSink(): { disk: SimulatedDisk; sink: RecordingSink } {
  const disk = new SimulatedDisk();
  return { disk, sink: new RecordingSink((path) => disk.read(path)) };
}

test("a batch of several segments replayed 20 times, after kill -9 each time, changes nothing", async () => {
  const { disk, sink } = newSink();
  const first = await openTestStream({ dir, files: disk, withoutSink: true });
  for (const body of ["a", "b", "c"]) await sendSealed(first.stream, [body, `${body}2`]);
  await first.stream.close();

  let current = disk;
  sink.read = (path) => current.read(path);
  const tokens = new Set<string>();
  for (let replay = 0; replay < 20; replay += 1) {
    sink.afterInsert = ({ token }) => {
      tokens.add(token);
      current.die(); // the rows are in; nobody lives to hear it
    };
    const opening = openTestStream({ dir, files: current, sink });
    await Promise.race([opening.then(({ stream }) => stream.whenConfirmed(6)), current.whenDead]);
    expect(sink.sequences()).toEqual([1, 2, 3, 4, 5, 6]);
    current = current.afterCut("killed", randomFrom(replay));
  }
  sink.afterInsert = () => {};
  const last = await openTestStream({ dir, files: current, sink });
  await last.stream.whenConfirmed(6);
  expect(sink.sequences()).toEqual([1, 2, 3, 4, 5, 6]);
  expect(tokens.size).toBe(1);
  await last.stream.close();
});

test("settings are pinned in the manifest: a replay repeats them, whatever the defaults have become", async () => {
  const { disk, sink } = newSink();
  const seen: (string | number | undefined)[] = [];
  let blockSize = 100;
  sink.settings = () => ({ max_block_size: blockSize });
  sink.beforeInsert = ({ settings }) => {
    seen.push(settings["max_block_size"]);
    if (seen.length < 3) throw new Error("the store is down");
  };
  const first = await openTestStream({ dir, files: disk, sink });
  await sendSealed(first.stream, ["a"]);
  await expect.poll(() => seen.length).toBeGreaterThan(0);
  await first.stream.close();
  blockSize = 300;
  const second = await openTestStream({ dir, files: disk, sink });
  await second.stream.whenConfirmed(1);
  expect(new Set(seen)).toEqual(new Set([100]));
  await second.stream.close();
});

test("of a batch with two poisoned envelopes both are quarantined with their reasons, the others proceed", async () => {
  const { disk, sink } = newSink();
  sink.poisoned = ({ body }) => Buffer.from(body).includes("poison");
  const { stream, log } = await openTestStream({ dir, files: disk, sink });
  const bodies = ["a", "b", "poison 1", "d", "e", "f", "g", "poison 2", "i"];
  const confirmed: string[] = [];
  stream.onConfirmed(({ id }) => confirmed.push(id));
  await sendSealed(stream, bodies);
  await stream.whenConfirmed(9);
  expect(sink.bodies()).toEqual(bodies.filter((body) => !body.startsWith("poison")));
  expect(quarantinedFrames(disk)).toEqual([
    { sequence: 3, body: "poison 1" },
    { sequence: 8, body: "poison 2" },
  ]);
  const reasons = disk.names(`${dir}/quarantine`).filter((name) => name.endsWith(".reason.json"));
  const [first] = reasons.map((name): unknown => JSON.parse(String(disk.peek(`${dir}/quarantine/${name}`))));
  expect(first).toMatchObject({ sequence: 3, reason: "cannot parse the envelope of sequence 3" });
  expect(stream.stats().quarantined).toBe(2);
  expect(log.errors()).toEqual(Array(2).fill("an envelope that no insert accepts is quarantined"));
  expect(confirmed).toEqual([...confirmed].sort());

  await sendSealed(stream, ["next"]);
  await stream.whenConfirmed(10);
  expect(sink.bodies().at(-1)).toBe("next");
  expect([...sink.rowsByBatch.keys()].at(-1)).toBe("w1.usage.2");
  await stream.close();
  expect(disk.names(dir)).toEqual(["watermark.json"]);
});

test("an envelope that the store cannot even read to discard it is quarantined as well", async () => {
  const { disk, sink } = newSink();
  const isPoison = ({ body }: { body: Uint8Array }): boolean => Buffer.from(body).includes("poison");
  sink.poisoned = isPoison;
  sink.beforeDiscard = async ({ path }) => {
    const frames = [...scanFrames(await disk.read(path))];
    if (frames.some(isPoison)) throw Object.assign(new Error("cannot read the file"), { retry: false });
  };
  const { stream } = await openTestStream({ dir, files: disk, sink });
  const bodies = ["a", "b", "poison 1", "d", "poison 2", "f", "g"];
  await sendSealed(stream, bodies);
  await stream.whenConfirmed(7);
  expect(quarantinedFrames(disk).map(({ body }) => body)).toEqual(["poison 1", "poison 2"]);
  // The refused inserts left rows behind; every sound part discarded before it inserted.
  expect(sink.bodies().filter((body) => !body.startsWith("poison"))).toEqual(["a", "b", "d", "f", "g"]);
  await stream.close();
});

test("the watermark never stands in the middle of what is not yet inserted or quarantined", async () => {
  const { disk, sink } = newSink();
  sink.poisoned = ({ body }) => Buffer.from(body).includes("poison");
  const { stream } = await openTestStream({ dir, files: disk, sink });
  stream.onConfirmed(({ lastSequence }) => {
    expect(stream.watermark()[0]?.sequence).toBe(lastSequence);
    const settled = [...sink.sequences(), ...quarantinedFrames(disk).map(({ sequence }) => sequence)];
    for (let sequence = 1; sequence <= lastSequence; sequence += 1) expect(settled).toContain(sequence);
  });
  await sendSealed(stream, ["a", "poison", "c", "poison", "e", "f"]);
  await stream.whenConfirmed(6);
  await stream.close();
});

test("after an engine upgrade the rows are discarded and inserted under a new token, in that order", async () => {
  const { disk, sink } = newSink();
  const tokens: string[] = [];
  sink.afterInsert = ({ token }) => {
    tokens.push(token);
    if (sink.version === "26.7") throw new Error("connection lost after the rows were in");
  };
  const first = await openTestStream({ dir, files: disk, sink });
  await sendSealed(first.stream, ["a", "b"]);
  await expect.poll(() => tokens.length).toBeGreaterThan(0);
  await first.stream.close();
  sink.calls.length = 0;
  sink.version = "26.8";
  const second = await openTestStream({ dir, files: disk, sink });
  await second.stream.whenConfirmed(2);
  expect(sink.calls).toEqual(["discard w1.usage.1", "insert w1.usage.1"]);
  expect(new Set(tokens).size).toBe(2);
  expect(sink.bodies()).toEqual(["a", "b"]);
  await second.stream.close();
});

test("rows that do not add up are discarded and inserted anew under a new token", async () => {
  const { disk, sink } = newSink();
  let lost = 2;
  sink.afterInsert = ({ id }) => {
    if (lost > 0) sink.rowsByBatch.get(id)?.pop();
    lost -= 1;
  };
  const { stream, log } = await openTestStream({ dir, files: disk, sink });
  await sendSealed(stream, ["a", "b"]);
  await stream.whenConfirmed(2);
  expect(sink.bodies()).toEqual(["a", "b"]);
  expect(sink.calls.filter((call) => call.startsWith("discard"))).toHaveLength(2);
  expect(log.errors()).toHaveLength(2);
  await stream.close();
});

test("rows that never add up block the stream with an alarm; nothing after them is inserted", async () => {
  const { disk, sink } = newSink();
  sink.afterInsert = ({ id }) => void sink.rowsByBatch.get(id)?.pop();
  const { stream, log } = await openTestStream({ dir, files: disk, sink });
  await sendSealed(stream, ["a", "b"]);
  await sendSealed(stream, ["c"]);
  await expect.poll(() => log.errors().some((line) => line.startsWith("ALARM"))).toBe(true);
  expect(sink.calls.filter((call) => call.startsWith("insert"))).toHaveLength(5);
  expect(stream.stats().blocked).toMatch(/expected rows \[2\], found \[1\]/);
  expect(stream.watermark()).toEqual([{ writer: "w1", sequence: 0 }]);
  await stream.close();
  expect(disk.peek(manifestFile)).toBeDefined();
});

test("a store that is down for long is tried with growing pauses, and everything arrives when it is back", async () => {
  const { disk, sink } = newSink();
  let refusals = 0;
  sink.beforeInsert = () => {
    refusals += 1;
    if (refusals <= 12) throw new Error("connection refused");
  };
  const { stream } = await openTestStream({ dir, files: disk, sink });
  for (let index = 0; index < 20; index += 1) await sendSealed(stream, [`body ${index}`]);
  await stream.whenConfirmed(20);
  expect(sink.sequences()).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
  // Behind, it catches up with larger batches.
  expect(sink.rowsByBatch.size).toBeLessThan(5);
  await stream.close();
});

test("a confirmed batch is kept until the keys of its segments are durable", async () => {
  const { disk, sink } = newSink();
  const keysNeverDurable = (): Promise<void> => new Promise(() => {});
  const { stream } = await openTestStream({ dir, files: disk, sink, sealed: keysNeverDurable });
  await sendSealed(stream, ["a"]);
  await stream.whenConfirmed(1);
  await new Promise((resolve) => setTimeout(resolve, 30_000)); // 30 hurried ms, in which nothing removes it
  expect(disk.names(dir)).toContain("batch-000000000001.frames");
  expect(stream.stats()).toMatchObject({ confirmed: 1, batches: 0 });
  expect(stream.stats().backlogBytes).toBeGreaterThan(0);

  // Killed now, the next start shows the frame again, so that its key is not forgotten.
  const copy = disk.afterCut("killed", randomFrom(1));
  const again = await openTestStream({
    dir,
    files: copy,
    sink: new RecordingSink((path) => copy.read(path)),
  });
  expect(again.recovered.map(({ sequence }) => sequence)).toEqual([1]);
  expect(again.stream.nextSequence).toBe(2);
  await again.stream.close();
  expect(copy.names(dir)).toEqual(["watermark.json"]);
});

test("it goes as soon as they are", async () => {
  const { disk, sink } = newSink();
  let release = (): void => {};
  const keysDurable = new Promise<void>((resolve) => {
    release = resolve;
  });
  const { stream } = await openTestStream({ dir, files: disk, sink, sealed: () => keysDurable });
  await sendSealed(stream, ["a"]);
  await stream.whenConfirmed(1);
  release();
  await expect.poll(() => stream.stats().backlogBytes).toBe(0);
  expect(disk.names(dir)).toEqual(["watermark.json"]);
  await stream.close();
});
