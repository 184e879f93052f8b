import { afterAll, beforeAll, expect, test } from "vitest";
import type { OrganizationId } from "../../src/kernel/ids.js";
import { FixedClock, systemClock } from "../../src/kernel/clock.js";
import { day } from "../../src/kernel/instant.js";
import { silentLog } from "../../src/kernel/log.js";
import { RunRetention } from "../../src/runs/index.js";
import type { Services } from "../../src/services.js";
import { startTestWeir, type TestWeir } from "../support/test-weir.js";

let weir: TestWeir;
let services: Services;
let a: OrganizationId;
let b: OrganizationId;
let retention: RunRetention;
const clock = new FixedClock(systemClock.now());
let release = () => {};

beforeAll(async () => {
  weir = await startTestWeir("run-retention");
  services = weir.weir.services;
  const { workflows, wakes, identity, postgres, usage } = services;
  ({ id: a } = await identity.createOrganization({ slug: "a", name: "a", mode: "live" }));
  ({ id: b } = await identity.createOrganization({ slug: "b", name: "b", mode: "live" }));
  workflows.register({
    kind: "quick",
    version: 1,
    async run(context) {
      await context.transaction("note", async () => "noted");
      await context.waitForSignal("go");
    },
  });
  workflows.register({
    kind: "breaks",
    version: 1,
    run: (context) =>
      context.step("break", () => Promise.reject(new Error("broken")), {
        retry: { attemptsMax: 2, wait_ms: 1, wait_ms_max: 1 },
      }),
  });
  workflows.register({
    kind: "slow",
    version: 1,
    run: (context) => context.step("wait", () => new Promise<void>((resolve) => (release = resolve))),
  });
  await workflows.ready();
  retention = new RunRetention({
    postgres,
    workflows,
    clock,
    log: silentLog,
    days: 30,
    holders: [(sql, runs) => wakes.runsInUse(sql, runs), (sql, runs) => usage.imports.runsInUse(sql, runs)],
  });
});
afterAll(async () => {
  release();
  await weir?.close();
});

const begin = async (organization: OrganizationId, kind: string, id: string) => {
  await services.workflows.start(organization, { kind, id, input: null });
  if (kind !== "quick") return;
  const signal = { run: id, name: "go", key: "k", payload: null };
  expect(await services.workflows.signal(organization, signal)).toBe("sent");
};

async function stateOf(organization: OrganizationId, id: string, state: string): Promise<void> {
  for (let attempt = 0; attempt < 400; attempt += 1) {
    if ((await services.workflows.inspect(organization, id))?.state === state) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`${id} does not become ${state}`);
}

const idsOf = async (organization: OrganizationId) =>
  (await services.workflows.list(organization, { limit: 100 })).map(({ id }) => id).toSorted();

/** Rows that are kept of a run in all tables, the library's included. */
const leftOf = (organization: OrganizationId, run: string) =>
  services.postgres.inOrganization(organization, async (sql) => {
    const [row] = await sql<{ left: string }[]>`
      SELECT (SELECT count(*) FROM workflow_checkpoints WHERE run = ${run})
           + (SELECT count(*) FROM workflow_attempts WHERE run = ${run})
           + (SELECT count(*) FROM workflow_signals WHERE run = ${run})
           + (SELECT count(*) FROM weir_workflow.operation_outputs WHERE workflow_uuid = ${`${organization}/${run}`}) AS left`;
    return Number(row?.left);
  });

test("runs that ended 30 days ago are deleted whole, and their ids are free; what failed, waits or works stays", async () => {
  for (const id of ["q-1", "q-2"]) await begin(a, "quick", id);
  await begin(b, "quick", "q-1");
  await begin(a, "breaks", "f-1");
  await begin(a, "slow", "s-1");
  await services.workflows.start(a, { kind: "quick", id: "w-1", input: null });
  for (const id of ["q-1", "q-2"]) await stateOf(a, id, "succeeded");
  await stateOf(b, "q-1", "succeeded");
  await stateOf(a, "f-1", "failed");
  await stateOf(a, "w-1", "waiting");
  expect(await leftOf(a, "q-1")).toBeGreaterThan(2);

  clock.set((systemClock.now() + 29 * day) as never);
  expect(await retention.sweep()).toBe(0);
  clock.set((systemClock.now() + 30.1 * day) as never);
  expect(await retention.sweep()).toBe(3);
  expect(await idsOf(a)).toEqual(["f-1", "s-1", "w-1"]);
  expect(await idsOf(b)).toEqual([]);
  expect([await leftOf(a, "q-1"), await leftOf(a, "q-2"), await leftOf(b, "q-1")]).toEqual([0, 0, 0]);
  expect(await leftOf(a, "f-1")).toBeGreaterThan(0);
  expect(await retention.sweep()).toBe(0);
  await begin(a, "quick", "q-1");
  await stateOf(a, "q-1", "succeeded");
});

test("a run that a wake has claimed or would start again or an import refers to stays until it does not", async () => {
  const { postgres } = services;
  const started = `quick:${a}:key`;
  for (const id of ["claimed", started, "imported"]) {
    await begin(a, "quick", id);
    await stateOf(a, id, "succeeded");
  }
  await postgres.inOrganization(a, async (sql) => {
    await sql`INSERT INTO wake_chunks (organization, run, kind, at, keys, begun) VALUES (${a}, 'claimed', 'nobody', now(), '{x}', true)`;
    await sql`INSERT INTO wakes (organization, kind, key, at) VALUES (${a}, 'quick', 'key', now())`;
    await sql`
      INSERT INTO imports (organization, id, name, fingerprint, status, run, writer, file_bytes, file_kept, shape, created_at, updated_at)
      VALUES (${a}, 'imp_1', 'n', 'f', 'running', 'imported', 'w', 1, false, '{}', now(), now())`;
  });
  clock.set((systemClock.now() + 31 * day) as never);
  await retention.sweep();
  expect(await idsOf(a)).toEqual([started, "claimed", "f-1", "imported", "s-1", "w-1"].toSorted());
  await postgres.inOrganization(a, async (sql) => {
    await sql`DELETE FROM wakes`;
    await sql`DELETE FROM wake_chunks`;
    await sql`UPDATE imports SET status = 'canceled'`;
  });
  expect(await retention.sweep()).toBe(3);
  expect(await idsOf(a)).toEqual(["f-1", "s-1", "w-1"]);
});

test("a failed run that is canceled is given up, and deleted in time", async () => {
  const { runs } = services;
  const caller = { organization: a, key: "key_x", kind: "secret" } as never;
  const given = await runs.cancel(caller, "f-1");
  expect(given.state).toBe("canceled");
  expect(await retention.sweep()).toBe(1);
  expect(await leftOf(a, "f-1")).toBe(0);
  await expect(runs.retry(caller, "f-1")).rejects.toMatchObject({ slug: "run-not-found" });
});

test("thousands are deleted some hundred at a time", async () => {
  const ids = Array.from({ length: 1_100 }, (_, index) => `many-${index}`);
  await services.postgres.setUp(async (sql) => {
    await sql`
      INSERT INTO weir_workflow.workflow_status (workflow_uuid, status, authenticated_user, attributes, created_at, updated_at, completed_at)
      SELECT ${b} || '/' || id, 'SUCCESS', ${b}, '{"kind":"quick","version":1}', 1, 1, 1000 FROM unnest(${ids}::text[]) AS ids (id)`;
  });
  expect(await retention.sweep()).toBe(1_100);
  expect(await idsOf(b)).toEqual([]);
});
