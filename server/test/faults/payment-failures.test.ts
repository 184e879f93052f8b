// What goes wrong with payments, and what must come of it: one test for each case of the table in docs/spec/payment-attempt.md.
import { createHmac } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { CustomerId, InvoiceId, PaymentAttemptId } from "../../src/kernel/ids.js";
import { newId } from "../../src/kernel/ids.js";
import { day, type Instant } from "../../src/kernel/instant.js";
import { insertAttempt } from "../../src/payments/store/attempts.js";
import { findDefaultMethods } from "../../src/payments/store/payment-methods.js";
import { lockReceivables, updateReceivable } from "../../src/payments/store/receivables.js";
import {
  startPayingOrganization,
  webhookSecret,
  type PayingOrganization,
} from "../support/paying-organization.js";
import { startTestWeir, type TestWeir } from "../support/test-weir.js";
import { eventually } from "../support/eventually.js";
import { operationsOf } from "../support/graphql-operations.js";

let weir: TestWeir;
/** One for each test: its customers are billed in no other's months. */
let paying: PayingOrganization;
let month = 0;
const payments = () => weir.weir.services.payments;
const organization = () => paying.caller.organization;
const faults = () => paying.stripe.simulator.faults;

beforeAll(async () => {
  weir = await startTestWeir("payment-failures");
});
afterAll(() => weir?.close());
beforeEach(async ({ task }) => {
  month = 0;
  paying = await startPayingOrganization(
    weir,
    `organization-${task.id.replace(/[^a-z0-9]/g, "-")}`.slice(-60),
    {
      declinesOnAttach: false,
      settlementCurrencies: ["usd"],
      exchangeRates: { "eur/usd": "1.1", "usd/eur": "0.9" },
      delays: { refund_ms: 20, dispute_ms: 20, disputeDecision_ms: 20, payout_ms: 20, available_ms: 0 },
    },
  );
});
afterEach(() => paying?.stop());

const instant = (month: number, day: number, hour = 0) =>
  new Date(Date.UTC(2028, month, day, hour)).toISOString().replace(".000", "");
async function nextMonth(): Promise<void> {
  month += 1;
  await paying.advance(instant(month, 1));
}
const loseWebhooks = () => faults().add({ event: "*", effect: { kind: "webhook_lost" } });
async function owing(name: string, card?: string): Promise<{ customer: CustomerId; invoice: InvoiceId }> {
  const customer = (await paying.customer(name, card)) as CustomerId;
  await nextMonth();
  const [receivable] = await payments().receivables.list(organization(), { customer, limit: 1 });
  return { customer, invoice: receivable!.invoice };
}
const receivableOf = async (invoice: InvoiceId) =>
  (await payments().receivables.find(organization(), invoice))!;
const attemptsOf = (invoice: string) =>
  payments().charges.attemptsOf(organization(), { invoice, limit: 100 });
const settled = (invoice: InvoiceId) =>
  eventually(
    () => receivableOf(invoice),
    ({ state }) => state !== "open",
  );
const statesOf = async (invoice: string) => (await attemptsOf(invoice)).map(({ state }) => state);
/** What the provider took for an invoice's attempts, by its own books. */
async function takenFor(invoice: string): Promise<number> {
  let taken = 0;
  for (const { ref } of await attemptsOf(invoice))
    if (ref !== undefined) {
      const charge = await paying.chargeOf(ref);
      if (charge !== null) taken += paying.stripe.simulator.ledger.charge(charge)?.captured ?? 0;
    }
  return taken;
}
async function expectBalanced(): Promise<void> {
  const books = await weir.weir.services.ledger.trialBalance(organization());
  expect([books.balanced, books.differences]).toEqual([true, []]);
}
const balanceOf = async (code: string, currency = "USD") => {
  const accounts = await weir.weir.services.ledger.accounts(organization(), { prefix: code, limit: 50 });
  const found = accounts.find((one) => one.code === code && one.currency === currency);
  return found === undefined ? 0n : found.debit - found.credit;
};
const inOrganization: TestWeir["weir"]["services"]["postgres"]["inOrganization"] = (...args) =>
  weir.weir.services.postgres.inOrganization(...args);

test("crash after the charge, before the commit: the reply is lost, and recovery asks by the stored id", async () => {
  loseWebhooks();
  faults().add({ operation: "payment_intents.confirm", times: 2, effect: { kind: "drop_after" } });
  const { invoice } = await owing("lost-reply", "4242424242424242");
  expect(await settled(invoice)).toMatchObject({ state: "paid", attempts: 1 });
  const [attempt] = await attemptsOf(invoice);
  const events = await payments().charges.events(organization(), attempt!);
  expect(events.map(({ input, state }) => `${input} ${state}`)).toEqual([
    "created pending",
    "unanswered unknown",
    "succeeded succeeded",
  ]);
  expect(await takenFor(invoice)).toBe(Number(attempt!.amount));
  await expectBalanced();
});

