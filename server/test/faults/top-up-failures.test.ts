// Top-ups under lost replies, a killed process and money that turns up late: charged once, granted once for what was taken.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startStripeSimulator, type RunningStripeSimulator } from "../../simulators/stripe/index.js";
import { eventually } from "../support/eventually.js";
import { askOver, operationsOf } from "../support/graphql-operations.js";
import { startPrepayingOrganization, type PrepayingOrganization } from "../support/prepaying-organization.js";
import { stripeKey, webhookSecret } from "../support/paying-organization.js";
import { startTestWeir, type TestWeir } from "../support/test-weir.js";
import { startWeirProcess, type WeirProcess } from "../support/weir-process.js";

const visa = "4242424242424242";
let weir: TestWeir;
let org: PrepayingOrganization;
const faults = () => org.paying.stripe.simulator.faults;

beforeAll(async () => {
  weir = await startTestWeir("top-up-failures");
  org = await startPrepayingOrganization(weir, "failing");
});
afterAll(async () => {
  await org?.paying.stop();
  await weir?.close();
});

const watch = (customer: string) =>
  org.mutate(
    `setTopUpSettings(customer: "${customer}", threshold: "10.00", amount: "50.00")`,
    "{ changedAt }",
  );

test("the reply to the charge is lost: it is asked for, and granted once", async () => {
  const lost = faults().add({ event: "*", effect: { kind: "webhook_lost" } });
  faults().add({ operation: "payment_intents.confirm", times: 2, effect: { kind: "drop_after" } });
  await org.customer("lost", { card: visa });
  await watch("lost");
  await org.pass(60);
  faults().remove(lost);
  const [topUp, ...more] = await org.topUps("lost");
  expect(more).toEqual([]);
  expect(topUp).toMatchObject({ state: "succeeded", attempts: [{ state: "succeeded" }] });
  expect(topUp!.grants).toHaveLength(1);
  expect(await org.balance("lost")).toMatchObject({ granted: "50.00" });
  await org.expectBooks();
});

test("while the outcome is not known nothing else is charged, by looks or by hand", async () => {
  const lost = faults().add({ event: "*", effect: { kind: "webhook_lost" } });
  faults().add({ operation: "payment_intents.confirm", times: 2, effect: { kind: "drop_after" } });
  const retrieve = faults().add({ operation: "payment_intents.retrieve", effect: { kind: "drop_before" } });
  await org.customer("unknown", { card: visa });
  await watch("unknown");
  await org.use("unknown", 5);
  await org.pass(30);
  await org.use("unknown", 5);
  await org.pass(30);
  expect(await org.topUps("unknown")).toMatchObject([{ state: "open", attempts: [{ state: "unknown" }] }]);
  await expect(org.mutate('topUpCredit(customer: "unknown", amount: "5.00")', "{ id }")).rejects.toThrow(
    "is under way",
  );
  faults().remove(retrieve);
  await org.pass(12 * 60);
  faults().remove(lost);
  expect((await org.topUps("unknown")).map(({ state }) => state)).toEqual(["succeeded"]);
  await org.expectBooks();
}, 120_000);

test("money that turns up after the top-up had failed is granted all the same, and what was stopped goes on", async () => {
  await org.customer("late", { card: "4000000000009979" });
  await watch("late");
  await org.pass(60);
  const [topUp] = await org.topUps("late");
  expect(topUp).toMatchObject({ state: "failed" });
  const { payments, postgres } = weir.weir.services;
  const attempt = (await payments.charges.findAttempt(org.id, topUp!.attempts[0]!.id))!;
  const recorded = () =>
    postgres.inOrganization(org.id, (sql) =>
      payments.attempts.record(sql, org.id, attempt.id, {
        input: { kind: "succeeded", ref: attempt.ref ?? "pi_late" },
      }),
    );
  await recorded();
  await recorded();
  await org.pass(60);
  expect((await org.topUps("late")).map(({ state, grants }) => [state, grants.length])).toEqual([
    ["succeeded", 1],
  ]);
  const { topUpSettings } = await org.ask<{ topUpSettings: { stoppedBy: string | null } }>(
    '{ topUpSettings(customer: "late") { stoppedBy } }',
  );
  expect(topUpSettings.stoppedBy).toBeNull();
  expect(await org.balance("late")).toMatchObject({ granted: "50.00", available: "50.00" });
  await org.expectBooks();
});

