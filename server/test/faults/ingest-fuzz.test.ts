import net from "node:net";
import { gzipSync, deflateSync } from "node:zlib";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadZstd, type Zstd } from "../../src/http/zstd.js";
import { Decimal } from "../../src/kernel/decimal.js";
import { temporaryFolder } from "../support/temporary-folder.js";
import { startTestWeir, type TestWeir } from "../support/test-weir.js";
import { startWeirProcess, type WeirProcess } from "../support/weir-process.js";

const soak = process.env["WEIR_SOAK"] === "1";
const mebibyte = 1024 * 1024;
const body_bytes_max = 16 * mebibyte;
// Measured: nothing over what the warm-up had taken, and some 150 MiB where Weir runs in the test's own process.
const growth_bytes_max = 400 * mebibyte;

let zstd: Zstd;
const json = { "content-type": "application/json" };
const lines = { "content-type": "application/x-ndjson" };
const meter = { slug: "n", eventType: "t", aggregation: "SUM", valueProperty: "$.n" };
const event = (id: string, more: object = {}) => ({
  id,
  source: "s",
  type: "t",
  subject: "a",
  data: { n: 1 },
  ...more,
});

beforeAll(async () => {
  zstd = await loadZstd();
});

interface Answer {
  readonly status: number;
  readonly slug: string | undefined;
  readonly accepted: number;
}

/** Every answer of an ingest route is a receipt or a problem; nothing is Weir's own fault. */
function check(
  status: number,
  headers: { get(name: string): string | null },
  text: string,
  what: string,
): Answer {
  if (status === 204) {
    expect(text, what).toBe("");
    return { status, slug: undefined, accepted: Number(headers.get("weir-accepted")) };
  }
  const document = JSON.parse(text) as Record<string, unknown>;
  if (status === 202) {
    expect(document, what).toMatchObject({ accepted: expect.any(Number), duplicates: expect.any(Number) });
    return { status, slug: undefined, accepted: Number(document["accepted"]) };
  }
  expect(headers.get("content-type"), what).toBe("application/problem+json");
  expect(document, what).toMatchObject({
    status,
    type: expect.stringMatching(/^https:\/\/weir\.dev\/problems\/[a-z0-9-]+$/),
    title: expect.any(String),
    detail: expect.any(String),
  });
  const slug = String(document["type"]).split("/").at(-1);
  if (status === 503) expect(slug, `${what}: only load may be shed`).toBe("overloaded");
  else expect(status, `${what}: ${text.slice(0, 500)}`).toBeLessThan(500);
  return { status, slug, accepted: 0 };
}

