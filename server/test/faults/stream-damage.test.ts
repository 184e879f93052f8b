import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { scanFrames } from "../../src/engines/stream/index.js";
import { dir } from "./stream/acceptance.js";
import { append, hurryTimers, openTestStream, type TestStream } from "./stream/open-test-stream.js";
import { RecordingSink } from "./stream/recording-sink.js";
import { SimulatedDisk } from "./stream/simulated-disk.js";

let restoreTimers: () => void;
beforeAll(() => {
  restoreTimers = hurryTimers();
});
afterAll(() => restoreTimers());

const segment = (number: number): string => `${dir}/segment-${String(number).padStart(12, "0")}.frames`;
const batchFile = `${dir}/batch-000000000001.frames`;

/** A closed stream with these segments on its disk. */
async function diskWith(segments: readonly (readonly string[])[]): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk();
  const { stream } = await openTestStream({ dir, files: disk, withoutSink: true });
  for (const bodies of segments) {
    await Promise.all(bodies.map((body) => append(stream, body).durable));
    await stream.sealNow();
  }
  await stream.close();
  return disk;
}

function change(disk: SimulatedDisk, file: string, edit: (bytes: Buffer) => Buffer | void): void {
  const bytes = disk.peek(file);
  if (bytes === undefined) throw new Error(`${file} is not there`);
  disk.plant(file, edit(bytes) ?? bytes);
}

async function settle(
  disk: SimulatedDisk,
  sink = new RecordingSink((path) => disk.read(path)),
): Promise<TestStream> {
  const opened = await openTestStream({ dir, files: disk, sink });
  await opened.stream.whenConfirmed(opened.stream.nextSequence - 1);
  return opened;
}

/** Where the n-th frame (from 0) starts. */
function offsetOf(bytes: Buffer, index: number): number {
  const frames = [...scanFrames(bytes)];
  const before = frames.slice(0, index).map((frame) => frame.body);
  if (before.length === 0) return 0;
  const last = before.at(-1)!;
  return last.byteOffset - bytes.byteOffset + last.length;
}

const kept = (disk: SimulatedDisk): string[] => disk.names(`${dir}/quarantine`);

describe("the tail of the last segment", () => {
  test("cut off at any byte: the whole frames before it are kept, the rest is reported", async () => {
    const pristine = await diskWith([["one", "two", "three"]]);
    const bytes = pristine.peek(segment(1))!;
    for (let length = 0; length < bytes.length; length += 1) {
      const disk = await diskWith([["one", "two", "three"]]);
      change(disk, segment(1), () => bytes.subarray(0, length));
      const whole = [...scanFrames(bytes.subarray(0, length))].length;
      const { stream, sink, log } = await settle(disk);
      expect(sink.bodies()).toEqual(["one", "two", "three"].slice(0, whole));
      expect(stream.nextSequence).toBe(whole + 1);
      const torn = length !== 0 && ![1, 2].some((index) => offsetOf(bytes, index) === length);
      expect(log.errors()).toEqual(torn ? ["damaged bytes are cut out and kept aside"] : []);
      await stream.close();
    }
  });

  test("with any bit flipped: the frames before the flip are kept, and no other frame appears", async () => {
    const bodies = ["one", "two", "three"];
    const bytes = (await diskWith([bodies])).peek(segment(1))!;
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const disk = await diskWith([bodies]);
      change(disk, segment(1), (copy) => void (copy[bit >> 3]! ^= 1 << (bit & 7)));
      const hit = [2, 1, 0].find((index) => offsetOf(bytes, index) <= bit >> 3)!;
      const { stream, sink } = await settle(disk);
      expect(sink.bodies().slice(0, hit)).toEqual(bodies.slice(0, hit));
      expect(sink.bodies()).not.toContain(bodies[hit]);
      expect(bodies).toEqual(expect.arrayContaining(sink.bodies()));
      expect(kept(disk)).toHaveLength(1);
      await stream.close();
    }
  });

  test("filled with zeros, as file systems leave it after a power cut, is cut", async () => {
    const disk = await diskWith([["one"]]);
    change(disk, segment(1), (bytes) => Buffer.concat([bytes, Buffer.alloc(4_096)]));
    const { stream, sink } = await settle(disk);
    expect(sink.bodies()).toEqual(["one"]);
    await stream.close();
  });
});

