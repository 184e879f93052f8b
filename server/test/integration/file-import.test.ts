// Files that are uploaded whole, and that Weir takes in by itself.
import { readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadZstd } from "../../src/http/zstd.js";
import { FixedClock } from "../../src/kernel/clock.js";
import { day, type Instant } from "../../src/kernel/instant.js";
import { FileImports, ImportFolder } from "../../src/usage/file-imports/index.js";
import { startTestWeir, type TestWeir } from "../support/test-weir.js";

let weir: TestWeir;
const file_bytes_max = 8_000_000;

beforeAll(async () => {
  weir = await startTestWeir("file-import", {
    WEIR_IMPORT_BYTES_MAX: String(file_bytes_max),
    WEIR_IMPORT_FILES_MAX: "2",
    WEIR_IMPORT_FILES_BYTES_MAX: String(2 * file_bytes_max),
  });
  await ask("/v1/meters", {
    method: "POST",
    body: JSON.stringify({
      slug: "units",
      eventType: "old",
      aggregation: "SUM",
      valueProperty: "$.units",
      groupBy: { account: "$.account" },
    }),
  });
});
afterAll(() => weir?.close());

interface ImportAnswer {
  readonly id: string;
  readonly status: string;
  readonly rowsDone: number;
  readonly accepted: number;
  readonly duplicates: number;
  readonly conflicts: number;
  readonly rejected: number;
  readonly unmetered: number;
  readonly failure: string | null;
  readonly file: { readonly run: string; readonly bytes: number; readonly bytesDone: number } | null;
  readonly rejections: readonly { readonly line: number; readonly reason: string }[];
}

const csvMapping = { type: "old", time: "{time}", subject: "{account}", data: "units={units}" };

async function upload(
  name: string,
  body: BodyInit,
  { mapping = csvMapping, type = "text/csv", headers = {}, key = weir.key } = {} as {
    mapping?: Record<string, string>;
    type?: string;
    headers?: Record<string, string>;
    key?: string;
  },
): Promise<Response> {
  return ask(`/v1/imports?${new URLSearchParams({ name, ...mapping }).toString()}`, {
    method: "POST",
    key,
    headers: { "content-type": type, ...headers },
    body,
  });
}