describe("bodies that nobody should send", () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let weir: WeirProcess;
  let routes: string[];
  let stored = 0;
  let residentBefore = 0;

  beforeAll(async () => {
    folder = await temporaryFolder("fuzz");
    weir = await startWeirProcess(folder.dir, { WEIR_SEAL_AGE_MS: "50", WEIR_INSERT_INTERVAL_MS: "50" });
    await weir.fetch("/v1/meters", { method: "POST", body: JSON.stringify(meter) });
    const begun = await weir.fetch("/v1/imports", {
      method: "POST",
      body: JSON.stringify({ name: "fuzz", fingerprint: "f" }),
    });
    const { id } = (await begun.json()) as { id: string };
    routes = ["/v1/events", "/api/v1/events", `/v1/imports/${id}/events?firstRow=0&rows=1`];
    for (let n = 0; n < 20; n += 1) {
      const big = Array.from({ length: 5_000 }, (_, i) =>
        event(`warm${n}.${i}`, { data: { n: 0, pad: "x".repeat(500) } }),
      );
      await post("/v1/events", JSON.stringify(big), json);
    }
    residentBefore = await residentBytes();
  });
  afterAll(async () => {
    await weir.stop();
    await folder.remove();
  });

  async function residentBytes(): Promise<number> {
    const text = await (await weir.fetch("/metrics")).text();
    return Number(/^weir_process_resident_bytes (\d+)/m.exec(text)?.[1]);
  }

  async function post(
    route: string,
    body: string | Uint8Array,
    headers: Record<string, string>,
  ): Promise<Answer> {
    for (;;) {
      const response = await weir.fetch(route, { method: "POST", headers, body: body as string });
      const what = `${route} ${JSON.stringify(headers)} ${Buffer.from(body).subarray(0, 200).toString("latin1")}`;
      const answer = check(response.status, response.headers, await response.text(), what);
      stored += answer.accepted;
      if (answer.status !== 503) return answer;
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
  }

  const contentTypes = fc.constantFrom(
    "application/json",
    "application/cloudevents+json",
    "application/cloudevents-batch+json",
    "application/x-ndjson",
    "application/json; charset=utf-16",
    "text/plain",
    "",
    ";;;",
    "multipart/form-data; boundary=x",
    "application/x-www-form-urlencoded",
  );
  const encodings = fc.constantFrom(
    "",
    "identity",
    "gzip",
    "zstd",
    "deflate",
    "br",
    "gzip, gzip",
    "GZIP",
    "x",
  );
  const route = fc.nat(2);

  /** A good body of any format, compressed by any encoding, cut off or changed somewhere. */
  const mangled = fc
    .record({
      events: fc.nat(3),
      format: fc.constantFrom("json", "lines"),
      encoding: fc.constantFrom("", "gzip", "zstd", "deflate"),
      cut: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
      flips: fc.array(
        fc.tuple(fc.double({ min: 0, max: 0.999, noNaN: true }), fc.integer({ min: 1, max: 255 })),
        { maxLength: 3 },
      ),
      salt: fc.nat(),
    })
    .map(({ events, format, encoding, cut, flips, salt }) => {
      const list = Array.from({ length: events }, (_, n) => event(`m${salt}.${n}`, { data: { n: 0 } }));
      const text =
        format === "json" ? JSON.stringify(list) : list.map((each) => JSON.stringify(each)).join("\n");
      let bytes: Uint8Array = compress(Buffer.from(text), encoding);
      if (cut !== null) bytes = bytes.slice(0, Math.floor(bytes.length * cut));
      for (const [where, bits] of flips) {
        const at = Math.floor(bytes.length * where);
        if (at < bytes.length) bytes[at]! ^= bits;
      }
      const type = format === "json" ? "application/json" : "application/x-ndjson";
      return {
        bytes,
        headers: { "content-type": type, ...(encoding === "" ? {} : { "content-encoding": encoding }) },
      };
    });

  test("random bytes under any header are refused with a problem", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 300 }),
        contentTypes,
        encodings,
        route,
        async (bytes, type, encoding, which) => {
          await post(routes[which]!, bytes, { "content-type": type, "content-encoding": encoding });
        },
      ),
      { numRuns: soak ? 20_000 : 400 },
    );
  });

  test("good bodies cut off or changed anywhere are refused or taken, never half", async () => {
    await fc.assert(
      fc.asyncProperty(mangled, route, async ({ bytes, headers }, which) => {
        await post(routes[which]!, bytes, headers as Record<string, string>);
      }),
      { numRuns: soak ? 20_000 : 400 },
    );
  });

  test("any JSON value, as the body, as an event, and as every field of one", async () => {
    const fields = [
      "id",
      "source",
      "type",
      "subject",
      "time",
      "data",
      "specversion",
      "datacontenttype",
      "data_base64",
    ] as const;
    await fc.assert(
      fc.asyncProperty(
        fc.jsonValue({ noUnicodeString: false }),
        fc.constantFrom(...fields),
        route,
        async (value, field, which) => {
          await post(routes[which]!, JSON.stringify(value), json);
          await post(
            routes[which]!,
            JSON.stringify([event(`v${Math.random()}`, { data: { n: 0 }, [field]: value })]),
            json,
          );
        },
      ),
      { numRuns: soak ? 5_000 : 150 },
    );
  });

  const repeated = (text: string, times: number) => text.repeat(times);
  const nested = (open: string, close: string, depth: number) =>
    open.repeat(depth) + "1" + close.repeat(depth);
  const withData = (data: string) => `[{"id":"x","source":"s","type":"none","subject":"a","data":${data}}]`;
  const withId = (id: string) => `[{"id":${id},"source":"s","type":"none","subject":"a"}]`;
  const full = (count: number) => Array.from({ length: count }, (_, n) => event(`f${n}`, { type: "none" }));
  const monsters: [string, () => string | Uint8Array, Record<string, string>, (number | string)[]][] = [
    ["a list a million deep", () => nested("[", "]", 1_000_000), json, [400]],
    ["lists left open", () => repeated("[", 2_000_000), json, [400]],
    ["objects left open", () => repeated('{"a":', 1_000_000), json, [400]],
    ["data a million lists deep", () => withData(nested("[", "]", 1_000_000)), json, ["field-too-large"]],
    ["data 200,000 objects deep", () => withData(nested('{"a":', "}", 200_000)), json, ["field-too-large"]],
    [
      "deep data in lines",
      () => withData(nested("[", "]", 1_000_000)).slice(1, -1),
      lines,
      ["field-too-large"],
    ],
    [
      "deep data beside a surrogate",
      () => withData(nested('["\\ud83d\\ude00",', "]", 500_000)),
      json,
      ["field-too-large"],
    ],
    [
      "a string of 15 MiB as data",
      () => withData(`"${repeated("x", 15 * mebibyte)}"`),
      json,
      ["field-too-large"],
    ],
    [
      "a string of 15 MiB as id",
      () => withId(`"${repeated("x", 15 * mebibyte)}"`),
      json,
      ["field-too-large"],
    ],
    ["15 MiB of escapes", () => withId(`"${repeated("\\u0041", 2_500_000)}"`), json, ["field-too-large"]],
    [
      "a number of 10 million digits",
      () => withData(`{"n":${repeated("9", 10_000_000)}}`),
      json,
      ["unsafe-number"],
    ],
    [
      "a fraction of 10 million digits",
      () => withData(`{"n":0.${repeated("1", 10_000_000)}}`),
      json,
      ["unsafe-number"],
    ],
    [
      "a quoted number of 60,000 digits",
      () => withData(`{"n":"${repeated("9", 60_000)}"}`),
      json,
      [202, 204],
    ],
    [
      "an exponent of a million digits",
      () => withData(`{"n":1e${repeated("9", 1_000_000)}}`),
      json,
      ["unsafe-number"],
    ],
    ["1e400", () => withData('{"n":1e400}'), json, ["unsafe-number"]],
    [
      "a number beside one that loses digits, 300,000 times",
      () => `[${repeated("1,", 300_000)}12345678901234567890]`,
      json,
      [413],
    ],
    [
      "half a million members",
      () => withData(`{${Array.from({ length: 500_000 }, (_, n) => `"${n}":1`).join()}}`),
      json,
      ["field-too-large"],
    ],
    [
      "__proto__ and constructor",
      () => withData('{"__proto__":{"n":1},"constructor":{"prototype":1},"n":0}'),
      json,
      [202, 204],
    ],
    [
      "an event that is __proto__",
      () => '[{"__proto__":{"id":"x","source":"s","type":"t","subject":"a"}}]',
      json,
      [400],
    ],
    [
      "keys given twice",
      () => '[{"id":"p","id":"q","source":"s","type":"none","type":"none","subject":"a","data":1,"data":{}}]',
      json,
      [202, 204],
    ],
    [
      "invalid UTF-8",
      () => Buffer.concat([Buffer.from(withId('"')), Buffer.from([0xff, 0xfe, 0xc0, 0x80])]),
      json,
      ["body-not-utf8"],
    ],
    ["a surrogate in UTF-8", () => Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]), json, ["body-not-utf8"]],
    ["half a surrogate pair", () => withId('"\\ud800"'), json, ["invalid-text"]],
    ["half a pair in a key", () => withData('{"a":{"\\udfff":1}}'), json, ["invalid-text"]],
    ["halves in the wrong order", () => withId('"\\udc00\\ud800"'), json, ["invalid-text"]],
    [
      "NUL in every field",
      () =>
        '[{"id":"\\u0000","source":"\\u0000","type":"\\u0000","subject":"\\u0000","data":{"\\u0000":"\\u0000"}}]',
      json,
      ["invalid-text"],
    ],
    [
      "NUL in the data, as key and as value",
      () => JSON.stringify([event("nul", { type: "none", data: { "\0": "\0" } })]),
      json,
      [202, 204],
    ],
    [
      "a source of Weir's own",
      () => JSON.stringify([event("own", { source: "weir:correction:s" })]),
      json,
      ["invalid-event"],
    ],
    ["a NUL byte", () => "\0", json, [400]],
    ["16 bits a character", () => Buffer.from(JSON.stringify([event("u16")]), "utf16le"), json, [400]],
    [
      "a byte order mark",
      () => `\uFEFF${JSON.stringify([event("bom", { type: "none" })])}`,
      json,
      [202, 204],
    ],
    ["only white space", () => repeated(" \n\t\r", 3_000_000), json, ["body-empty"]],
    ["15 million empty lines", () => repeated("\n", 15_000_000), lines, ["body-empty"]],
    ["5 million lines that are no JSON", () => repeated("x\n", 5_000_000), lines, [413]],
    ["5 million lines of numbers", () => repeated("1\n", 5_000_000), lines, [413]],
    ["5 million elements", () => `[${repeated("1,", 5_000_000)}1]`, json, [413]],
    ["a million empty objects", () => `[${repeated("{},", 1_000_000)}{}]`, json, [413]],
    [
      "10,000 events with every fault",
      () => JSON.stringify(Array(10_000).fill({ data_base64: "", time: 1 })),
      json,
      [400],
    ],
    ["10,001 events", () => JSON.stringify(full(10_001)), json, ["too-many-events"]],
    ["10,000 events", () => JSON.stringify(full(10_000)), json, [202, 204]],
    ["16 MiB and a byte", () => Buffer.alloc(body_bytes_max + 1, 0x20), json, ["body-too-large"]],
    ["16 MiB", () => Buffer.alloc(body_bytes_max, 0x20), json, ["body-empty"]],
    ["a gzip of 1 GiB of zeros", gzipBomb, { ...json, "content-encoding": "gzip" }, ["body-too-large"]],
    [
      "a deflate of 64 MiB of zeros",
      () => deflateSync(Buffer.alloc(64 * mebibyte)),
      { ...json, "content-encoding": "deflate" },
      ["body-too-large"],
    ],
    [
      "a zstd of 1 GiB that says so",
      () => zstdBomb(1024 * mebibyte),
      { ...json, "content-encoding": "zstd" },
      ["body-too-large"],
    ],
    [
      "a zstd of 1 GiB that says 100 bytes",
      () => zstdBomb(100),
      { ...json, "content-encoding": "zstd" },
      [400, 413],
    ],
    [
      "a zstd of 1 GiB that says nothing",
      () => zstdBomb(undefined),
      { ...json, "content-encoding": "zstd" },
      ["body-too-large"],
    ],
    [
      "a zstd that says 2^63 bytes",
      () => zstdBomb(2n ** 63n),
      { ...json, "content-encoding": "zstd" },
      ["body-too-large"],
    ],
    [
      "a zstd that ends in its header",
      () => zstdBomb(2n ** 40n).subarray(0, 7),
      { ...json, "content-encoding": "zstd" },
      ["body-damaged"],
    ],
    [
      "a zstd that needs a dictionary",
      () => Buffer.from("28b52ffd2301020304" + "0100000000", "hex"),
      { ...json, "content-encoding": "zstd" },
      ["body-damaged"],
    ],
    [
      "a frame that zstd skips",
      () => Buffer.from("502a4d18040000000000000028b52ffd", "hex"),
      { ...json, "content-encoding": "zstd" },
      ["body-damaged"],
    ],
    ["an empty gzip", () => gzipSync(""), { ...json, "content-encoding": "gzip" }, ["body-empty"]],
    ["gzip within gzip", () => gzipSync(gzipSync("[]")), { ...json, "content-encoding": "gzip" }, [400]],
    [
      "a good gzip and then garbage",
      () =>
        Buffer.concat([gzipSync(JSON.stringify([event("gz", { type: "none" })])), Buffer.from("garbage")]),
      { ...json, "content-encoding": "gzip" },
      [202, 204, 400],
    ],
  ];

  test.each(monsters)("%s", { timeout: 120_000 }, async (_, make, headers, expected) => {
    const body = make();
    for (const each of routes) {
      const began = performance.now();
      const { status, slug } = await post(each, body, headers);
      expect(expected.includes(status) || expected.includes(slug ?? ""), `${status} ${slug}`).toBe(true);
      expect(performance.now() - began, `${each} takes too long`).toBeLessThan(10_000);
    }
  });

  test("eight bombs at once", async () => {
    const bomb = gzipBomb();
    const other = zstdBomb(undefined);
    await Promise.all(
      Array.from({ length: 8 }, (_, n) =>
        post(routes[n % 3]!, n % 2 === 0 ? bomb : other, {
          ...json,
          "content-encoding": n % 2 === 0 ? "gzip" : "zstd",
        }),
      ),
    );
  });

  /** Sends bytes as they are, then ends; resolves to everything that came back. */
  function raw(
    bytes: string | Uint8Array,
    options: { end?: boolean; waitMs?: number } = {},
  ): Promise<string> {
    const { port, hostname } = new URL(weir.url);
    return new Promise((resolve) => {
      let received = "";
      const socket = net.connect(Number(port), hostname, () => {
        socket.write(bytes);
        if (options.end === true) socket.end();
      });
      const timer = setTimeout(() => socket.destroy(), options.waitMs ?? 150);
      socket.on("data", (chunk: Buffer) => (received += chunk.toString("latin1")));
      socket.on("error", () => {});
      socket.on("close", () => {
        clearTimeout(timer);
        resolve(received);
      });
    });
  }

  const head = (which: string, headers: string) =>
    `POST ${which} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${weir.key}\r\ncontent-type: application/json\r\n${headers}\r\n\r\n`;
  const small = JSON.stringify([event("raw", { type: "none" })]);

  test("requests whose head lies get a problem or no answer", async () => {
    const sent: [string, (which: string) => string, { end?: boolean; waitMs?: number }][] = [
      ["too short a length", (which) => head(which, "content-length: 10") + small, {}],
      [
        "too long a length, then the end",
        (which) => head(which, "content-length: 100000") + small,
        { end: true },
      ],
      [
        "too long a length, then nothing",
        (which) => head(which, "content-length: 100000") + small,
        { waitMs: 150 },
      ],
      ["a length over the limit", (which) => head(which, `content-length: ${body_bytes_max + 1}`), {}],
      ["a length over everything", (which) => head(which, "content-length: 99999999999999999999999"), {}],
      ["a negative length", (which) => head(which, "content-length: -1") + small, {}],
      ["two lengths", (which) => head(which, "content-length: 5\r\ncontent-length: 6") + small, {}],
      [
        "a length and chunks",
        (which) => head(which, "content-length: 5\r\ntransfer-encoding: chunked") + small,
        {},
      ],
      ["a chunk that is none", (which) => head(which, "transfer-encoding: chunked") + "zz\r\n", {}],
      [
        "a chunk of 2^60",
        (which) => head(which, "transfer-encoding: chunked") + "fffffffffffffff\r\nx",
        { waitMs: 150 },
      ],
      ["a chunk cut off", (which) => head(which, "transfer-encoding: chunked") + "10\r\nabc", { end: true }],
      ["a coding that is none", (which) => head(which, "transfer-encoding: nonsense") + small, {}],
      ["a header of a megabyte", (which) => head(which, `x: ${"x".repeat(mebibyte)}`), {}],
      [
        "ten thousand headers",
        (which) => head(which, Array.from({ length: 10_000 }, (_, n) => `x${n}: 1`).join("\r\n")),
        {},
      ],
      [
        "an expectation nobody knows",
        (which) => head(which, "expect: miracles\r\ncontent-length: 2") + "[]",
        {},
      ],
      ["no HTTP at all", () => "\x16\x03\x01\x02\x00\x01\x00 hello\r\n\r\n", {}],
      ["a line of a megabyte", () => `POST /${"x".repeat(mebibyte)} HTTP/1.1\r\n\r\n`, {}],
      [
        "another version of HTTP",
        (which) => head(which, "content-length: 2").replace("HTTP/1.1", "HTTP/9.9") + "[]",
        {},
      ],
    ];
    for (const [what, make, options] of sent) {
      for (const which of routes) {
        const received = await raw(make(which), options);
        // What is left over after a request that said too little is a request of its own: the answers stand in a row.
        for (const answer of received.split(/(?=HTTP\/1\.1 \d{3} )/).filter((text) => text !== "")) {
          const [top = "", text = ""] = answer.split("\r\n\r\n", 2);
          const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(top)?.[1]);
          const type = /^content-type: (.*)$/im.exec(top)?.[1] ?? null;
          const accepted = /^weir-accepted: (.*)$/im.exec(top)?.[1] ?? "0";
          const headers = { get: (name: string) => (name === "content-type" ? type : accepted) };
          stored += check(status, headers, text, `${what}: ${answer.slice(0, 400)}`).accepted;
        }
      }
    }
  });

  test("a body over the limit in chunks is refused although it goes on", async () => {
    const { port, hostname } = new URL(weir.url);
    const chunk = Buffer.concat([
      Buffer.from("100000\r\n"),
      Buffer.alloc(mebibyte, 0x20),
      Buffer.from("\r\n"),
    ]);
    for (const which of routes) {
      let received = "";
      let sent = 0;
      await new Promise<void>((resolve) => {
        const socket = net.connect(Number(port), hostname, () => {
          socket.write(head(which, "transfer-encoding: chunked"));
          const more = () => {
            while (sent < 200 && socket.writable) {
              sent += 1;
              if (!socket.write(chunk)) return;
            }
            socket.end();
          };
          socket.on("drain", more);
          more();
        });
        socket.on("data", (bytes: Buffer) => (received += bytes.toString("latin1")));
        socket.on("error", () => {});
        socket.on("close", () => resolve());
      });
      expect(received).toMatch(/^HTTP\/1\.1 413 /);
      expect(received).toContain("problems/body-too-large");
    }
  });

  test("a hundred bodies that drip do not hold up anybody else", async () => {
    const { port, hostname } = new URL(weir.url);
    const dripping = Array.from({ length: 100 }, (_, n) => {
      const socket = net.connect(Number(port), hostname);
      socket.on("error", () => {});
      socket.write(head(routes[n % 3]!, "content-length: 1000000") + "[");
      const timer = setInterval(() => socket.write(" "), 50);
      return () => {
        clearInterval(timer);
        socket.destroy();
      };
    });
    for (let n = 0; n < 20; n += 1) {
      const began = performance.now();
      expect(
        (await post("/v1/events", JSON.stringify([event(`drip${n}`, { type: "none" })]), json)).status,
      ).toBe(202);
      expect(performance.now() - began).toBeLessThan(5_000);
    }
    for (const stop of dripping) stop();
  });

  test("after all this the process lives, has not grown, and counts good batches of every encoding exactly", async () => {
    expect(weir.child.exitCode).toBeNull();
    const before = await sum();
    for (const encoding of ["", "gzip", "deflate", "zstd"]) {
      const good = Array.from({ length: 1_000 }, (_, n) => event(`good ${encoding} ${n}`, { data: { n } }));
      const headers = { ...json, ...(encoding === "" ? {} : { "content-encoding": encoding }) };
      const answer = await post("/v1/events", compress(Buffer.from(JSON.stringify(good)), encoding), headers);
      expect(answer).toMatchObject({ status: 202, accepted: 1_000 });
    }
    await expect.poll(sum, { timeout: 120_000 }).toBe(before + 4 * 499_500);
    const grown = (await residentBytes()) - residentBefore;
    expect(grown, `grown by ${Math.round(grown / mebibyte)} MiB`).toBeLessThan(growth_bytes_max);
    const text = await (await weir.fetch("/metrics")).text();
    expect(text).toMatch(/weir_stream_quarantined\{[^}]*\} 0\n/);
    expect(weir.output()).not.toContain("a request failed");
    expect(stored).toBeGreaterThan(10_000);
  });

  async function sum(): Promise<number> {
    const { data } = (await (await weir.fetch("/v1/meters/n/query")).json()) as { data: { value: string }[] };
    return Number(data[0]?.value ?? 0);
  }
});

