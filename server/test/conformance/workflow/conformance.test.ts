// What every workflow engine must do, written against the interface only; run against DBOS.
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  openWorkflows,
  WorkflowChanged,
  type WorkflowDefinition,
  type Workflows,
} from "../../../src/engines/workflow/index.js";
import { openIdentity } from "../../../src/identity/index.js";
import { systemClock } from "../../../src/kernel/clock.js";
import type { OrganizationId } from "../../../src/kernel/ids.js";
import type { JsonValue } from "../../../src/kernel/json.js";
import { silentLog } from "../../../src/kernel/log.js";
import { openTestPostgres } from "../../integration/embedded-postgres.js";

let opened: Awaited<ReturnType<typeof openTestPostgres>>;
let workflows: Workflows;
let a: OrganizationId;
let b: OrganizationId;

const quick = { attemptsMax: 3, wait_ms: 5, wait_ms_max: 20 };
const calls: Record<string, number> = {};
const count = (name: string) => (calls[name] = (calls[name] ?? 0) + 1);
let broken = true;
let release: () => void = () => {};

const definitions: WorkflowDefinition<never>[] = [];
function define<Input extends JsonValue>(definition: WorkflowDefinition<Input>): void {
  definitions.push(definition as unknown as WorkflowDefinition<never>);
}

const insert =
  (key: string, run: string) =>
  async (sql: Parameters<Parameters<typeof opened.postgres.inOrganization>[1]>[0]) => {
    count(key);
    const organization =
      (await sql<{ o: string }[]>`SELECT current_setting('weir.organization') AS o`)[0]?.o ?? "";
    await sql`INSERT INTO due_work (organization, kind, reference, due_at) VALUES (${organization}, 'test', ${`${run}:${key}`}, now())`;
  };
const rowsOf = (organization: OrganizationId, run: string) =>
  opened.postgres.inOrganization(organization, async (sql) => {
    const rows = await sql<{ reference: string }[]>`
      SELECT reference FROM due_work WHERE reference LIKE ${`${run}:%`} ORDER BY reference`;
    return rows.map((row) => row.reference);
  });

define<{ times: number }>({
  kind: "sum",
  version: 1,
  async run(context, { times }) {
    let sum = 0;
    for (let index = 0; index < times; index += 1) {
      sum += await context.step("add", () => Promise.resolve(index));
    }
    await context.transaction("note", insert("note", context.run));
    return { sum };
  },
});
define({
  kind: "signaled",
  version: 1,
  async run(context) {
    await context.step("before", () => Promise.resolve(count(`${context.run}:before`)));
    const first = await context.waitForSignal("go");
    const second = await context.waitForSignal("go", { timeout_ms: 60_000 });
    return [first, second] as unknown as JsonValue;
  },
});
define({
  kind: "impatient",
  version: 1,
  run: (context) => context.waitForSignal("never", { timeout_ms: 50 }),
});
define({
  kind: "breaks",
  version: 1,
  retry: quick,
  async run(context) {
    await context.transaction("first", insert("first", context.run));
    await context.transaction("breaks", async (sql) => {
      await insert("breaks", context.run)(sql);
      if (broken) throw new Error("the world is broken");
    });
    await context.transaction("last", insert("last", context.run));
  },
});
define({
  kind: "asks",
  version: 1,
  retry: quick,
  async run(context) {
    return context.exchange(
      "ask",
      () => Promise.resolve(count(`${context.run}:asked`)),
      async (sql, answer) => {
        await insert(`answer ${answer}`, context.run)(sql);
        if (count(`${context.run}:written`) < 3) throw new Error("the write is in the way");
        return { answer };
      },
    );
  },
});
define({
  kind: "swallows",
  version: 1,
  retry: quick,
  async run(context) {
    const outcome = await context
      .step("fails", () => Promise.reject(new RangeError("not today")))
      .then(() => "fine")
      .catch((error: Error) => error.message);
    return outcome;
  },
});
define({
  kind: "slow",
  version: 1,
  async run(context) {
    await context.step("hold", () => new Promise<void>((resolve) => (release = resolve)));
    await context.transaction("after", insert("after", context.run));
  },
});
define({
  kind: "spawns",
  version: 1,
  async run(context) {
    await context.step("spawn", async () => {
      await workflows.start(context.organization, {
        kind: "sum",
        id: `${context.run}-child`,
        input: { times: 2 },
      });
    });
  },
});
define({ kind: "sleeps", version: 1, run: (context) => context.sleep(100) });

async function open(executor = "one"): Promise<Workflows> {
  const engine = openWorkflows({ postgres: opened.postgres, executor, log: silentLog });
  for (const definition of definitions) engine.register(definition);
  await engine.ready();
  return engine;
}

