import { afterAll, beforeAll, expect, test } from "vitest";
import type { Caller } from "../../src/identity/index.js";
import { day, formatInstant, parseInstant, type Instant } from "../../src/kernel/instant.js";
import { startTestWeir, type TestWeir } from "../support/test-weir.js";

let weir: TestWeir;
const at = (text: string) => parseInstant(text)!;
const seen: string[] = [];
let broken = false;

async function newOrganization(slug: string): Promise<{ caller: Caller; key: string }> {
  const { identity } = weir.weir.services;
  const { id } = await identity.createOrganization({ slug, name: slug, mode: "live" });
  const { secret } = await identity.issueSystemKey(id, { name: slug, kind: "secret" });
  return { caller: { organization: id, key: "key_test" as Caller["key"], kind: "secret" }, key: secret };
}
const services = () => weir.weir.services;
const wake = (caller: Caller, when: Instant, key: string) =>
  services().postgres.inOrganization(caller.organization, (sql) =>
    services().wakes.wake(sql, caller.organization, when, "tick", key),
  );

beforeAll(async () => {
  weir = await startTestWeir("test-clock");
  const { workflows, wakes, clocks, postgres } = services();
  // Each tick notes the time, and every month writes the next one.
  workflows.register({
    kind: "tick",
    version: 1,
    retry: { attemptsMax: 1, wait_ms: 1, wait_ms_max: 1 },
    async run(context, key: string) {
      await context.step("note", () => {
        if (broken && key === "breaks") return Promise.reject(new Error("broken"));
        seen.push(`${key} ${formatInstant(clocks.of(context.organization).now())}`);
        return Promise.resolve();
      });
      if (key.startsWith("chain"))
        await context.step("hold", () => new Promise<void>((r) => setTimeout(r, 100)));
      if (key.startsWith("chain")) {
        const count = Number(key.slice(6));
        await context.transaction("next", (sql) =>
          wakes.wake(
            sql,
            context.organization,
            at(`2026-0${count + 2}-01T00:00:00Z`),
            "tick",
            `chain-${count + 1}`,
          ),
        );
      }
      if (key === "spawns")
        await context.step("spawn", async () => {
          await workflows.start(context.organization, {
            kind: "tick",
            id: `spawned:${context.run}`,
            input: "chain-7",
          });
        });
    },
  });
  wakes.register({
    kind: "tick",
    act: (_organization, { key, at: when }) => ({
      start: { kind: "tick", id: `tick:${key}:${when}`, input: key },
    }),
  });
  void postgres;
});
afterAll(() => weir?.close());

test("an organization has no test clock until it starts one; then its time stands still, for good, in test mode", async () => {
  const { caller, key } = await newOrganization("starts");
  const { testClocks, clocks } = services();
  expect(await testClocks.find(caller.organization)).toBeUndefined();
  await expect(testClocks.advance(caller, at("2026-01-01T00:00:00Z"))).rejects.toMatchObject({
    slug: "no-test-clock",
  });
  await expect(testClocks.start(caller, at("1999-01-01T00:00:00Z"))).rejects.toMatchObject({
    slug: "invalid-clock",
  });
  const started = await testClocks.start(caller, at("2026-01-01T00:00:00Z"));
  expect(started).toMatchObject({ state: "idle", now: at("2026-01-01T00:00:00Z") });
  expect(await testClocks.start(caller, at("2026-01-01T00:00:00Z"))).toEqual(started);
  await expect(testClocks.start(caller, at("2025-01-01T00:00:00Z"))).rejects.toMatchObject({
    slug: "clock-not-startable",
  });
  expect(clocks.of(caller.organization).now()).toBe(at("2026-01-01T00:00:00Z"));
  const { organization, auditLog } = await weir.graphql<{
    organization: { mode: string };
    auditLog: { nodes: { action: string }[] };
  }>(`{ organization { mode } auditLog(action: "clock.start") { nodes { action } } }`, {}, key);
  expect(organization.mode).toBe("test");
  expect(auditLog.nodes).toHaveLength(1);
});

test("the database refuses to turn a clock back, to delete it, or to return to live mode", async () => {
  const { caller } = await newOrganization("strict");
  await services().testClocks.start(caller, at("2026-01-01T00:00:00Z"));
  const inOrganization = (text: string) =>
    services().postgres.inOrganization(caller.organization, (sql) => sql.unsafe(text));
  await expect(inOrganization("UPDATE test_clocks SET now = '2025-12-31'")).rejects.toThrow(
    "never goes back",
  );
  await expect(inOrganization("DELETE FROM test_clocks")).rejects.toThrow("permission denied");
  await expect(inOrganization("UPDATE organizations SET mode = 'live'")).rejects.toThrow(
    "row-level security",
  );
});

