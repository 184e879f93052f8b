// Webhooks of a whole Weir: what billing tells, over the public API, on real time and on a test clock.
import { verifyWebhook } from "@weir/sdk";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { operationsOf } from "../support/graphql-operations.js";
import { startTestWeir, type TestWeir } from "../support/test-weir.js";
import { startWebhookReceiver, type Behaviour, type WebhookReceiver } from "../support/webhook-receiver.js";

let weir: TestWeir;
let receivers: WebhookReceiver[] = [];
let key: string;
let organizations = 0;

const { ask, mutate, advance } = operationsOf((query) => weir.graphql(query, {}, key));
const eventually = <T>(check: () => T | Promise<T>, timeout = 60_000) =>
  vi.waitFor(check, { timeout, interval: 20 });

beforeAll(async () => {
  weir = await startTestWeir("webhooks", { WEIR_WEBHOOKS_ALLOW_PRIVATE: "on" });
});
afterAll(() => weir?.close());
beforeEach(async () => {
  const { identity } = weir.weir.services;
  const slug = `w${(organizations += 1)}`;
  const { id } = await identity.createOrganization({ slug, name: slug, mode: "live" });
  key = (await identity.issueSystemKey(id, { name: "k", kind: "secret" })).secret;
});
afterEach(async () => {
  await Promise.all(receivers.map((receiver) => receiver.close()));
  receivers = [];
});

async function receive(behaviour?: Behaviour) {
  const receiver = await startWebhookReceiver(behaviour);
  receivers.push(receiver);
  return receiver;
}

interface Created {
  readonly secret: string;
  readonly endpoint: { readonly id: string; readonly state: string };
}

const createEndpoint = (url: string, types = '["*"]') =>
  mutate<Created>(
    `createWebhookEndpoint(url: "${url}", eventTypes: ${types})`,
    "{ secret endpoint { id state } }",
  );

async function subscribe(customers: number, start: string): Promise<void> {
  await mutate(
    'createPlan(key: "p", name: "p", currency: "USD", prices: [{ key: "fee", charge: flat, timing: arrears, model: { flat: "12.50" } }])',
    "{ id }",
  );
  for (let n = 0; n < customers; n += 1) {
    await mutate(`createCustomer(key: "c${n}", name: "c", timeZone: "UTC")`, "{ id }");
    await mutate(`createSubscription(customer: "c${n}", plan: "p", start: "${start}")`, "{ id }");
  }
}

interface ToldInvoice {
  readonly invoice: {
    readonly id: string;
    readonly number: string;
    readonly status: string;
    readonly due: object;
  };
}

