import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startTestWeir, type TestWeir } from "../support/test-weir.js";

let weir: TestWeir;
let made = 0;
/** Of names that no other test uses. */
const fresh = () => `n${(made += 1)}`;

beforeAll(async () => {
  weir = await startTestWeir("repeated-changes");
});
afterAll(() => weir.close());

interface Answer {
  readonly status: number;
  readonly slug: string | undefined;
  readonly body: Record<string, unknown>;
}

async function call(method: string, pathname: string, body?: object, key?: string): Promise<Answer> {
  const response = await weir.fetch(pathname, {
    method,
    headers: {
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...(key === undefined ? {} : { "idempotency-key": key }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const answer = (text === "" ? {} : JSON.parse(text)) as Record<string, unknown>;
  return { status: response.status, slug: String(answer["type"]).split("/").at(-1), body: answer };
}

async function operate(operation: string, key: string): Promise<Record<string, unknown>> {
  const response = await weir.fetch("/graphql", {
    method: "POST",
    headers: { "content-type": "application/json", "idempotency-key": key },
    body: JSON.stringify({ query: `mutation { answer: ${operation} }` }),
  });
  const { data, errors } = (await response.json()) as { data?: { answer: object }; errors?: unknown };
  expect(errors).toBeUndefined();
  return data!.answer as Record<string, unknown>;
}

/** How often the audit log has an action on a target. */
async function audited(action: string, target: string): Promise<number> {
  const found = await weir.graphql<{ auditLog: { nodes: { action: string }[] } }>(
    "query ($action: String, $target: String) { auditLog(first: 50, action: $action, target: $target) { nodes { action } } }",
    { action, target },
  );
  return found.auditLog.nodes.length;
}

async function newMeter(): Promise<{ slug: string; id: string }> {
  const slug = fresh();
  const { body } = await call("POST", "/v1/meters", { slug, eventType: "t", aggregation: "COUNT" });
  return { slug, id: body["id"] as string };
}

async function newEvent(): Promise<string> {
  const id = fresh();
  const event = { source: "s", id, type: "t", subject: "acme", data: { n: 1 } };
  expect((await call("POST", "/v1/events", [event])).body).toMatchObject({ accepted: 1 });
  await weir.settled();
  return id;
}

describe("a change that is sent again under its idempotency key is answered as the first time, and made once", () => {
  let key = "";
  beforeEach(() => (key = fresh()));

  async function sendTwice(method: string, pathname: string, body: object | undefined): Promise<Answer> {
    const first = await call(method, pathname, body, key);
    const again = await call(method, pathname, body, key);
    expect(first.status, JSON.stringify(first.body)).toBeLessThan(300);
    // A meter's backfill goes on in between.
    const steady = ({ status, body: { backfill: _, ...rest } }: Answer) => ({ status, rest });
    expect(steady(again)).toEqual(steady(first));
    return first;
  }
  const isReused = (answer: Answer) =>
    expect(answer).toMatchObject({ status: 422, slug: "idempotency-key-reused" });

  test("POST /v1/meters", async () => {
    const definition = { slug: fresh(), eventType: "t", aggregation: "COUNT" };
    const { body } = await sendTwice("POST", "/v1/meters", definition);
    expect(await audited("meter.create", body["id"] as string)).toBe(1);
    isReused(await call("POST", "/v1/meters", { ...definition, eventType: "u" }, key));
    isReused(await call("POST", "/api/v1/meters", { ...definition, slug: fresh() }, key));
  });

  test("PUT /v1/meters/:meter", async () => {
    const meter = await newMeter();
    const { body } = await sendTwice("PUT", `/v1/meters/${meter.slug}`, { eventType: "other" });
    expect(body).toMatchObject({ version: 2, eventType: "other" });
    expect(await audited("meter.new_version", meter.id)).toBe(1);
    isReused(await call("PUT", `/v1/meters/${meter.slug}`, { eventType: "another" }, key));
    // After another change, the repetition makes no third version, and tells of the one that it made.
    await call("PUT", `/v1/meters/${meter.slug}`, { eventType: "third" });
    const late = await call("PUT", `/v1/meters/${meter.slug}`, { eventType: "other" }, key);
    expect(late).toMatchObject({ status: 200, body: { version: 2, eventType: "other" } });
    expect((await call("GET", `/v1/meters/${meter.slug}`)).body).toMatchObject({ version: 3 });
  });

  test("DELETE /v1/meters/:meter, also once another meter has its slug", async () => {
    const meter = await newMeter();
    await sendTwice("DELETE", `/v1/meters/${meter.slug}`, undefined);
    await call("POST", "/v1/meters", { slug: meter.slug, eventType: "t", aggregation: "COUNT" });
    expect(await call("DELETE", `/v1/meters/${meter.slug}`, undefined, key)).toMatchObject({ status: 204 });
    expect(await call("GET", `/v1/meters/${meter.slug}`)).toMatchObject({ status: 200 });
    expect(await audited("meter.archive", meter.id)).toBe(1);
    isReused(await call("DELETE", `/v1/meters/${(await newMeter()).slug}`, undefined, key));
  });

  test("POST /v1/events/void", async () => {
    const target = { source: "s", id: await newEvent(), reason: "typo" };
    await sendTwice("POST", "/v1/events/void", target);
    expect(await audited("event.void", `s/${target.id}`)).toBe(1);
    await weir.settled();
    expect(await call("POST", "/v1/events/void", target, key)).toMatchObject({ status: 202 });
    expect(await call("POST", "/v1/events/void", target)).toMatchObject({ status: 409 });
    isReused(await call("POST", "/v1/events/void", { ...target, reason: "other" }, key));
  });

  test("POST /v1/events/amend", async () => {
    const request = { source: "s", id: await newEvent(), reason: "typo", change: { data: { n: 2 } } };
    const { body } = await sendTwice("POST", "/v1/events/amend", request);
    expect(body).toMatchObject({ action: "amended", revision: 1 });
    await weir.settled();
    expect((await call("POST", "/v1/events/amend", request, key)).body).toEqual(body);
    expect(await audited("event.amend", `s/${request.id}`)).toBe(1);
    isReused(await call("POST", "/v1/events/amend", { ...request, change: { data: { n: 3 } } }, key));
  });

  const refusal = "... on RefusalError { code }";
  const meterMutation = (name: string, args: string) =>
    `${name}(${args}) { ... on ${name[0]!.toUpperCase()}${name.slice(1)}Success { data { id slug version eventType } } ${refusal} }`;
  const correction = (name: string, args: string) =>
    `${name}(${args}) { ... on ${name[0]!.toUpperCase()}${name.slice(1)}Success { data { action revision source id } } ${refusal} }`;

  test.each<[string, () => Promise<[operation: string, other: string]>]>([
    [
      "createMeter",
      async () => {
        const slug = fresh();
        const create = (eventType: string) =>
          meterMutation("createMeter", `slug: "${slug}", eventType: "${eventType}", aggregation: COUNT`);
        return [create("t"), create("u")];
      },
    ],
    [
      "changeMeter",
      async () => {
        const { slug } = await newMeter();
        const change = (eventType: string) =>
          meterMutation("changeMeter", `meter: "${slug}", eventType: "${eventType}"`);
        return [change("u"), change("v")];
      },
    ],
    [
      "archiveMeter",
      async () => {
        const archive = async () => meterMutation("archiveMeter", `meter: "${(await newMeter()).slug}"`);
        return [await archive(), await archive()];
      },
    ],
    [
      "voidEvent",
      async () => {
        const id = await newEvent();
        const voiding = (reason: string) =>
          correction("voidEvent", `source: "s", id: "${id}", reason: "${reason}"`);
        return [voiding("a"), voiding("b")];
      },
    ],
    [
      "amendEvent",
      async () => {
        const id = await newEvent();
        const amend = (n: number) =>
          correction("amendEvent", `source: "s", id: "${id}", reason: "r", data: { n: ${n} }`);
        return [amend(2), amend(3)];
      },
    ],
  ])("%s", async (_, make) => {
    const [operation, other] = await make();
    const first = await operate(operation, key);
    expect(first).toHaveProperty("data");
    expect(await operate(operation, key)).toEqual(first);
    expect(await operate(other, key)).toEqual({ code: "idempotency-key-reused" });
  });

  test("ten at once make one", async () => {
    const definition = { slug: fresh(), eventType: "t", aggregation: "COUNT" };
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => call("POST", "/v1/meters", definition, key)),
    );
    expect(new Set(answers.map(({ status, body }) => `${status} ${String(body["id"])}`)).size).toBe(1);
    expect(await audited("meter.create", answers[0]!.body["id"] as string)).toBe(1);
  });

  test("a change that was refused leaves its key free for the mended one", async () => {
    const broken = { slug: fresh(), eventType: "t", aggregation: "SUM" };
    expect(await call("POST", "/v1/meters", broken, key)).toMatchObject({ status: 400 });
    const mended = { ...broken, valueProperty: "$.n" };
    expect(await call("POST", "/v1/meters", mended, key)).toMatchObject({ status: 201 });
  });

  test("until the key expires, after which it may be used for something else", async () => {
    const definition = { slug: fresh(), eventType: "t", aggregation: "COUNT" };
    await sendTwice("POST", "/v1/meters", definition);
    const { postgres, identity } = weir.weir.services;
    const { id } = (await identity.findOrganizationBySlug("default"))!;
    await postgres.inOrganization(
      id,
      (sql) => sql`UPDATE idempotency_keys SET expires_at = now() - interval '1 second' WHERE key = ${key}`,
    );
    expect(await call("POST", "/v1/meters", definition, key)).toMatchObject({ status: 409 });
    const other = { ...definition, slug: fresh() };
    expect(await call("POST", "/v1/meters", other, key)).toMatchObject({ status: 201 });
    isReused(await call("POST", "/v1/meters", definition, key));
  });

  test("a key that is too long is refused", async () => {
    const definition = { slug: fresh(), eventType: "t", aggregation: "COUNT" };
    expect(await call("POST", "/v1/meters", definition, "k".repeat(256))).toMatchObject({
      status: 400,
      slug: "invalid-idempotency-key",
    });
  });
});
