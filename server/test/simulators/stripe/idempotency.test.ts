import { expect, test } from "vitest";
import { describeEachClient, openInProcess, pay } from "./opened-simulator.js";

const hour = 3_600_000;

describeEachClient("idempotency keys", (open) => {
  test("give the first reply again for the same request, and refuse another one", async () => {
    const { stripe } = await open();
    const options = { idempotencyKey: "attempt-1" };
    const first = await stripe.customers.create({ name: "Ada", metadata: { a: "1", b: "2" } }, options);
    // The order of parameters is no difference.
    const again = await stripe.customers.create({ metadata: { b: "2", a: "1" }, name: "Ada" }, options);
    expect(again.id).toBe(first.id);
    expect(again.lastResponse.headers).toMatchObject({
      "idempotent-replayed": "true",
      "idempotency-key": "attempt-1",
      "original-request": first.lastResponse.requestId,
    });
    expect(again.lastResponse.requestId).not.toBe(first.lastResponse.requestId);
    expect(first.lastResponse.headers["idempotent-replayed"]).toBeUndefined();
    const refusal = {
      type: "StripeIdempotencyError",
      statusCode: 400,
      rawType: "idempotency_error",
      code: undefined,
    };
    await expect(stripe.customers.create({ name: "Bob" }, options)).rejects.toMatchObject(refusal);
    await expect(
      stripe.paymentIntents.create({ amount: 500, currency: "usd" }, options),
    ).rejects.toMatchObject(refusal);
    expect((await stripe.customers.list()).data).toHaveLength(1);
  });

  test("keep a decline, and keep no refusal of a parameter", async () => {
    const { stripe } = await open();
    const { id: customer } = await stripe.customers.create({});
    const { id } = await stripe.paymentMethods.attach("pm_card_chargeCustomerFail", { customer });
    const params = {
      amount: 700,
      currency: "usd",
      customer,
      payment_method: id,
      confirm: true,
      off_session: true,
    };
    const options = { idempotencyKey: "attempt-2" };
    const decline = { statusCode: 402, decline_code: "generic_decline" };
    await expect(stripe.paymentIntents.create(params, options)).rejects.toMatchObject(decline);
    await expect(stripe.paymentIntents.create(params, options)).rejects.toMatchObject({
      ...decline,
      headers: { "idempotent-replayed": "true" },
    });
    expect((await stripe.charges.list({ customer })).data).toHaveLength(1);
    const other = { idempotencyKey: "attempt-3" };
    await expect(stripe.paymentIntents.create({ ...params, amount: 1 }, other)).rejects.toMatchObject({
      code: "amount_too_small",
    });
    await expect(
      stripe.paymentIntents.create({ ...params, payment_method: "pm_card_visa" }, other),
    ).resolves.toMatchObject({
      status: "succeeded",
    });
  });

  test("are forgotten after 24 hours", async () => {
    const { stripe, simulator } = await open();
    const options = { idempotencyKey: "attempt-4" };
    const first = await stripe.customers.create({}, options);
    await simulator.advance(24 * hour - 1);
    expect((await stripe.customers.create({}, options)).id).toBe(first.id);
    await simulator.advance(1);
    expect((await stripe.customers.create({}, options)).id).not.toBe(first.id);
  });

  test("are in use while the first request is being carried out", async () => {
    const { stripe, simulator } = await open();
    simulator.faults.add({
      operation: "customers.create",
      nth: 1,
      effect: { kind: "delay", ms: 1_000, when: "after" },
    });
    const options = { idempotencyKey: "attempt-5" };
    const first = stripe.customers.create({}, options);
    await until(() => simulator.nextDue() !== undefined);
    await expect(stripe.customers.create({}, options)).rejects.toMatchObject({
      statusCode: 409,
      code: "idempotency_key_in_use",
    });
    await simulator.advance(1_000);
    const { id } = await first;
    expect((await stripe.customers.create({}, options)).id).toBe(id);
  });
});

test("too long a key is refused", async () => {
  const { stripe } = openInProcess();
  const options = { idempotencyKey: "k".repeat(256) };
  await expect(stripe.customers.create({}, options)).rejects.toMatchObject({ statusCode: 400 });
});

test("of too many keys the oldest are forgotten", async () => {
  const { stripe } = openInProcess({ limits: { idempotencyKeys_max: 10 } });
  const ids: string[] = [];
  for (let index = 0; index <= 10; index += 1)
    ids.push((await stripe.customers.create({}, { idempotencyKey: `key-${index}` })).id);
  expect((await stripe.customers.create({}, { idempotencyKey: "key-10" })).id).toBe(ids[10]);
  expect((await stripe.customers.create({}, { idempotencyKey: "key-0" })).id).not.toBe(ids[0]);
});

test("of too many objects the oldest settled ones go, asking for one says so, and balances stay right", async () => {
  const { stripe, simulator } = openInProcess({ limits: { objects_max: 20 } });
  const first = await pay(stripe);
  for (let paid = 1; paid <= 35; paid += 1) {
    if (paid === 20) await simulator.advance(72 * hour);
    await stripe.paymentIntents.create({
      amount: 500,
      currency: "usd",
      payment_method: "pm_card_visa",
      confirm: true,
      off_session: true,
    });
  }
  await expect(stripe.paymentIntents.retrieve(first.intent.id)).rejects.toMatchObject({
    statusCode: 404,
    message: expect.stringContaining("dropped"),
  });
  await expect(stripe.paymentIntents.retrieve("pi_never")).rejects.toMatchObject({
    message: expect.not.stringContaining("dropped"),
  });
  const kept = simulator.ledger.movements().reduce((sum, { net }) => sum + net, 0);
  expect(kept + simulator.ledger.dropped("usd")).toBe(9_680 + 35 * 455);
  expect(simulator.ledger.balance("usd")).toEqual({
    currency: "usd",
    available: 9_680 + 19 * 455,
    pending: 16 * 455,
  });
});

test("what is not settled is not dropped: the simulator says that it is full", async () => {
  const { stripe } = openInProcess({ limits: { objects_max: 5 } });
  for (let made = 1; made <= 5; made += 1)
    await stripe.paymentIntents.create({ amount: 500, currency: "usd" });
  await expect(stripe.paymentIntents.create({ amount: 500, currency: "usd" })).rejects.toMatchObject({
    statusCode: 400,
    message: expect.stringContaining("objects_max"),
  });
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}
