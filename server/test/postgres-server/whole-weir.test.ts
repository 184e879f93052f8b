import { readdir } from "node:fs/promises";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { asSuperuser, createTestDatabase, type TestDatabase } from "../support/postgres-server.js";
import { temporaryFolder } from "../support/temporary-folder.js";
import { startWeirProcess, type WeirProcess } from "../support/weir-process.js";

// The built program on a PostgreSQL server of its user's own, by DATABASE_URL with a password over TCP.
let database: TestDatabase;
let folders: Awaited<ReturnType<typeof temporaryFolder>>[] = [];
let started: WeirProcess[] = [];

beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(async () => {
  await Promise.all(started.splice(0).map((weir) => weir.kill()));
  for (const folder of folders.splice(0)) await folder.remove();
  await database.drop();
});

async function start(
  folder?: { readonly dir: string },
  env: Record<string, string> = {},
): Promise<WeirProcess> {
  let dir = folder?.dir;
  if (dir === undefined) {
    const made = await temporaryFolder("own-server");
    folders.push(made);
    dir = made.dir;
  }
  const weir = await startWeirProcess(dir, {
    DATABASE_URL: database.url,
    WEIR_SEAL_AGE_MS: "50",
    WEIR_INSERT_INTERVAL_MS: "50",
    ...env,
  });
  started.push(weir);
  return weir;
}

async function post<T = Record<string, unknown>>(weir: WeirProcess, path: string, body: object): Promise<T> {
  const response = await weir.fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  expect(response.status, text).toBeLessThan(300);
  return JSON.parse(text) as T;
}

async function operate<T>(weir: WeirProcess, query: string): Promise<T> {
  const { data, errors } = await post<{ data: T; errors?: { message: string }[] }>(weir, "/graphql", {
    query,
  });
  expect(errors).toBeUndefined();
  return data;
}

const usageOf = async (weir: WeirProcess) => {
  const response = await weir.fetch("/v1/meters/tokens/query");
  return ((await response.json()) as { data: { value: string }[] }).data[0]?.value;
};

async function until(wished: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    if (await wished()) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("not within 10 s");
}

test("takes events, bills them, stops, and has everything after the next start; nothing embedded is started", async () => {
  const folder = await temporaryFolder("own-server");
  folders.push(folder);
  const weir = await start(folder);
  await post(weir, "/v1/meters", {
    slug: "tokens",
    eventType: "t",
    aggregation: "SUM",
    valueProperty: "$.n",
  });
  const events = [1, 2, 3].map((n) => ({
    id: String(n),
    source: "s",
    type: "t",
    subject: "acme",
    data: { n: "1000.5" },
  }));
  expect(await post(weir, "/v1/events", events)).toMatchObject({ accepted: 3 });
  await until(async () => (await usageOf(weir)) === "3001.5");
  await operate(
    weir,
    `mutation {
      plan: createPlan(key: "payg", name: "Pay as you go", currency: "USD", prices: [{ key: "tokens", meter: "tokens",
        model: { graduated: { per: "1000", tiers: [{ upTo: "2000", unitAmount: "1" }, { unitAmount: "0.5" }] } } }]) { __typename }
      customer: createCustomer(key: "acme", name: "Acme", timeZone: "Europe/Berlin") { __typename }
      subject: assignSubject(customer: "acme", subject: "acme") { __typename }
      subscription: createSubscription(customer: "acme", plan: "payg") { __typename }
    }`,
  );
  const { customer } = await operate<{ customer: { subscriptions: { nodes: { id: string }[] } } }>(
    weir,
    '{ customer(idOrKey: "acme") { subscriptions { nodes { id } } } }',
  );
  const create = `mutation { createInvoice(subscription: "${customer.subscriptions.nodes[0]!.id}") {
    ... on CreateInvoiceSuccess { data { invoice { id total { amount } } } } ... on RefusalError { message } } }`;
  const made = await operate<{ createInvoice: unknown }>(weir, create);
  // 2,000 at 1 and 1,001.5 at 0.5 a thousand.
  expect(made.createInvoice).toMatchObject({ data: { invoice: { total: { amount: "2.50" } } } });
  expect(await weir.stop()).toBe(0);
  expect(await readdir(folder.dir)).not.toContain("postgres");

  const again = await start(folder);
  expect(await usageOf(again)).toBe("3001.5");
  const { invoices } = await operate<{ invoices: { nodes: object[] } }>(
    again,
    "{ invoices { nodes { total { amount } } } }",
  );
  expect(invoices.nodes).toEqual([{ total: { amount: "2.50" } }]);
  expect(await post(again, "/v1/events", events)).toMatchObject({ accepted: 0, duplicates: 3 });
});

