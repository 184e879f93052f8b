import { execFile } from "node:child_process";
import { mkdir, open, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { openStream, type AppendRequest } from "../../src/engines/stream/index.js";
import { systemClock } from "../../src/kernel/clock.js";
import { newId } from "../../src/kernel/ids.js";
import { silentLog } from "../../src/kernel/log.js";
import type { Measurement } from "../../src/usage/core/index.js";
import { UsageBodyEncoder, usage_body_field } from "../../src/usage/usage-body.js";
import { keyOf } from "../support/batch-file.js";
import { RetryingSender, type LoadEvent } from "../support/retrying-sender.js";
import { temporaryFolder } from "../support/temporary-folder.js";
import { startTestWeir, type TestWeir } from "../support/test-weir.js";
import { startWeirProcess, type WeirProcess } from "../support/weir-process.js";
import { generousLimits } from "./stream/open-test-stream.js";

const run = promisify(execFile);
const fault_ms = process.env["WEIR_SOAK"] === "1" ? 30_000 : 1_500;
const meter = { slug: "n", eventType: "t", aggregation: "SUM", valueProperty: "$.n" };
const distinct = { slug: "distinct", eventType: "t", aggregation: "UNIQUE_COUNT", valueProperty: "$.n" };

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** What a plain computation says of the events. */
const totalOf = (events: Iterable<LoadEvent>) => [...events].reduce((sum, event) => sum + event.n, 0);

interface Asked {
  fetch(pathname: string, init?: RequestInit): Promise<Response>;
}

async function sumOf(weir: Asked): Promise<number> {
  const response = await weir.fetch("/v1/meters/n/query");
  const { data } = (await response.json()) as { data: { value: string }[] };
  return Number(data[0]?.value ?? 0);
}

function send(weir: Asked, events: readonly LoadEvent[], padding = ""): Promise<Response> {
  return weir.fetch("/v1/events", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(
      events.map(({ id, subject, n }) => ({
        id,
        source: "load",
        type: "t",
        subject,
        data: padding === "" ? { n } : { n, padding },
      })),
    ),
  });
}

