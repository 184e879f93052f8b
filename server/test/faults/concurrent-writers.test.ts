import http from "node:http";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestWeir, type TestWeir } from "../support/test-weir.js";
import { randomFrom } from "./stream/acceptance.js";

const soak = process.env["WEIR_SOAK"] === "1";
const connections = 8;
const events = soak ? 200_000 : 12_000;
/** Each event is sent by this many of the connections, and by each until one of its requests is acknowledged. */
const senders_an_event = 3;

interface UsageEvent {
  readonly id: string;
  readonly subject: string;
  readonly n: number;
}

let weir: TestWeir;
beforeAll(async () => {
  weir = await startTestWeir("writers", { WEIR_SEAL_AGE_MS: "20", WEIR_SEAL_BYTES: String(64 * 1024) });
  for (const meter of [
    { slug: "n", eventType: "t", aggregation: "SUM", valueProperty: "$.n", groupBy: { lane: "$.lane" } },
    { slug: "users", eventType: "t", aggregation: "UNIQUE_COUNT", valueProperty: "$.user" },
  ]) {
    const response = await weir.fetch("/v1/meters", { method: "POST", body: JSON.stringify(meter) });
    expect(response.status).toBe(201);
  }
});
afterAll(() => weir.close());

interface Receipt {
  readonly accepted: number;
  readonly duplicates: number;
  readonly conflicting: number;
}

/** One connection that is kept, and opened anew after it was cut. */
class Connection {
  readonly #agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

  /** @param cut  when to destroy the connection: in the middle of the body, right after it, or while the answer is awaited */
  send(
    batch: readonly UsageEvent[],
    format: number,
    cut?: "in body" | "after body" | "soon after",
  ): Promise<Receipt | undefined> {
    const list = batch.map(({ id, subject, n }) => ({
      id,
      source: "w",
      type: "t",
      subject,
      data: { n, lane: n % 5, user: `u${n % 97}` },
    }));
    const text = format === 1 ? list.map((each) => JSON.stringify(each)).join("\n") : JSON.stringify(list);
    const body = format === 2 ? gzipSync(text) : Buffer.from(text);
    return new Promise((resolve, reject) => {
      const request = http.request(new URL("/v1/events", weir.url), {
        method: "POST",
        agent: this.#agent,
        headers: {
          authorization: `Bearer ${weir.key}`,
          "content-type": format === 1 ? "application/x-ndjson" : "application/json",
          "content-length": body.length,
          ...(format === 2 ? { "content-encoding": "gzip" } : {}),
        },
      });
      request.on("error", (error) => (cut === undefined ? reject(error) : resolve(undefined)));
      request.on("response", (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", () => resolve(undefined));
        response.on("close", () => {
          if (!response.complete) resolve(undefined);
        });
        response.on("end", () => {
          const answer = Buffer.concat(chunks).toString();
          if (response.statusCode === 202) resolve(JSON.parse(answer) as Receipt);
          else if (response.statusCode === 503 || response.statusCode === 429) resolve(undefined);
          else reject(new Error(`${response.statusCode}: ${answer}`));
        });
      });
      if (cut === "in body") {
        request.write(body.subarray(0, body.length >> 1));
        setImmediate(() => request.destroy());
        return;
      }
      request.end(body, () => {
        if (cut === "after body") request.destroy();
        else if (cut === "soon after") setTimeout(() => request.destroy(), 1);
      });
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

test(`${connections} connections resend the same ${events} events in other groupings, some cut off: each counts once`, async () => {
  const all = Array.from(
    { length: events },
    (_, n): UsageEvent => ({ id: `e${n}`, subject: `s${n % 11}`, n: (n * 7919) % 1009 }),
  );
  let cuts = 0;
  let acknowledgedCount = 0;
  let acceptedAnswered = 0;
  let requests = 0;
  const acknowledged = new Set<string>();

  await Promise.all(
    Array.from({ length: connections }, async (_, lane) => {
      const random = randomFrom(lane + 1);
      const connection = new Connection();
      let waiting = all.filter((_, index) => (index + lane) % connections < senders_an_event);
      while (waiting.length > 0) {
        // Another order each time, so that no two requests group the same events.
        const order = waiting.map((each) => ({
          each,
          at: random() < 0.5 ? random() : Number(each.id.slice(1)) / events,
        }));
        waiting = order.sort((a, b) => a.at - b.at).map(({ each }) => each);
        const unanswered: UsageEvent[] = [];
        for (let at = 0; at < waiting.length; ) {
          const size = 1 + Math.floor(random() ** 3 * 400);
          const batch = waiting.slice(at, at + size);
          at += size;
          // Careless clients repeat within a request, too.
          const doubled = random() < 0.2 ? [...batch, ...batch.slice(0, 3)] : batch;
          const cut =
            random() < 0.15
              ? (["in body", "after body", "soon after"] as const)[Math.floor(random() * 3)]
              : undefined;
          requests += 1;
          const receipt = await connection.send(doubled, Math.floor(random() * 3), cut);
          if (receipt === undefined) {
            cuts += 1;
            unanswered.push(...batch);
            continue;
          }
          expect(receipt.conflicting).toBe(0);
          expect(receipt.accepted + receipt.duplicates).toBe(doubled.length);
          acceptedAnswered += receipt.accepted;
          acknowledgedCount += batch.length;
          for (const { id } of batch) acknowledged.add(id);
        }
        waiting = unanswered;
      }
      connection.close();
    }),
  );
  expect(acknowledged.size).toBe(events);
  expect(acknowledgedCount).toBe(events * senders_an_event);
  expect(cuts).toBeGreaterThan(requests / 20);
  // Some were accepted by requests whose answer nobody heard.
  expect(acceptedAnswered).toBeLessThan(events);
  await weir.settled();

  const [counted] = await weir.weir.services.columnar.system.query(
    "count",
    `SELECT (SELECT count() FROM weir.usage_events) AS events, (SELECT uniqExact(id) FROM weir.usage_events) AS ids,
            (SELECT count() FROM weir.usage) AS rows, (SELECT sum(count) FROM weir.usage_15m) AS rolled_up,
            (SELECT sum(count) FROM weir.usage_1d) AS rolled_up_by_day`,
    {},
    (row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, Number(value)])),
  );
  expect(counted).toEqual({
    events,
    ids: events,
    rows: events * 2,
    rolled_up: events * 2,
    rolled_up_by_day: events,
  });

  const ask = async (path: string) =>
    ((await (await weir.fetch(path)).json()) as { data: Record<string, unknown>[] }).data;
  const sums = (keyOf: (each: UsageEvent) => string) => {
    const sum: Record<string, number> = {};
    for (const each of all) sum[keyOf(each)] = (sum[keyOf(each)] ?? 0) + each.n;
    return sum;
  };
  expect(await ask("/v1/meters/n/query")).toMatchObject([{ value: String(sums(() => "")[""]) }]);
  const bySubject = await ask("/v1/meters/n/query?groupBy=subject");
  expect(Object.fromEntries(bySubject.map((row) => [row["subject"], Number(row["value"])]))).toEqual(
    sums(({ subject }) => subject),
  );
  const byLane = await ask("/v1/meters/n/query?groupBy=lane");
  expect(
    Object.fromEntries(
      byLane.map((row) => [(row["groupBy"] as { lane: string }).lane, Number(row["value"])]),
    ),
  ).toEqual(sums(({ n }) => String(n % 5)));
  expect(await ask("/v1/meters/users/query")).toMatchObject([{ value: "97" }]);
}, 600_000);
