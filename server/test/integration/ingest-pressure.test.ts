import { mkdir } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { SignalStream } from "../../src/engines/stream/index.js";
import { problemOf } from "../../src/http/problem-handler.js";
import { sameClock, systemClock } from "../../src/kernel/clock.js";
import { day, minute } from "../../src/kernel/instant.js";
import { silentLog } from "../../src/kernel/log.js";
import { EventIdentity } from "../../src/usage/event-identity.js";
import { openIdentityIndex, type IdentityIndex } from "../../src/usage/identity-index/index.js";
import { UsageIngest } from "../../src/usage/ingest.js";
import type { MeterRegistry } from "../../src/usage/meter-registry.js";
import { EventRateLimit } from "../../src/usage/rate-limit.js";
import { openTestStream } from "../faults/stream/open-test-stream.js";
import { orgA } from "../support/batch-file.js";
import { temporaryFolder } from "../support/temporary-folder.js";

const noMeters = {
  get: () => ({ versions: [], live: new Map(), all: new Map() }),
} as unknown as MeterRegistry;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let index: IdentityIndex;
let stream: SignalStream;
let ingest: UsageIngest;

beforeEach(async () => {
  folder = await temporaryFolder("pressure");
  const dir = path.join(folder.dir, "stream");
  await mkdir(dir);
  const opened = await openTestStream({ dir, withoutSink: true });
  stream = opened.stream;
  const shared = { clock: systemClock, log: silentLog };
  index = await openIdentityIndex({ dir: path.join(folder.dir, "index"), ...shared, memoryKeysMax: 100 });
  ingest = new UsageIngest({
    ...shared,
    clocks: sameClock(systemClock),
    stream,
    index,
    identity: new EventIdentity(Buffer.alloc(32, 1)),
    meters: noMeters,
    rateLimit: new EventRateLimit(1_000_000),
    limits: { eventsPerRequestMax: 10_000, dedupWindow: 35 * day, futureTolerance: 5 * minute },
    findStored: () => Promise.resolve(new Map()),
  });
});
afterEach(async () => {
  await stream.close();
  await index.close();
  await folder.remove();
});

const bodyOf = (from: number, count: number): Uint8Array =>
  Buffer.from(
    JSON.stringify(
      Array.from({ length: count }, (_, n) => ({ id: `e${from + n}`, source: "s", type: "t", subject: "a" })),
    ),
  );
const problem = (error: unknown) => problemOf(error, { id: "r", method: "POST", url: "/" }, silentLog);

test("with too many keys in memory nothing is taken in, live or imported, until they are written", async () => {
  expect(await ingest.acceptBody(orgA, bodyOf(0, 101), "json")).toMatchObject({ accepted: 101 });
  expect(index.pressure).toBe(true);
  const sequence = stream.nextSequence;
  for (const refused of [
    ingest.acceptBody(orgA, bodyOf(0, 1), "json"),
    ingest.acceptHistory(orgA, bodyOf(200, 1), "json"),
  ]) {
    const error: unknown = await refused.catch((thrown: unknown) => thrown);
    expect(problem(error)).toMatchObject({
      status: 503,
      retryAfterSeconds: 5,
      reason: "identity_index_full",
    });
  }
  expect(stream.nextSequence).toBe(sequence);

  await stream.sealNow();
  await index.flush(1);
  expect(await ingest.acceptBody(orgA, bodyOf(0, 102), "json")).toMatchObject({
    accepted: 1,
    duplicates: 101,
  });
});
