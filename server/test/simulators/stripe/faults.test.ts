import Stripe from "stripe";
import { describe, expect, test } from "vitest";
import { InvalidFault, type NewFault } from "../../../simulators/stripe/index.js";
import {
  collectWebhooks,
  customerWith,
  describeEachClient,
  openInProcess,
  pay,
  typesOf,
} from "./opened-simulator.js";

const minute = 60_000;

/** The SDK tries a broken connection once more whatever it is told: a loss that is to be seen strikes twice. */
const lossy = { operation: "payment_intents.confirm", times: 2 };

describeEachClient("faults of requests", (open) => {
  async function confirming(): Promise<{
    opened: Awaited<ReturnType<typeof open>>;
    id: string;
    confirm: () => Promise<Stripe.Response<Stripe.PaymentIntent>>;
    status: () => Promise<string>;
  }> {
    const opened = await open();
    const { stripe } = opened;
    const { id } = await stripe.paymentIntents.create({
      amount: 700,
      currency: "usd",
      ...(await customerWith(stripe)),
    });
    return {
      opened,
      id,
      confirm: () =>
        stripe.paymentIntents.confirm(
          id,
          { off_session: true },
          { idempotencyKey: "confirm-1", timeout: 200 },
        ),
      status: async () => (await stripe.paymentIntents.retrieve(id)).status,
    };
  }

  test.each(["drop_before", "hang_before"] as const)("%s: no reply, and nothing was done", async (kind) => {
    const { opened, confirm, status } = await confirming();
    opened.simulator.faults.add({ ...lossy, effect: { kind } });
    await expect(confirm()).rejects.toBeInstanceOf(Stripe.errors.StripeConnectionError);
    expect(await status()).toBe("requires_confirmation");
    opened.simulator.faults.clear();
    expect((await confirm()).status).toBe("succeeded");
    expect((await opened.stripe.charges.list()).data).toHaveLength(1);
  });

  test.each(["drop_after", "hang_after"] as const)(
    "%s: no reply, and the money was taken, once",
    async (kind) => {
      const { opened, confirm, status } = await confirming();
      opened.simulator.faults.add({ ...lossy, effect: { kind } });
      await expect(confirm()).rejects.toBeInstanceOf(Stripe.errors.StripeConnectionError);
      expect(await status()).toBe("succeeded");
      opened.simulator.faults.clear();
      const again = await confirm();
      expect(again.lastResponse.headers["idempotent-replayed"]).toBe("true");
      expect((await opened.stripe.charges.list()).data).toHaveLength(1);
    },
  );

  test("a single drop is healed by the SDK's own retry, under the same key", async () => {
    const { opened, confirm } = await confirming();
    opened.simulator.faults.add({ ...lossy, times: 1, effect: { kind: "drop_after" } });
    expect((await confirm()).status).toBe("succeeded");
    expect((await opened.stripe.charges.list()).data).toHaveLength(1);
  });

  test("rate_limit: 429 with Retry-After, nothing done, nothing kept", async () => {
    const { opened, confirm, status } = await confirming();
    opened.simulator.faults.add({ ...lossy, nth: 1, effect: { kind: "rate_limit", retryAfter_s: 7 } });
    await expect(confirm()).rejects.toMatchObject({
      type: "StripeRateLimitError",
      statusCode: 429,
      headers: { "retry-after": "7" },
    });
    expect(await status()).toBe("requires_confirmation");
    expect((await confirm()).status).toBe("succeeded");
  });

  test("error_before: 500 and nothing done; the key is free unless the error is kept", async () => {
    const { opened, confirm, status } = await confirming();
    opened.simulator.faults.add({ ...lossy, nth: 1, effect: { kind: "error_before", status: 503 } });
    await expect(confirm()).rejects.toMatchObject({ type: "StripeAPIError", statusCode: 503 });
    opened.simulator.faults.clear();
    opened.simulator.faults.add({ ...lossy, nth: 1, effect: { kind: "error_before", isKept: true } });
    await expect(confirm()).rejects.toMatchObject({ statusCode: 500 });
    await expect(confirm()).rejects.toMatchObject({
      statusCode: 500,
      headers: { "idempotent-replayed": "true" },
    });
    expect(await status()).toBe("requires_confirmation");
  });

  test("error_after: 500 although the money was taken, again and again under the same key", async () => {
    const { opened, confirm, status } = await confirming();
    opened.simulator.faults.add({ ...lossy, nth: 1, effect: { kind: "error_after" } });
    await expect(confirm()).rejects.toMatchObject({ type: "StripeAPIError", statusCode: 500 });
    await expect(confirm()).rejects.toMatchObject({
      statusCode: 500,
      headers: { "idempotent-replayed": "true" },
    });
    expect(await status()).toBe("succeeded");
    expect((await opened.stripe.charges.list()).data).toHaveLength(1);
  });

  test("delay: the reply comes when its time has come", async () => {
    const { opened, confirm, status } = await confirming();
    opened.simulator.faults.add({ ...lossy, effect: { kind: "delay", ms: minute } });
    let isAnswered = false;
    const patient = opened.stripe.paymentIntents.confirm(
      (await opened.stripe.paymentIntents.list()).data[0]!.id,
      { off_session: true },
      { idempotencyKey: "patient" },
    );
    const answered = patient.then((intent) => {
      isAnswered = true;
      return intent;
    });
    while (opened.simulator.nextDue() === undefined) await new Promise((resolve) => setTimeout(resolve, 1));
    expect([isAnswered, await status()]).toEqual([false, "requires_confirmation"]);
    await opened.simulator.advance(minute);
    expect((await answered).status).toBe("succeeded");
    void confirm;
  });
});