/** A busy machine sheds load: then again. */
async function ask(...request: Parameters<TestWeir["fetch"]>): Promise<Response> {
  for (;;) {
    const answer = await weir.fetch(...request);
    if (answer.status !== 503) return answer;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

async function graphql<T>(query: string): Promise<T> {
  const body = JSON.stringify({ query });
  const headers = { "content-type": "application/json" };
  const answer = await ask("/graphql", { method: "POST", headers, body });
  const { data, errors } = (await answer.json()) as { data?: T; errors?: unknown };
  if (data === undefined || errors !== undefined) throw new Error(JSON.stringify(errors));
  return data;
}

async function imported(name: string, wished = ["completed", "failed", "canceled"]): Promise<ImportAnswer> {
  for (let attempt = 0; attempt < 400; attempt += 1) {
    const answer = (await (await ask(`/v1/imports/${name}`)).json()) as ImportAnswer;
    if (wished.includes(answer.status)) return answer;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${name} does not end`);
}

async function problem(response: Response): Promise<{ status: number; type: string; detail: string }> {
  return (await response.json()) as { status: number; type: string; detail: string };
}

async function unitsOf(subject: string): Promise<string | undefined> {
  await weir.settled();
  const answer = await ask(`/v1/meters/units/query?subject=${subject}&from=2020-01-01T00:00:00Z`);
  const { data } = (await answer.json()) as { data: { value: string }[] };
  return data[0]?.value;
}

const filesThere = async () => {
  const folders = await readdir(path.join(weir.dir, "imports")).catch(() => []);
  const all = await Promise.all(folders.map((name) => readdir(path.join(weir.dir, "imports", name))));
  return all.flat();
};

/** A CSV file of so many rows, the nth of n % 10 units; a note makes it large. */
const csvOf = (account: string, rows: number, note = "") =>
  `time,account,units,note\n${Array.from({ length: rows }, (_, n) => `2023-05-01 00:00:00,${account},${n % 10},${note}\n`).join("")}`;

/** Of three pieces. */
const long_rows = 14_000;
const longCsvOf = (account: string) => csvOf(account, long_rows, "x".repeat(400));

describe("a file", () => {
  test("is taken in, once however often it is sent, and deleted", async () => {
    const body = csvOf("once", 5_000);
    const answer = await upload("once.csv", body);
    expect(answer.status).toBe(202);
    const begun = (await answer.json()) as ImportAnswer;
    expect(begun).toMatchObject({ status: "running", file: { bytes: body.length } });
    const done = await imported("once.csv");
    expect(done).toMatchObject({
      id: begun.id,
      status: "completed",
      rowsDone: 5_000,
      accepted: 5_000,
      duplicates: 0,
      rejected: 0,
      file: { bytes: body.length, bytesDone: body.length },
      rejections: [],
    });
    expect(await unitsOf("once")).toBe("22500");
    expect(await filesThere()).toEqual([]);
    const again = await upload("once.csv", body);
    expect(await again.json()).toMatchObject({ id: begun.id, status: "completed", accepted: 5_000 });
    const renamed = await upload("twice.csv", body, { mapping: { ...csvMapping, file: "once.csv" } });
    expect(renamed.status).toBe(202);
    expect(await imported("twice.csv")).toMatchObject({ accepted: 0, duplicates: 5_000 });
    expect(await unitsOf("once")).toBe("22500");
    const other = await upload("once.csv", `${body}2023-05-01 00:00:00,once,1,\n`);
    expect(await problem(other)).toMatchObject({
      status: 409,
      type: expect.stringContaining("import-differs"),
    });
  });

  test("comes in gzip, zstd and as NDJSON, and becomes the same events", async () => {
    const body = csvOf("packed", 3_000);
    await upload("packed.csv", gzipSync(body), { headers: { "content-encoding": "gzip" } });
    expect(await imported("packed.csv")).toMatchObject({ accepted: 3_000, rejected: 0 });
    const packed = (await loadZstd()).compress(Buffer.from(body));
    await upload("packed.zst", new Uint8Array(packed), {
      mapping: { ...csvMapping, file: "packed.csv" },
      headers: { "content-encoding": "zstd" },
    });
    expect(await imported("packed.zst")).toMatchObject({ accepted: 0, duplicates: 3_000 });
    const lines = Array.from(
      { length: 3_000 },
      (_, n) =>
        `{"id":"packed.csv/${n}","source":"import/packed.csv","subject":"packed","time":"2023-05-01T00:00:00Z","data":{"units":${n % 10}}}`,
    );
    await upload("packed.ndjson", lines.join("\n"), {
      mapping: { type: "old" },
      type: "application/x-ndjson",
    });
    expect(await imported("packed.ndjson")).toMatchObject({ accepted: 0, duplicates: 3_000, conflicts: 0 });
    expect(await unitsOf("packed")).toBe("13500");
  });

  test("has its bad lines named, and the good ones taken", async () => {
    const body = [
      "time,account,units",
      "2023-05-01 00:00:00,lines,1",
      "soon,lines,1",
      "2023-05-01 00:00:00,lines",
      `2023-05-01 00:00:00,${"x".repeat(600)},1`,
      '2023-05-01 00:00:00,"lines",2',
      "",
      "9999-05-01 00:00:00,lines,1",
      "2023-05-01 00:00:00,lines,many",
    ].join("\r\n");
    await upload("lines.csv", body);
    const done = await imported("lines.csv");
    expect(done).toMatchObject({ status: "completed", rowsDone: 7, accepted: 3, rejected: 4, unmetered: 1 });
    expect(done.rejections.map(({ line, reason }) => `${line}: ${reason.slice(0, 40)}`)).toEqual([
      '3: "soon" is not a time such as 2026-01-31T',
      "4: it has 2 cells, and the first line names",
      "5: subject has 600 characters, at most 512 ",
      "8: too far ahead of the organization's cloc",
    ]);
    expect(await unitsOf("lines")).toBe("3");
    const conflict = await upload("conflict.csv", body.replace('lines",2', 'lines",3'), {
      mapping: { ...csvMapping, file: "lines.csv" },
    });
    expect(conflict.status).toBe(202);
    const second = await imported("conflict.csv");
    expect(second).toMatchObject({ accepted: 0, duplicates: 2, conflicts: 1, rejected: 4 });
    expect(second.rejections.find(({ line }) => line === 6)?.reason).toContain("other content");
    const numbers = [
      '{"id":"a","subject":"n","time":"2023-05-01T00:00:00Z","data":{"units":0.12345678901234567}}',
      '{"id":"b","subject":"n","time":"2023-05-01T00:00:00Z","data":{"units":"\\ud800"}}',
      "not json",
      '{"id":"c","subject":"n","time":"2023-05-01T00:00:00Z","data":{"units":7}}',
    ];
    await upload("n.ndjson", numbers.join("\n"), { mapping: { type: "old" }, type: "application/jsonl" });
    const third = await imported("n.ndjson");
    expect(third).toMatchObject({ accepted: 1, rejected: 3 });
    expect(third.rejections.map(({ line }) => line)).toEqual([1, 2, 3]);
  });

  test("lists at most 200 bad lines and counts them all", async () => {
    const body = `time,account,units\n${"soon,a,1\n".repeat(5_000)}2023-05-01 00:00:00,many-bad,4\n`;
    await upload("many-bad.csv", body);
    const done = await imported("many-bad.csv");
    expect(done).toMatchObject({ accepted: 1, rejected: 5_000 });
    expect(done.rejections).toHaveLength(200);
  });

  test("whose quotes cannot be followed fails at its line, with what came before taken", async () => {
    await upload("open.csv", `${csvOf("open", 5)}2023-05-01 00:00:00,open,"9\n${"x,y,1,\n".repeat(10)}`);
    const failed = await imported("open.csv");
    expect(failed).toMatchObject({ status: "failed", accepted: 5, failure: expect.stringMatching(/quote/i) });
    expect(await unitsOf("open")).toBe("10");
    expect(await filesThere()).toEqual([]);
  });

  test("is audited as it begins and ends", async () => {
    const { auditLog } = await graphql<{ auditLog: { nodes: { action: string; actor: string }[] } }>(
      `{ auditLog(first: 5, target: "${(await imported("once.csv")).id}") { nodes { action actor } } }`,
    );
    expect(auditLog.nodes).toEqual([
      { action: "import.complete", actor: "system" },
      { action: "import.start", actor: expect.stringMatching(/^key_/) },
    ]);
  });
});

