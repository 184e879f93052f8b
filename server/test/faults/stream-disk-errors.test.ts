import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { StreamUnavailable } from "../../src/engines/stream/index.js";
import { Acceptance, dir, randomFrom } from "./stream/acceptance.js";
import { append, hurryTimers, openTestStream, type TestStream } from "./stream/open-test-stream.js";
import { RecordingSink } from "./stream/recording-sink.js";
import { SimulatedDisk, systemError, type Operation } from "./stream/simulated-disk.js";

let restoreTimers: () => void;
beforeAll(() => {
  restoreTimers = hurryTimers();
});
afterAll(() => restoreTimers());

const segmentOne = `${dir}/segment-000000000001.frames`;

async function openOn(disk: SimulatedDisk, sink?: RecordingSink): Promise<TestStream> {
  return openTestStream({ dir, files: disk, ...(sink === undefined ? { withoutSink: true } : { sink }) });
}

function failOnce(disk: SimulatedDisk, code: string, matches: (operation: Operation) => boolean): void {
  let failed = false;
  disk.onOperation = (operation) => {
    if (failed || !matches(operation)) return;
    failed = true;
    throw systemError(code);
  };
}

test("after a failed fsync the append is refused, the segment is cut, and its sequence goes to the next append", async () => {
  const disk = new SimulatedDisk();
  const { stream } = await openOn(disk);
  await append(stream, "kept").durable;
  const length = disk.peek(segmentOne)?.length;
  failOnce(disk, "EIO", ({ kind }) => kind === "syncData");
  const refused = append(stream, "refused");
  await expect(refused.durable).rejects.toMatchObject({
    name: "StreamUnavailable",
    reason: "io_error",
    retry: true,
  });
  expect(() => append(stream, "too early")).toThrow(StreamUnavailable);
  await expect.poll(() => stream.stats().unavailable).toBeUndefined();
  expect(disk.peek(segmentOne)?.length).toBe(length);

  const next = append(stream, "next");
  await next.durable;
  expect([refused.sequence, next.sequence]).toEqual([2, 2]);
  expect([refused.segment, next.segment]).toEqual([1, 2]);
  await stream.close();

  const sink = new RecordingSink((path) => disk.read(path));
  const again = await openOn(disk, sink);
  await again.stream.whenConfirmed(2);
  expect(sink.bodies()).toEqual(["kept", "next"]);
  await again.stream.close();
});

test("every append and flush that waits behind a failed write is refused, also those of later segments", async () => {
  const disk = new SimulatedDisk();
  const { stream } = await openOn(disk);
  await append(stream, "kept").durable;
  failOnce(disk, "EIO", ({ kind }) => kind === "write");
  const waiting = [append(stream, "x")];
  void stream.sealNow();
  waiting.push(append(stream, "y"));
  const flushed = stream.flushed();
  expect(waiting.map(({ segment }) => segment)).toEqual([1, 2]);
  for (const { durable } of waiting) await expect(durable).rejects.toMatchObject({ reason: "io_error" });
  await expect(flushed).rejects.toMatchObject({ reason: "io_error" });
  await stream.sealNow();
  expect(append(stream, "z").sequence).toBe(2);
  await stream.close();
});

test("while the cut cannot be made nothing is taken in; it is tried until it can", async () => {
  const disk = new SimulatedDisk();
  const { stream } = await openOn(disk);
  await append(stream, "kept").durable;
  let broken = true;
  let cuts = 0;
  disk.onOperation = ({ kind }) => {
    if (kind === "open") cuts += 1;
    if (broken && (kind === "write" || kind === "syncData" || kind === "truncate")) throw systemError("EIO");
  };
  await expect(append(stream, "x").durable).rejects.toThrow(/EIO/);
  await expect.poll(() => cuts).toBeGreaterThan(5);
  expect(() => append(stream, "y")).toThrow(StreamUnavailable);
  expect(stream.stats().unavailable).toMatch(/EIO/);
  broken = false;
  await expect.poll(() => stream.stats().unavailable).toBeUndefined();
  await append(stream, "z").durable;
  await stream.close();
});

test("a disk that fills up in the middle of a write refuses as disk_full and recovers when there is room", async () => {
  const disk = new SimulatedDisk();
  const { stream } = await openOn(disk);
  await append(stream, "kept").durable;
  disk.capacityBytes = 400;
  await expect(append(stream, "x".repeat(500)).durable).rejects.toMatchObject({ reason: "disk_full" });
  await expect.poll(() => stream.stats().unavailable).toBeUndefined();
  disk.capacityBytes = 10_000;
  await append(stream, "y".repeat(500)).durable;
  await stream.close();
  const sink = new RecordingSink((path) => disk.read(path));
  const again = await openOn(disk, sink);
  await again.stream.whenConfirmed(2);
  expect(sink.bodies()).toEqual(["kept", "y".repeat(500)]);
  await again.stream.close();
});