describe("faults strike", () => {
  test("by operation, customer, metadata of the request or of what it names, and count", async () => {
    const { stripe, simulator } = openInProcess();
    const ada = await customerWith(stripe);
    const bob = await customerWith(stripe);
    const effect = { kind: "decline", decline: "do_not_honor" } as const;
    simulator.faults.add({ operation: "payment_intents.*", customer: ada.customer, nth: 2, effect });
    simulator.faults.add({
      operation: "payment_intents.confirm",
      metadata: { attempt: "att_9" },
      times: 1,
      effect,
    });
    const params = { amount: 700, currency: "usd", confirm: true, off_session: true };
    const declined = { decline_code: "do_not_honor" };
    await stripe.paymentIntents.create({ ...params, ...ada });
    await stripe.paymentIntents.create({ ...params, ...bob });
    await expect(stripe.paymentIntents.create({ ...params, ...ada })).rejects.toMatchObject(declined);
    await stripe.paymentIntents.create({ ...params, ...ada });
    const { id } = await stripe.paymentIntents.create({
      amount: 700,
      currency: "usd",
      ...bob,
      metadata: { attempt: "att_9" },
    });
    await expect(stripe.paymentIntents.confirm(id, { off_session: true })).rejects.toMatchObject(declined);
    await expect(
      stripe.paymentIntents.confirm(id, { off_session: true, payment_method: bob.payment_method }),
    ).resolves.toMatchObject({ status: "succeeded" });
    expect(simulator.faults.list().map(({ matches, strikes }) => [matches, strikes])).toEqual([
      [3, 1],
      [2, 1],
    ]);
  });

  test("by a chance that depends on the seed alone", async () => {
    const strikes = async (seed: string): Promise<readonly boolean[]> => {
      const { stripe, simulator } = openInProcess({}, seed);
      simulator.faults.add({
        operation: "customers.create",
        probability: 0.5,
        effect: { kind: "rate_limit" },
      });
      const results: boolean[] = [];
      for (let call = 0; call < 64; call += 1)
        results.push(
          await stripe.customers.create({}).then(
            () => false,
            () => true,
          ),
        );
      return results;
    };
    const first = await strikes("one");
    expect(await strikes("one")).toEqual(first);
    expect(await strikes("two")).not.toEqual(first);
    const struck = first.filter(Boolean).length;
    expect(struck).toBeGreaterThan(16);
    expect(struck).toBeLessThan(48);
  });

  test.each<readonly [NewFault, string]>([
    [{ effect: { kind: "explode" } } as never, "effect.kind"],
    [{ effect: { kind: "delay" } } as never, "effect.ms"],
    [
      { effect: { kind: "drop_after" }, event: "charge.succeeded" },
      'an effect "drop_after" is matched by operation',
    ],
    [
      { effect: { kind: "webhook_lost" }, operation: "refunds.create" },
      'an effect "webhook_lost" is matched by event',
    ],
    [{ effect: { kind: "drop_after" }, probability: 2 }, "probability"],
    [{ effect: { kind: "drop_after" }, operation: "payment intents" }, "payment_intents.confirm"],
    [{ effect: { kind: "decline", decline: "moody" } } as never, "effect.decline"],
  ])("not when they are none: %j", (fault, message) => {
    const { simulator } = openInProcess();
    expect(() => simulator.faults.add(fault)).toThrow(InvalidFault);
    expect(() => simulator.faults.add(fault)).toThrow(message);
  });

  test("at most so many at once", () => {
    const { simulator } = openInProcess({ limits: { faults_max: 1 } });
    const id = simulator.faults.add({ effect: { kind: "drop_after" } });
    expect(() => simulator.faults.add({ effect: { kind: "drop_after" } })).toThrow(InvalidFault);
    expect([simulator.faults.remove(id), simulator.faults.remove(id)]).toEqual([true, false]);
  });
});

