import { graphql } from "graphql";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Customers } from "../../src/billing/index.js";
import { Catalog } from "../../src/catalog/index.js";
import type { Postgres } from "../../src/engines/postgres/index.js";
import type { GraphQLContext } from "../../src/graphql/context.js";
import { schema } from "../../src/graphql/schema.js";
import { openIdentity, type Caller } from "../../src/identity/index.js";
import { FixedClock, sameClock } from "../../src/kernel/clock.js";
import { parseInstant, type Instant } from "../../src/kernel/instant.js";
import { Refusal } from "../../src/kernel/problem.js";
import type { Services } from "../../src/services.js";
import { openTestBilling } from "../support/open-test-billing.js";
import { openTestPostgres } from "./embedded-postgres.js";
import { UsageInMemory } from "../support/usage-in-memory.js";

const clock = new FixedClock(parseInstant("2026-03-15T12:00:00Z")!);
const clocks = sameClock(clock);
let postgres: Postgres;
let remove: () => Promise<void>;
let services: Services;
let caller: Caller;
const usage = new UsageInMemory();

beforeAll(async () => {
  ({ postgres, remove } = await openTestPostgres());
  const identity = openIdentity({ postgres, clock });
  const { id } = await identity.createOrganization({ slug: "nimbus", name: "Nimbus", mode: "test" });
  caller = { organization: id, key: "key_test" as Caller["key"], kind: "secret" };
  await usage.addMeter(postgres, id, "tokens", clock.now());
  const catalog = new Catalog({ postgres, clock, clocks, meters: usage });
  const { billing } = openTestBilling({
    postgres,
    clock,
    clocks,
    catalog,
    usage,
    customers: new Customers({ postgres, clock, clocks }),
  });
  // What these operations reach; the whole of it runs in the end-to-end tests.
  services = { postgres, clock, identity, catalog, billing } as unknown as Services;
});
afterAll(() => remove());

async function run(
  source: string,
  variableValues: Record<string, unknown> = {},
  more: Partial<GraphQLContext> = {},
) {
  const contextValue: GraphQLContext = { caller, services, clock, idempotencyKey: undefined, ...more };
  const { data, errors } = await graphql({ schema, source, variableValues, contextValue });
  if (errors !== undefined) throw errors[0]?.originalError ?? new Error(errors[0]?.message);
  // eslint-disable-next-line typescript/no-explicit-any
  return JSON.parse(JSON.stringify(data)) as Record<string, any>;
}

const createPlan = `mutation ($key: String!, $model: JSON!) {
  createPlan(key: $key, name: "LLM", currency: "USD", prices: [{ key: "tokens", meter: "tokens", model: $model }]) {
    __typename
    ... on CreatePlanSuccess { data { id current { id version currency prices { key meter model } } } }
    ... on RefusalError { code message details }
  }
}`;
const graduated = {
  graduated: { per: "1000", tiers: [{ upTo: "1000", flatAmount: "5" }, { unitAmount: "0.03" }] },
};