async function ended(organization: OrganizationId, id: string, engine = workflows) {
  return until(async () => {
    const run = await engine.inspect(organization, id);
    return run !== undefined && ["succeeded", "failed", "canceled"].includes(run.state) ? run : undefined;
  });
}

async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  const giveUpAt = Date.now() + 20_000;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > giveUpAt) throw new Error("waited 20 s in vain");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
const stateIs = (organization: OrganizationId, id: string, state: string) =>
  until(async () => ((await workflows.inspect(organization, id))?.state === state ? true : undefined));

beforeAll(async () => {
  opened = await openTestPostgres();
  const identity = openIdentity({ postgres: opened.postgres, clock: systemClock });
  a = (await identity.createOrganization({ slug: "a", name: "a", mode: "live" })).id;
  b = (await identity.createOrganization({ slug: "b", name: "b", mode: "live" })).id;
  workflows = await open();
});
afterAll(async () => {
  await workflows?.close();
  await opened?.remove();
});

test("a run gives its output, and its steps are listed by name and place, equal names numbered", async () => {
  expect(await workflows.start(a, { kind: "sum", id: "sum-1", input: { times: 3 } })).toBe("started");
  const run = await ended(a, "sum-1");
  expect(run).toMatchObject({
    kind: "sum",
    version: 1,
    state: "succeeded",
    output: { sum: 3 },
    input: { times: 3 },
  });
  expect(run.steps.map((step) => [step.position, step.name, step.state, step.attempts])).toEqual([
    [0, "add", "succeeded", 1],
    [1, "add #2", "succeeded", 1],
    [2, "add #3", "succeeded", 1],
    [3, "note", "succeeded", 1],
  ]);
  expect(await rowsOf(a, "sum-1")).toEqual(["sum-1:note"]);
});

test("starting an id again changes nothing, at once or later; of twenty at the same time one starts", async () => {
  await Promise.all(
    Array.from({ length: 20 }, () => workflows.start(a, { kind: "sum", id: "sum-2", input: { times: 1 } })),
  );
  await ended(a, "sum-2");
  expect(await workflows.start(a, { kind: "sum", id: "sum-2", input: { times: 9 } })).toBe("exists");
  expect((await workflows.inspect(a, "sum-2"))?.output).toEqual({ sum: 0 });
  expect(await rowsOf(a, "sum-2")).toEqual(["sum-2:note"]);
});

test("an id of another kind, an unknown kind and a bad id are told", async () => {
  await expect(workflows.start(a, { kind: "sleeps", id: "sum-2", input: null })).rejects.toThrow("is a sum");
  await expect(workflows.start(a, { kind: "nothing", id: "x", input: null })).rejects.toThrow(
    "no workflow nothing",
  );
  await expect(workflows.start(a, { kind: "sum", id: "", input: null })).rejects.toThrow("1 to 400");
});

test("signals are taken once each, in order, whether sent before or after the wait", async () => {
  const signal = (key: string) => workflows.signal(a, { run: "sig-1", name: "go", key, payload: { key } });
  expect(await signal("0")).toBe("unknown");
  await workflows.start(a, { kind: "signaled", id: "sig-1", input: null });
  expect(await signal("1")).toBe("sent");
  expect(await signal("1")).toBe("sent");
  await stateIs(a, "sig-1", "waiting");
  expect(await workflows.inspect(a, "sig-1")).toMatchObject({ waitsFor: "go" });
  expect(await workflows.countBusy(a)).toBe(0);
  await signal("2");
  expect((await ended(a, "sig-1")).output).toEqual([{ payload: { key: "1" } }, { payload: { key: "2" } }]);
  expect(await signal("3")).toBe("ended");
});

test("a wait ends with its timeout", async () => {
  await workflows.start(a, { kind: "impatient", id: "imp-1", input: null });
  expect((await ended(a, "imp-1")).output).toBe("timeout");
});

test("a canceled run does not begin its next step, and goes on when retried", async () => {
  await workflows.start(a, { kind: "slow", id: "slow-1", input: null });
  await until(async () => (release.name === "" ? undefined : true)).catch(() => undefined);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(await opened.postgres.inOrganization(a, (sql) => workflows.cancel(sql, a, "slow-1"))).toBe(
    "running",
  );
  release();
  expect((await ended(a, "slow-1")).state).toBe("canceled");
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(await rowsOf(a, "slow-1")).toEqual([]);
  expect(await opened.postgres.inOrganization(a, (sql) => workflows.retry(sql, a, "slow-1"))).toBe(
    "canceled",
  );
  expect((await ended(a, "slow-1")).state).toBe("succeeded");
  expect(await rowsOf(a, "slow-1")).toEqual(["slow-1:after"]);
});

