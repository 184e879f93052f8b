import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { temporaryFolder } from "../support/temporary-folder.js";
import { startTestWeir, type TestWeir } from "../support/test-weir.js";

// A whole Weir by CLICKHOUSE_URL: @clickhouse/client's HTTP, with ClickHouse's real engine behind a small front of ours.
// What a server adds (users, quotas, clusters) is not tested.
const front = fileURLToPath(new URL("../support/clickhouse-http.mjs", import.meta.url));
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let child: ChildProcess;
let weir: TestWeir;

beforeAll(async () => {
  folder = await temporaryFolder("clickhouse-url");
  // chDB keeps the schemas that it gets as text in its working directory.
  const work = path.join(folder.dir, "work");
  await mkdir(work);
  child = spawn(process.execPath, [front, path.join(folder.dir, "data")], {
    cwd: work,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [port] = (await once(child.stdout!, "data")) as [Buffer];
  weir = await startTestWeir("clickhouse-url", {
    CLICKHOUSE_URL: `http://127.0.0.1:${Number(port.toString())}`,
  });
});
afterAll(async () => {
  await weir.close();
  child.kill("SIGTERM");
  await once(child, "exit");
  await folder.remove();
});

const call = async (method: string, pathname: string, body?: unknown) => {
  const response = await weir.fetch(pathname, {
    method,
    headers: { "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};

test("events are inserted, counted, corrected and found again over ClickHouse's HTTP; no chDB is opened here", async () => {
  expect(weir.weir.services.columnar.kind).toBe("server");
  const text = `it's "quoted" \\ \t\n 😀 & ? % +`;
  const meter = {
    slug: "n",
    eventType: "t",
    aggregation: "SUM",
    valueProperty: "$.n",
    groupBy: { text: "$.text" },
  };
  expect((await call("POST", "/v1/meters", meter)).status).toBe(201);
  const events = Array.from({ length: 500 }, (_, n) => ({
    id: `${n} ${text}`,
    source: "s",
    type: "t",
    subject: n % 2 === 0 ? text : "other",
    data: { n: "0.000000000000000001", text },
  }));
  expect(await call("POST", "/v1/events", events)).toMatchObject({ body: { accepted: 500, unmetered: 0 } });
  await weir.settled();
  const query = async (search: string) =>
    (await call("GET", `/v1/meters/n/query?${search}`)).body["data"] as { value: string }[];
  expect(await query("")).toMatchObject([{ value: "0.0000000000000005" }]);
  // Values go into the URL as parameters: whatever they hold, they stay values.
  const odd = encodeURIComponent(text);
  expect(
    await query(`subject=${odd}&groupBy=text&groupBy=subject&top=1&filterGroupBy[text]=${odd}`),
  ).toMatchObject([{ value: "0.00000000000000025", subject: text, groupBy: { text } }]);
  const target = { source: "s", id: events[0]!.id, reason: text };
  expect((await call("POST", "/v1/events/void", target)).status).toBe(202);
  await weir.settled();
  expect(await query("")).toMatchObject([{ value: "0.000000000000000499" }]);
  expect(await call("POST", "/v1/events", events)).toMatchObject({ body: { accepted: 0, duplicates: 500 } });
  expect(await readdir(path.join(weir.dir))).not.toContain("clickhouse");
});

test("a new meter is measured over history, and an error of the server's has its name", async () => {
  await call("POST", "/v1/meters", { slug: "count", eventType: "t", aggregation: "COUNT" });
  await expect
    .poll(async () => (await call("GET", "/v1/meters/count/query")).body["data"], {
      timeout: 120_000,
      interval: 200,
    })
    .toMatchObject([{ value: "499" }]);
  const { system } = weir.weir.services.columnar;
  await expect(system.query("wrong", "SELECT * FROM weir.nothing", {}, (row) => row)).rejects.toMatchObject({
    name: "ColumnarUnavailable", // the writer's: a missing table is mended by a person, the batch waits
    message: expect.stringContaining("nothing"),
  });
});

test("a server that is away is an outage: events are kept and inserted when it answers again", async () => {
  child.kill("SIGSTOP");
  const sent = call("POST", "/v1/events", [
    { id: "late", source: "s", type: "t", subject: "late", data: { n: 1 } },
  ]);
  expect(await sent).toMatchObject({ status: 202, body: { accepted: 1 } });
  child.kill("SIGCONT");
  await weir.settled();
  const { body } = await call("GET", "/v1/meters/n/query?subject=late");
  expect(body["data"]).toMatchObject([{ value: "1" }]);
});