test("from a plan to an invoice whose line is traced to its events, over GraphQL alone", async () => {
  const plan = await run(createPlan, { key: "llm", model: graduated });
  expect(plan["createPlan"].data.current).toMatchObject({
    version: 1,
    prices: [
      {
        key: "tokens",
        meter: "tokens",
        model: {
          graduated: {
            per: "1000",
            tiers: [
              { upTo: "1000", unitAmount: "0", flatAmount: "5" },
              { unitAmount: "0.03", flatAmount: "0" },
            ],
          },
        },
      },
    ],
  });
  const customer = await run(`mutation {
    createCustomer(key: "acme", name: "Acme", timeZone: "Pacific/Auckland", email: "billing@acme.example") { ... on CreateCustomerSuccess { data { id timeZone } } }
  }`);
  expect(customer["createCustomer"].data.timeZone).toBe("Pacific/Auckland");
  await run(
    `mutation { assignSubject(customer: "acme", subject: "acme-1") { ... on AssignSubjectSuccess { data { subjects { subject to } } } } }`,
  );
  const subscribed = await run(`mutation {
    createSubscription(customer: "acme", plan: "llm", start: "2026-01-01T00:00:00Z") {
      ... on CreateSubscriptionSuccess { data { id period { start end } } }
    }
  }`);
  const { id: subscription, period } = subscribed["createSubscription"].data;
  expect(period).toEqual({ start: "2026-02-28T11:00:00Z", end: "2026-03-31T11:00:00Z" });
  for (let hours = 0; hours < 5; hours += 1) {
    usage.add(
      caller.organization,
      "acme-1",
      (parseInstant("2026-03-10T09:00:00Z")! + hours * 3_600_000_000) as Instant,
      "1234.5",
    );
  }

  const preview = await run(
    `query ($id: ID!) { invoicePreview(subscription: $id) { total { minor amount currency } notices lines { quantity amount } } }`,
    { id: subscription },
  );
  expect(preview["invoicePreview"]).toEqual({
    total: { minor: "516", amount: "5.16", currency: "USD" },
    notices: [expect.stringMatching(/^No tax/)],
    lines: [{ quantity: "6172.5", amount: "5.155175" }],
  });

  const created = await run(
    `mutation ($id: ID!) { createInvoice(subscription: $id) { ... on CreateInvoiceSuccess { data { created invoice { id lines { id } } } } } }`,
    { id: subscription },
  );
  const { invoice } = created["createInvoice"].data;
  const why = await run(
    `query ($invoice: ID!, $line: ID!) {
      lineExplanation(invoice: $invoice, line: $line) {
        reproduced differences { field }
        customer { key } planVersion { version } price { key } meter { slug version }
        subjects { subject from to }
        recorded { quantity amount money { minor } tiers { from upTo quantity amount } } recomputed { amount money { minor } }
        days { date quantity eventCount }
        events(first: 3) { nodes { id value time } endCursor }
      }
    }`,
    { invoice: invoice.id, line: invoice.lines[0].id },
  );
  expect(why["lineExplanation"]).toMatchObject({
    reproduced: true,
    differences: [],
    customer: { key: "acme" },
    recorded: {
      amount: "5.155175",
      tiers: [
        { from: "0", upTo: "1000", quantity: "1000", amount: "5" },
        { from: "1000", upTo: null, quantity: "5172.5", amount: "0.155175" },
      ],
    },
    recomputed: { amount: "5.155175", money: { minor: "516" } },
    days: [
      { date: "2026-03-10", quantity: "2469", eventCount: 2 },
      { date: "2026-03-11", quantity: "3703.5", eventCount: 3 },
    ],
  });
  const { endCursor } = why["lineExplanation"].events;
  const rest = await run(
    `query ($id: ID!, $after: String!) {
      previewExplanation(subscription: $id, price: "tokens") { reproduced invoiceId events(first: 3, after: $after) { nodes { id } endCursor } }
    }`,
    { id: subscription, after: endCursor },
  );
  expect(rest["previewExplanation"]).toMatchObject({
    reproduced: true,
    invoiceId: null,
    events: { nodes: [{}, {}], endCursor: null },
  });
});

test("a refusal is a value with its code and its faults", async () => {
  const refused = await run(createPlan, {
    key: "other",
    model: { perUnit: { unitAmount: "-1", per: "0.5" } },
  });
  expect(refused["createPlan"]).toMatchObject({ __typename: "RefusalError", code: "invalid-plan" });
  expect(refused["createPlan"].details.errors).toHaveLength(2);
  const malformed = await run(createPlan, { key: "other", model: { perUnit: { unitAmount: "ten" } } });
  expect(malformed["createPlan"].details.errors[0].field).toBe("prices[0].model.perUnit.unitAmount");
  const empty = await run(createPlan, { key: "other", model: {} });
  expect(empty["createPlan"].details.errors[0]).toMatchObject({
    field: "prices[0].model",
    message: expect.stringContaining("perUnit"),
  });
});

test("a read key reads and changes nothing", async () => {
  const reader = { caller: { ...caller, kind: "read" as const } };
  const refused = await run(createPlan, { key: "other", model: graduated }, reader);
  expect(refused["createPlan"].code).toBe("wrong-key-kind");
  const found = await run(`{ customers { nodes { key } } plans { nodes { key } } }`, {}, reader);
  expect(found).toMatchObject({
    customers: { nodes: [{ key: "acme" }] },
    plans: { nodes: [{ key: "llm" }] },
  });
});

test("a mutation sent again under its idempotency key answers as the first time", async () => {
  const again = { idempotencyKey: "once" };
  const first = await run(createPlan, { key: "twice", model: graduated }, again);
  const second = await run(createPlan, { key: "twice", model: graduated }, again);
  expect(second["createPlan"].data.id).toBe(first["createPlan"].data.id);
  const other = await run(createPlan, { key: "third", model: graduated }, again);
  expect(other["createPlan"].code).toBe("idempotency-key-reused");
});

test("lists are read forward, page by page", async () => {
  for (const name of ["b", "c", "d"]) {
    clock.advance(1000);
    await services.billing.customers.create(caller, { key: name, name, timeZone: "UTC" });
  }
  const source = `query ($after: String) { customers(first: 3, after: $after) { nodes { key } pageInfo { hasNextPage endCursor } } }`;
  const first = await run(source);
  const second = await run(source, { after: first["customers"].pageInfo.endCursor });
  expect(first["customers"].nodes.map((node: { key: string }) => node.key)).toEqual(["acme", "b", "c"]);
  expect(second["customers"]).toMatchObject({ nodes: [{ key: "d" }], pageInfo: { hasNextPage: false } });
  await expect(run(`{ customers(last: 1) { nodes { key } } }`)).rejects.toBeInstanceOf(Refusal);
  expect((await run(`{ customer(idOrKey: "nobody") { key } }`))["customer"]).toBeNull();
});
