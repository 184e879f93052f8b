// Small requests to the event routes are answered ahead of Fastify. Nobody may see a difference.
import { connect } from "node:net";
import { once } from "node:events";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestWeir, type TestWeir } from "../support/test-weir.js";

let weir: TestWeir;
let ingestKey: string;
let readKey: string;

beforeAll(async () => {
  weir = await startTestWeir("direct-route");
  const create = async (kind: string) => {
    const { createApiKey } = await weir.graphql<{ createApiKey: { data: { secret: string } } }>(
      `mutation { createApiKey(kind: ${kind}, name: "${kind}") { ... on CreateApiKeySuccess { data { secret } } } }`,
    );
    return createApiKey.data.secret;
  };
  [ingestKey, readKey] = [await create("ingest"), await create("read")];
});
afterAll(() => weir.close());

const eventOf = (id: string, change: object = {}) =>
  JSON.stringify({ specversion: "1.0", id, source: "s", type: "t", subject: "acme", ...change });

/** Sends a body the short way, and through Fastify, which alone reads bodies with a content encoding. */
async function bothWays(
  path: string,
  body: (way: string) => string,
  headers: Record<string, string> = {},
  key = weir.key,
) {
  const answers = [];
  for (const way of ["direct", "framework"]) {
    const response = await weir.fetch(path, {
      method: "POST",
      key,
      headers: {
        "content-type": "application/cloudevents+json",
        ...headers,
        ...(way === "framework" ? { "content-encoding": "identity" } : {}),
      },
      body: body(way),
    });
    const kept = [...response.headers].filter(
      ([name]) => !["date", "keep-alive", "connection"].includes(name),
    );
    const text = (await response.text()).replaceAll(way, "way").replace(/req_\w+-\w+/g, "request");
    answers.push({
      status: response.status,
      headers: Object.fromEntries(kept.filter(([name]) => name !== "content-length")),
      text,
    });
  }
  return answers;
}

test.each([
  ["an event", "/v1/events", (way: string) => eventOf(`ok-${way}`), {}, 202],
  ["the same again", "/v1/events", (way: string) => eventOf(`ok-${way}`), {}, 202],
  [
    "other content under its identity",
    "/v1/events",
    (way: string) => eventOf(`ok-${way}`, { subject: "x" }),
    {},
    202,
  ],
  ["an event, as OpenMeter has it", "/api/v1/events", (way: string) => eventOf(`om-${way}`), {}, 204],
  ["what is not JSON", "/v1/events", () => "{", {}, 400],
  ["a bad event", "/v1/events", (way: string) => eventOf(`bad-${way}`, { subject: 7 }), {}, 400],
  ["an unknown content type", "/v1/events", () => "a,b", { "content-type": "text/csv" }, 415],
])("%s is answered alike both ways", async (_name, path, body, headers, status) => {
  const [direct, framework] = await bothWays(path, body, headers);
  expect(direct?.status).toBe(status);
  expect(direct).toEqual(framework);
});

test("keys are checked alike: none, unknown, of another kind, and one that may", async () => {
  for (const [key, status] of [
    ["weir_secret_nobody_has_this_one", 401],
    [readKey, 403],
    [ingestKey, 202],
  ] as const) {
    // Twice: the first look at a key asks the store, the second finds it in the cache.
    for (const round of [1, 2]) {
      const [direct, framework] = await bothWays(
        "/v1/events",
        (way) => eventOf(`key-${status}-${round}-${way}`),
        {},
        key,
      );
      expect(direct?.status).toBe(status);
      expect(direct).toEqual(framework);
    }
  }
  const bare = await fetch(new URL("/v1/events", weir.url), { method: "POST", body: eventOf("bare") });
  expect(bare.status).toBe(401);
});

test("a body in pieces is one event, and a connection that breaks in the middle leaves nothing behind", async () => {
  const body = eventOf("pieces");
  const head = `POST /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${weir.key}\r\ncontent-type: application/cloudevents+json\r\ncontent-length: ${body.length}\r\n\r\n`;
  const { port } = new URL(weir.url);
  const open = async () => {
    const socket = connect(Number(port), "127.0.0.1");
    await once(socket, "connect");
    return socket;
  };
  const whole = await open();
  whole.write(head);
  for (let at = 0; at < body.length; at += 20) {
    whole.write(body.slice(at, at + 20));
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  const [answer] = (await once(whole, "data")) as [Buffer];
  expect(answer.toString()).toMatch(/^HTTP\/1\.1 202[\s\S]*"accepted":1/);
  whole.destroy();

  const broken = await open();
  broken.write(head + body.slice(0, 30));
  await new Promise((resolve) => setTimeout(resolve, 50));
  broken.destroy();
  await new Promise((resolve) => setTimeout(resolve, 50));
  const metrics = await (await weir.fetch("/metrics")).text();
  expect(metrics).toMatch(/weir_process_requests_in_flight 1\b/); // this very request
});

test("two requests sent at once on one connection are answered in order", async () => {
  const [first, second] = [eventOf("pipeline-1"), eventOf("pipeline-2", { subject: 5 })];
  const requestOf = (body: string) =>
    `POST /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${weir.key}\r\ncontent-type: application/cloudevents+json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
  const socket = connect(Number(new URL(weir.url).port), "127.0.0.1");
  let text = "";
  socket.on("data", (chunk: Buffer) => (text += chunk.toString()));
  socket.write(requestOf(first) + requestOf(second));
  for (let wait = 0; wait < 100 && text.split("HTTP/1.1").length < 3; wait += 1) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  socket.destroy();
  expect(text.match(/HTTP\/1\.1 (\d+)/g)).toEqual(["HTTP/1.1 202", "HTTP/1.1 400"]);
});
