import { afterAll, beforeAll, expect, test } from "vitest";
import { RetryingSender, type LoadEvent } from "../support/retrying-sender.js";
import { temporaryFolder } from "../support/temporary-folder.js";
import { startWeirProcess, testKey, type WeirProcess } from "../support/weir-process.js";

const kills = process.env["WEIR_SOAK"] === "1" ? 300 : 30;
const senders = 8;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let weir: WeirProcess;
const env = { WEIR_SEAL_AGE_MS: "100", WEIR_INSERT_INTERVAL_MS: "100" };

beforeAll(async () => {
  folder = await temporaryFolder("kill");
  weir = await startWeirProcess(folder.dir, env);
  for (const meter of [
    { slug: "n", eventType: "t", aggregation: "SUM", valueProperty: "$.n" },
    { slug: "events", eventType: "t", aggregation: "COUNT" },
  ]) {
    expect((await weir.fetch("/v1/meters", { method: "POST", body: JSON.stringify(meter) })).status).toBe(
      201,
    );
  }
});

afterAll(async () => {
  await weir.stop();
  await folder.remove();
});

test(
  `kill -9 at ${kills} random moments under load: every event counts exactly once, none acknowledged is lost`,
  { timeout: kills * 15_000 },
  async () => {
    const sender = new RetryingSender(() => weir.url, testKey);
    let running = true;
    let made = 0;
    const load = Array.from({ length: senders }, async (_, lane) => {
      let previous: LoadEvent[] = [];
      while (running) {
        const fresh = Array.from({ length: 20 }, (): LoadEvent => {
          made += 1;
          return { id: `e${made}`, subject: `s${made % 5}`, n: (made % 97) + 1 };
        });
        // Overlaps with what this and other lanes sent before, as retries of careless clients do.
        await sender.send([...fresh, ...previous.slice(0, 5)]);
        previous = lane % 2 === 0 ? fresh : [...sender.sent.values()].slice(-10);
      }
    });

    for (let kill = 0; kill < kills; kill += 1) {
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 600));
      await weir.kill();
      weir = await startWeirProcess(folder.dir, env);
    }
    running = false;
    await Promise.all(load);
    expect(sender.acknowledged.size).toBe(sender.sent.size);
    expect(sender.sent.size).toBeGreaterThan(kills * 20);

    const expected = [...sender.sent.values()].reduce((sum, event) => sum + event.n, 0);
    const read = async (slug: string) => {
      const response = await weir.fetch(`/v1/meters/${slug}/query`);
      const { data } = (await response.json()) as { data: { value: string }[] };
      return Number(data[0]?.value ?? 0);
    };
    const deadline = Date.now() + 30_000;
    while ((await read("events")) < sender.sent.size && Date.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await read("events")).toBe(sender.sent.size);
    expect(await read("n")).toBe(expected);

    // And by subject, from the rows as well as from the rollup.
    const bySubject = new Map<string, number>();
    for (const event of sender.sent.values())
      bySubject.set(event.subject, (bySubject.get(event.subject) ?? 0) + event.n);
    const response = await weir.fetch(
      "/v1/meters/n/query?groupBy=subject&windowSize=MINUTE&from=" +
        new Date(Date.now() - 3_600_000).toISOString(),
    );
    const { data } = (await response.json()) as { data: { value: string; subject: string }[] };
    const read_ = new Map<string, number>();
    for (const row of data) read_.set(row.subject, (read_.get(row.subject) ?? 0) + Number(row.value));
    expect(Object.fromEntries(read_)).toEqual(Object.fromEntries(bySubject));
  },
);

test("SIGTERM ends it within 10 s with exit code 0, and everything is there afterwards", async () => {
  const sender = new RetryingSender(() => weir.url, testKey);
  await sender.send([{ id: "last", subject: "last", n: 1 }]);
  const began = Date.now();
  expect(await weir.stop()).toBe(0);
  expect(Date.now() - began).toBeLessThan(10_000);
  weir = await startWeirProcess(folder.dir, env);
  const response = await weir.fetch("/v1/meters/n/query?subject=last");
  expect(((await response.json()) as { data: unknown }).data).toMatchObject([{ value: "1" }]);
});
