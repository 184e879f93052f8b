import { expect, test } from "vitest";
import { json, serverOf, type Answer } from "../test/support/answering-server.js";
import { WeirError } from "./index.js";

const busy = json(
  503,
  { type: "x/overloaded", title: "Busy", status: 503, detail: "later" },
  { "retry-after": "0" },
);
const hangUp: Answer = (request) => request.socket.destroy();
const event = { id: "1", source: "s", type: "t", subject: "acme" };
const receipt = { accepted: 1, duplicates: 0, conflicting: 0, unmetered: 0 };

test("events are sent again, the very same, after 503 and after a lost connection", async () => {
  const { weir, asked } = await serverOf(busy, hangUp, json(202, receipt));
  expect(await weir.events.send([event])).toMatchObject({ accepted: 1 });
  expect(asked).toHaveLength(3);
  expect(new Set(asked.map(({ body }) => body)).size).toBe(1);
  expect(asked[0]).toMatchObject({ method: "POST", url: "/v1/events", authorization: "Bearer k" });
});

test("it gives up after its attempts, saying what Weir said last", async () => {
  const { weir, asked } = await serverOf(busy);
  await expect(weir.events.send([event])).rejects.toMatchObject({
    name: "WeirError",
    status: 503,
    code: "overloaded",
  });
  expect(asked).toHaveLength(3);
});

test("a change that is not known to be repeatable is not sent twice", async () => {
  const { weir, asked } = await serverOf(hangUp);
  const meter = { slug: "m", eventType: "t", aggregation: "COUNT" } as const;
  await expect(weir.meters.create(meter)).rejects.toMatchObject({
    status: 0,
    code: "about:blank#unreachable",
  });
  expect(asked).toHaveLength(1);
});

test("over GraphQL a query, and a change under an idempotency key, are sent again; another change is not", async () => {
  const change = "mutation { archive }";
  const { weir, asked } = await serverOf(
    busy,
    json(200, { data: { n: 1 } }),
    hangUp,
    json(200, { data: { n: 2 } }),
    busy,
  );
  expect(await weir.graphql.run("{ n }")).toEqual({ n: 1 });
  expect(await weir.graphql.run(change, {}, { idempotencyKey: "k1" })).toEqual({ n: 2 });
  expect(asked.slice(2).map(({ idempotencyKey }) => idempotencyKey)).toEqual(["k1", "k1"]);
  await expect(weir.graphql.run(change)).rejects.toMatchObject({ status: 503, code: "overloaded" });
  expect(asked).toHaveLength(5);
});

test("a refusal is an error with the whole problem; a page that is none is one as well", async () => {
  const problem = {
    type: "https://weir.dev/problems/bad-event",
    title: "Bad",
    status: 400,
    detail: "no",
    errors: [{ index: 3 }],
  };
  const { weir } = await serverOf(json(400, problem), (_request, response) =>
    response.writeHead(502).end("<html>"),
  );
  const error: unknown = await weir.events.send([event]).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(WeirError);
  expect(error).toMatchObject({ code: "bad-event", message: "no", problem: { errors: [{ index: 3 }] } });
  await expect(weir.meters.list()).rejects.toMatchObject({ status: 502, message: "<html>" });
});

test("many events go in batches of 1,000, and what is listed is found among all of them", async () => {
  const conflict = (index: number) =>
    json(202, { ...receipt, accepted: 999, conflicting: 1, conflicts: [{ index, source: "s", id: "x" }] });
  const { weir, asked } = await serverOf(conflict(5), conflict(7), json(202, receipt));
  const events = Array.from({ length: 2001 }, (_, id) => ({ ...event, id: String(id) }));
  const sent = await weir.events.send(events);
  expect(asked.map(({ body }) => (JSON.parse(body) as unknown[]).length)).toEqual([1000, 1000, 1]);
  expect(sent).toMatchObject({ accepted: 1999, conflicting: 2 });
  expect(sent.conflicts?.map(({ index }) => index)).toEqual([5, 1007]);
});

test("a usage query becomes the parameters that Weir reads", async () => {
  const { weir, asked } = await serverOf(json(200, { data: [] }));
  const query = {
    windowSize: "DAY",
    timeZone: "Asia/Kolkata",
    subjects: ["a", "b"],
    filters: { model: ["x&y"] },
    top: 3,
  } as const;
  await weir.usage.query("llm tokens", query);
  expect(asked[0]?.url).toBe(
    "/v1/meters/llm%20tokens/query?windowSize=DAY&windowTimeZone=Asia%2FKolkata&top=3&subject=a&subject=b&filterGroupBy%5Bmodel%5D=x%26y",
  );
});

test("GraphQL's errors are thrown, a subscription yields each event however it is cut", async () => {
  const { weir } = await serverOf(
    json(200, { errors: [{ message: "no such field", extensions: { code: "bad-query" } }] }),
    (_request, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write('event: next\ndata: {"data":{"n"');
      setTimeout(
        () => response.end(':1}}\n\n: ping\n\nevent: next\ndata: {"data":{"n":2}}\n\nevent: complete\n\n'),
        20,
      );
    },
  );
  await expect(weir.graphql.run("{ x }")).rejects.toMatchObject({
    code: "bad-query",
    message: "no such field",
  });
  const seen: unknown[] = [];
  for await (const value of weir.graphql.subscribe<{ n: number }>("subscription { n }")) seen.push(value.n);
  expect(seen).toEqual([1, 2]);
});