function compress(bytes: Buffer, encoding: string): Uint8Array {
  if (encoding === "gzip") return gzipSync(bytes);
  if (encoding === "deflate") return deflateSync(bytes);
  if (encoding === "zstd") return zstd.compress(bytes);
  return bytes;
}

/** 64 members of 16 MiB: a stream of 1 GiB in 1 MiB. */
function gzipBomb(): Uint8Array {
  const member = gzipSync(Buffer.alloc(16 * mebibyte));
  return Buffer.concat(Array<Buffer>(64).fill(member));
}

/** A zstd frame of 8,192 blocks, each one byte repeated 131,072 times, that declares any size. */
function zstdBomb(declared: number | bigint | undefined): Buffer {
  const head = Buffer.alloc(declared === undefined ? 6 : 14);
  head.writeUInt32LE(0xfd2fb528, 0);
  head[4] = declared === undefined ? 0 : 0xc0;
  head[5] = 0x50; // a window of 1 MiB
  if (declared !== undefined) head.writeBigUInt64LE(BigInt(declared), 6);
  const blocks = Buffer.alloc(8_192 * 4);
  for (let block = 0; block < 8_192; block += 1) {
    blocks.writeUIntLE((131_072 << 3) | (1 << 1) | (block === 8_191 ? 1 : 0), block * 4, 3);
    blocks[block * 4 + 3] = 0x20;
  }
  return Buffer.concat([head, blocks]);
}