describe("faults of outcomes", () => {
  test("processing: a card that takes its time, to the end that was planned", async () => {
    const { stripe, simulator } = openInProcess();
    simulator.faults.add({
      nth: 1,
      operation: "payment_intents.create",
      effect: { kind: "processing", outcome: "stolen_card", after_ms: minute },
    });
    const { intent } = await pay(stripe);
    expect(intent).toMatchObject({ status: "processing", processing: { type: "card" } });
    await simulator.advance(minute);
    expect((await stripe.paymentIntents.retrieve(intent.id)).last_payment_error?.decline_code).toBe(
      "stolen_card",
    );
    expect(simulator.ledger.balances()).toEqual([]);
  });

  test("dispute, refund_pending and refund_fails: as planned, for any card", async () => {
    const { stripe, simulator } = openInProcess();
    simulator.faults.add({
      nth: 1,
      operation: "payment_intents.create",
      effect: { kind: "dispute", reason: "duplicate", after_ms: minute },
    });
    const { charge } = await pay(stripe);
    await simulator.advance(minute);
    expect((await stripe.disputes.list({ charge: charge.id })).data).toMatchObject([{ reason: "duplicate" }]);

    simulator.faults.add({
      operation: "refunds.create",
      nth: 1,
      effect: { kind: "refund_pending", outcome: "fails" },
    });
    simulator.faults.add({ operation: "refunds.create", nth: 2, effect: { kind: "refund_fails" } });
    const other = await pay(stripe);
    const pending = await stripe.refunds.create({ charge: other.charge.id, amount: 100 });
    const failing = await stripe.refunds.create({ charge: other.charge.id, amount: 200 });
    expect([pending.status, failing.status]).toEqual(["pending", "succeeded"]);
    await simulator.advance(minute);
    expect((await stripe.refunds.list()).data.map(({ status }) => status)).toEqual(["failed", "failed"]);
    expect(simulator.ledger.charge(other.charge.id)?.refunded).toBe(0);
  });

  test("payout_difference and payout_fails: as planned, also for payouts that leave by themselves", async () => {
    const { stripe, simulator } = openInProcess({ payoutEvery_ms: 24 * 60 * minute });
    simulator.faults.add({
      operation: "payouts.automatic",
      nth: 1,
      effect: { kind: "payout_difference", amount: 11 },
    });
    simulator.faults.add({
      operation: "payouts.automatic",
      nth: 1,
      effect: { kind: "payout_fails", code: "declined" },
    });
    await pay(stripe, "pm_card_bypassPending");
    await simulator.advance(24 * 60 * minute);
    const [payout] = (await stripe.payouts.list()).data;
    expect(payout?.amount).toBe(9_691);
    await simulator.advance(24 * 60 * minute + 1_000);
    expect((await stripe.payouts.retrieve(payout!.id)).failure_code).toBe("declined");
  });
});

