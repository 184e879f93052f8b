import { validate, parse } from "graphql";
import postgresJs from "postgres";
import { afterAll, beforeAll, expect, test } from "vitest";
import { playgroundQuery } from "../../src/graphql/route.js";
import { schema } from "../../src/graphql/schema.js";
import { silentLog } from "../../src/kernel/log.js";
import type { OrganizationId } from "../../src/kernel/ids.js";
import { auditMissingCorrections } from "../../src/usage/correction-audit.js";
import { startTestWeir, type TestWeir } from "../support/test-weir.js";

let weir: TestWeir;
let organization: OrganizationId;

beforeAll(async () => {
  weir = await startTestWeir("corrections");
  organization = (await weir.weir.services.identity.findOrganizationBySlug("default"))!.id;
});
afterAll(() => weir.close());

async function post(path: string, body: unknown) {
  const response = await weir.fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

const event = (id: string, more: object = {}) => ({
  id,
  source: "s",
  type: "t",
  subject: "a",
  data: { n: 1 },
  ...more,
});

async function auditOf(target: string) {
  const { auditLog } = await weir.graphql<{
    auditLog: { nodes: { action: string; actor: string; before: unknown; after: unknown }[] };
  }>(
    "query ($target: String) { auditLog(first: 10, target: $target) { nodes { action actor before after } } }",
    {
      target,
    },
  );
  return auditLog.nodes;
}

test("U+0000 in an event's data, which PostgreSQL cannot keep, stands in the audit log as the characters \\u0000", async () => {
  const text = "a\0b";
  const escaped = "\\u0000"; // sent as these six characters, not as the one
  await post("/v1/events", [event("nul", { data: { text, escaped, ["k\0"]: 1 } })]);
  await weir.settled();
  const amended = await post("/v1/events/amend", {
    source: "s",
    id: "nul",
    reason: "typo",
    change: { data: { text: "\0\0", escaped } },
  });
  expect(amended.status).toBe(202);
  const [entry] = await auditOf("s/nul");
  expect(entry?.before).toMatchObject({ data: { text: "a\\u0000b", escaped, "k\\u0000": 1 } });
  expect(entry?.after).toMatchObject({ data: { text: "\\u0000\\u0000", escaped }, reason: "typo" });
  // The evidence itself keeps the character.
  await weir.settled();
  const listed = (await (await weir.fetch("/v1/events?id=nul")).json()) as { events: { data: unknown }[] };
  expect(listed.events[0]?.data).toEqual({ text: "\0\0", escaped });
});

test("elsewhere a text with U+0000 is refused, with the reason", async () => {
  const meter = { slug: "nul", name: "a\0", eventType: "t", aggregation: "COUNT" };
  expect(await post("/v1/meters", meter)).toMatchObject({
    status: 400,
    body: { type: "https://weir.dev/problems/invalid-text", detail: expect.stringContaining("U+0000") },
  });
  const mutation = `mutation ($name: String!) { createCustomer(key: "nul", name: $name, timeZone: "UTC") { ... on RefusalError { code } } }`;
  expect(await weir.graphql(mutation, { name: "a\0" })).toEqual({ createCustomer: { code: "invalid-text" } });
});

test("a correction that no invoice takes in any more says so", async () => {
  await post("/v1/events", [event("recent"), event("moved")]);
  await weir.settled();
  const recent = await post("/v1/events/void", { source: "s", id: "recent", reason: "wrong" });
  expect(recent.body).not.toHaveProperty("notice");
  const change = { time: new Date(Date.now() - 36 * 86_400_000).toISOString() };
  const moved = await post("/v1/events/amend", { source: "s", id: "moved", reason: "late", change });
  expect(moved.body).toMatchObject({ notice: expect.stringMatching(/more than 35 days old.*credit note/) });
});

test("an audit entry as long as an event's name can be", async () => {
  const [source, id] = ["s".repeat(1024), "i".repeat(512)];
  await post("/v1/events", [event(id, { source })]);
  await weir.settled();
  expect(await post("/v1/events/void", { source, id, reason: "long" })).toMatchObject({ status: 202 });
  expect(await auditOf(`${source}/${id}`)).toMatchObject([{ action: "event.void" }]);
});

test("a correction whose audit entry did not commit gets it at the next start, from the correction itself, once", async () => {
  await post("/v1/events", [event("lost"), event("lost2")]);
  await weir.settled();
  const { postgres, columnar, clock } = weir.weir.services;
  const url = new URL(postgres.url);
  const superuser = postgresJs({
    path: `${url.searchParams.get("host")}/.s.PGSQL.${url.port}`,
    user: "postgres",
    database: "weir",
    max: 1,
    onnotice: () => {},
  });
  // PostgreSQL fails at the commit, when the correction is durable in the stream: as if it died just then.
  await superuser.unsafe(`
    CREATE FUNCTION weir.fail_commit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'died'; END $$;
    CREATE CONSTRAINT TRIGGER fail_commit AFTER INSERT ON weir.audit_log DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION weir.fail_commit()`);
  const failed = await post("/v1/events/void", { source: "s", id: "lost", reason: "wrong" });
  expect(failed.status).toBe(500);
  await superuser.unsafe("DROP TRIGGER fail_commit ON weir.audit_log; DROP FUNCTION weir.fail_commit()");
  await superuser.end();
  await post("/v1/events/void", { source: "s", id: "lost2", reason: "wrong too" });
  await weir.settled();
  expect(await auditOf("s/lost")).toEqual([]);

  const audit = () => auditMissingCorrections({ columnar, postgres, clock, log: silentLog });
  expect(await audit()).toBe(1);
  expect(await audit()).toBe(0);
  const [{ actor } = { actor: "" }] = await auditOf("s/lost2");
  expect(await auditOf("s/lost")).toMatchObject([
    { action: "event.void", actor, after: { reason: "wrong", revision: 1, recovered: true } },
  ]);
});

test("what is billed is read at a watermark at which its meters' history is whole, and not before", async () => {
  const { usage, identity } = weir.weir.services;
  for (let request = 0; request < 3; request += 1) {
    await post(
      "/v1/events",
      Array.from({ length: 5_000 }, (_, n) => event(`h${request}.${n}`, { type: "h" })),
    );
  }
  await weir.settled();
  const { caller } = await identity.issueSystemKey(organization, { name: "w", kind: "secret" });
  const meter = await usage.meters.create(caller, {
    slug: "whole",
    eventType: "h",
    aggregation: "COUNT",
    groupBy: [],
    filters: [],
  });
  await expect(usage.rated.watermarkOf(organization, [meter.id])).rejects.toMatchObject({
    problem: { status: 409, type: "https://weir.dev/problems/usage-still-arriving", retryAfterSeconds: 2 },
  });
  let watermark;
  while (watermark === undefined) {
    watermark = await usage.rated.watermarkOf(organization, [meter.id]).catch(() => undefined);
    if (watermark === undefined) await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const day = 86_400_000_000;
  const now = weir.weir.services.clock.now();
  const quantity = await usage.rated.quantity({
    organization,
    meterVersion: meter.id,
    subjects: [{ subject: "a", from: (now - day) as typeof now, to: undefined }],
    period: { start: (now - day) as typeof now, end: (now + day) as typeof now },
    watermark,
  });
  expect(quantity).toMatchObject({ events: 15_000 });
});

test("the playground opens with a query that the schema knows", () => {
  expect(validate(schema, parse(playgroundQuery))).toEqual([]);
});