describe("events that are odd but good", () => {
  let weir: TestWeir;
  const sent = new Map<string, SentEvent>();

  beforeAll(async () => {
    weir = await startTestWeir("odd");
    for (const each of [
      { ...meter, groupBy: { model: "$.model", proto: "$.__proto__", list: "$.list[0]" } },
      { slug: "users", eventType: "t", aggregation: "UNIQUE_COUNT", valueProperty: "$.user" },
      { slug: "count", eventType: "t", aggregation: "COUNT" },
    ]) {
      expect((await weir.fetch("/v1/meters", { method: "POST", body: JSON.stringify(each) })).status).toBe(
        201,
      );
    }
  });
  afterAll(() => weir.close());

  interface SentEvent {
    readonly id: string;
    readonly source: string;
    readonly type: string;
    readonly subject: string;
    readonly time?: string;
    readonly data?: unknown;
  }

  const holdsNul = ({ id, source, type, subject }: SentEvent) =>
    [id, source, type, subject].some((text) => text.includes("\0"));
  const nameOf = (each: { source: string; id: string }) => JSON.stringify([each.source, each.id]);
  const unicode = (maxLength: number) =>
    fc.oneof(
      {
        weight: 6,
        arbitrary: fc.string({ unit: "binary", minLength: 1, maxLength: Math.min(maxLength, 40) }),
      },
      {
        weight: 3,
        arbitrary: fc.string({ unit: "grapheme", minLength: 1, maxLength: Math.min(maxLength, 20) }),
      },
      {
        weight: 1,
        arbitrary: fc
          .tuple(
            fc.constantFrom("x", "é", "\u0000", "'", "\\", '"', "\n", "\u2028", "{", "%"),
            fc.integer({ min: 1, max: maxLength }),
          )
          .map(([text, times]) => text.repeat(times)),
      },
    );
  const digits = (length: number) =>
    fc.string({ unit: fc.constantFrom(...Array.from("0123456789")), minLength: 1, maxLength: length });
  const quantity = fc.oneof(
    fc.constantFrom<number | string>(
      0,
      -0,
      1,
      -1,
      1e15,
      -1e15,
      1e19,
      999999999999999,
      0.1,
      1e-7,
      5e-18,
      1e-18,
      123456.789012345,
      "99999999999999999999.999999999999999999",
      "-99999999999999999999.999999999999999999",
      "99999999999999999999",
      "0.000000000000000001",
      "-0.000000000000000001",
      "-0",
      "00000000000000000000.000000000000000000",
      "007",
      "1e19",
      "1E-18",
      "1.50",
      "-1.5e+3",
      "0e0",
    ),
    fc.integer({ min: -999_999_999_999_999, max: 999_999_999_999_999 }),
    fc
      .tuple(fc.boolean(), digits(20), digits(18))
      .map(([minus, whole, part]) => `${minus ? "-" : ""}${whole}.${part}`),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
  );
  const data = fc.oneof(
    fc
      .record(
        {
          n: quantity,
          model: fc.oneof(
            unicode(1_100),
            fc.integer(),
            fc.boolean(),
            fc.constant(null),
            fc.jsonValue({ maxDepth: 2 }),
          ),
          user: fc.oneof(unicode(1_000), fc.integer()),
          list: fc.array(fc.jsonValue({ maxDepth: 1 }), { maxLength: 3 }),
          text: fc.integer({ min: 0, max: 20_000 }).map((length) => "€".repeat(length)),
        },
        { requiredKeys: ["n"] },
      )
      .chain((fields) => fc.constantFrom(fields, { ...fields, ["__proto__"]: { n: 1 } })),
    fc.jsonValue({ maxDepth: 4 }),
    fc.constant(undefined),
  );
  const anEvent = fc.record(
    {
      id: unicode(512),
      source: unicode(1_024),
      type: fc.oneof({ weight: 5, arbitrary: fc.constant("t") }, { weight: 1, arbitrary: unicode(256) }),
      subject: unicode(512),
      time: fc
        .integer({ min: -34 * 86_400_000, max: 200_000 })
        .map((ms) => new Date(Date.now() + ms).toISOString().replace("Z", "123Z")),
      data,
    },
    { requiredKeys: ["id", "source", "type", "subject"] },
  );

  /** Sends events; drops those that are refused, by their index, and sends the rest. @returns what was accepted */
  async function sendAll(
    events: readonly SentEvent[],
    format: "json" | "lines",
    encoding: string,
  ): Promise<void> {
    const text =
      format === "json" ? JSON.stringify(events) : events.map((each) => JSON.stringify(each)).join("\n");
    const response = await weir.fetch("/v1/events", {
      method: "POST",
      headers: {
        ...(format === "json" ? json : lines),
        ...(encoding === "" ? {} : { "content-encoding": encoding }),
      },
      body: compress(Buffer.from(text), encoding) as Uint8Array<ArrayBuffer>,
    });
    const answer = await response.text();
    check(response.status, response.headers, answer, answer.slice(0, 1_000));
    const unkeepable = events.flatMap((each, index) => (holdsNul(each) ? [index] : []));
    if (response.status === 202) {
      expect(unkeepable, "PostgreSQL could not keep their names").toEqual([]);
      const receipt = JSON.parse(answer) as { accepted: number; conflicts?: { index: number }[] };
      const conflicting = new Set(receipt.conflicts?.map(({ index }) => index));
      let accepted = 0;
      events.forEach((each, index) => {
        if (conflicting.has(index) || sent.has(nameOf(each))) return;
        accepted += 1;
        sent.set(nameOf(each), each);
      });
      expect(receipt.accepted).toBe(accepted);
      return;
    }
    const { errors } = JSON.parse(answer) as { errors?: { index: number; code: string }[] };
    expect(errors, answer.slice(0, 1_000)).toBeDefined();
    for (const { index, code } of errors!) {
      if (code === "invalid-text") expect(unkeepable).toContain(index);
      else expect(["unsafe-number", "field-too-large"]).toContain(code);
    }
    const bad = new Set(errors!.map(({ index }) => index));
    const rest = events.filter((_, index) => !bad.has(index));
    expect(rest.length).toBeLessThan(events.length);
    if (rest.length > 0) await sendAll(rest, format, encoding);
  }

  test("each one that ingest accepts is inserted, once and unchanged, and its quantity counts exactly", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anEvent as fc.Arbitrary<SentEvent>, { minLength: 1, maxLength: 20 }),
        fc.constantFrom("json" as const, "lines" as const),
        fc.constantFrom("", "gzip", "zstd", "deflate"),
        sendAll,
      ),
      { numRuns: soak ? 5_000 : 200 },
    );
    await sendAll(
      Array.from({ length: 20 }, (_, n) => ({
        id: `${n + 10}${"\u{10FFFF}".repeat(255)}`,
        source: "\uFFFF".repeat(1_024),
        type: "t",
        subject: "\u0800".repeat(512),
        data: { n: "99999999999999999999.999999999999999999", pad: "\uFFFD".repeat(65_536 - 60) },
      })),
      "json",
      "",
    );
    await weir.settled();

    const { system } = weir.weir.services.columnar;
    const rows = await system.query(
      "all events",
      "SELECT hex(source) AS source, hex(id) AS id, hex(type) AS type, hex(subject) AS subject, hex(data) AS data FROM weir.usage_events",
      {},
      (row) =>
        Object.fromEntries(
          Object.entries(row).map(([name, hex]) => [name, Buffer.from(String(hex), "hex").toString("utf8")]),
        ) as Record<"source" | "id" | "type" | "subject" | "data", string>,
    );
    expect(rows).toHaveLength(sent.size);
    for (const row of rows) {
      const original = sent.get(nameOf(row));
      expect(original, `not sent: ${nameOf(row)}`).toBeDefined();
      const { type, subject, data: content } = original!;
      expect(row).toMatchObject({
        type,
        subject,
        data: content === undefined || content === null ? "" : JSON.stringify(content),
      });
    }
    expect(sent.size).toBeGreaterThan(soak ? 20_000 : 500);
    expect(weir.weir.services.usage.stats().stream).toMatchObject({ quarantined: 0, damaged: 0 });

    const listened = [...sent.values()].filter((each) => each.type === "t");
    const numbers = listened.flatMap((each) => {
      const n = (each.data as { n?: unknown } | null | undefined)?.n;
      if (typeof n !== "number" && typeof n !== "string") return [];
      if (each.data === null || typeof each.data !== "object" || !Object.hasOwn(each.data, "n")) return [];
      const number = Decimal.parse(String(n));
      return number === undefined ? [] : [number];
    });
    const ask = async (slug: string) => {
      const response = await weir.fetch(`/v1/meters/${slug}/query`);
      const answer = (await response.json()) as { data: { value: string }[] };
      return answer.data[0]?.value;
    };
    expect(await ask("n")).toBe(Decimal.sum(numbers).toString());
    expect(await ask("count")).toBe(String(listened.length));
  });

  test("a few events that many dimensions would multiply to gigabytes are refused, not a crash", async () => {
    const groupBy = Object.fromEntries(Array.from({ length: 32 }, (_, n) => [`d${n}`, "$.d"]));
    for (let n = 0; n < 10; n += 1) {
      const wide = { slug: `wide${n}`, eventType: "wide", aggregation: "COUNT", groupBy };
      expect((await weir.fetch("/v1/meters", { method: "POST", body: JSON.stringify(wide) })).status).toBe(
        201,
      );
    }
    const before = process.memoryUsage().rss;
    const events = Array.from({ length: 10_000 }, (_, n) => ({
      id: `w${n}`,
      source: "s",
      type: "wide",
      subject: "a",
      data: { d: "x".repeat(1_024) },
    }));
    const send = async (some: readonly object[]) => {
      const response = await weir.fetch("/v1/events", {
        method: "POST",
        headers: json,
        body: JSON.stringify(some),
      });
      const text = await response.text();
      return check(response.status, response.headers, text, text.slice(0, 500));
    };
    expect(await send(events)).toMatchObject({ status: 413, slug: "measurements-too-large" });
    expect(process.memoryUsage().rss - before).toBeLessThan(growth_bytes_max);
    // In smaller requests they are taken.
    expect(await send(events.slice(0, 50))).toMatchObject({ status: 202, accepted: 50 });
  });
});