/** A refusal that a client may repeat: problem document, reason, and when. @returns the reason */
async function expectTryLater(response: Response): Promise<unknown> {
  expect(response.status).toBe(503);
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  expect(Number(response.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
  const problem = (await response.json()) as Record<string, unknown>;
  expect(problem).toMatchObject({ status: 503, type: expect.stringMatching(/^https:/) });
  return problem["reason"];
}

/** Sends fresh events one by one until one is refused; those taken in are added to `taken`. */
async function untilRefused(weir: Asked, taken: LoadEvent[], name: string): Promise<Response> {
  for (let n = 1; n < 5_000; n += 1) {
    const event = { id: `${name}${n}`, subject: "probe", n };
    const response = await send(weir, [event]);
    if (response.status !== 202) return response;
    await response.text();
    taken.push(event);
  }
  throw new Error("nothing was refused");
}

async function startLoad(weir: WeirProcess, name: string) {
  const sender = new RetryingSender(() => weir.url, weir.key);
  let running = true;
  let made = 0;
  const lanes = Array.from({ length: 4 }, async () => {
    while (running) {
      const events = Array.from({ length: 20 }, () => {
        made += 1;
        return { id: `${name}${made}`, subject: `s${made % 3}`, n: (made % 89) + 1 };
      });
      await sender.send(events);
      await pause(2);
    }
  });
  return {
    /** Resolves when everything that was sent is acknowledged: each sender repeats until then. */
    async finish(): Promise<LoadEvent[]> {
      running = false;
      await Promise.all(lanes);
      expect(sender.acknowledged.size).toBe(sender.sent.size);
      return [...sender.sent.values()];
    },
  };
}

describe("the stream's disk", () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let weir: WeirProcess;
  let disk: string;
  let mounted = false;
  let expected = 0;

  beforeAll(async () => {
    folder = await temporaryFolder("disk");
    disk = path.join(folder.dir, "stream");
    await mkdir(disk);
    mounted = await run("mount", ["-t", "tmpfs", "-o", "size=16m", "tmpfs", disk]).then(
      () => true,
      (error: unknown) => {
        console.warn(
          `NOT TESTED: a full disk and a read-only one need a mount, which is refused: ${String(error)}`,
        );
        return false;
      },
    );
    weir = await startWeirProcess(folder.dir, {
      WEIR_SEAL_AGE_MS: "50",
      WEIR_INSERT_INTERVAL_MS: "50",
      WEIR_DISK_FREE_BYTES_MIN: "0",
    });
    const response = await weir.fetch("/v1/meters", { method: "POST", body: JSON.stringify(meter) });
    expect(response.status).toBe(201);
  });

  afterAll(async () => {
    await weir.stop();
    if (mounted) await run("umount", [disk]);
    await folder.remove();
  });

  /** Under load, with probes: breaks the disk, checks the refusals, mends it, and counts. */
  async function whileBroken(name: string, breakIt: () => Promise<() => Promise<void>>): Promise<unknown> {
    const load = await startLoad(weir, name);
    await pause(300);
    const mend = await breakIt();
    const taken: LoadEvent[] = [];
    let reason: unknown;
    try {
      const began = Date.now();
      do {
        reason = await expectTryLater(await untilRefused(weir, taken, `${name}-${Date.now()}-`));
        await pause(100);
      } while (Date.now() - began < fault_ms);
      expect((await weir.fetch("/healthz")).status).toBe(200);
      expect((await weir.fetch("/v1/meters/n/query")).status).toBe(200);
      expect((await weir.fetch("/metrics")).status).toBe(200);
    } finally {
      await mend();
    }
    const sent = await load.finish();
    expected += totalOf(sent) + totalOf(taken);
    await expect.poll(() => sumOf(weir), { timeout: 40_000, interval: 200 }).toBe(expected);
    expect(weir.child.exitCode).toBeNull();
    return reason;
  }

  test("full: 503 with Retry-After, other requests work, and with space again everything counts once", async ({
    skip,
  }) => {
    skip(!mounted, "needs a mount");
    const ballast = path.join(disk, "ballast");
    const reason = await whileBroken("full", async () => {
      const file = await open(ballast, "w");
      for (const bytes of [65_536, 4_096]) {
        const chunk = Buffer.alloc(bytes, 1);
        while ((await file.write(chunk).catch(() => undefined)) !== undefined);
      }
      // What the stream deletes meanwhile is taken too.
      const hungry = setInterval(() => void file.write(Buffer.alloc(65_536, 1)).catch(() => undefined), 20);
      return async () => {
        clearInterval(hungry);
        await pause(50);
        await file.close();
        await rm(ballast);
      };
    });
    expect(reason).toBe("disk_full");
  });

  test("read-only for a while", async ({ skip }) => {
    skip(!mounted, "needs a mount");
    const reason = await whileBroken("readonly", async () => {
      // Refused as long as a segment is open for writing.
      for (let tries = 0; ; tries += 1) {
        try {
          await run("mount", ["-o", "remount,ro", disk]);
          break;
        } catch (error) {
          if (tries > 500) throw error;
        }
      }
      return async () => void (await run("mount", ["-o", "remount,rw", disk]));
    });
    expect(reason).toBe("io_error");
  });

  test("with its folder gone for a while", async () => {
    const usage = path.join(disk, "usage");
    const reason = await whileBroken("gone", async () => {
      await rename(usage, `${usage}-away`);
      return () => rename(`${usage}-away`, usage);
    });
    expect(reason).toBe("io_error");
  });

  test("with a file in the place of its folder for a while", async () => {
    const usage = path.join(disk, "usage");
    const reason = await whileBroken("file", async () => {
      await rename(usage, `${usage}-away`);
      await writeFile(usage, "");
      return async () => {
        await rm(usage);
        await rename(`${usage}-away`, usage);
      };
    });
    expect(reason).toBe("io_error");
  });
});

describe("a columnar store that takes no inserts", () => {
  let weir: TestWeir;
  beforeAll(async () => {
    weir = await startTestWeir("refused", { WEIR_BACKLOG_BYTES_MAX: String(1024 * 1024) });
    await weir.fetch("/v1/meters", { method: "POST", body: JSON.stringify(meter) });
    await weir.fetch("/v1/meters", { method: "POST", body: JSON.stringify(distinct) });
  });
  afterAll(() => weir.close());

  const command = (sql: string) => weir.weir.services.columnar.system.command("a test", sql);
  const outages: [string, () => Promise<void>, () => Promise<void>][] = [
    [
      "for want of the table of usage",
      () => command("RENAME TABLE weir.usage TO weir.usage_elsewhere"),
      () => command("RENAME TABLE weir.usage_elsewhere TO weir.usage"),
    ],
    [
      "because it has too many parts",
      () =>
        command("ALTER TABLE weir.usage MODIFY SETTING parts_to_throw_insert = 1, parts_to_delay_insert = 1"),
      () => command("ALTER TABLE weir.usage RESET SETTING parts_to_throw_insert, parts_to_delay_insert"),
    ],
  ];
  const all: LoadEvent[] = [];

  test.each(outages)(
    "%s: ingest goes on up to the backlog's limit, then 503; afterwards everything counts once",
    async (name, begin, end) => {
      const warm = { id: `${name} warm`, subject: "a", n: 1 };
      expect((await send(weir, [warm])).status).toBe(202);
      all.push(warm);
      await weir.settled();
      await begin();
      let refused: LoadEvent[] = [];
      let taken = 0;
      for (let request = 0; refused.length === 0 && request < 500; request += 1) {
        const events = Array.from({ length: 10 }, (_, n) => ({
          id: `${name} ${request}.${n}`,
          subject: "a",
          n,
        }));
        const response = await send(weir, events, "x".repeat(2_000));
        if (response.status === 202) {
          await response.text();
          taken += 1;
          all.push(...events);
          // In another grouping, the same once more: a duplicate needs no room.
          expect(await (await send(weir, events.slice(3, 5), "x".repeat(2_000))).json()).toMatchObject({
            accepted: 0,
            duplicates: 2,
          });
        } else {
          expect(await expectTryLater(response)).toBe("backlog");
          refused = events;
        }
      }
      expect(taken).toBeGreaterThan(30);
      expect(taken).toBeLessThan(60);
      expect(refused).not.toEqual([]);
      await pause(fault_ms);
      const stats = weir.weir.services.usage.stats();
      expect(stats.stream).toMatchObject({ quarantined: 0, damaged: 0 });
      expect((await weir.fetch("/v1/meters")).status).toBe(200);
      expect(await (await weir.fetch("/readyz")).json()).toEqual({ status: "busy", reason: "stream" });
      expect(await (await weir.fetch("/metrics")).text()).toMatch(/weir_stream_blocked\{[^}]*\} 1\n/);
      await end();

      await expect
        .poll(async () => (await send(weir, refused, "x".repeat(2_000))).status, {
          timeout: 120_000,
          interval: 100,
        })
        .toBe(202);
      all.push(...refused);
      await weir.settled();
      expect((await weir.fetch("/readyz")).status).toBe(200);
      expect(await sumOf(weir)).toBe(totalOf(all));
      expect(await countsOf(weir)).toEqual({
        events: all.length,
        rows: all.length * 2,
        rolledUp: all.length * 2,
        rolledUpByDay: all.length,
      });
    },
  );
});