test("a lost reply to the creation: the same key finds the charge, and it is confirmed once", async () => {
  loseWebhooks();
  faults().add({ operation: "payment_intents.create", times: 2, effect: { kind: "drop_after" } });
  const { invoice } = await owing("lost-creation", "4242424242424242");
  expect(await settled(invoice)).toMatchObject({ state: "paid", attempts: 1 });
  expect(await takenFor(invoice)).toBe(Number((await attemptsOf(invoice))[0]!.amount));
});

test("timeout: unknown, never failed; no new attempt and no dunning step until it is resolved", async () => {
  loseWebhooks();
  // Nothing is answered for a while: neither the confirmation nor the looks that follow it.
  faults().add({ operation: "payment_intents.confirm", times: 2, effect: { kind: "drop_after" } });
  const retrieve = faults().add({ operation: "payment_intents.retrieve", effect: { kind: "drop_before" } });
  const { invoice } = await owing("unknown", "4242424242424242");
  expect(await statesOf(invoice)).toEqual(["unknown"]);
  expect((await receivableOf(invoice)).dunning).toMatchObject({ state: "none", nextAttemptAt: undefined });
  await expect(payments().charges.pay(paying.caller, { invoice })).rejects.toMatchObject({
    slug: "payment-in-progress",
  });
  await expect(
    weir.weir.services.billing.creditNotes.void(paying.caller, { invoice, reason: "no" }),
  ).rejects.toMatchObject({
    slug: "payment-in-progress",
  });
  faults().remove(retrieve);
  await paying.advance(instant(month, 1, 8));
  expect(await receivableOf(invoice)).toMatchObject({ state: "paid", attempts: 1 });
}, 120_000);

test("an outcome that stays unknown for a day is parked, and settled by a person", async () => {
  loseWebhooks();
  faults().add({ operation: "payment_intents.confirm", times: 2, effect: { kind: "drop_before" } });
  const retrieve = faults().add({ operation: "payment_intents.retrieve", effect: { kind: "drop_before" } });
  const { invoice } = await owing("parked", "4242424242424242");
  await paying.advance(instant(month, 4));
  const [attempt] = await payments().charges.attemptsOf(organization(), { invoice, parked: true, limit: 10 });
  expect(attempt).toMatchObject({ state: "unknown", parkedAt: expect.any(Number) });
  faults().remove(retrieve);
  const after = await payments().charges.settleByHand(paying.caller, {
    attempt: attempt!.id,
    outcome: "failed",
    reason: "asked Stripe",
  });
  expect(after).toMatchObject({ state: "failed", parkedAt: undefined });
}, 120_000);

test("provider replays a 500 for the same key: the object is looked up; a new key only after a proven end", async () => {
  loseWebhooks();
  faults().add({ operation: "payment_intents.confirm", times: 1, effect: { kind: "error_after" } });
  const took = await owing("replayed-after", "4242424242424242");
  expect(await settled(took.invoice)).toMatchObject({ state: "paid", attempts: 1 });
  expect(await takenFor(took.invoice)).toBe(Number((await attemptsOf(took.invoice))[0]!.amount));
}, 120_000);

test("provider replays a 500 that carried nothing out: ended at the provider, then charged under a new key", async () => {
  loseWebhooks();
  // Kept under the key although nothing was carried out: the same key never will be.
  faults().add({
    operation: "payment_intents.confirm",
    times: 1,
    effect: { kind: "error_before", isKept: true },
  });
  const lost = await owing("replayed-before", "4242424242424242");
  const [first] = await eventually(
    () => attemptsOf(lost.invoice),
    ([one]) => one?.state === "canceled",
  );
  expect(first?.state).toBe("canceled");
  await payments().charges.pay(paying.caller, { invoice: lost.invoice });
  expect(await settled(lost.invoice)).toMatchObject({ state: "paid", attempts: 2 });
  expect(await takenFor(lost.invoice)).toBe(Number(first!.amount));
}, 120_000);