test("a run that waits for a signal can be canceled", async () => {
  await workflows.start(a, { kind: "signaled", id: "sig-2", input: null });
  await stateIs(a, "sig-2", "waiting");
  await opened.postgres.inOrganization(a, (sql) => workflows.cancel(sql, a, "sig-2"));
  expect((await ended(a, "sig-2")).state).toBe("canceled");
});

test("a step is tried again by its policy; the run then fails, and a retry does only what had failed", async () => {
  broken = true;
  await workflows.start(a, { kind: "breaks", id: "br-1", input: null });
  const failed = await ended(a, "br-1");
  expect(failed).toMatchObject({ state: "failed", error: "Error: the world is broken" });
  expect(failed.steps.map((step) => [step.name, step.state, step.attempts])).toEqual([
    ["first", "succeeded", 1],
    ["breaks", "failed", 3],
  ]);
  expect(await workflows.failedSince(a, 0)).toMatchObject([{ id: "br-1" }]);
  expect(await rowsOf(a, "br-1")).toEqual(["br-1:first"]);
  broken = false;
  const before = { ...calls };
  expect(await opened.postgres.inOrganization(a, (sql) => workflows.retry(sql, a, "br-1"))).toBe("failed");
  expect((await ended(a, "br-1")).state).toBe("succeeded");
  expect(await rowsOf(a, "br-1")).toEqual(["br-1:breaks", "br-1:first", "br-1:last"]);
  expect(calls["first"]).toBe(before["first"]);
  expect(await opened.postgres.inOrganization(a, (sql) => workflows.retry(sql, a, "br-1"))).toBe("succeeded");
});

test("a retry is undone with the transaction that asked for it", async () => {
  broken = true;
  await workflows.start(a, { kind: "breaks", id: "br-2", input: null });
  await ended(a, "br-2");
  await expect(
    opened.postgres.inOrganization(a, async (sql) => {
      await workflows.retry(sql, a, "br-2");
      throw new Error("no");
    }),
  ).rejects.toThrow("no");
  expect((await workflows.inspect(a, "br-2"))?.state).toBe("failed");
});

test("a workflow may catch a step's failure and go on", async () => {
  await workflows.start(a, { kind: "swallows", id: "sw-1", input: null });
  expect((await ended(a, "sw-1")).output).toBe("not today");
});

test("an exchange is one step: its write is tried again with the answer there was, and happens once", async () => {
  await workflows.start(a, { kind: "asks", id: "asks-1", input: null });
  const run = await ended(a, "asks-1");
  expect(run.output).toEqual({ answer: 1 });
  expect(calls["asks-1:asked"]).toBe(1);
  expect(run.steps.map((step) => [step.name, step.state, step.attempts])).toEqual([["ask", "succeeded", 3]]);
  expect(await rowsOf(a, "asks-1")).toEqual(["asks-1:answer 1"]);
});

test("a step may start another run; sleeping is back-off", async () => {
  await workflows.start(a, { kind: "spawns", id: "sp-1", input: null });
  expect((await ended(a, "sp-1")).state).toBe("succeeded");
  expect((await ended(a, "sp-1-child")).output).toEqual({ sum: 1 });
  await workflows.start(a, { kind: "sleeps", id: "sl-1", input: null });
  expect((await ended(a, "sl-1")).steps).toMatchObject([{ name: "sleep" }]);
});

test("organizations do not see, signal, cancel or retry each other's runs, and may use the same ids", async () => {
  await workflows.start(b, { kind: "signaled", id: "sig-b", input: null });
  await workflows.start(b, { kind: "sum", id: "sum-1", input: { times: 2 } });
  expect((await ended(b, "sum-1")).output).toEqual({ sum: 1 });
  expect((await workflows.inspect(a, "sum-1"))?.output).toEqual({ sum: 3 });
  expect(await workflows.inspect(a, "sig-b")).toBeUndefined();
  expect(await workflows.signal(a, { run: "sig-b", name: "go", key: "x", payload: null })).toBe("unknown");
  expect(await opened.postgres.inOrganization(a, (sql) => workflows.cancel(sql, b, "sig-b"))).toBeUndefined();
  expect(await opened.postgres.inOrganization(a, (sql) => workflows.retry(sql, b, "sig-b"))).toBeUndefined();
  expect(await workflows.countBusy(a)).toBe(0);
  const listed = await workflows.list(b, { limit: 100 });
  expect(listed.map((run) => run.id).toSorted()).toEqual(["sig-b", "sum-1"]);
  const seen = await opened.postgres.inOrganization(
    a,
    (sql) => sql`SELECT FROM weir_workflow.operation_outputs WHERE workflow_uuid LIKE ${`${b}/%`}`,
  );
  expect(seen).toHaveLength(0);
});