test("an organization that has subscribed someone cannot have a test clock any more", async () => {
  const { caller, key } = await newOrganization("late");
  const run = (text: string) => weir.graphql(`mutation { ${text} { __typename } }`, {}, key);
  await weir.fetch("/v1/meters", {
    method: "POST",
    key,
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ slug: "m", name: "m", eventType: "t", aggregation: "COUNT" }),
  });
  await run(`createCustomer(key: "c", name: "c", timeZone: "UTC")`);
  await run(
    `createPlan(key: "p", name: "p", currency: "USD", prices: [{ key: "x", meter: "m", model: { perUnit: { unitAmount: "1" } } }])`,
  );
  await run(`createSubscription(customer: "c", plan: "p")`);
  await expect(services().testClocks.start(caller, at("2026-01-01T00:00:00Z"))).rejects.toThrow(
    "it has a subscription that began in live mode",
  );
});

test("advancing goes from wake to wake in order, and waits at each for what it woke and what that started", async () => {
  const { caller } = await newOrganization("advances");
  const { testClocks, clocks } = services();
  await testClocks.start(caller, at("2026-01-01T00:00:00Z"));
  await wake(caller, at("2026-02-01T00:00:00Z"), "chain-1");
  await wake(caller, at("2026-03-15T00:00:00Z"), "spawns");
  await wake(caller, at("2026-01-01T00:00:00Z"), "first");
  seen.length = 0;
  const arrived = await testClocks.advance(caller, at("2026-05-15T12:00:00Z"), 30_000);
  expect(arrived).toMatchObject({ state: "idle", now: at("2026-05-15T12:00:00Z") });
  expect(seen).toEqual([
    "first 2026-01-01T00:00:00Z",
    "chain-1 2026-02-01T00:00:00Z",
    "chain-2 2026-03-01T00:00:00Z",
    "spawns 2026-03-15T00:00:00Z",
    "chain-7 2026-03-15T00:00:00Z",
    "chain-3 2026-04-01T00:00:00Z",
    "chain-4 2026-05-01T00:00:00Z",
  ]);
  expect(clocks.of(caller.organization).now()).toBe(at("2026-05-15T12:00:00Z"));
  expect(await testClocks.advance(caller, at("2026-05-15T12:00:00Z"), 0)).toEqual(arrived);
});

test("a clock never goes back, and not more than five years at once", async () => {
  const { caller } = await newOrganization("bounds");
  const { testClocks } = services();
  await testClocks.start(caller, at("2026-01-01T00:00:00Z"));
  await expect(testClocks.advance(caller, at("2025-12-31T00:00:00Z"))).rejects.toMatchObject({
    slug: "clock-goes-back",
    problem: { status: 409, now: "2026-01-01T00:00:00Z", to: "2025-12-31T00:00:00Z" },
  });
  await expect(testClocks.advance(caller, at("2032-01-01T00:00:00Z"))).rejects.toMatchObject({
    slug: "clock-too-far",
  });
});

test("a run that fails stops the advance at its instant and is named; after a retry the advance goes on", async () => {
  const { caller } = await newOrganization("stops");
  const { testClocks, workflows, postgres } = services();
  await testClocks.start(caller, at("2026-01-01T00:00:00Z"));
  await wake(caller, at("2026-02-01T00:00:00Z"), "breaks");
  await wake(caller, at("2026-03-01T00:00:00Z"), "after");
  broken = true;
  seen.length = 0;
  const stopped = await testClocks.advance(caller, at("2026-04-01T00:00:00Z"), 30_000);
  const run = `tick:breaks:${at("2026-02-01T00:00:00Z")}`;
  expect(stopped).toMatchObject({
    state: "stopped",
    now: at("2026-02-01T00:00:00Z"),
    stoppedBy: run,
    reason: "Error: broken",
  });
  broken = false;
  await postgres.inOrganization(caller.organization, (sql) => workflows.retry(sql, caller.organization, run));
  expect(await testClocks.advance(caller, at("2026-04-01T00:00:00Z"), 30_000)).toMatchObject({
    state: "idle",
  });
  expect(seen).toEqual(["breaks 2026-02-01T00:00:00Z", "after 2026-03-01T00:00:00Z"]);
});