test("resume after the provider's key window: nothing is sent again, it is looked up by id or metadata", async () => {
  const { invoice } = await owing("late-resume");
  await payments().methods.attach(paying.caller, {
    customer: "late-resume",
    account: "stripe",
    method: paying.stripe.simulator.createPaymentMethod({ number: "4242424242424242" }),
  });
  const old = (weir.weir.services.clock.now() - 2 * day) as Instant;
  const attempt = await inOrganization(organization(), async (sql) => {
    const [receivable] = await lockReceivables(sql, [invoice]);
    const { customer, currency, due } = receivable!;
    const method = (await findDefaultMethods(sql, [customer])).get(customer)!;
    const now = weir.weir.services.clocks.of(organization()).now();
    const id: PaymentAttemptId = newId("pat", now);
    await insertAttempt(sql, organization(), {
      id,
      target: { kind: "invoice", invoice },
      number: 1,
      customer,
      account: method.account,
      method: method.id,
      currency,
      amount: due,
      createdAt: now,
      sentAt: old,
    });
    await updateReceivable(sql, { ...receivable!, attempts: 1 });
    await weir.weir.services.wakes.wake(sql, organization(), now, "charge", id, { attempt: id });
    return id;
  });
  const before = paying.stripe.simulator.ledger.movements().length;
  const ended = await eventually(
    async () => (await payments().charges.findAttempt(organization(), attempt))!,
    ({ state }) => state === "failed",
  );
  expect(ended).toMatchObject({ state: "failed", ref: undefined, decline: { code: "not_sent" } });
  expect(paying.stripe.simulator.ledger.movements()).toHaveLength(before);
}, 120_000);

test("same invoice charged concurrently under two keys: one attempt, and never more than is due", async () => {
  const { invoice, customer } = await owing("concurrent");
  await payments().methods.attach(paying.caller, {
    customer: "concurrent",
    account: "stripe",
    method: paying.stripe.simulator.createPaymentMethod({ number: "4242424242424242" }),
  });
  const asked = await Promise.allSettled(
    ["a", "b", "c"].map((key) => payments().charges.pay(paying.caller, { invoice }, `concurrent-${key}`)),
  );
  expect(asked.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  for (const one of asked)
    if (one.status === "rejected")
      expect(["payment-in-progress", "nothing-owed"]).toContain((one.reason as { slug: string }).slug);
  const { due } = await settled(invoice);
  expect(await takenFor(invoice)).toBe(Number(due));
  expect(await balanceOf(`receivable:${customer}`)).toBe(0n);
});

test("same key, other body: refused", async () => {
  const first = await owing("same-key");
  await payments().methods.attach(paying.caller, {
    customer: "same-key",
    account: "stripe",
    method: paying.stripe.simulator.createPaymentMethod({ number: "4242424242424242" }),
  });
  const attempt = await payments().charges.pay(
    paying.caller,
    { invoice: first.invoice, amount: 100n },
    "one-key",
  );
  expect(
    await payments().charges.pay(paying.caller, { invoice: first.invoice, amount: 100n }, "one-key"),
  ).toMatchObject({ id: attempt.id });
  await expect(
    payments().charges.pay(paying.caller, { invoice: first.invoice, amount: 200n }, "one-key"),
  ).rejects.toMatchObject({
    slug: "idempotency-key-reused",
  });
});

test("webhook twice, and webhooks out of order: each event has one effect, and states only go forward", async () => {
  faults().add({ event: "*", effect: { kind: "webhook_repeated", copies: 3 } });
  faults().add({ event: "*", effect: { kind: "webhook_shuffled", window_ms: 40 } });
  const { invoice, customer } = await owing("shuffled", "4242424242424242");
  expect(await settled(invoice)).toMatchObject({ state: "paid" });
  await eventually(
    () => payments().inbox.list(organization(), { state: "pending", limit: 100 }),
    (list) => list.length === 0,
  );
  faults().clear();
  expect(await payments().charges.payments(organization(), { customer, limit: 10 })).toHaveLength(1);
  expect(await balanceOf(`receivable:${customer}`)).toBe(0n);
  await expectBalanced();
});

test("a webhook that never came is found in the provider's list of events", async () => {
  faults().add({ event: "*", effect: { kind: "webhook_lost" } });
  const { invoice } = await owing("lost-webhook", "4242424242424242");
  const [payment] = await payments().charges.payments(organization(), { invoice, limit: 1 });
  paying.stripe.simulator.dispute(await paying.chargeOf(payment!.ref!));
  await new Promise((resolve) => setTimeout(resolve, 200));
  faults().clear();
  expect(await payments().disputes.list(organization(), { payment: payment!.id, limit: 1 })).toEqual([]);
  expect(await payments().inbox.backfill(organization(), "stripe")).toBeGreaterThan(0);
  expect(await payments().inbox.backfill(organization(), "stripe")).toBe(0);
  await eventually(
    () => payments().disputes.list(organization(), { payment: payment!.id, limit: 1 }),
    (list) => list.length === 1,
  );
});

test("forged or stale webhook: refused, and nothing of it is kept", async () => {
  const body = JSON.stringify({
    id: "evt_forged",
    object: "event",
    type: "charge.succeeded",
    created: 1,
    data: { object: { id: "ch_1", object: "charge" } },
  });
  const signed = (secret: string, at_s: number) =>
    `t=${at_s},v1=${createHmac("sha256", secret).update(`${at_s}.${body}`).digest("hex")}`;
  const send = (signature: string | undefined) =>
    weir.fetch(`/v1/webhooks/${organization()}/${paying.account}`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        ...(signature === undefined ? {} : { "stripe-signature": signature }),
      },
      body,
    });
  const now_s = Math.floor(Date.now() / 1000);
  for (const signature of [
    undefined,
    "nonsense",
    signed("whsec_other_secret", now_s),
    signed(webhookSecret, now_s - 301),
    signed(webhookSecret, now_s + 3600),
  ]) {
    const response = await send(signature);
    expect([response.status, (await response.json()) as object]).toEqual([
      400,
      expect.objectContaining({ type: expect.stringContaining("webhook-not-genuine") }),
    ]);
  }
  expect(
    (await weir.fetch(`/v1/webhooks/${organization()}/pac_unknown`, { method: "POST", body })).status,
  ).toBe(404);
  const events = await payments().inbox.list(organization(), { limit: 100 });
  expect(events.some(({ id }) => id === "evt_forged")).toBe(false);
  // The real signature is taken, and an object that is not there changes nothing.
  expect((await send(signed(webhookSecret, now_s))).status).toBe(200);
  const [event] = await eventually(
    async () =>
      (await payments().inbox.list(organization(), { limit: 100 })).filter(({ id }) => id === "evt_forged"),
    ([one]) => one?.state === "ignored",
  );
  expect(event).toMatchObject({ state: "ignored" });
});

