// Two organizations in one Weir. With A's key, every GraphQL field and every REST route is asked for B's things by
// their ids, keys and names. Nothing of B may come back, and nothing of B may change. A field or route that is not in
// the tables of support/foreign-operations.ts and support/foreign-routes.ts fails the test: whoever adds one adds its line.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { schema } from "../../src/graphql/schema.js";
import { createHttpServer } from "../../src/http/server.js";
import { fillOrganization, type FilledOrganization } from "../support/filled-organization.js";
import { moreQueries, mutations, queries, subscriptions } from "../support/foreign-operations.js";
import { routes, signedRoutes } from "../support/foreign-routes.js";
import { startTestWeir, type TestWeir } from "../support/test-weir.js";
import { mark } from "../support/two-organizations.js";
import { wholeSelection } from "../support/whole-selection.js";

let weir: TestWeir;
let a: FilledOrganization;
let b: FilledOrganization;

beforeAll(async () => {
  weir = await startTestWeir("isolation");
  a = await fillOrganization(weir, "aardvark");
  b = await fillOrganization(weir, mark);
});
afterAll(() => weir?.close());

/** What the caller said itself may come back in a refusal; nothing else of B's may. */
function leaks(answer: string, said: string): string[] {
  const secrets = [mark, b.id, b.key, ...Object.values(b.ids)].filter((secret) => secret !== "");
  let text = answer;
  // Longest first, so that an echoed "zebra-meter" is taken out whole and leaves no "zebra" behind.
  const words = (said.match(/[\w.@-]+/g) ?? []).flatMap((word) => [
    word,
    word.replace(/\.(json|html|pdf|xml)$/, ""),
  ]);
  const echoes = [...new Set(words)].sort((one, other) => other.length - one.length);
  for (const echo of echoes)
    if (secrets.some((secret) => echo.includes(secret))) text = text.replaceAll(echo, "");
  return secrets.filter((secret) => text.includes(secret));
}

async function graphqlText(
  operation: string,
  key = a.key,
): Promise<{ text: string; data: Record<string, unknown> }> {
  const response = await weir.fetch("/graphql", {
    method: "POST",
    key,
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ query: operation }),
  });
  const text = await response.text();
  return { text, data: (JSON.parse(text) as { data?: Record<string, unknown> }).data ?? {} };
}

/** Everything that is stored of B: each table under tenancy, and each of ClickHouse's. */
async function stateOf(organization: FilledOrganization): Promise<string> {
  const { postgres, columnar } = weir.weir.services;
  const tables = await postgres.inOrganization(organization.id, async (sql) => {
    const names = await sql<{ name: string }[]>`
      SELECT table_name AS name FROM information_schema.columns
      WHERE table_schema = 'weir' AND column_name = 'organization' ORDER BY 1`;
    const dumps: string[] = [];
    for (const { name } of names) {
      // Without when a key was used, and which process looks after an endpoint: that changes by itself.
      const rows = await sql.unsafe(
        `SELECT (to_jsonb(t) - ARRAY['last_used_at', 'served_by', 'served_until'])::text AS row FROM ${name} t ORDER BY 1`,
      );
      dumps.push(`${name}: ${rows.map((row) => String(row["row"])).join("\n")}`);
    }
    return dumps.join("\n");
  });
  const door = columnar.forOrganization(organization.id);
  const figures = await door.query(
    "state",
    `SELECT (SELECT groupArray(tuple(*)) FROM (SELECT * FROM weir.usage_events WHERE organization = {organization:String} ORDER BY key, revision)) AS events,
            (SELECT groupArray(tuple(*)) FROM (SELECT * FROM weir.usage WHERE organization = {organization:String} ORDER BY key, revision)) AS usage,
            (SELECT groupArray(tuple(*)) FROM (SELECT * FROM weir.usage_corrections WHERE organization = {organization:String} ORDER BY key)) AS corrections`,
    {},
    (row) => JSON.stringify(row),
  );
  return `${tables}\n${figures.join("\n")}`;
}

