import { readFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encodeParquet } from "../../src/engines/columnar/index.js";
import { startTestWeir, type TestWeir } from "../support/test-weir.js";

let weir: TestWeir;

beforeAll(async () => {
  weir = await startTestWeir("meters");
});

afterAll(() => weir.close());

async function call<T = Record<string, unknown>>(
  method: string,
  pathname: string,
  body?: unknown,
): Promise<{ status: number; body: T }> {
  const response = await weir.fetch(pathname, {
    method,
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
  });
  const text = await response.text();
  return { status: response.status, body: (text === "" ? undefined : JSON.parse(text)) as T };
}

const send = (events: object[]) =>
  call<{ accepted: number }>(
    "POST",
    "/v1/events",
    events.map((event) => ({ source: "s", type: "t", subject: "acme", ...event })),
  );

async function value(meter: string, search = ""): Promise<string | null | undefined> {
  const { body } = await call<{ data: { value: string | null }[] }>(
    "GET",
    `/v1/meters/${meter}/query${search}`,
  );
  return body.data[0]?.value;
}

async function backfilled(meter: string): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const { body } = await call<{ backfill: { state: string } }>("GET", `/v1/meters/${meter}`);
    if (body.backfill.state === "done") return weir.settled();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${meter} is not backfilled`);
}

test(
  "a new meter is backfilled over history while traffic goes on, and counts every event once",
  { timeout: 120_000 },
  async () => {
    let made = 0;
    const batch = (size: number) =>
      Array.from({ length: size }, () => {
        made += 1;
        return { id: `h${made}`, subject: `s${made % 7}`, data: { n: 1, model: `m${made % 3}` } };
      });
    for (let request = 0; request < 4; request += 1) await send(batch(3000));
    let running = true;
    const traffic = Promise.all(
      Array.from({ length: 4 }, async () => {
        while (running) await send(batch(10));
      }),
    );
    await new Promise((resolve) => setTimeout(resolve, 300));
    const created = await call("POST", "/v1/meters", {
      slug: "history",
      eventType: "t",
      aggregation: "SUM",
      valueProperty: "$.n",
      groupBy: { model: "$.model" },
    });
    expect(created.status).toBe(201);
    await backfilled("history");
    running = false;
    await traffic;
    await weir.settled();
    expect(await value("history")).toBe(String(made));
    expect(made).toBeGreaterThan(12_000);
  },
);

test("a changed definition is a new version over all of history; the old one stays what it was", async () => {
  await send([{ id: "v1", type: "v", data: { a: 1, b: 10 } }]);
  const first = await call<{ versionId: string }>("POST", "/v1/meters", {
    slug: "v",
    eventType: "v",
    aggregation: "SUM",
    valueProperty: "$.a",
  });
  await backfilled("v");
  const second = await call<{ versionId: string; version: number }>("PUT", "/v1/meters/v", {
    valueProperty: "$.b",
  });
  expect(second.body.version).toBe(2);
  await backfilled("v");
  await send([{ id: "v2", type: "v", data: { a: 2, b: 20 } }]);
  await weir.settled();
  expect(await value("v")).toBe("30");
  expect(await value(first.body.versionId)).toBe("1");
  expect(await value(second.body.versionId)).toBe("30");
});

test("changes at once are made one after the other, each on top of the one before", async () => {
  await call("POST", "/v1/meters", { slug: "busy", eventType: "b0", aggregation: "COUNT" });
  const answers = await Promise.all(
    Array.from({ length: 8 }, (_, n) => call("PUT", "/v1/meters/busy", { eventType: `b${n + 1}` })),
  );
  expect(answers.map((answer) => answer.status)).toEqual(Array(8).fill(200));
  expect((await call("GET", "/v1/meters/busy")).body).toMatchObject({ version: 9 });
  const archived = await Promise.all([1, 2, 3].map(() => call("DELETE", "/v1/meters/busy")));
  expect(archived.filter(({ status }) => status === 204).length).toBeGreaterThan(0);
  const { auditLog } = await weir.graphql<{ auditLog: { nodes: { before: { slug: string } }[] } }>(
    '{ auditLog(first: 50, action: "meter.archive") { nodes { before } } }',
  );
  expect(auditLog.nodes.filter(({ before }) => before.slug === "busy")).toHaveLength(1);
});

test("renaming makes no version", async () => {
  await call("POST", "/v1/meters", { slug: "rename", eventType: "r", aggregation: "COUNT" });
  const renamed = await call("PUT", "/v1/meters/rename", { name: "Renamed", description: "d" });
  expect(renamed.body).toMatchObject({ name: "Renamed", version: 1 });
});

test("an archived meter measures no more, keeps its past, and frees its slug", async () => {
  const { body } = await call<{ id: string }>("POST", "/v1/meters", {
    slug: "old",
    eventType: "old",
    aggregation: "COUNT",
  });
  await send([{ id: "a1", type: "old" }]);
  expect((await call("DELETE", "/v1/meters/old")).status).toBe(204);
  await send([{ id: "a2", type: "old" }]);
  await weir.settled();
  expect(await value(body.id)).toBe("1");
  expect((await call("GET", "/v1/meters/old")).status).toBe(404);
  expect(
    (await call("POST", "/v1/meters", { slug: "old", eventType: "old", aggregation: "COUNT" })).status,
  ).toBe(201);
  await backfilled("old");
  expect(await value("old")).toBe("2");
});

test.each([
  [{ slug: "Bad Slug", eventType: "t", aggregation: "COUNT" }, "slug"],
  [{ slug: "x", eventType: "t", aggregation: "SUM" }, "valueProperty"],
  [{ slug: "x", eventType: "t", aggregation: "COUNT", valueProperty: "$.n" }, "valueProperty"],
  [{ slug: "x", eventType: "t", aggregation: "MEDIAN" }, "aggregation"],
  [{ slug: "x", eventType: "t", aggregation: "COUNT", groupBy: { subject: "$.s" } }, "groupBy.subject"],
  [
    {
      slug: "x",
      eventType: "t",
      aggregation: "COUNT",
      filters: [{ property: "$.n", operator: "gt", value: "many" }],
    },
    "filters[0].value",
  ],
])("a definition that makes no sense is refused by field", async (definition, field) => {
  const { status, body } = await call<{ errors: { field: string }[] }>("POST", "/v1/meters", definition);
  expect(status).toBe(400);
  expect(body.errors.map((error) => error.field)).toContain(field);
});

describe("an event that was wrong", () => {
  beforeAll(async () => {
    await call("POST", "/v1/meters", {
      slug: "wrong",
      eventType: "w",
      aggregation: "SUM",
      valueProperty: "$.n",
    });
    await send([
      { id: "w1", type: "w", data: { n: 5 } },
      { id: "w2", type: "w", data: { n: 7 } },
    ]);
    await weir.settled();
  });

  test("is voided, with a reason, once", async () => {
    const target = { source: "s", id: "w1", reason: "double booking" };
    expect((await call("POST", "/v1/events/void", { ...target, reason: " " })).status).toBe(400);
    expect((await call("POST", "/v1/events/void", { ...target, id: "none" })).status).toBe(404);
    const answers = await Promise.all([
      call("POST", "/v1/events/void", target),
      call("POST", "/v1/events/void", target),
    ]);
    expect(answers.map((answer) => answer.status).sort((a, b) => a - b)).toEqual([202, 409]);
    await weir.settled();
    expect(await value("wrong")).toBe("7");
    expect((await call("POST", "/v1/events/void", target)).status).toBe(409);
  });

  test("is corrected, fifty at once, while meters change", { timeout: 120_000 }, async () => {
    const ids = Array.from({ length: 50 }, (_, n) => `many${n}`);
    await send(ids.map((id) => ({ id, type: "many" })));
    await weir.settled();
    const [changed, ...corrected] = await Promise.all([
      call("POST", "/v1/meters", { slug: "many", eventType: "many", aggregation: "COUNT" }),
      ...ids.map((id) => call("POST", "/v1/events/void", { source: "s", id, reason: "all of them" })),
      call("PUT", "/v1/meters/wrong", { name: "Wrong" }),
    ]);
    expect([changed, ...corrected].map(({ status }) => status)).toEqual([201, ...Array(50).fill(202), 200]);
    await backfilled("many");
    expect(await value("many")).toBe("0");
  });

  test("is amended, again and again, and measured as amended", async () => {
    for (const n of [8, 9]) {
      const answer = await call("POST", "/v1/events/amend", {
        source: "s",
        id: "w2",
        reason: "typo",
        change: { data: { n } },
      });
      expect(answer).toMatchObject({ status: 202, body: { action: "amended", revision: n - 7 } });
      await weir.settled();
      expect(await value("wrong")).toBe(String(n));
    }
    const resent = await send([{ id: "w2", type: "w", data: { n: 7 } }]);
    expect(resent.body).toMatchObject({ accepted: 0, duplicates: 1 });
    const { auditLog } = await weir.graphql<{ auditLog: unknown }>(
      "{ auditLog(first: 20) { edges { node { action target } } } }",
    );
    expect(JSON.stringify(auditLog)).toContain("event.amend");
  });
});

describe("an answer", () => {
  beforeAll(async () => {
    await call("POST", "/v1/meters", {
      slug: "windows",
      eventType: "win",
      aggregation: "SUM",
      valueProperty: "$.n",
      groupBy: { region: "$.region" },
    });
    const at = (text: string, n: number, region: string) => ({
      id: `win-${text}`,
      type: "win",
      time: text,
      data: { n, region },
    });
    const today = new Date(Math.floor(Date.now() / 86_400_000) * 86_400_000);
    const back = (ms: number) => new Date(today.getTime() - ms).toISOString();
    await send([at(back(1), 1, "=cmd"), at(back(3_600_000), 2, "eu"), at(back(86_400_000 * 3), 4, "us")]);
    await weir.settled();
  });

  test("comes as CSV that a spreadsheet does not run", async () => {
    const response = await weir.fetch("/v1/meters/windows/query?groupBy=region&format=csv");
    expect(response.headers.get("content-type")).toMatch(/^text\/csv/);
    const text = await response.text();
    expect(text.split("\r\n")[0]).toBe("window_start,window_end,subject,region,value");
    expect(text).toContain(",'=cmd,1");
  });

  test("comes as Parquet, exact", async () => {
    const response = await weir.fetch("/v1/meters/windows/query?groupBy=region&format=parquet");
    const bytes = Buffer.from(await response.arrayBuffer());
    expect(bytes.subarray(0, 4).toString()).toBe("PAR1");
    const again = await encodeParquet(weir.weir.services.columnar, "n Decimal(38, 18)", [{ n: "0.1" }]);
    expect(Buffer.from(again.subarray(-4)).toString()).toBe("PAR1");
  });

  test.each([
    ["windowTimeZone=Mars/Olympus", "windowTimeZone"],
    ["windowSize=FORTNIGHT", "windowSize"],
    ["from=yesterday", "from"],
    ["from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z", "to"],
    ["groupBy=planet", "groupBy"],
    ["filterGroupBy[planet]=x", "filterGroupBy"],
    ["windowSize=MINUTE&from=2020-01-01T00:00:00Z&to=2026-01-01T00:00:00Z", "windowSize"],
    ["top=0", "top"],
  ])("to %s is a refusal that names %s", async (search, field) => {
    const { status, body } = await call<{ field: string }>("GET", `/v1/meters/windows/query?${search}`);
    expect([status, body.field]).toEqual([400, field]);
  });

  test("streams: live usage comes at once and after a change", async () => {
    const query = 'subscription { usage(meter: "windows") { rows { value } } }';
    const response = await weir.fetch("/graphql", {
      method: "POST",
      headers: { accept: "text/event-stream", "content-type": "application/json" },
      body: JSON.stringify({ query }),
    });
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    let seen = "";
    const until = async (text: string) => {
      while (!seen.includes(text)) {
        const { value: chunk, done } = await reader.read();
        if (done) throw new Error(`ended after ${seen}`);
        seen += chunk;
      }
    };
    await until('"value":"7"');
    await send([{ id: "live", type: "win", data: { n: 100, region: "eu" } }]);
    await until('"value":"107"');
    await reader.cancel();
  });

  test("streams that clients leave are over, also while nothing happens", async () => {
    // Weir itself listens for whose usage arrived.
    const own = 1;
    const listeners = () => weir.weir.services.usage.stats().stream["listeners"];
    await expect.poll(listeners, { timeout: 120_000 }).toBe(own);
    const leave = new AbortController();
    const streams = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const response = await weir.fetch("/graphql", {
          method: "POST",
          headers: { accept: "text/event-stream", "content-type": "application/json" },
          body: JSON.stringify({ query: 'subscription { usage(meter: "windows") { rows { value } } }' }),
          signal: leave.signal,
        });
        const reader = response.body!.getReader();
        await reader.read();
        return reader;
      }),
    );
    expect(streams).toHaveLength(20);
    await expect.poll(listeners, { timeout: 120_000 }).toBe(own + 20);
    leave.abort();
    await expect.poll(listeners, { timeout: 120_000 }).toBe(own);
  });
});

test("instance files are private", async () => {
  expect((await readFile(path.join(weir.dir, "instance.json"), "utf8")).length).toBeGreaterThan(10);
});

test("a meter that prices need as it is does not become one they could not be charged by", async () => {
  const groupBy = [{ name: "region", property: "$.region" }];
  const calls = { slug: "priced", eventType: "p", aggregation: "SUM", valueProperty: "$.n", groupBy };
  expect((await call("POST", "/v1/meters", calls)).status).toBe(201);
  const prices = `[
    { key: "each", meter: "priced", model: { percentage: { ratePercent: "2", fixedAmount: "0.1" } } }
    { key: "west", meter: "priced", filters: { region: ["west"] }, model: { perUnit: { unitAmount: "1" } } }]`;
  const made = await call("POST", "/graphql", {
    query: `mutation { createPlan(key: "priced", name: "Priced", currency: "EUR", prices: ${prices}) { __typename ... on RefusalError { message } } }`,
  });
  expect(made.body).toEqual({ data: { createPlan: { __typename: "CreatePlanSuccess" } } });
  const change = (body: object) =>
    call<{ type: string; misfits?: string[] }>("PUT", "/v1/meters/priced", body);
  expect((await change({ aggregation: "MAX" })).body).toMatchObject({
    type: "https://weir.dev/problems/meter-is-priced",
    misfits: [expect.stringMatching(/^price "each" of "priced", version 1: it prices each event.*MAX/)],
  });
  expect((await change({ groupBy: [] })).body.misfits).toEqual([
    'price "west" of "priced", version 1: meter "priced" has no dimension "region"; it has none',
  ]);
  expect((await change({ aggregation: "COUNT" })).status).toBe(200);
  expect((await change({ name: "Priced calls" })).status).toBe(200);
});