test("currency conversion: two balanced legs, by the amounts that the provider gave", async () => {
  const { mutate } = operationsOf((query) => weir.graphql(query, {}, paying.key));
  await mutate(
    `createPlan(key: "euro", name: "Euro", currency: "EUR", graceHours: 0, prices: [{ key: "fee", name: "Fee", charge: flat, timing: arrears, model: { flat: "30" } }])`,
    "{ id }",
  );
  const { id } = await mutate<{ id: CustomerId }>(
    `createCustomer(key: "euro", name: "Euro", timeZone: "UTC")`,
    "{ id }",
  );
  await mutate(`createSubscription(customer: "euro", plan: "euro")`, "{ id }");
  await payments().methods.attach(paying.caller, {
    customer: "euro",
    account: "stripe",
    method: paying.stripe.simulator.createPaymentMethod({ number: "4242424242424242" }),
  });
  const clearing = await balanceOf(`provider_clearing:${paying.account}`, "USD");
  await nextMonth();
  const [receivable] = await payments().receivables.list(organization(), { customer: id, limit: 1 });
  expect(receivable).toMatchObject({ state: "paid", currency: "EUR" });
  const [payment] = await payments().charges.payments(organization(), { customer: id, limit: 1 });
  const settlement = await payments().charges.settlement(organization(), payment!);
  expect(settlement).toMatchObject({ gross: { currency: "USD" }, rate: "1.1" });
  expect(await balanceOf(`provider_clearing:${paying.account}`, "EUR")).toBe(0n);
  expect(await balanceOf("currency_exchange", "EUR")).toBe(payment!.amount);
  expect(await balanceOf("currency_exchange", "USD")).toBe(-settlement!.gross.minor);
  expect((await balanceOf(`provider_clearing:${paying.account}`, "USD")) - clearing).toBeGreaterThanOrEqual(
    settlement!.gross.minor - settlement!.fee.minor,
  );
  await expectBalanced();
});

test("payout that fails later: the money is back at the provider", async () => {
  await owing("paid-out", "4242424242424242");
  const before = await balanceOf(`provider_clearing:${paying.account}`);
  expect(before).toBeGreaterThan(0n);
  faults().add({ operation: "payouts.*", times: 1, effect: { kind: "payout_fails" } });
  const payout = paying.stripe.simulator.payOut("usd");
  expect(payout).toBeDefined();
  const [found] = await eventually(
    () => payments().payouts.list(organization(), { limit: 10 }),
    (list) => list.some(({ state }) => state === "paid" || state === "failed"),
  );
  expect(found?.ref).toBe(payout);
  if (found?.state !== "failed") paying.stripe.simulator.failPayout(payout!);
  await eventually(
    () => payments().payouts.list(organization(), { limit: 10 }),
    (list) => list.some(({ state }) => state === "failed"),
  );
  expect(await balanceOf(`provider_clearing:${paying.account}`)).toBe(before);
  expect(await balanceOf(`payouts_in_transit:${paying.account}`)).toBe(0n);
  await expectBalanced();
});