test("runs are listed newest first, in pages, by state and kind", async () => {
  const all = await workflows.list(a, { limit: 100 });
  const firstPage = await workflows.list(a, { limit: 3 });
  const secondPage = await workflows.list(a, { limit: 3, after: firstPage[2]?.id });
  expect([...firstPage, ...secondPage].map((run) => run.id)).toEqual(all.slice(0, 6).map((run) => run.id));
  const failed = await workflows.list(a, { limit: 100, state: "failed" });
  expect(failed.map((run) => run.id)).toEqual(["br-2"]);
  const sums = await workflows.list(a, { limit: 100, kind: "sum" });
  expect(new Set(sums.map((run) => run.kind))).toEqual(new Set(["sum"]));
});

test("after a restart runs go on where they were; an upgrade goes on with their version, and new runs take the new one", async () => {
  await workflows.start(a, { kind: "signaled", id: "up-1", input: null });
  await stateIs(a, "up-1", "waiting");
  await workflows.close();
  define({
    kind: "signaled",
    version: 2,
    async run(context) {
      const only = await context.waitForSignal("go");
      return { version: 2, only } as unknown as JsonValue;
    },
  });
  workflows = await open();
  await workflows.start(a, { kind: "signaled", id: "up-2", input: null });
  for (const [run, key] of [
    ["up-1", "1"],
    ["up-1", "2"],
    ["up-2", "1"],
  ] as const)
    await workflows.signal(a, { run, name: "go", key, payload: key });
  expect(await ended(a, "up-1")).toMatchObject({ version: 1, output: [{ payload: "1" }, { payload: "2" }] });
  expect(await ended(a, "up-2")).toMatchObject({
    version: 2,
    output: { version: 2, only: { payload: "1" } },
  });
  expect(calls["up-1:before"]).toBe(1);
});

test("a version whose steps were changed is told, and so is one that is gone; both go on once they are back", async () => {
  define({
    kind: "changing",
    version: 1,
    async run(context) {
      await context.step("load", () => Promise.resolve(1));
      await context.waitForSignal("go");
    },
  });
  await workflows.close();
  workflows = await open();
  await workflows.start(a, { kind: "changing", id: "ch-1", input: null });
  await stateIs(a, "ch-1", "waiting");
  const original = definitions.pop();
  define({
    kind: "changing",
    version: 1,
    async run(context) {
      await context.step("fetch", () => Promise.resolve(1));
    },
  });
  await workflows.close();
  workflows = await open();
  const failed = await ended(a, "ch-1");
  expect(failed.state).toBe("failed");
  expect(failed.error).toContain(new WorkflowChanged("changing", 1, 0, "load", "fetch").message);

  definitions.pop();
  await workflows.close();
  workflows = await open();
  await opened.postgres.inOrganization(a, (sql) => workflows.retry(sql, a, "ch-1"));
  await until(async () => {
    const run = await workflows.inspect(a, "ch-1");
    return run?.error?.includes("no workflow changing in version 1") === true ? true : undefined;
  });

  if (original !== undefined) definitions.push(original);
  await workflows.close();
  workflows = await open();
  await opened.postgres.inOrganization(a, (sql) => workflows.retry(sql, a, "ch-1"));
  await stateIs(a, "ch-1", "waiting");
  await workflows.signal(a, { run: "ch-1", name: "go", key: "1", payload: null });
  expect((await ended(a, "ch-1")).state).toBe("succeeded");
});

test("two engines in one process share the database, and the runs of one that is gone are taken over", async () => {
  const other = await open("two");
  await other.start(a, { kind: "signaled", id: "two-1", input: null });
  await stateIs(a, "two-1", "waiting");
  await other.close();
  // `one` looks every 5 s.
  await workflows.signal(a, { run: "two-1", name: "go", key: "1", payload: 1 });
  await workflows.signal(a, { run: "two-1", name: "go", key: "2", payload: 2 });
  expect((await ended(a, "two-1")).state).toBe("succeeded");
});

test("a step that is at work when the engine stops may finish, and is not done again", async () => {
  await workflows.start(a, { kind: "slow", id: "stop-1", input: null });
  await new Promise((resolve) => setTimeout(resolve, 200));
  const closing = workflows.close();
  setTimeout(release, 100);
  await closing;
  release = () => {};
  workflows = await open();
  expect((await ended(a, "stop-1")).state).toBe("succeeded");
  expect(await rowsOf(a, "stop-1")).toEqual(["stop-1:after"]);
});