test("the same target joins an advance, another is refused while it is under way", async () => {
  const { caller } = await newOrganization("concurrent");
  const { testClocks } = services();
  await testClocks.start(caller, at("2026-01-01T00:00:00Z"));
  await wake(caller, at("2026-02-01T00:00:00Z"), "chain-1");
  const target = at("2026-04-15T00:00:00Z");
  const both = Promise.all([
    testClocks.advance(caller, target, 30_000),
    testClocks.advance(caller, target, 30_000),
  ]);
  await expect.poll(async () => (await testClocks.find(caller.organization))?.state).toBe("advancing");
  await expect(testClocks.advance(caller, (target + day) as Instant)).rejects.toMatchObject({
    slug: "clock-advancing",
  });
  const [first, second] = await both;
  expect(first).toEqual(second);
  expect(first).toMatchObject({ state: "idle", now: target, advance: 1 });
});

test("usage follows the organization's clock: its window, its default time, and no resend slips past", async () => {
  const { caller, key } = await newOrganization("usage");
  const { testClocks } = services();
  const send = async (events: object[]) => {
    const response = await weir.fetch("/v1/events", {
      method: "POST",
      key,
      headers: { "content-type": "application/json" },
      body: JSON.stringify(events),
    });
    return {
      status: response.status,
      body: (await response.json()) as { accepted?: number; duplicates?: number },
    };
  };
  const event = (id: string, time?: string) => ({
    id,
    source: "s",
    type: "t",
    subject: "x",
    ...(time ? { time } : {}),
  });
  await testClocks.start(caller, at("2031-01-01T00:00:00Z"));
  expect((await send([event("real", new Date().toISOString())])).status).toBe(400);
  expect((await send([event("ahead", "2031-01-01T00:06:00Z")])).status).toBe(400);
  expect((await send([event("1", "2030-12-15T00:00:00Z"), event("2")])).body).toMatchObject({ accepted: 2 });
  await weir.settled();
  const { events } = await weir.graphql<{ events: { nodes: { id: string; time: string }[] } }>(
    `{ events(first: 10, from: "2030-01-01T00:00:00Z", to: "2032-01-01T00:00:00Z") { nodes { id time } } }`,
    {},
    key,
  );
  expect(events.nodes.find((node) => node.id === "2")?.time).toBe("2031-01-01T00:00:00Z");
  expect((await send([event("1", "2030-12-15T00:00:00Z")])).body).toMatchObject({
    accepted: 0,
    duplicates: 1,
  });
  await testClocks.advance(caller, at("2031-01-25T00:00:00Z"), 20_000);
  expect((await send([event("1", "2030-12-25T00:00:00Z")])).body).toMatchObject({
    accepted: 0,
    duplicates: 1,
  });
  expect((await send([event("3", "2030-12-15T00:00:00Z")])).status).toBe(400);
});

test("what corrects and imports usage follows the organization's clock too", async () => {
  const { caller, key } = await newOrganization("corrected");
  const { testClocks, usage } = services();
  await testClocks.start(caller, at("2031-01-01T00:00:00Z"));
  const event = { id: "1", source: "s", type: "t", subject: "x", time: "2030-12-30T00:00:00Z" };
  const sent = await weir.fetch("/v1/events", {
    method: "POST",
    key,
    body: JSON.stringify([event]),
    headers: { "content-type": "application/json" },
  });
  expect(sent.status).toBe(202);
  await weir.settled();
  const target = { source: "s", id: "1", reason: "test" };
  const amend = (time: string) => usage.corrections.amend(caller, target, { time });
  await expect(amend("2031-01-01T00:06:00Z")).rejects.toMatchObject({ problem: { status: 400 } });
  expect(await amend("2030-12-31T00:00:00Z")).toMatchObject({ action: "amended", revision: 1 });

  const { id } = await usage.imports.start(caller, { name: "history", fingerprint: "f" });
  const chunk = (time: string) => ({
    firstRow: 0,
    rows: 1,
    format: "json" as const,
    body: Buffer.from(JSON.stringify([{ ...event, id: time, time }])),
  });
  await expect(usage.imports.takeChunk(caller, id, chunk("2031-01-01T00:06:00Z"))).rejects.toMatchObject({
    problem: { status: 400 },
  });
  expect(await usage.imports.takeChunk(caller, id, chunk("2029-06-01T00:00:00Z"))).toMatchObject({
    accepted: 1,
  });
  await testClocks.advance(caller, at("2035-01-01T00:00:00Z"), 20_000);
  // No copy slips past, though far more time went by than keys are kept for.
  expect(
    await usage.imports.takeChunk(caller, id, { ...chunk("2029-06-01T00:00:00Z"), firstRow: 1 }),
  ).toMatchObject({ accepted: 0, duplicates: 1 });
});