/** Counted without Weir's own queries, in the raw events, the measured rows, and the rollups. */
async function countsOf(weir: TestWeir) {
  const { system } = weir.weir.services.columnar;
  const [counts] = await system.query(
    "count",
    `SELECT (SELECT count() FROM weir.usage_events) AS events, (SELECT count() FROM weir.usage) AS rows,
            (SELECT sum(count) FROM weir.usage_15m) AS rolled_up, (SELECT sum(count) FROM weir.usage_1d) AS rolled_up_by_day`,
    {},
    (row) => ({
      events: Number(row["events"]),
      rows: Number(row["rows"]),
      rolledUp: Number(row["rolled_up"]),
      rolledUpByDay: Number(row["rolled_up_by_day"]),
    }),
  );
  return counts;
}

describe("after a restart", () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let weir: WeirProcess | undefined;
  beforeAll(async () => {
    folder = await temporaryFolder("poison");
  });
  afterEach(async () => {
    await weir?.stop();
    weir = undefined;
  });
  afterAll(() => folder.remove());

  /** Appends to the log of a Weir that does not run, as it would itself. */
  async function appendAll(
    requests: (organization: string) => readonly Omit<AppendRequest, "receivedAt" | "bodyField">[],
  ) {
    const dir = path.join(folder.dir, "stream", "usage");
    const { writer } = JSON.parse(await readFile(path.join(folder.dir, "instance.json"), "utf8")) as {
      writer: string;
    };
    let organization = "";
    const stream = await openStream({
      dir,
      signal: "usage",
      writer,
      sink: undefined,
      hooks: {
        recover: (frame) => void (organization = frame.organization),
        sealed: () => Promise.resolve(),
      },
      limits: { ...generousLimits, sealAgeMs: 1_000 },
      clock: systemClock,
      log: silentLog,
    });
    for (const request of requests(organization)) {
      await stream.append({ ...request, receivedAt: systemClock.now(), bodyField: usage_body_field }).durable;
    }
    await stream.close();
  }

  function bodyOf(
    id: string,
    measurements: readonly Measurement[],
    key = keyOf(id),
  ): Pick<AppendRequest, "body" | "rowCounts"> {
    const encoder = new UsageBodyEncoder(1024);
    const time = systemClock.now();
    const shape = { source: "s", id, type: "t", subject: "a", time, dataText: "{}", key, revision: 0 };
    encoder.event({ ...shape, measurements, serverTime: false });
    return { body: () => encoder.finish(), rowCounts: encoder.rowCounts };
  }

  test("envelopes that no insert takes end in quarantine, and everything else in their batch counts", async () => {
    // Nothing is inserted by this one but the first batch: what follows waits on disk.
    weir = await startWeirProcess(folder.dir, { WEIR_INSERT_INTERVAL_MS: "60000", WEIR_SEAL_AGE_MS: "50" });
    const made = await weir.fetch("/v1/meters", { method: "POST", body: JSON.stringify(meter) });
    const { versionId, ...rest } = (await made.json()) as { versionId?: string };
    if (versionId === undefined) throw new Error(`no version in ${JSON.stringify(rest)}`);
    expect((await send(weir, [{ id: "first", subject: "a", n: 1000 }])).status).toBe(202);
    await expect.poll(() => sumOf(weir!), { timeout: 120_000 }).toBe(1000);
    for (let n = 1; n <= 5; n += 1)
      expect((await send(weir, [{ id: `a${n}`, subject: "a", n }])).status).toBe(202);
    await weir.kill();

    const measured = (value: string): Measurement => ({
      meter: versionId,
      value,
      unique: "",
      dimensions: [],
    });
    const other = newId("org", systemClock.now());
    await appendAll((organization) => [
      { organization: other, ...bodyOf("no number", [measured("many")]) },
      { organization: organization as typeof other, ...bodyOf("a6", [measured("6")]) },
      { organization: other, body: () => Buffer.from("0f0f0f0f0f0f0f", "hex"), rowCounts: [1, 1, 0] },
      { organization: organization as typeof other, ...bodyOf("a7", [measured("7")]) },
      { organization: other, ...bodyOf("long key", [measured("1")], "x".repeat(17)) },
      { organization: other, ...bodyOf("too large", [measured("9".repeat(60))]) },
      { organization: organization as typeof other, ...bodyOf("a8", [measured("8")]) },
    ]);

    weir = await startWeirProcess(folder.dir);

    await expect.poll(() => sumOf(weir!), { timeout: 120_000 }).toBe(1000 + 36);
    const quarantine = path.join(folder.dir, "stream", "usage", "quarantine");
    const reasons = (await readdir(quarantine)).filter((name) => name.endsWith(".reason.json"));
    expect(reasons).toHaveLength(4);
    expect((await readdir(quarantine)).filter((name) => name.endsWith(".frames"))).toHaveLength(4);
    for (const name of reasons) {
      expect(JSON.parse(await readFile(path.join(quarantine, name), "utf8"))).toMatchObject({
        reason: expect.stringMatching(/of batch w_\w+\.usage\.2\b/),
        sequence: expect.any(Number),
      });
    }
    expect(await (await weir.fetch("/metrics")).text()).toMatch(
      /weir_stream_quarantined\{signal="usage"\} 4\n/,
    );
    const lines = weir
      .output()
      .split("\n")
      .filter((line) => line.includes("is quarantined"));
    expect(lines).toHaveLength(4);
    for (const line of lines) expect(line).toContain(other);

    // The next batch is as good as any.
    expect((await send(weir, [{ id: "next", subject: "a", n: 100 }])).status).toBe(202);
    await expect.poll(() => sumOf(weir!), { timeout: 120_000 }).toBe(1000 + 36 + 100);
  });

  test("a damaged identity index takes nothing in: 503 until a restart has rebuilt it, and then nothing counts twice", async () => {
    weir = await startWeirProcess(folder.dir);
    await weir.fetch("/v1/meters", { method: "POST", body: JSON.stringify(meter) }); // there already, or not
    const events = Array.from({ length: 3_000 }, (_, n) => ({ id: `i${n}`, subject: "i", n: 1 }));
    const before = (await sumOf(weir)) + 3_000;
    expect((await send(weir, events)).status).toBe(202);
    await expect.poll(() => sumOf(weir!), { timeout: 120_000 }).toBe(before);
    // Once its keys are in the index's file, which the process maps: it sees the damage at once.
    await expect
      .poll(async () =>
        (await (await weir!.fetch("/metrics")).text()).includes("weir_identity_index_memory_keys 0"),
      )
      .toBe(true);
    await damage(path.join(folder.dir, "index", "data.mdb"));
    expect(await expectTryLater(await send(weir, events))).toBe("identity_index_damaged");
    expect(await expectTryLater(await send(weir, [events[0]!]))).toBe("identity_index_damaged");
    expect((await weir.fetch("/v1/meters/n/query")).status).toBe(200);
    await weir.stop();

    weir = await startWeirProcess(folder.dir);
    let answer = await send(weir, events);
    for (let tries = 0; answer.status === 503 && tries < 100; tries += 1) {
      await pause(100);
      answer = await send(weir, events);
    }
    expect(await answer.json()).toMatchObject({ accepted: 0, duplicates: 3_000 });
    expect(await sumOf(weir)).toBe(before);
  });
});

/** Flips a bit in the middle of every page that holds keys: random bytes, unlike LMDB's own pages. */
async function damage(file: string): Promise<void> {
  const handle = await open(file, "r+");
  try {
    const { size } = await handle.stat();
    const page = Buffer.alloc(4096);
    for (let at = 0; at < size; at += page.length) {
      await handle.read(page, 0, page.length, at);
      if (new Set(page.subarray(1024, 3072)).size < 200) continue;
      page[2048]! ^= 1;
      await handle.write(page, 2048, 1, at + 2048);
    }
  } finally {
    await handle.close();
  }
}
