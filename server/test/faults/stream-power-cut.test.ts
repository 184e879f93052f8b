import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Acceptance, dir, randomFrom } from "./stream/acceptance.js";
import { hurryTimers, openTestStream, type TestStream } from "./stream/open-test-stream.js";
import { RecordingSink } from "./stream/recording-sink.js";
import { SimulatedDisk, type CutMode } from "./stream/simulated-disk.js";

// A day in the life of a stream, cut short at every single disk operation, in every way a power cut can leave the disk.

let restoreTimers: () => void;
beforeAll(() => {
  restoreTimers = hurryTimers();
});
afterAll(() => restoreTimers());

interface Machine {
  disk: SimulatedDisk;
  readonly sink: RecordingSink;
  readonly acceptance: Acceptance;
}

function newMachine(): Machine {
  const disk = new SimulatedDisk();
  const machine: Machine = {
    disk,
    sink: new RecordingSink((path) => machine.disk.read(path)),
    acceptance: new Acceptance(),
  };
  machine.sink.poisoned = ({ body }) => Buffer.from(body).includes("poison");
  return machine;
}

async function start(machine: Machine, withoutSink = false): Promise<TestStream> {
  const { disk, sink } = machine;
  return openTestStream({ dir, files: disk, sink, withoutSink });
}

/** Ends when all is confirmed, or never if the power fails on the way. */
async function day(machine: Machine): Promise<void> {
  const { acceptance, sink } = machine;
  const morning = await start(machine, true);
  const send = (stream: TestStream, bodies: string[]): Promise<unknown> =>
    Promise.all(bodies.map((body) => acceptance.send(stream.stream, body)));
  await send(morning, ["a1 ".repeat(30), "a2", "a3 ".repeat(60)]);
  await morning.stream.sealNow();
  await send(morning, ["b1", "b2 poison", "b3", "b4", "b5 poison"]);
  await send(morning, ["b6"]);
  await morning.stream.sealNow();
  await send(morning, ["c1 ".repeat(40)]);
  await send(morning, ["c2"]);
  await morning.stream.close();

  const noon = await start(machine);
  await send(noon, ["d1", "d2"]);
  await noon.stream.sealNow();
  await noon.stream.whenConfirmed(noon.stream.nextSequence - 1);
  await send(noon, ["e1 ".repeat(20), "e2"]);
  // The store is upgraded after the rows are in, and nobody heard of it.
  let upgraded = false;
  sink.afterInsert = () => {
    if (upgraded) return;
    upgraded = true;
    sink.version = "26.8";
    throw new Error("connection lost");
  };
  await noon.stream.sealNow();
  await noon.stream.whenConfirmed(noon.stream.nextSequence - 1);
  await noon.stream.close();
}

/** A start without further trouble: everything on disk reaches the store. */
async function settle(machine: Machine): Promise<TestStream> {
  const opened = await start(machine);
  await machine.acceptance.send(opened.stream, `evening ${machine.acceptance.sent.length}`);
  await opened.stream.sealNow();
  await opened.stream.whenConfirmed(opened.stream.nextSequence - 1);
  await opened.stream.close();
  // The count of rows is the last line of defence; order alone must be enough.
  expect(
    opened.log.lines.filter(({ fields }) => String(fields?.["error"]).startsWith("RowsMismatch")),
  ).toEqual([]);
  return opened;
}

async function countOperations(): Promise<number> {
  const machine = newMachine();
  await day(machine);
  machine.acceptance.check(machine.sink, machine.disk, { gapless: true });
  expect(machine.acceptance.acknowledged.length).toBe(15);
  return machine.disk.operations;
}

async function dayCutAt(operation: number, mode: CutMode, seed: number): Promise<Machine> {
  const machine = newMachine();
  const { disk } = machine;
  disk.onOperation = ({ number }) => {
    if (number === operation) disk.die();
  };
  await Promise.race([day(machine), disk.whenDead]);
  machine.disk = disk.afterCut(mode, randomFrom(seed));
  return machine;
}

const modes = ["killed", "nothing", "some", "shuffled"] as const;

describe.each(modes)("an end that leaves of unsynced writes: %s", (mode) => {
  test("at any operation loses nothing acknowledged and stores nothing twice", async () => {
    const operations = await countOperations();
    expect(operations).toBeGreaterThan(100);
    for (let operation = 1; operation <= operations; operation += 1) {
      const machine = await dayCutAt(operation, mode, operation);
      await settle(machine);
      try {
        machine.acceptance.check(machine.sink, machine.disk, {
          gapless: mode === "nothing" || mode === "killed",
        });
        const left = machine.disk.names(dir);
        expect(left).toEqual(["watermark.json"]);
      } catch (error) {
        throw new Error(`cut at operation ${operation}`, { cause: error });
      }
    }
  });

  test("and another one while the first is recovered from, too", async () => {
    const operations = await countOperations();
    for (let operation = 3; operation <= operations; operation += 7) {
      for (let again = 1 + (operation % 5); again < 60; again += 9) {
        const machine = await dayCutAt(operation, mode, operation);
        const { disk } = machine;
        disk.onOperation = ({ number }) => {
          if (number === again) disk.die();
        };
        await Promise.race([settle(machine), disk.whenDead]);
        machine.disk = disk.afterCut(modes[(operation + again) % modes.length] ?? mode, randomFrom(again));
        await settle(machine);
        try {
          machine.acceptance.check(machine.sink, machine.disk, { gapless: false });
        } catch (error) {
          throw new Error(`cut at operation ${operation}, then at ${again}`, { cause: error });
        }
      }
    }
  });
});