describe("what billing tells", () => {
  test("finalizing, voiding and crediting, each once, with amounts and numbers as over GraphQL", async () => {
    const receiver = await receive();
    const { secret } = await createEndpoint(receiver.url);
    await subscribe(1, "2026-01-01T00:00:00Z");
    const { subscriptions } = await ask<{ subscriptions: { nodes: { id: string }[] } }>(
      "{ subscriptions { nodes { id } } }",
    );
    const ids: string[] = [];
    for (const at of ["2026-01-10T00:00:00Z", "2026-02-10T00:00:00Z"]) {
      const { invoice } = await mutate<{ invoice: { id: string } }>(
        `createInvoice(subscription: "${subscriptions.nodes[0]!.id}", at: "${at}")`,
        "{ invoice { id } }",
      );
      await mutate(`finalizeInvoice(id: "${invoice.id}")`, "{ id }");
      await mutate(`finalizeInvoice(id: "${invoice.id}")`, "{ id }");
      ids.push(invoice.id);
    }
    await mutate(`issueCreditNote(invoice: "${ids[0]}", reason: "slow")`, "{ id }");
    await mutate(`voidInvoice(id: "${ids[1]}", reason: "wrong")`, "{ id }");
    await eventually(() => expect(receiver.received).toHaveLength(6));
    const told = await Promise.all(
      receiver.received.map(({ body, headers }) => verifyWebhook<ToldInvoice>({ body, headers, secret })),
    );
    expect(told.map(({ type }) => type).sort()).toEqual([
      "credit_note.issued",
      "credit_note.issued",
      "invoice.finalized",
      "invoice.finalized",
      // The first was credited in full: nothing is owed of it.
      "invoice.paid",
      "invoice.voided",
    ]);
    const finalized = told.filter(({ type }) => type === "invoice.finalized").map(({ data }) => data.invoice);
    expect(finalized.map(({ id }) => id).sort()).toEqual(ids.sort());
    const { invoice } = await ask<{ invoice: { number: string; totals: { due: object } } }>(
      `{ invoice(id: "${finalized[0]!.id}") { number totals { due { currency minor amount } } } }`,
    );
    expect(finalized[0]).toMatchObject({
      number: invoice.number,
      status: "finalized",
      due: { currency: "USD", minor: "1250", amount: "12.50" },
      customer: { key: "c0" },
    });
    const voided = told.find(({ type }) => type === "invoice.voided")!.data;
    expect(voided).toMatchObject({
      invoice: { status: "voided" },
      reason: "wrong",
      creditNote: { number: "CN-000002" },
    });
  });

  test("a run of invoices on a test clock: each is told, at the organization's time, and a receiver that never answers does not hold up the clock", async () => {
    const [good, dead] = [await receive(), await receive(() => "hang")];
    await mutate('startTestClock(at: "2027-01-01T00:00:00Z")', "{ now }");
    const { secret } = await createEndpoint(good.url, '["invoice.*"]');
    const { endpoint: deadEndpoint } = await createEndpoint(dead.url);
    await subscribe(30, "2027-01-01T00:00:00Z");
    const clock = await advance("2027-07-02T00:00:00Z");
    expect(clock.state).toBe("idle");
    // Six months of 30 invoices: had the clock waited for each, as many would have been tried by now.
    expect(dead.received.length).toBeLessThan(60);
    await eventually(() => expect(good.received).toHaveLength(180), 30_000);
    const told = await Promise.all(
      good.received.map(({ body, headers }) => verifyWebhook<ToldInvoice>({ body, headers, secret })),
    );
    expect(new Set(told.map(({ data }) => data.invoice.number)).size).toBe(180);
    expect(new Set(told.map(({ id }) => id)).size).toBe(180);
    expect([...new Set(told.map(({ timestamp }) => timestamp.slice(0, 7)))].sort()).toEqual(
      ["02", "03", "04", "05", "06", "07"].map((month) => `2027-${month}`),
    );
    // Nothing of the other's is lost.
    let pending = 0;
    for (let after = ""; ; ) {
      const { webhookDeliveries: page } = await ask<{
        webhookDeliveries: { nodes: { id: string }[]; pageInfo: { hasNextPage: boolean; endCursor: string } };
      }>(
        `{ webhookDeliveries(first: 100, endpoint: "${deadEndpoint.id}", state: pending${after}) { nodes { id } pageInfo { hasNextPage endCursor } } }`,
      );
      pending += page.nodes.length;
      if (!page.pageInfo.hasNextPage) break;
      after = `, after: "${page.pageInfo.endCursor}"`;
    }
    expect(pending).toBe(180);
    const { runs } = await ask<{ runs: { nodes: unknown[] } }>("{ runs(state: failed) { nodes { id } } }");
    expect(runs.nodes).toEqual([]);
  }, 60_000);
});