describe("a file is refused", () => {
  test("over the limit, told or found, whatever it is packed in", async () => {
    const before = await filesThere();
    const large = csvOf("large", file_bytes_max / 25);
    expect(large.length).toBeGreaterThan(file_bytes_max);
    for (const [body, headers] of [
      [large, {}],
      [gzipSync(large), { "content-encoding": "gzip" }],
    ] as const) {
      const refused = await upload("large.csv", body, { headers });
      expect(await problem(refused)).toMatchObject({
        status: 413,
        type: expect.stringContaining("import-too-large"),
        limit: file_bytes_max,
      });
    }
    const zeros = (await loadZstd()).compress(Buffer.alloc(20 * 1024 * 1024, "a"));
    const bomb = await upload("bomb.csv", new Uint8Array(zeros), { headers: { "content-encoding": "zstd" } });
    expect(bomb.status).toBe(413);
    expect(await filesThere()).toEqual(before);
    expect((await ask("/v1/imports/large.csv")).status).toBe(404);
  });

  test.each([
    ["without a name", "", csvMapping, "a,b\n", {}, "invalid-import"],
    ["with an unknown parameter", "x.csv", { ...csvMapping, delimiter: ";" }, "a,b\n", {}, "invalid-import"],
    [
      "with a column that is not there",
      "x.csv",
      { ...csvMapping, time: "{t}" },
      csvOf("a", 1),
      {},
      "invalid-import",
    ],
    ["without a type", "x.csv", { time: "{time}", subject: "a" }, csvOf("a", 1), {}, "invalid-import"],
    ["when it is empty", "x.csv", csvMapping, "", {}, "invalid-import"],
    ["when it is not UTF-8", "x.csv", csvMapping, Buffer.from([0x61, 0x2c, 0xff, 0x0a]), {}, "body-not-utf8"],
    [
      "when it is cut within a character",
      "x.csv",
      csvMapping,
      Buffer.from([0x61, 0xe2, 0x82]),
      {},
      "body-not-utf8",
    ],
    [
      "when it is not what it says",
      "x.csv",
      csvMapping,
      "plain",
      { "content-encoding": "gzip" },
      "body-damaged",
    ],
    [
      "cut off",
      "x.csv",
      csvMapping,
      gzipSync(csvOf("a", 1000)).subarray(0, 80),
      { "content-encoding": "gzip" },
      "body-damaged",
    ],
    [
      "in an unknown encoding",
      "x.csv",
      csvMapping,
      "a",
      { "content-encoding": "br" },
      "unsupported-encoding",
    ],
  ] as const)("%s", async (_why, name, mapping, body, headers, slug) => {
    const refused = await upload(name, body as BodyInit, { mapping, headers });
    const told = await problem(refused);
    expect([told.type.split("/").at(-1), told.status < 500]).toEqual([slug, true]);
    expect(await filesThere()).toEqual([]);
  });

  test("with a key that may not write", async () => {
    const { createApiKey } = await graphql<{ createApiKey: { data: { secret: string } } }>(
      'mutation { createApiKey(kind: ingest, name: "i") { ... on CreateApiKeySuccess { data { secret } } } }',
    );
    expect((await upload("k.csv", csvOf("k", 1), { key: createApiKey.data.secret })).status).toBe(403);
    expect((await upload("k.csv", csvOf("k", 1), { key: "wrong" })).status).toBe(401);
    expect(await filesThere()).toEqual([]);
  });
});