describe("damage in the middle of a sealed segment", () => {
  const bodies = ["one", "two", "three", "four"];

  test("costs the damaged frame alone; what follows is salvaged, the loss is named", async () => {
    const disk = await diskWith([bodies, ["five"]]);
    change(disk, segment(1), (bytes) => void (bytes[offsetOf(bytes, 2) - 1]! ^= 1));
    const { stream, sink, log } = await settle(disk);
    expect(sink.bodies()).toEqual(["one", "three", "four", "five"]);
    expect(sink.sequences()).toEqual([1, 3, 4, 5]);
    expect(log.lines).toContainEqual(
      expect.objectContaining({
        level: "error",
        message: "sequences are missing",
        fields: { segment: 1, first: 2, last: 2 },
      }),
    );
    expect(stream.stats()).toMatchObject({ damaged: 1, quarantined: 0 });
    await stream.close();
  });

  test("that hides where the next frame starts is searched when the next segment tells how it must end", async () => {
    const disk = await diskWith([bodies, ["five"]]);
    change(disk, segment(1), (bytes) => void (bytes[offsetOf(bytes, 1)] = 0xff));
    const { stream, sink } = await settle(disk);
    expect(sink.sequences()).toEqual([1, 3, 4, 5]);
    await stream.close();
  });

  test("over several frames cannot be told from forgery: the rest of the file is kept aside, other segments go on", async () => {
    const disk = await diskWith([bodies, ["five"]]);
    change(disk, segment(1), (bytes) => void bytes.fill(0xff, offsetOf(bytes, 1), offsetOf(bytes, 2) + 8));
    const { stream, sink } = await settle(disk);
    expect(sink.sequences()).toEqual([1, 5]);
    const [name = ""] = kept(disk);
    expect(disk.peek(`${dir}/quarantine/${name}`)?.includes("four")).toBe(true);
    await stream.close();
  });

  test("a frame forged inside a body is never taken for one, wherever the damage is", async () => {
    const forged = (await diskWith([["p", "q", "forged"], ["forged"]])).peek(segment(1))!;
    const evil = forged.subarray(offsetOf(forged, 2)).toString("latin1");
    const honest = ["one", evil, "three"];
    const bytes = (await diskWith([honest, ["four"]])).peek(segment(1))!;
    for (let at = offsetOf(bytes, 1); at < offsetOf(bytes, 2); at += 1) {
      const disk = await diskWith([honest, ["four"]]);
      change(disk, segment(1), (copy) => void (copy[at]! ^= 0x10));
      const { stream, sink } = await settle(disk);
      expect(sink.bodies()).not.toContain("forged");
      expect(sink.bodies()).toContain("four");
      await stream.close();
    }
  });
});

describe("damage to a batch whose manifest is written", () => {
  /** A disk on which a batch of three frames waits, inserted or not when the process ended. */
  async function diskWithBatch(inserted: boolean): Promise<[SimulatedDisk, RecordingSink]> {
    const disk = await diskWith([["one", "two", "three"]]);
    const sink = new RecordingSink((path) => disk.read(path));
    const fail = (): never => {
      throw new Error("the store is down");
    };
    if (inserted) sink.afterInsert = fail;
    else sink.beforeInsert = fail;
    const { stream } = await openTestStream({ dir, files: disk, sink });
    await expect.poll(() => stream.stats().blocked).toMatch(/the store is down/);
    await stream.close();
    sink.afterInsert = sink.beforeInsert = () => {};
    return [disk, sink];
  }

  test("after its insert costs nothing", async () => {
    const [disk, sink] = await diskWithBatch(true);
    change(disk, batchFile, (bytes) => void (bytes[offsetOf(bytes, 2) - 1]! ^= 1));
    const { stream } = await settle(disk, sink);
    expect(sink.bodies()).toEqual(["one", "two", "three"]);
    expect(sink.calls.filter((call) => call.startsWith("discard"))).toEqual([]);
    await stream.close();
  });

  test("before its insert costs the damaged frame; the others are inserted under a new token", async () => {
    const [disk, sink] = await diskWithBatch(false);
    change(disk, batchFile, (bytes) => void (bytes[offsetOf(bytes, 2) - 1]! ^= 1));
    const { stream, log } = await settle(disk, sink);
    expect(sink.bodies()).toEqual(["one", "three"]);
    expect(stream.watermark()).toEqual([{ writer: "w1", sequence: 3 }]);
    expect(log.lines).toContainEqual(
      expect.objectContaining({ message: "envelopes of a damaged batch are lost" }),
    );
    expect(kept(disk)).toHaveLength(1);
    await stream.close();
  });

  test("that takes its file away is reported, and the watermark passes it only as lost", async () => {
    const [disk, sink] = await diskWithBatch(false);
    await disk.unlink(batchFile);
    const { stream, log } = await settle(disk, sink);
    expect(sink.bodies()).toEqual([]);
    expect(log.lines).toContainEqual(
      expect.objectContaining({
        message: "envelopes of a damaged batch are lost",
        fields: { batch: "w1.usage.1", first: 1, last: 3 },
      }),
    );
    await stream.close();
  });

  test("a manifest that lost a bit is rebuilt; the rows are discarded and inserted anew, once", async () => {
    for (const inserted of [true, false]) {
      const [disk, sink] = await diskWithBatch(inserted);
      change(disk, `${dir}/batch-000000000001.manifest.json`, (bytes) => void (bytes[60]! ^= 1));
      const { stream } = await settle(disk, sink);
      expect(sink.bodies()).toEqual(["one", "two", "three"]);
      expect(sink.calls).toContain("discard w1.usage.1");
      await stream.close();
    }
  });
});

test("a watermark that lost a bit stops the start: going on could count twice", async () => {
  const disk = await diskWith([["one"]]);
  change(disk, `${dir}/watermark.json`, (bytes) => void (bytes[bytes.length - 10]! ^= 1));
  await expect(settle(disk)).rejects.toThrow(/watermark.json is damaged/);
});