describe("with A's key, asking for what is B's", () => {
  let before: string;
  beforeAll(async () => {
    before = await stateOf(b);
    expect(before.split(mark).length).toBeGreaterThan(20); // the dump does see B
  });

  test("every query", async () => {
    const table = queries({ a, b });
    const fields = schema.getQueryType()?.getFields() ?? {};
    expect(Object.keys(fields).sort()).toEqual(Object.keys(table).sort());
    for (const [name, field] of Object.entries(fields)) {
      for (const depth of [3, 1]) {
        const operation = `{ ${name}${table[name] ?? ""} ${wholeSelection(field.type, depth)} }`;
        const { text } = await graphqlText(operation);
        // Too large for one query? Then the flatter one must do.
        if (depth === 3 && /exceeds maximum/.test(text)) continue;
        expect(text, operation).not.toMatch(/exceeds maximum|Cannot query field/);
        expect(leaks(text, operation), `${operation}\n${text}`).toEqual([]);
        break;
      }
    }
    for (const query of moreQueries({ a, b })) {
      const { text } = await graphqlText(`{ ${query} }`);
      expect(text, query).not.toMatch(/Cannot query field|Syntax Error/);
      expect(leaks(text, query), `${query}\n${text}`).toEqual([]);
    }
  });

  test("every mutation", async () => {
    const table = mutations({ a, b });
    const fields = schema.getMutationType()?.getFields() ?? {};
    expect(Object.keys(fields).sort()).toEqual(Object.keys(table).sort());
    for (const [name, field] of Object.entries(fields)) {
      for (const args of table[name] ?? []) {
        const operation = `mutation { result: ${name}${args} ${wholeSelection(field.type, 2)} }`;
        const { text, data } = await graphqlText(operation);
        expect(data["result"], `${operation}\n${text}`).toMatchObject({ __typename: "RefusalError" });
        expect(leaks(text, operation), `${operation}\n${text}`).toEqual([]);
      }
    }
  });

  test("every subscription", async () => {
    const table = subscriptions({ a, b });
    const fields = schema.getSubscriptionType()?.getFields() ?? {};
    expect(Object.keys(fields).sort()).toEqual(Object.keys(table).sort());
    for (const [name, field] of Object.entries(fields)) {
      const operation = `subscription { ${name}${table[name] ?? ""} ${wholeSelection(field.type, 2)} }`;
      const response = await weir.fetch("/graphql", {
        method: "POST",
        key: a.key,
        headers: { "content-type": "application/json", accept: "text/event-stream" },
        body: JSON.stringify({ query: operation }),
      });
      const text = await response.text();
      expect(text).toContain("errors");
      expect(leaks(text, operation), text).toEqual([]);
    }
  });

  test("every REST route", async () => {
    const table = { ...routes({ a, b }), ...signedRoutes({ a, b }) };
    const registered = new Set<string>();
    const app = await createHttpServer(weir.weir.services, ({ method, url }) => {
      for (const each of [method].flat()) if (each !== "HEAD") registered.add(`${each} ${url}`);
    });
    await app.close();
    expect([...registered].sort()).toEqual(Object.keys(table).sort());
    for (const [route, calls] of Object.entries(table)) {
      if (calls === "graphql") continue;
      const [method = ""] = route.split(" ");
      for (const { path, body } of calls === "public" ? [{ path: route.slice(method.length + 1) }] : calls) {
        const response = await weir.fetch(path, {
          method,
          key: a.key,
          ...(body === undefined
            ? {}
            : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
        });
        const text = Buffer.from(await response.arrayBuffer()).toString("latin1");
        const said = `${path} ${JSON.stringify(body ?? "")}`;
        expect(response.status, `${route} ${text}`).toBeLessThan(500);
        expect(leaks(text, said), `${route} ${said}\n${text}`).toEqual([]);
      }
    }
  });

  test("nothing of B's has changed", async () => {
    await weir.settled();
    expect(await stateOf(b)).toBe(before);
  });
});

describe("keys", () => {
  const kinds: Record<string, string> = {};
  beforeAll(async () => {
    const caller = await weir.weir.services.identity.authenticate(`Bearer ${a.key}`);
    if (caller === undefined) throw new Error("A's key is unknown");
    for (const kind of ["ingest", "read"] as const) {
      kinds[kind] = (await weir.weir.services.identity.createKey(caller, { kind, name: kind })).secret;
    }
    const { key, secret } = await weir.weir.services.identity.createKey(caller, {
      kind: "secret",
      name: "gone",
    });
    await weir.weir.services.identity.revokeKey(caller, key.id);
    kinds["revoked"] = secret;
  });

  /** The status of each route's first call, with a key or without one. */
  async function statusesWith(key: string | undefined): Promise<Map<string, number>> {
    const statuses = new Map<string, number>();
    for (const [route, calls] of Object.entries(routes({ a, b }))) {
      const [method = "", path = ""] = route.split(" ");
      if (method === "OPTIONS") continue;
      const call =
        calls === "graphql" || calls === "public" || calls.length === 0
          ? { path: path.replace(/:\w+/g, "x"), body: method === "POST" ? {} : undefined }
          : (calls[0] ?? { path });
      const response = await fetch(new URL(call.path, weir.url), {
        method,
        headers: {
          ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
          ...(call.body === undefined ? {} : { "content-type": "application/json" }),
        },
        ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
      });
      statuses.set(route, response.status);
      await response.arrayBuffer();
    }
    return statuses;
  }

  test("without one, with a wrong one, or with a revoked one nothing but the public routes is there", async () => {
    const open = Object.entries(routes({ a, b })).flatMap(([route, calls]) =>
      calls === "public" ? [route] : [],
    );
    for (const key of [undefined, "weir_secret_wrong_wrong_wrong", kinds["revoked"]]) {
      for (const [route, status] of await statusesWith(key)) {
        if (open.includes(route)) expect([200, 503], route).toContain(status);
        else expect(status, `${route} with ${key}`).toBe(401);
      }
    }
  });

  test("with any key or none, what a signature opens stays shut without one that is right", async () => {
    for (const key of [undefined, a.key, b.key, kinds["revoked"]]) {
      for (const [route, calls] of Object.entries(signedRoutes({ a, b }))) {
        const [method = ""] = route.split(" ");
        for (const { path, body } of calls) {
          const response = await fetch(new URL(path, weir.url), {
            method,
            redirect: "manual",
            headers: {
              ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
              ...(body === undefined ? {} : { "content-type": "application/json" }),
            },
            ...(body === undefined ? {} : { body: JSON.stringify(body) }),
          });
          expect([400, 404], `${route} ${path}`).toContain(response.status);
          expect(leaks(await response.text(), path)).toEqual([]);
        }
      }
    }
  });

  test("an ingest key reads nothing and changes nothing, it sends events", async () => {
    const allowed = ["POST /v1/events", "POST /api/v1/events"];
    for (const [route, status] of await statusesWith(kinds["ingest"])) {
      if (routes({ a, b })[route] === "public") continue;
      if (allowed.includes(route)) expect([202, 204], route).toContain(status);
      else expect(status, route).toBe(403);
    }
  });

  test("a read key reads, and changes and sends nothing", async () => {
    const reads = /^GET |\/query$|^POST \/graphql$/;
    for (const [route, status] of await statusesWith(kinds["read"])) {
      if (routes({ a, b })[route] === "public" || route === "GET /v1/config") continue;
      // It holds the tokens that money is taken with.
      if (route === "GET /v1/payment-batches/:file") continue;
      if (reads.test(route)) expect(status, route).not.toBe(403);
      else expect(status, route).toBe(403);
    }
    for (const [name, field] of Object.entries(schema.getMutationType()?.getFields() ?? {})) {
      const args = mutationOfOwn[name] ?? mutations({ a, b })[name]?.[0] ?? "";
      const operation = `mutation { ${name}${args} ${wholeSelection(field.type, 1)} }`;
      const { text } = await graphqlText(operation, kinds["read"]);
      expect(text, operation).toMatch(/wrong-key-kind/);
    }
  });

  const mutationOfOwn: Record<string, string> = {
    createWebhookEndpoint: '(url: "https://new.invalid/", eventTypes: ["*"])',
    addTaxRate: '(country: "NZ", name: "GST", percent: "15", validFrom: "2026-01-01")',
    sendTestMail: '(to: "me@example.com")',
    setBillingProfile: '(legalName: "mine")',
    setDunningSchedule: "(hour: 9)",
    createProviderAccount: '(key: "mine", provider: "stripe")',
    setTaxSettings: '(country: "NZ")',
    closeLedgerMonth: '(month: "2020-01")',
    setLedgerTimeZone: '(timeZone: "Pacific/Auckland")',
    createApiKey: '(kind: secret, name: "mine")',
    createProduct: '(key: "p")',
    createCustomer: '(key: "c", name: "c", timeZone: "UTC")',
    createMeter: '(slug: "m", eventType: "t", aggregation: COUNT)',
  };
});
