// Weir is killed between commits and deliveries: every invoice is told at least once, under one webhook-id and with the same bytes.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { verifyWebhook } from "@weir/sdk";
import { afterAll, expect, test, vi } from "vitest";
import { askOver, operationsOf } from "../support/graphql-operations.js";
import { startWebhookReceiver, type WebhookReceiver } from "../support/webhook-receiver.js";
import { startWeirProcess, type WeirProcess } from "../support/weir-process.js";

const kills = 10;
const customers = 20;
const months = 12;
const env = { WEIR_WEBHOOKS_ALLOW_PRIVATE: "on" };
let folder: string | undefined;
let server: WeirProcess | undefined;
let receiver: WebhookReceiver | undefined;

afterAll(async () => {
  await server?.stop();
  await receiver?.close();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

const { mutate, ask } = operationsOf(
  askOver((pathname, init) => {
    if (server === undefined) throw new Error("no server");
    return server.fetch(pathname, init);
  }),
);

test(`kill -9 at ${kills} random moments of invoice runs and deliveries: each invoice is told at least once, always by the same id and bytes`, async () => {
  folder = await mkdtemp(path.join(tmpdir(), "weir-webhook-kill-"));
  const dir = path.join(folder, "data");
  // Slow enough that most kills find deliveries begun and not recorded, and not begun.
  const receiving = (receiver = await startWebhookReceiver(() => ({ status: 200, delay_ms: 40 })));
  server = await startWeirProcess(dir, env);
  await mutate('startTestClock(at: "2027-01-01T00:00:00Z")', "{ now }");
  const { secret } = await mutate<{ secret: string }>(
    `createWebhookEndpoint(url: "${receiving.url}", eventTypes: ["invoice.finalized"])`,
    "{ secret }",
  );
  await mutate(
    'createPlan(key: "p", name: "p", currency: "USD", prices: [{ key: "fee", charge: flat, timing: arrears, model: { flat: "1" } }])',
    "{ id }",
  );
  for (let number = 0; number < customers; number += 1) {
    await mutate(`createCustomer(key: "c${number}", name: "c", timeZone: "UTC")`, "{ id }");
    await mutate(`createSubscription(customer: "c${number}", plan: "p")`, "{ id }");
  }
  const end = new Date(Date.UTC(2027, months, 2)).toISOString();
  const advance = () => mutate<{ state: string }>(`advanceTestClock(to: "${end}")`, "{ now state }");
  let repeated = 0;
  for (let kill = 0; kill < kills; kill += 1) {
    const advancing = advance().catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 100 + Math.random() * 900));
    await server.kill();
    await advancing;
    server = await startWeirProcess(dir, env);
  }
  for (let clock = await advance(); clock.state !== "idle"; clock = await advance())
    expect(clock.state).toBe("advancing");
  await vi.waitFor(
    async () => {
      const { webhookDeliveries } = await ask<{ webhookDeliveries: { nodes: unknown[] } }>(
        "{ webhookDeliveries(first: 1, state: pending) { nodes { id } } }",
      );
      expect(webhookDeliveries.nodes).toEqual([]);
    },
    { timeout: 60_000, interval: 100 },
  );
  const bodies = new Map<string, string>();
  const invoices = new Map<string, string>();
  for (const { body, headers } of receiving.received) {
    const event = await verifyWebhook<{ invoice: { number: string } }>({ body, headers, secret });
    if (bodies.has(event.id)) repeated += 1;
    expect(bodies.get(event.id) ?? body).toBe(body);
    bodies.set(event.id, body);
    expect(invoices.get(event.data.invoice.number) ?? event.id).toBe(event.id);
    invoices.set(event.data.invoice.number, event.id);
  }
  expect([...invoices.keys()].map((number) => Number(number.slice(4))).sort((a, b) => a - b)).toEqual(
    Array.from({ length: customers * months }, (_, index) => index + 1),
  );
  // At least once is not twice: only what was in flight at a kill comes again.
  expect(repeated).toBeLessThanOrEqual(kills * 5);
}, 300_000);