describe("a run of a file", () => {
  const cancel = async (run: string) => {
    const { cancelRun } = await graphql<{ cancelRun: { __typename: string } }>(
      `mutation { cancelRun(id: "${run}") { __typename } }`,
    );
    return cancelRun.__typename;
  };

  /** Uploads a file that takes a while, and cancels its run once it has begun, while it is at work. */
  async function uploadAndCancel(name: string): Promise<ImportAnswer> {
    const answer = await upload(name, longCsvOf(name));
    expect(answer.status).toBe(202);
    const { file } = (await answer.json()) as ImportAnswer;
    for (;;) {
      const { rowsDone } = await imported(name, ["running"]);
      if (rowsDone > 0) break;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(await cancel(file?.run ?? "")).toBe("CancelRunSuccess");
    return imported(name, ["canceled"]);
  }

  test("that is canceled stops, keeps its file for a retry, and then counts everything once", async () => {
    const canceled = await uploadAndCancel("stopped");
    expect(canceled.rowsDone).toBeLessThan(long_rows);
    expect(await filesThere()).toEqual([canceled.id]);
    const { import: shown, imports } = await graphql<{
      import: { status: string; file: { run: string } };
      imports: { nodes: { name: string; status: string }[] };
    }>(`
      {
        import(idOrName: "stopped") {
          status
          rejections {
            line
          }
          file {
            run
            bytes
            bytesDone
          }
        }
        imports(first: 1) {
          nodes {
            name
            status
          }
        }
      }
    `);
    expect(shown.status).toBe("canceled");
    expect(imports.nodes).toEqual([{ name: "stopped", status: "canceled" }]);
    await graphql(`mutation { retryRun(id: "${shown.file.run}") { __typename } }`);
    const done = await imported("stopped", ["completed"]);
    expect(done).toMatchObject({ rowsDone: long_rows, rejected: 0 });
    expect(done.accepted + done.duplicates).toBe(long_rows);
    expect(await unitsOf("stopped")).toBe(String(4.5 * long_rows));
    expect(await filesThere()).toEqual([]);
  }, 15_000);

  test("makes room for another file when it was canceled, not while it is at work", async () => {
    const first = await uploadAndCancel("first");
    const second = await uploadAndCancel("second");
    expect((await filesThere()).sort()).toEqual([first.id, second.id].sort());
    expect((await upload("third", csvOf("third", 1))).status).toBe(202);
    expect(await imported("third")).toMatchObject({ accepted: 1 });
    expect(await filesThere()).toEqual([second.id]);
    await graphql(`mutation { retryRun(id: "${first.file?.run}") { __typename } }`);
    const gone = await graphql<{ auditLog: { nodes: { action: string }[] } }>(
      `{ auditLog(first: 1, target: "${first.id}") { nodes { action } } }`,
    );
    expect(gone.auditLog.nodes).toEqual([{ action: "import.cancel" }]);
    expect(await imported("first")).toMatchObject({ status: "canceled" });
  }, 15_000);

  test("at work fills its place: one file more is refused until there is room", async () => {
    const begun = await Promise.all(["a", "b", "c"].map((name) => upload(`busy-${name}`, longCsvOf("busy"))));
    const statuses = begun.map(({ status }) => status);
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThan(0);
    const refused = begun.find(({ status }) => status === 429);
    expect(refused?.headers.get("retry-after")).toBe("30");
    for (const [index, status] of statuses.entries())
      if (status === 202) await imported(`busy-${["a", "b", "c"][index]}`);
  }, 15_000);

  test("that was canceled a week ago loses its file, and one that no import has is deleted", async () => {
    const canceled = await uploadAndCancel("week");
    const { services } = weir.weir;
    const [organization = ""] = await readdir(path.join(weir.dir, "imports"));
    await writeFile(path.join(weir.dir, "imports", organization, "imp_orphan"), "a");
    const { writer } = JSON.parse(await readFile(path.join(weir.dir, "instance.json"), "utf8")) as {
      writer: string;
    };
    const { imports: limits, stream } = services.config;
    const clock = new FixedClock((services.clock.now() + 6 * day) as Instant);
    const imports = new FileImports({
      ...services,
      ...services.usage,
      writer,
      clock,
      limits,
      folder: new ImportFolder({ dir: path.join(weir.dir, "imports"), ...limits, ...stream }),
    });
    await imports.sweep();
    expect(await filesThere()).toContain(canceled.id);
    expect(await filesThere()).not.toContain("imp_orphan");
    clock.set((clock.now() + 2 * day) as Instant);
    await imports.sweep();
    expect(await filesThere()).not.toContain(canceled.id);
    expect(await imported("week")).toMatchObject({ status: "canceled", rowsDone: canceled.rowsDone });
  }, 120_000);
});