describe("webhooks", () => {
  test("carry the object as it was, under a signature that the SDK verifies", async () => {
    const opened = openInProcess();
    const events = collectWebhooks(opened);
    const { intent } = await pay(opened.stripe);
    await opened.simulator.settle();
    expect(typesOf(events)).toEqual([
      "customer.created",
      "payment_method.attached",
      "payment_intent.created",
      "charge.succeeded",
      "payment_intent.succeeded",
    ]);
    expect(events[2]!.data.object).toMatchObject({
      id: intent.id,
      status: "requires_confirmation",
      amount_received: 0,
    });
    expect(events[4]!.data.object).toMatchObject({
      status: "succeeded",
      latest_charge: expect.stringMatching(/^ch_/),
    });
    expect(events[4]!.request).toMatchObject({
      id: expect.stringMatching(/^req_/),
      idempotency_key: expect.any(String),
    });
    expect(events[4]!.api_version).toBe(Stripe.API_VERSION);
    const listed = await opened.stripe.events.list({ type: "payment_intent.*" });
    expect(listed.data.map(({ id }) => id)).toEqual([events[4]!.id, events[2]!.id]);
    expect(await opened.stripe.events.retrieve(events[4]!.id)).toEqual({ ...events[4], pending_webhooks: 0 });
    const some = await opened.stripe.events.list({ types: ["charge.succeeded", "customer.created"] });
    expect(typesOf(some.data)).toEqual(["charge.succeeded", "customer.created"]);
  });

  test("are refused by the SDK when the body or the secret is another, or the time long ago", async () => {
    const opened = openInProcess();
    const received: { body: string; signature: string }[] = [];
    opened.simulator.addWebhook({
      url: "http://weir.invalid",
      secret: "whsec_1",
      receive: async ({ body, headers }) => {
        received.push({ body, signature: headers["stripe-signature"]! });
        return 200;
      },
    });
    await opened.stripe.customers.create({ name: "Ünïcode" });
    await opened.simulator.settle();
    const [{ body, signature }] = received as [(typeof received)[0]];
    const check = (text: string, secret: string, now: number): Stripe.Event =>
      opened.stripe.webhooks.constructEvent(text, signature, secret, 300, undefined, now);
    const now = opened.simulator.now();
    expect(check(body, "whsec_1", now).type).toBe("customer.created");
    expect(() => check(body.replace("Ünïcode", "Unicode"), "whsec_1", now)).toThrow(
      Stripe.errors.StripeSignatureVerificationError,
    );
    expect(() => check(body, "whsec_2", now)).toThrow(Stripe.errors.StripeSignatureVerificationError);
    expect(() => check(body, "whsec_1", now + 301_000)).toThrow(
      Stripe.errors.StripeSignatureVerificationError,
    );
  });

  test("are tried again within hours, signed anew, and given up after five times; the event says so", async () => {
    const opened = openInProcess();
    const at: number[] = [];
    const events = collectWebhooks(opened, () => {
      at.push((opened.simulator.now() - Date.UTC(2030, 0, 1)) / minute);
      return 500;
    });
    await opened.stripe.customers.create({});
    await opened.simulator.settle();
    const [event] = (await opened.stripe.events.list()).data;
    expect(event?.pending_webhooks).toBe(1);
    await opened.simulator.advance(24 * 60 * minute);
    expect(at).toEqual([0, 1, 11, 71, 251]);
    expect(new Set(events.map(({ id }) => id)).size).toBe(1);
    expect((await opened.stripe.events.list({ delivery_success: false })).data.map(({ id }) => id)).toEqual([
      event!.id,
    ]);
    expect((await opened.stripe.events.list({ delivery_success: true })).data).toEqual([]);
  });

  test("go to the endpoints of the API, for the events they ask for", async () => {
    const { stripe, simulator } = openInProcess();
    const endpoint = await stripe.webhookEndpoints.create({
      url: "http://127.0.0.1:9/nothing-listens",
      enabled_events: ["charge.succeeded"],
    });
    expect(endpoint.secret).toMatch(/^whsec_/);
    expect((await stripe.webhookEndpoints.retrieve(endpoint.id)).secret).toBeUndefined();
    await stripe.customers.create({});
    await simulator.settle();
    expect((await stripe.events.list()).data[0]?.pending_webhooks).toBe(0);
    await stripe.webhookEndpoints.update(endpoint.id, { enabled_events: ["*"], disabled: true });
    await stripe.customers.create({});
    await stripe.webhookEndpoints.update(endpoint.id, { disabled: false });
    await stripe.customers.create({});
    expect((await stripe.events.list()).data.map(({ pending_webhooks }) => pending_webhooks)).toEqual([
      1, 0, 0,
    ]);
    expect((await stripe.webhookEndpoints.list()).data).toHaveLength(1);
    expect((await stripe.webhookEndpoints.del(endpoint.id)).deleted).toBe(true);
    expect((await stripe.webhookEndpoints.list()).data).toEqual([]);
    await expect(
      stripe.webhookEndpoints.create({ url: "ftp://x", enabled_events: ["*"] }),
    ).rejects.toMatchObject({ param: "url" });
  });

  test("are lost, repeated, delayed and shuffled by faults; the list of events has each once", async () => {
    const opened = openInProcess();
    const events = collectWebhooks(opened);
    const { faults } = opened.simulator;
    faults.add({ event: "customer.created", effect: { kind: "webhook_lost" } });
    faults.add({ event: "payment_method.*", effect: { kind: "webhook_repeated", copies: 3 } });
    faults.add({ event: "payment_intent.succeeded", effect: { kind: "webhook_delayed", ms: minute } });
    await pay(opened.stripe);
    await opened.simulator.settle();
    expect(typesOf(events)).toEqual([
      ...Array.from({ length: 3 }, () => "payment_method.attached"),
      "payment_intent.created",
      "charge.succeeded",
    ]);
    await opened.simulator.advance(minute);
    expect(typesOf(events).at(-1)).toBe("payment_intent.succeeded");
    expect((await opened.stripe.events.list()).data).toHaveLength(5);

    faults.clear();
    faults.add({ effect: { kind: "webhook_shuffled" } });
    events.length = 0;
    for (let paid = 0; paid < 4; paid += 1) await pay(opened.stripe);
    await opened.simulator.settle();
    const order = events.map(({ id }) => id);
    expect(order).toHaveLength(20);
    expect(order).not.toEqual(order.toSorted());
    expect(order.toSorted()).toEqual(
      (await opened.stripe.events.list({ limit: 20 })).data.map(({ id }) => id).toReversed(),
    );
  });

  test("about one customer alone can be lost", async () => {
    const opened = openInProcess();
    const ada = await customerWith(opened.stripe);
    const bob = await customerWith(opened.stripe);
    const events = collectWebhooks(opened);
    opened.simulator.faults.add({ customer: ada.customer, effect: { kind: "webhook_lost" } });
    const params = { amount: 700, currency: "usd", confirm: true, off_session: true };
    await opened.stripe.paymentIntents.create({ ...params, ...ada });
    await opened.stripe.paymentIntents.create({ ...params, ...bob });
    await opened.simulator.settle();
    expect(events).toHaveLength(3);
    expect(new Set(events.map(({ data }) => (data.object as Stripe.Charge).customer))).toEqual(
      new Set([bob.customer]),
    );
  });

  test("that find no room are lost", async () => {
    const opened = openInProcess({ limits: { deliveries_max: 2 } });
    const events = collectWebhooks(opened);
    await pay(opened.stripe);
    await opened.simulator.settle();
    expect(events).toHaveLength(2);
  });
});