test("two processes that start at once on an empty database both come up; each migration is applied once", async () => {
  const [one, two] = await Promise.all([start(), start()]);
  const applied = await asSuperuser(
    (sql) => sql<{ name: string }[]>`SELECT name FROM weir.migrations ORDER BY name`,
    database.name,
  );
  const files = await readdir(new URL("../../migrations/postgres", import.meta.url));
  expect(applied.map(({ name }) => name)).toEqual(files.toSorted());
  const slug = "{ organization { slug } }";
  for (const weir of [one, two])
    expect(await operate(weir, slug)).toEqual({ organization: { slug: "default" } });
});

test("a server that goes away is an outage that says to try again, and work goes on when it is back", async () => {
  const way = await openWay(Number(new URL(database.url).port));
  const url = new URL(database.url);
  url.port = String(way.port);
  const weir = await start(undefined, { DATABASE_URL: url.toString() });
  await post(weir, "/v1/meters", { slug: "tokens", eventType: "t", aggregation: "COUNT" });
  await way.close();
  const body = JSON.stringify({ slug: "other", eventType: "t", aggregation: "COUNT" });
  for (let request = 0; request < 5; request += 1) {
    const refused = await weir.fetch("/v1/meters", { method: "POST", body });
    expect(refused.status, await refused.text()).toBe(503);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
  }
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  expect(weir.child.exitCode, weir.output()).toBeNull();
  await way.open();
  await asSuperuser((sql) => sql.unsafe(`ALTER DATABASE ${database.name} ALLOW_CONNECTIONS false`));
  expect((await weir.fetch("/v1/meters", { method: "POST", body })).status).toBe(503);
  await asSuperuser((sql) => sql.unsafe(`ALTER DATABASE ${database.name} ALLOW_CONNECTIONS true`));
  await until(async () => (await weir.fetch("/v1/meters", { method: "POST", body })).status === 201);
});

/** A way to a port that can be closed: connections break, and new ones are refused. */
async function openWay(target: number) {
  const sockets = new Set<Socket>();
  const server = createServer((from) => {
    const to = connect(target, "127.0.0.1");
    for (const socket of [from, to]) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => sockets.delete(socket));
    }
    from.pipe(to).pipe(from);
  });
  const listen = (port: number) =>
    new Promise<void>((resolve) => server.listen(port, "127.0.0.1", () => resolve()));
  await listen(0);
  const { port } = server.address() as AddressInfo;
  return {
    port,
    open: () => listen(port),
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

test("refuses to start where organizations would not be kept apart, and prints the SQL that mends it", async () => {
  await (await start()).stop();
  const faults = [
    ["weir_app has BYPASSRLS", "ALTER ROLE weir_app BYPASSRLS", "ALTER ROLE weir_app NOBYPASSRLS;"],
    ["weir_app is a superuser", "ALTER ROLE weir_app SUPERUSER", "ALTER ROLE weir_app NOSUPERUSER;"],
    [
      "weir_app owns customers",
      "ALTER TABLE weir.customers OWNER TO weir_app",
      'ALTER TABLE weir."customers" OWNER TO CURRENT_USER;',
    ],
    [
      "customers is without forced row-level security",
      "ALTER TABLE weir.customers DISABLE ROW LEVEL SECURITY",
      'ALTER TABLE weir."customers" ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;',
    ],
  ] as const;
  try {
    for (const [told, fault, remedy] of faults) {
      await asSuperuser((sql) => sql.unsafe(fault), database.name);
      const failure = await start().catch((error: unknown) => String(error));
      expect(failure).toContain("Weir ended with 1 before it was ready");
      expect(failure).toContain(`Organizations would not be kept apart: ${told}.`);
      expect(failure).toContain(remedy);
      expect(failure).not.toContain("a secret");
      expect(failure).not.toMatch(/\n\s+at .*\.js/); // told, not dumped
      await asSuperuser((sql) => sql.unsafe(remedy.replace("CURRENT_USER", database.login)), database.name);
    }
    await start();
  } finally {
    await asSuperuser((sql) => sql.unsafe("ALTER ROLE weir_app NOSUPERUSER NOBYPASSRLS"));
  }
});
