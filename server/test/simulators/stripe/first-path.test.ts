import Stripe from "stripe";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  connectionTo,
  inProcessClient,
  LiveKeyRefused,
  startStripeSimulator,
  StripeSimulator,
  type RunningStripeSimulator,
  type WebhookDelivery,
} from "../../../simulators/stripe/index.js";

const key = "sk_test_weir";
let running: RunningStripeSimulator;

beforeEach(async () => {
  running = await startStripeSimulator({ port: 0 });
});
afterEach(() => running.stop());

const clients = [
  [
    "over HTTP",
    () => ({ stripe: new Stripe(key, connectionTo(running.url, key)), simulator: running.simulator }),
  ],
  [
    "in process",
    () => {
      const simulator = new StripeSimulator();
      return { stripe: new Stripe(key, { httpClient: inProcessClient(simulator) }), simulator };
    },
  ],
] as const;

describe.each(clients)("the official SDK %s", (_, open) => {
  test("creates, confirms, retrieves and lists payments, each with its charge and balance transaction", async () => {
    const { stripe, simulator } = open();
    const customer = await stripe.customers.create({ name: "Ada", metadata: { weir: "cus_1" } });
    const method = await stripe.paymentMethods.attach("pm_card_visa", { customer: customer.id });
    expect(method.id).not.toBe("pm_card_visa");
    const created = await stripe.paymentIntents.create({
      amount: 12_345,
      currency: "usd",
      customer: customer.id,
      payment_method: method.id,
      metadata: { attempt: "att_1" },
    });
    expect(created.status).toBe("requires_confirmation");
    const confirmed = await stripe.paymentIntents.confirm(created.id, {
      off_session: true,
      expand: ["latest_charge.balance_transaction"],
    });
    expect(confirmed.status).toBe("succeeded");
    const charge = confirmed.latest_charge as Stripe.Charge;
    expect(charge.amount_captured).toBe(12_345);
    // 2.9% of 12,345 is 358.005, and 30.
    expect(charge.balance_transaction).toMatchObject({
      amount: 12_345,
      fee: 388,
      net: 11_957,
      currency: "usd",
    });
    expect((await stripe.paymentIntents.retrieve(created.id)).latest_charge).toBe(charge.id);
    const listed = await stripe.paymentIntents.list({
      customer: customer.id,
      created: { gte: created.created },
    });
    expect(listed.data.map(({ id }) => id)).toEqual([created.id]);
    expect(simulator.ledger.charge(charge.id)).toMatchObject({ captured: 12_345, refunded: 0, disputed: 0 });
    expect(simulator.ledger.balance("usd")).toEqual({ currency: "usd", available: 0, pending: 11_957 });
    await expect(stripe.balance.retrieve()).resolves.toMatchObject({
      pending: [{ amount: 11_957, currency: "usd" }],
    });
  });

  test("gets a decline as a card error, and the intent waits for another card", async () => {
    const { stripe } = open();
    const customer = await stripe.customers.create({});
    const { id } = await stripe.paymentMethods.attach("pm_card_visa_chargeDeclinedInsufficientFunds", {
      customer: customer.id,
    });
    const intent = await stripe.paymentIntents.create({
      amount: 500,
      currency: "eur",
      customer: customer.id,
      payment_method: id,
    });
    await expect(stripe.paymentIntents.confirm(intent.id, { off_session: true })).rejects.toMatchObject({
      type: "StripeCardError",
      statusCode: 402,
      code: "card_declined",
      decline_code: "insufficient_funds",
      payment_intent: { id: intent.id, status: "requires_payment_method" },
    });
    const after = await stripe.paymentIntents.retrieve(intent.id);
    expect(after.last_payment_error).toMatchObject({
      decline_code: "insufficient_funds",
      payment_method: { id },
    });
    const charge = await stripe.charges.retrieve(after.latest_charge as string);
    expect(charge).toMatchObject({ status: "failed", paid: false, balance_transaction: null });
  });

  test("gets the first reply again under the same idempotency key, and a refusal for another request", async () => {
    const { stripe } = open();
    const options = { idempotencyKey: "attempt-1" };
    const first = await stripe.customers.create({ name: "Ada", email: "ada@example.com" }, options);
    const again = await stripe.customers.create({ email: "ada@example.com", name: "Ada" }, options);
    expect(again.id).toBe(first.id);
    expect(again.lastResponse.headers["idempotent-replayed"]).toBe("true");
    await expect(stripe.customers.create({ name: "Bob" }, options)).rejects.toMatchObject({
      type: "StripeIdempotencyError",
      statusCode: 400,
    });
    expect((await stripe.customers.list()).data).toHaveLength(1);
  });

  test("is refused with a live key", async () => {
    const { simulator } = open();
    const live = new Stripe("sk_live_never", { httpClient: inProcessClient(simulator) });
    await expect(live.customers.list()).rejects.toMatchObject({ statusCode: 403 });
    expect(() => connectionTo(running.url, "rk_live_never")).toThrow(LiveKeyRefused);
  });
});

test("webhooks carry the object as it was, under a signature that the SDK verifies", async () => {
  const simulator = new StripeSimulator();
  const stripe = new Stripe(key, { httpClient: inProcessClient(simulator) });
  const received: WebhookDelivery[] = [];
  const receive = async (delivery: WebhookDelivery): Promise<number> => {
    received.push(delivery);
    return 200;
  };
  simulator.addWebhook({ url: "http://weir.invalid/hook", secret: "whsec_1", receive });
  await stripe.paymentIntents.create({
    amount: 700,
    currency: "usd",
    payment_method: "pm_card_visa",
    confirm: true,
    off_session: true,
  });
  await simulator.settle();
  const events = received.map(({ body, headers }) =>
    stripe.webhooks.constructEvent(
      body,
      headers["stripe-signature"]!,
      "whsec_1",
      300,
      undefined,
      simulator.now(),
    ),
  );
  expect(events.map(({ type }) => type)).toEqual([
    "payment_intent.created",
    "charge.succeeded",
    "payment_intent.succeeded",
  ]);
  expect(events[0]!.data.object).toMatchObject({ status: "requires_confirmation", amount_received: 0 });
  expect(events[2]!.data.object).toMatchObject({ status: "succeeded", amount_received: 700 });
  const listed = await stripe.events.list({ type: "payment_intent.*" });
  expect(listed.data.map(({ id }) => id)).toEqual([events[2]!.id, events[0]!.id]);
});