test("on a disk too full to join segments they are inserted one by one", async () => {
  const disk = new SimulatedDisk();
  const first = await openOn(disk);
  for (const body of ["a", "b", "c"]) {
    await append(first.stream, body.repeat(2_000)).durable;
    await first.stream.sealNow();
  }
  await first.stream.close();
  const sink = new RecordingSink((path) => disk.read(path));
  disk.capacityBytes = 10_000;
  const second = await openOn(disk, sink);
  await second.stream.whenConfirmed(3);
  expect([...sink.rowsByBatch.keys()].length).toBeGreaterThan(1);
  expect(sink.sequences()).toEqual([1, 2, 3]);
  await second.stream.close();
});

test("frames that were refused and could not be cut before a restart do not come between acknowledged ones", async () => {
  const disk = new SimulatedDisk();
  const { stream } = await openOn(disk);
  await append(stream, "kept").durable;
  disk.onOperation = ({ kind }) => {
    if (kind === "syncData" || kind === "truncate") throw systemError("EIO");
  };
  await expect(append(stream, "refused").durable).rejects.toThrow();
  await stream.close();

  // The page cache still shows the refused frame, and calls it clean; recovery must write it again to make it durable.
  const restarted = disk.afterCut("killed", randomFrom(1));
  const second = await openOn(restarted);
  expect(second.recovered.map(({ sequence }) => sequence)).toEqual([1, 2]);
  await append(second.stream, "next").durable;
  const cut = restarted.afterCut("nothing", randomFrom(1));
  const sink = new RecordingSink((path) => cut.read(path));
  const third = await openOn(cut, sink);
  await third.stream.whenConfirmed(3);
  expect(sink.bodies()).toEqual(["kept", "refused", "next"]);
  expect(third.log.errors()).toEqual([]);
  await third.stream.close();
});

describe.each(["EIO", "ENOSPC", "EACCES"])("a single %s", (code) => {
  test("at any operation: nothing acknowledged is lost, nothing is stored twice, and the stream goes on by itself", async () => {
    const operations = (await dayWithErrors(code, () => false)).disk.operations;
    expect(operations).toBeGreaterThan(50);
    for (let failing = 1; failing <= operations; failing += 1) {
      const { disk, sink, acceptance } = await dayWithErrors(code, ({ number }) => number === failing);
      try {
        acceptance.check(sink, disk, { gapless: true });
        expect(acceptance.acknowledged).toContain("late");
      } catch (error) {
        throw new Error(`${code} at operation ${failing}`, { cause: error });
      }
    }
  });
});

test("a disk that fails a tenth of all operations loses nothing acknowledged", async () => {
  for (let seed = 1; seed <= 12; seed += 1) {
    const random = randomFrom(seed);
    const codes = ["EIO", "ENOSPC", "EACCES"];
    const pick = (): string => codes[Math.floor(random() * codes.length)] ?? "EIO";
    const { disk, sink, acceptance } = await dayWithErrors(pick, () => random() < 0.1);
    acceptance.check(sink, disk, { gapless: true });
  }
});

interface Day {
  readonly disk: SimulatedDisk;
  readonly sink: RecordingSink;
  readonly acceptance: Acceptance;
}

async function dayWithErrors(
  code: string | (() => string),
  fails: (operation: Operation) => boolean,
): Promise<Day> {
  const disk = new SimulatedDisk();
  const sink = new RecordingSink((path) => disk.read(path));
  sink.poisoned = ({ body }) => Buffer.from(body).includes("poison");
  const acceptance = new Acceptance();
  disk.onOperation = (operation) => {
    if (fails(operation)) throw systemError(typeof code === "string" ? code : code());
  };
  const open = async (withSink: boolean): Promise<TestStream> => {
    for (let attempt = 0; attempt < 500; attempt += 1) {
      try {
        return await openOn(disk, withSink ? sink : undefined);
      } catch (error) {
        if (!(error instanceof Error && /simulated/.test(error.message))) throw error;
      }
    }
    throw new Error("the stream never opened");
  };
  const send = (stream: TestStream, bodies: string[]): Promise<unknown> =>
    Promise.all(bodies.map((body) => acceptance.send(stream.stream, body)));

  const morning = await open(false);
  await send(morning, ["a1", "a2".repeat(50)]);
  await morning.stream.sealNow();
  await send(morning, ["b1", "b2 poison", "b3"]);
  await morning.stream.sealNow();
  await send(morning, ["c1"]);
  await morning.stream.close();
  const noon = await open(true);
  await send(noon, ["d1", "d2"]);
  await noon.stream.sealNow();
  while (!acceptance.acknowledged.includes("late")) {
    await send(noon, ["late"]);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await noon.stream.sealNow();
  await noon.stream.whenConfirmed(noon.stream.nextSequence - 1);
  await noon.stream.close();
  return { disk, sink, acceptance };
}
