// Weir is killed while its provider charges, before and after the money was taken, with replies lost around it: each invoice is
// charged once, and each charge is one payment.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, expect, test } from "vitest";
import {
  startStripeSimulator,
  type NewFault,
  type RunningStripeSimulator,
} from "../../simulators/stripe/index.js";
import { askOver, operationsOf } from "../support/graphql-operations.js";
import { stripeKey, webhookSecret } from "../support/paying-organization.js";
import { startWeirProcess, type WeirProcess } from "../support/weir-process.js";

const customers = 4;
/** One month each: Weir dies when the provider has the request, which it never hears the end of. */
const deaths: readonly NewFault[] = [
  { operation: "payment_intents.create", effect: { kind: "hang_before" } },
  { operation: "payment_intents.create", nth: 3, effect: { kind: "hang_after" } },
  { operation: "payment_intents.confirm", nth: 2, effect: { kind: "hang_before" } },
  { operation: "payment_intents.confirm", effect: { kind: "hang_after" } },
  // The request that a dead Weir sent is carried out while the next one starts.
  { operation: "payment_intents.confirm", effect: { kind: "delay", ms: 2_500, when: "before" } },
  // A lost reply is being looked up.
  { operation: "payment_intents.retrieve", effect: { kind: "hang_after" } },
  ...[2, 4, 6, 8].map((nth): NewFault => ({ operation: "*", nth, effect: { kind: "hang_after" } })),
];
/** Around each death, one customer's confirmation and another's creation: twice, since a client tries a broken connection again by itself. */
const lostReplies = ([one, other]: readonly string[]): NewFault[] => [
  { operation: "payment_intents.confirm", customer: one!, times: 2, effect: { kind: "drop_after" } },
  { operation: "payment_intents.create", customer: other!, times: 2, effect: { kind: "drop_after" } },
];

let folder: string | undefined;
let server: WeirProcess | undefined;
let stripe: RunningStripeSimulator | undefined;