test("a rule that asks for far too little is stopped after 24 top-ups in a day", async () => {
  const id = await org.customer("tiny", { card: visa });
  await org.mutate(
    'setTopUpSettings(customer: "tiny", threshold: "1000.00", amount: "1.00")',
    "{ changedAt }",
  );
  await org.pass(60);
  expect(await org.topUps("tiny")).toHaveLength(24);
  expect(await org.told("balance.top_up_failed", id)).toMatchObject([
    { isStopped: true, reason: { code: "too-many-top-ups" } },
  ]);
  await org.expectBooks();
}, 120_000);

test("a balance that cannot be told is a fault that is shown, and is tried again after a day", async () => {
  await org.customer("faulty", { card: visa });
  await watch("faulty");
  await org.pass(60);
  const { billing, postgres } = weir.weir.services;
  // What the look would meet when a customer pays for more than can be priced at once.
  const of = billing.unbilledCosts.of.bind(billing.unbilledCosts);
  billing.unbilledCosts.of = () => Promise.reject(new Error("too many subscriptions"));
  await org.use("faulty", 45);
  await org.pass(30);
  const fault = async () =>
    (
      await org.ask<{ topUpSettings: { fault: string | null } }>(
        '{ topUpSettings(customer: "faulty") { fault } }',
      )
    ).topUpSettings.fault;
  expect(await fault()).toBe("too many subscriptions");
  billing.unbilledCosts.of = of;
  // Tried again after a day, though nothing happens.
  await org.pass(25 * 60);
  expect(await fault()).toBeNull();
  expect(await org.topUps("faulty")).toHaveLength(2);
  expect(
    await postgres.inOrganization(org.id, (sql) => sql`SELECT FROM top_ups WHERE state = 'open'`),
  ).toHaveLength(0);
});

test("killed after the money was taken and before it was recorded: started again, it is granted once", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "weir-top-up-kill-"));
  let stripe: RunningStripeSimulator | undefined;
  let server: WeirProcess | undefined;
  try {
    stripe = await startStripeSimulator({ port: 0, settings: {} });
    const { simulator } = stripe;
    const start = () => startWeirProcess(path.join(folder, "data"));
    server = await start();
    const { ask, mutate } = operationsOf(askOver((pathname, init) => server!.fetch(pathname, init)));
    await mutate(
      `createProviderAccount(key: "stripe", provider: "stripe", name: "Stripe", settings: [{ name: "apiBase", value: "${stripe.url}" }],
        secrets: [{ name: "secretKey", value: "${stripeKey}" }, { name: "webhookSecret", value: "${webhookSecret}" }])`,
      "{ id }",
    );
    const { id } = await mutate<{ id: string }>(
      'createCustomer(key: "acme", name: "Acme", timeZone: "UTC", currency: "USD")',
      "{ id }",
    );
    await mutate(
      `attachPaymentMethod(customer: "acme", account: "stripe", method: "${simulator.createPaymentMethod({ number: visa })}")`,
      "{ id }",
    );
    simulator.faults.add({
      operation: "payment_intents.confirm",
      times: 1,
      effect: { kind: "hang_after" },
    });
    const { id: attempt } = await mutate<{ id: string }>(
      'topUpCredit(customer: "acme", amount: "25.00")',
      "{ id }",
    );
    const taken = () => simulator.ledger.movements().filter(({ type }) => type === "charge").length;
    expect(
      await eventually(
        async () => taken(),
        (count) => count === 1,
      ),
    ).toBe(1);
    await server.kill();
    server = await start();
    const found = await eventually(
      async () =>
        (await ask<{ paymentAttempt: { state: string } }>(`{ paymentAttempt(id: "${attempt}") { state } }`))
          .paymentAttempt,
      ({ state }) => state === "succeeded",
    );
    expect(found.state).toBe("succeeded");
    expect(taken()).toBe(1);
    const { customer, ledgerAccounts, trialBalance } = await ask<{
      customer: { creditGrants: { nodes: { amount: { minor: string } }[] } };
      ledgerAccounts: { nodes: { balance: { minor: string } }[] };
      trialBalance: { balanced: boolean };
    }>(
      `{ customer(idOrKey: "acme") { creditGrants { nodes { amount { minor } } } }
         ledgerAccounts(prefix: "prepaid_credit:${id}") { nodes { balance { minor } } } trialBalance { balanced } }`,
    );
    expect(customer.creditGrants.nodes).toEqual([{ amount: { minor: "2500" } }]);
    expect(ledgerAccounts.nodes).toEqual([{ balance: { minor: "2500" } }]);
    expect(trialBalance.balanced).toBe(true);
  } finally {
    await server?.stop();
    await stripe?.stop();
    await rm(folder, { recursive: true, force: true });
  }
}, 180_000);