describe("over GraphQL", () => {
  test("an endpoint is made, tested, changed, switched off and on, and deleted; each change is audited, no secret is", async () => {
    const receiver = await receive();
    const { endpoint, secret } = await createEndpoint(receiver.url);
    const { id } = endpoint;
    const tested = await mutate<{ id: string }>(`testWebhookEndpoint(endpoint: "${id}")`, "{ id }");
    const delivery = await eventually(async () => {
      const { webhookDelivery } = await ask<{ webhookDelivery: { state: string } }>(
        `{ webhookDelivery(id: "${tested.id}") { state type attemptCount lastStatus attempts { number status durationMs error } message { body key } endpoint { url } } }`,
      );
      expect(webhookDelivery.state).toBe("succeeded");
      return webhookDelivery;
    });
    expect(delivery).toMatchObject({
      type: "webhook.test",
      attemptCount: 1,
      lastStatus: 204,
      attempts: [{ number: 1, status: 204, error: null }],
      message: { body: receiver.received[0]!.body, key: tested.id },
      endpoint: { url: receiver.url },
    });
    const { headers, body } = receiver.received[0]!;
    expect(await verifyWebhook({ headers, body, secret })).toMatchObject({
      type: "webhook.test",
      data: { endpoint: id },
    });
    await mutate(
      `updateWebhookEndpoint(endpoint: "${id}", description: "d", eventTypes: ["invoice.*"])`,
      "{ id }",
    );
    const { secret: second } = await mutate<Created>(
      `rotateWebhookSecret(endpoint: "${id}")`,
      "{ secret endpoint { oldSecretsUntil } }",
    );
    const { secret: shown } = await mutate<Created>(`revealWebhookSecret(endpoint: "${id}")`, "{ secret }");
    expect([second === secret, shown === second]).toEqual([false, true]);
    expect(await mutate(`disableWebhookEndpoint(endpoint: "${id}")`, "{ state disabledReason }")).toEqual({
      state: "disabled",
      disabledReason: "by_hand",
    });
    await mutate(`disableWebhookEndpoint(endpoint: "${id}")`, "{ id }");
    expect(
      await mutate(`enableWebhookEndpoint(endpoint: "${id}")`, "{ state disabledReason breaker failures }"),
    ).toEqual({
      state: "enabled",
      disabledReason: null,
      breaker: "closed",
      failures: 0,
    });
    await mutate(`redeliverWebhook(delivery: "${tested.id}")`, "{ id }");
    await eventually(() => expect(receiver.received).toHaveLength(2));
    expect(await mutate(`deleteWebhookEndpoint(endpoint: "${id}")`, "")).toBe(id);
    const { auditLog } = await ask<{ auditLog: { nodes: { action: string }[] } }>(
      "{ auditLog(first: 50) { nodes { action before after } } }",
    );
    const actions = auditLog.nodes
      .map(({ action }) => action)
      .filter((action) => action.startsWith("webhook"));
    expect(actions.reverse()).toEqual([
      "webhook_endpoint.create",
      "webhook_endpoint.test",
      "webhook_endpoint.update",
      "webhook_endpoint.rotate_secret",
      "webhook_endpoint.reveal_secret",
      "webhook_endpoint.disable",
      "webhook_endpoint.enable",
      "webhook_delivery.redeliver",
      "webhook_endpoint.delete",
    ]);
    expect(JSON.stringify(auditLog)).not.toMatch(/whsec_/);
  });

  test("the same request again under its idempotency key makes one endpoint, and answers with its secret again", async () => {
    const create = async (url: string) => {
      const response = await weir.fetch("/graphql", {
        method: "POST",
        key,
        headers: { "content-type": "application/json", "idempotency-key": "once" },
        body: JSON.stringify({
          query: `mutation { createWebhookEndpoint(url: "${url}", eventTypes: ["*"]) { ... on CreateWebhookEndpointSuccess { data { secret endpoint { id } } } ... on RefusalError { code } } }`,
        }),
      });
      return (await response.json()) as {
        data: { createWebhookEndpoint: { data?: Created; code?: string } };
      };
    };
    const first = await create("http://127.0.0.1:1/");
    expect(first.data.createWebhookEndpoint.data?.secret).toMatch(/^whsec_/);
    expect(await create("http://127.0.0.1:1/")).toEqual(first);
    expect((await create("http://127.0.0.1:2/")).data.createWebhookEndpoint.code).toBe(
      "idempotency-key-reused",
    );
    const { webhookEndpoints } = await ask<{ webhookEndpoints: { nodes: unknown[] } }>(
      "{ webhookEndpoints { nodes { id } } }",
    );
    expect(webhookEndpoints.nodes).toHaveLength(1);
  });

  test("a key that may only read sees the log, and changes nothing", async () => {
    const { endpoint } = await createEndpoint("http://127.0.0.1:1/");
    const { secret: reader } = await mutate<{ secret: string }>(
      'createApiKey(kind: read, name: "r")',
      "{ secret }",
    );
    const seen = await weir.graphql("{ webhookEndpoints { nodes { id } } }", {}, reader);
    expect(seen).toEqual({ webhookEndpoints: { nodes: [{ id: endpoint.id }] } });
    for (const field of [
      "revealWebhookSecret",
      "rotateWebhookSecret",
      "disableWebhookEndpoint",
      "testWebhookEndpoint",
    ]) {
      const query = `mutation { ${field}(endpoint: "${endpoint.id}") { ... on RefusalError { code } } }`;
      expect(await weir.graphql(query, {}, reader)).toEqual({ [field]: { code: "wrong-key-kind" } });
    }
  });

  test("/metrics counts what is in flight", async () => {
    const receiver = await receive(() => "hang");
    const { endpoint } = await createEndpoint(receiver.url);
    await mutate(`testWebhookEndpoint(endpoint: "${endpoint.id}")`, "{ id }");
    await eventually(async () => {
      const metrics = await (await weir.fetch("/metrics")).text();
      expect(Number(/^weir_webhooks_attempts_in_flight (\d+)$/m.exec(metrics)?.[1])).toBeGreaterThan(0);
    });
  });

  test("what there is to be told is listed with what it means", async () => {
    const { webhookEventTypes } = await ask<{ webhookEventTypes: { name: string; description: string }[] }>(
      "{ webhookEventTypes { name description } }",
    );
    expect(webhookEventTypes.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["invoice.finalized", "invoice.voided", "credit_note.issued"]),
    );
  });
});