afterAll(async () => {
  await server?.stop();
  await stripe?.stop();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

const running = (): WeirProcess => {
  if (server === undefined) throw new Error("no server");
  return server;
};
const { ask, mutate } = operationsOf(askOver((pathname, init) => running().fetch(pathname, init)));

async function until<T>(what: string, look: () => Promise<T | undefined> | T | undefined): Promise<T> {
  for (const end = Date.now() + 90_000; Date.now() < end; ) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`${what} did not come`);
}

/** An organization whose customers are charged 20.00 USD on the first of every month, and its account's id. */
async function setUp({ simulator, url }: RunningStripeSimulator): Promise<string> {
  await mutate('startTestClock(at: "2027-01-01T00:00:00Z")', "{ now }");
  const { id, webhookPath } = await mutate<{ id: string; webhookPath: string }>(
    `createProviderAccount(key: "stripe", provider: "stripe", settings: [{ name: "apiBase", value: "${url}" }],
      secrets: [{ name: "secretKey", value: "${stripeKey}" }, { name: "webhookSecret", value: "${webhookSecret}" }])`,
    "{ id webhookPath }",
  );
  simulator.addWebhook({
    url: webhookPath,
    secret: webhookSecret,
    // Each process has a port of its own.
    receive: async ({ headers, body }) =>
      (await running().fetch(webhookPath, { method: "POST", headers: { ...headers }, body })).status,
  });
  await mutate(
    `createPlan(key: "p", name: "p", currency: "USD", graceHours: 0, prices: [
      { key: "fee", charge: flat, timing: arrears, model: { flat: "20" } }])`,
    "{ id }",
  );
  for (let number = 0; number < customers; number += 1) {
    await mutate(
      `createCustomer(key: "c${number}", name: "c", timeZone: "UTC", email: "c${number}@acme.example")`,
      "{ id }",
    );
    const method = simulator.createPaymentMethod({ number: "4242424242424242" });
    await mutate(
      `attachPaymentMethod(customer: "c${number}", account: "stripe", method: "${method}")`,
      "{ id }",
    );
    await mutate(`createSubscription(customer: "c${number}", plan: "p")`, "{ id }");
  }
  return id;
}

/** All that the provider has of a kind. */
async function listed<T extends { readonly id: string }>(kind: string): Promise<T[]> {
  const all: T[] = [];
  for (let after = ""; ; after = `&starting_after=${all.at(-1)?.id}`) {
    const answer = await stripe?.simulator.handle({
      method: "GET",
      path: `/v1/${kind}?limit=100${after}`,
      headers: { authorization: `Bearer ${stripeKey}` },
      body: "",
    });
    if (answer === undefined || typeof answer === "string") throw new Error("the simulator gave no answer");
    const page = JSON.parse(answer.body) as { data: T[]; has_more: boolean };
    all.push(...page.data);
    if (!page.has_more) return all;
  }
}

/** The payment intents that took money, and the invoice that each is for. */
async function captured(): Promise<Map<string, string>> {
  const intents = await listed<{ id: string; amount_received: number; metadata: { weir_target: string } }>(
    "payment_intents",
  );
  const taken = intents.filter(({ amount_received }) => amount_received > 0);
  return new Map(taken.map(({ id, metadata }) => [id, metadata.weir_target]));
}

interface Books {
  readonly receivables: { nodes: { invoiceId: string; state: string; due: Minor; paid: Minor }[] };
  readonly payments: {
    nodes: {
      providerRef: string;
      amount: Minor;
      toBalance: Minor;
      allocations: { invoice: { id: string } }[];
    }[];
  };
  readonly paymentAttempts: { nodes: { state: string; events: { input: string }[] }[] };
  readonly events: { nodes: unknown[] };
  readonly failed: { nodes: unknown[] };
  readonly ledgerAccounts: { nodes: { debit: Minor; credit: Minor }[] };
  readonly trialBalance: { balanced: boolean; differences: unknown[] };
}
interface Minor {
  readonly minor: string;
}

test(`kill -9 at ${deaths.length} calls to the provider: no invoice is charged twice, and no charge is lost`, async () => {
  folder = await mkdtemp(path.join(tmpdir(), "weir-payment-kill-"));
  const dir = path.join(folder, "data");
  stripe = await startStripeSimulator({ port: 0 });
  const { faults, ledger } = stripe.simulator;
  server = await startWeirProcess(dir);
  const account = await setUp(stripe);
  const lost = lostReplies((await listed<{ id: string }>("customers")).map(({ id }) => id));
  const inFlight: string[] = [];
  for (const [month, death] of deaths.entries()) {
    const to = new Date(Date.UTC(2027, month + 1, 1)).toISOString();
    const advance = () => mutate<{ state: string }>(`advanceTestClock(to: "${to}")`, "{ now state }");
    for (const fault of lost) faults.add(fault);
    const dies = faults.add(death);
    // Whether it answers or is cut off is the same to us.
    const advancing = advance().catch(() => undefined);
    await until(`month ${month + 1}'s call`, () =>
      faults.list().some(({ id, strikes }) => id === dies && strikes > 0) ? true : undefined,
    );
    await running().kill();
    await advancing;
    faults.clear();
    for (const fault of lost) faults.add(fault);
    server = await startWeirProcess(dir);
    const { nodes } = await ask<{ paymentAttempts: { nodes: { state: string }[] } }>(
      "{ paymentAttempts(first: 100) { nodes { state } } }",
    ).then(({ paymentAttempts }) => paymentAttempts);
    inFlight.push(...nodes.map(({ state }) => state).filter((state) => state !== "succeeded"));
    for (let clock = await advance(); clock.state !== "idle"; clock = await advance())
      expect(clock.state).toBe("advancing");
    faults.clear();
  }

  const count = customers * deaths.length;
  const books = await until("the end of every event", async () => {
    const read = await ask<Books>(`{
      receivables(first: 100) { nodes { invoiceId state due { minor } paid { minor } } }
      payments(first: 100) { nodes { providerRef amount { minor } toBalance { minor } allocations { invoice { id } } } }
      paymentAttempts(first: 100) { nodes { state events { input } } }
      events: providerEvents(first: 1, state: pending) { nodes { id } }
      failed: runs(first: 1, state: failed) { nodes { id } }
      ledgerAccounts(first: 10, prefix: "provider_clearing:${account}") { nodes { debit { minor } credit { minor } } }
      trialBalance { balanced differences { code } }
    }`);
    return read.events.nodes.length === 0 ? read : undefined;
  });
  const intents = await captured();
  // One charge for each invoice, and one payment for each charge, to its invoice.
  expect(intents.size).toBe(count);
  expect(new Set(intents.values())).toEqual(
    new Set(books.receivables.nodes.map(({ invoiceId }) => invoiceId)),
  );
  expect(books.payments.nodes.map(({ providerRef }) => providerRef).sort()).toEqual(
    [...intents.keys()].sort(),
  );
  for (const { providerRef, amount, toBalance, allocations } of books.payments.nodes)
    expect([amount.minor, toBalance.minor, allocations.map(({ invoice }) => invoice.id)]).toEqual([
      "2000",
      "0",
      [intents.get(providerRef)],
    ]);
  expect(books.receivables.nodes.map(({ state, due, paid }) => [state, due.minor, paid.minor])).toEqual(
    Array.from({ length: count }, () => ["paid", "2000", "2000"]),
  );
  const states = books.paymentAttempts.nodes.map(({ state }) => state);
  expect(states.filter((state) => state === "succeeded")).toHaveLength(count);
  expect(states.filter((state) => !["succeeded", "failed", "canceled"].includes(state))).toEqual([]);
  expect(books.failed.nodes).toEqual([]);
  expect(books.trialBalance).toEqual({ balanced: true, differences: [] });
  // Their balance is what our books say, fees and all.
  const { available, pending } = ledger.balance("usd");
  const [clearing] = books.ledgerAccounts.nodes;
  expect(Number(clearing!.debit.minor) - Number(clearing!.credit.minor)).toBe(available + pending);
  // Every kill found charges under way and replies were lost, or this shows nothing.
  expect(inFlight.length).toBeGreaterThanOrEqual(deaths.length);
  const inputs = books.paymentAttempts.nodes.flatMap(({ events }) => events.map(({ input }) => input));
  expect(inputs.filter((input) => input === "unanswered").length).toBeGreaterThanOrEqual(deaths.length);
}, 400_000);
