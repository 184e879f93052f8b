import { createRequire } from "node:module";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestWeir, type TestWeir } from "../support/test-weir.js";

let weir: TestWeir;

beforeAll(async () => {
  weir = await startTestWeir("ingest", { WEIR_EVENTS_PER_SECOND_MAX: "2000" });
  const meter = { slug: "n", eventType: "t", aggregation: "SUM", valueProperty: "$.n" };
  expect((await weir.fetch("/v1/meters", { method: "POST", body: JSON.stringify(meter) })).status).toBe(201);
});

afterAll(() => weir.close());

const event = (id: string, n: unknown = 1, more: object = {}) => ({
  specversion: "1.0",
  id,
  source: "s",
  type: "t",
  subject: "acme",
  data: { n },
  ...more,
});

async function send(
  body: unknown,
  contentType = "application/json",
  headers: Record<string, string> = {},
  key?: string,
) {
  const text = typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body);
  const response = await weir.fetch("/v1/events", {
    method: "POST",
    headers: { "content-type": contentType, ...headers },
    body: text as string,
    ...(key === undefined ? {} : { key }),
  });
  const answer = (await response.json()) as Record<string, unknown>;
  return {
    status: response.status,
    answer,
    slug: (typeof answer["type"] === "string" ? answer["type"] : "").split("/").at(-1),
    headers: response.headers,
  };
}

describe("events are taken in", () => {
  test.each([
    ["one CloudEvent", "application/cloudevents+json", JSON.stringify(event("f1"))],
    ["a batch", "application/cloudevents-batch+json; charset=utf-8", JSON.stringify([event("f2")])],
    ["a plain array", "application/json", JSON.stringify([event("f3", 1, { specversion: undefined })])],
    ["lines", "application/x-ndjson", `${JSON.stringify(event("f4"))}\n`],
  ])("as %s", async (_, contentType, body) => {
    expect(await send(body, contentType)).toMatchObject({
      status: 202,
      answer: { accepted: 1, duplicates: 0, conflicting: 0, unmetered: 0 },
    });
  });

  test("compressed by gzip and zstd", async () => {
    const zstd = createRequire(import.meta.url)("@bokuweb/zstd-wasm") as {
      init(): Promise<void>;
      compress(bytes: Uint8Array): Uint8Array;
    };
    await zstd.init();
    const gzipped = gzipSync(JSON.stringify([event("z1")]));
    expect(await send(gzipped, "application/json", { "content-encoding": "gzip" })).toMatchObject({
      status: 202,
    });
    const zstded = zstd.compress(Buffer.from(JSON.stringify([event("z2")])));
    expect(await send(zstded, "application/json", { "content-encoding": "zstd" })).toMatchObject({
      status: 202,
    });
  });

  test("once: a duplicate is counted, a conflict is named, within a request and across", async () => {
    const first = await send([event("d1"), event("d1"), event("d1", 2)]);
    expect(first.answer).toMatchObject({
      accepted: 1,
      duplicates: 1,
      conflicting: 1,
      conflicts: [{ index: 2, source: "s", id: "d1" }],
    });
    const again = await send([
      event("d1", 1, { time: new Date(Date.now() - 86_400_000).toISOString() }),
      event("d1", 1, { subject: "x" }),
    ]);
    expect(again.answer).toMatchObject({ accepted: 0, duplicates: 1, conflicting: 1 });
  });

  test("with the same data in another order of keys as a duplicate", async () => {
    await send([event("k1", 1, { data: { n: 1, a: { x: 1, y: 2 } } })]);
    const again = await send([event("k1", 1, { data: { a: { y: 2, x: 1 }, n: 1 } })]);
    expect(again.answer).toMatchObject({ duplicates: 1, conflicting: 0 });
  });

  test("and what no meter could measure is counted by index, never silent", async () => {
    const { answer } = await send([
      event("u1"),
      event("u2", "NaN"),
      event("u3", 1, { type: "other" }),
      event("u4", 1, { data: undefined }),
    ]);
    expect(answer).toMatchObject({ accepted: 4, unmetered: 3 });
    expect((answer["unmeteredEvents"] as { index: number }[]).map((each) => each.index)).toEqual([1, 2, 3]);
  });

  test("as OpenMeter answers: 204, counts in headers", async () => {
    const response = await weir.fetch("/api/v1/events", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify([event("o1"), event("o1")]),
    });
    expect([
      response.status,
      response.headers.get("weir-accepted"),
      response.headers.get("weir-duplicates"),
    ]).toEqual([204, "1", "1"]);
  });
});

describe("a request is refused whole", () => {
  test("listing every bad event by index", async () => {
    const refused = await send([event("r1"), event("r2", 1, { subject: 7 }), event("r3"), { id: 1 }]);
    expect(refused.status).toBe(400);
    const errors = refused.answer["errors"] as { index: number; field: string }[];
    expect(new Set(errors.map((error) => error.index))).toEqual(new Set([1, 3]));
    expect(await send([event("r1"), event("r3")])).toMatchObject({ answer: { accepted: 2 } });
  });

  const iso = (ms: number) => new Date(Date.now() + ms).toISOString();
  test.each([
    ["event-too-old", 400, [event("b1", 1, { time: iso(-36 * 86_400_000) })]],
    ["event-too-far-ahead", 400, [event("b2", 1, { time: iso(600_000) })]],
    [
      "unsafe-number",
      400,
      `[{"id":"b3","source":"s","type":"t","subject":"a","data":{"n":12345678901234567}}]`,
    ],
    ["unsafe-number", 400, [event("b4", "0.1234567890123456789")]],
    ["field-too-large", 400, [event("b".repeat(600))]],
    ["field-too-large", 400, [event("b5", 1, { data: { text: "x".repeat(70_000) } })]],
    ["invalid-event", 400, [event("b6", 1, { time: "now" })]],
    ["invalid-text", 400, [event("b\0")]],
    ["invalid-text", 400, [event("b7", 1, { source: "s\0" })]],
    ["invalid-text", 400, [event("b8", 1, { type: "\0" })]],
    ["invalid-text", 400, [event("b9", 1, { subject: "a\0b" })]],
    ["invalid-event", 400, [event("b10", 1, { source: "weir:correction:s" })]],
    ["too-many-events", 413, Array.from({ length: 10_001 }, (_, index) => event(`m${index}`))],
    ["body-not-json", 400, "{"],
    ["body-empty", 400, ""],
  ])("as %s", async (slug, status, body) => {
    expect(await send(body)).toMatchObject({ status, slug });
  });

  test("for what its headers say", async () => {
    expect(await send("<x/>", "text/xml")).toMatchObject({ status: 415, slug: "unsupported-content-type" });
    expect(await send("x", "application/json", { "content-encoding": "br" })).toMatchObject({
      status: 415,
      slug: "unsupported-encoding",
    });
    expect(await send("x", "application/json", { "content-encoding": "gzip" })).toMatchObject({
      status: 400,
      slug: "body-damaged",
    });
    const bomb = gzipSync(Buffer.alloc(17 * 1024 * 1024));
    expect(await send(bomb, "application/json", { "content-encoding": "gzip" })).toMatchObject({
      status: 413,
      slug: "body-too-large",
    });
  });

  test("without the right key", async () => {
    expect(await send([event("k")], "application/json", {}, "weir_secret_nonsense")).toMatchObject({
      status: 401,
      slug: "unauthenticated",
    });
    const { caller, secret } = await weir.weir.services.identity.issueSystemKey(
      (await weir.weir.services.identity.findOrganizationBySlug("default"))!.id,
      { name: "reader", kind: "read" },
    );
    expect(caller.kind).toBe("read");
    const refused = await send([event("k")], "application/json", {}, secret);
    expect(refused.status).toBe(403);
  });

  test("over the rate limit, with the time to wait", async () => {
    let refused: Awaited<ReturnType<typeof send>> | undefined;
    for (let request = 0; request < 20 && refused === undefined; request += 1) {
      const answer = await send(Array.from({ length: 1_500 }, (_, index) => event(`l${index}`)));
      // On a busy machine the process may shed load first.
      if (answer.status !== 202 && answer.slug !== "overloaded") refused = answer;
    }
    expect(refused).toMatchObject({ status: 429, slug: "rate-limited" });
    expect(Number(refused?.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
  });
});

test("Kelvin sign and emoji in every field come back as they were sent", async () => {
  await new Promise((resolve) => setTimeout(resolve, 2500));
  const text = "K😀é end";
  const withNul = `${text}\0`; // which data may have, as every JSON text, and names may not
  const response = await send([
    event(`id ${text}`, 1, { subject: text, source: text, data: { n: 1, text: withNul } }),
  ]);
  expect(response).toMatchObject({ status: 202 });
  await weir.settled();
  const listed = (await (
    await weir.fetch(`/v1/events?limit=1&subject=${encodeURIComponent(text)}`)
  ).json()) as { events: { id: string; data: { text: string } }[] };
  expect(listed.events).toMatchObject([{ id: `id ${text}`, source: text, data: { text: withNul } }]);
});
