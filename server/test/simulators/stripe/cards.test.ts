import type Stripe from "stripe";
import { afterEach, describe, expect, test } from "vitest";
import StripeSdk from "stripe";
import {
  connectionTo,
  startStripeSimulator,
  type RunningStripeSimulator,
} from "../../../simulators/stripe/index.js";
import {
  collectWebhooks,
  customerWith,
  describeEachClient,
  key,
  openInProcess,
  typesOf,
} from "./opened-simulator.js";

describeEachClient("customers and cards by the official SDK", (open) => {
  test("a customer is created, updated, listed by e-mail, and deleted", async () => {
    const { stripe } = await open();
    const created = await stripe.customers.create({
      name: "Ada",
      email: "ada@example.com",
      address: { line1: "1 Weir St", country: "DE", postal_code: "10115" },
      metadata: { weir: "cus_1" },
    });
    expect(created).toMatchObject({ name: "Ada", address: { country: "DE", line2: null }, livemode: false });
    const updated = await stripe.customers.update(created.id, { name: "", description: "moved" });
    expect(updated).toMatchObject({ name: null, description: "moved", email: "ada@example.com" });
    await stripe.customers.create({ email: "bob@example.com" });
    const found = await stripe.customers.list({ email: "ada@example.com" });
    expect(found.data.map(({ id }) => id)).toEqual([created.id]);
    expect(await stripe.customers.del(created.id)).toMatchObject({ id: created.id, deleted: true });
    expect(await stripe.customers.retrieve(created.id)).toMatchObject({ id: created.id, deleted: true });
    await expect(stripe.customers.del(created.id)).rejects.toMatchObject({ statusCode: 404, param: "id" });
    await expect(
      stripe.paymentIntents.create({ amount: 500, currency: "usd", customer: created.id }),
    ).rejects.toMatchObject({ code: "resource_missing" });
  });

  test("a payment method is attached, made the default, listed, updated and detached for good", async () => {
    const { stripe } = await open();
    const { customer, payment_method } = await customerWith(stripe, "pm_card_mastercard");
    await stripe.customers.update(customer, { invoice_settings: { default_payment_method: payment_method } });
    const expanded = await stripe.customers.retrieve(customer, {
      expand: ["invoice_settings.default_payment_method"],
    });
    expect((expanded as Stripe.Customer).invoice_settings.default_payment_method).toMatchObject({
      id: payment_method,
      card: { brand: "mastercard", last4: "4444" },
    });
    const updated = await stripe.paymentMethods.update(payment_method, {
      billing_details: { name: "Ada L." },
      metadata: { weir: "1" },
    });
    expect(updated).toMatchObject({ billing_details: { name: "Ada L." }, metadata: { weir: "1" } });
    expect((await stripe.paymentMethods.list({ customer, type: "card" })).data).toHaveLength(1);
    expect((await stripe.paymentMethods.list()).data).toEqual([]);
    expect((await stripe.customers.retrievePaymentMethod(customer, payment_method)).id).toBe(payment_method);
    const detached = await stripe.paymentMethods.detach(payment_method);
    expect(detached.customer).toBeNull();
    expect((await stripe.customers.retrieve(customer)) as Stripe.Customer).toMatchObject({
      invoice_settings: { default_payment_method: null },
    });
    await expect(stripe.paymentMethods.attach(payment_method, { customer })).rejects.toMatchObject({
      statusCode: 400,
    });
    await expect(stripe.paymentMethods.detach(payment_method)).rejects.toMatchObject({ statusCode: 400 });
  });

  test("a setup intent sets a card up, asks its owner when the issuer does, and is canceled", async () => {
    const { stripe, simulator } = await open();
    const { id: customer } = await stripe.customers.create({});
    const done = await stripe.setupIntents.create({
      customer,
      payment_method: "pm_card_visa",
      confirm: true,
      allowed_payment_method_types: ["card"],
    });
    expect(done).toMatchObject({ status: "succeeded", usage: "off_session" });
    expect((await stripe.paymentMethods.retrieve(done.payment_method as string)).customer).toBe(customer);
    const asked = await stripe.setupIntents.create({ customer, allowed_payment_method_types: ["card"] });
    expect(asked.status).toBe("requires_payment_method");
    const confirmed = await stripe.setupIntents.confirm(asked.id, {
      payment_method: "pm_card_authenticationRequiredOnSetup",
      return_url: "https://weir.invalid/back",
    });
    expect(confirmed).toMatchObject({ status: "requires_action", next_action: { type: "redirect_to_url" } });
    simulator.authenticate(asked.id, "fail");
    expect(await stripe.setupIntents.retrieve(asked.id)).toMatchObject({
      status: "requires_payment_method",
      last_setup_error: { code: "setup_intent_authentication_failure" },
    });
    await stripe.setupIntents.update(asked.id, { metadata: { a: "1" }, payment_method: "pm_card_visa" });
    expect((await stripe.setupIntents.cancel(asked.id)).status).toBe("canceled");
    await expect(stripe.setupIntents.confirm(asked.id)).rejects.toMatchObject({
      code: "setup_intent_unexpected_state",
    });
    expect((await stripe.setupIntents.list({ customer })).data.map(({ id }) => id)).toEqual([
      asked.id,
      done.id,
    ]);
  });

  test("a checkout session in setup mode is created, retrieved, listed and expired", async () => {
    const { stripe, simulator } = await open();
    const { id: customer } = await stripe.customers.create({});
    const params = {
      mode: "setup",
      customer,
      currency: "eur",
      success_url: "https://weir.invalid/done",
    } as const;
    const session = await stripe.checkout.sessions.create({
      ...params,
      setup_intent_data: { metadata: { weir: "1" } },
    });
    expect(session).toMatchObject({
      status: "open",
      mode: "setup",
      url: expect.stringContaining(session.id),
    });
    const expanded = await stripe.checkout.sessions.retrieve(session.id, { expand: ["setup_intent"] });
    expect(expanded.setup_intent).toMatchObject({
      status: "requires_payment_method",
      metadata: { weir: "1" },
    });
    const other = await stripe.checkout.sessions.create(params);
    expect((await stripe.checkout.sessions.list({ customer })).data).toHaveLength(2);
    expect(await stripe.checkout.sessions.expire(session.id)).toMatchObject({ status: "expired", url: null });
    await expect(stripe.checkout.sessions.expire(session.id)).rejects.toMatchObject({ statusCode: 400 });
    await simulator.advance(24 * 3_600_000);
    expect((await stripe.checkout.sessions.retrieve(other.id)).status).toBe("expired");
    const { currency: _, ...without } = params;
    await expect(stripe.checkout.sessions.create(without)).rejects.toMatchObject({ param: "currency" });
    await expect(
      stripe.checkout.sessions.create({ ...without, allowed_payment_method_types: ["card"] }),
    ).resolves.toMatchObject({ status: "open", currency: null });
    await expect(stripe.checkout.sessions.create({ ...params, mode: "payment" })).rejects.toMatchObject({
      param: "mode",
    });
  });
});

describe("a card by its number", () => {
  const { simulator } = openInProcess();
  test.each([
    [{ number: "4242 4242 4242 4241" }, "incorrect"],
    [{ number: "4242" }, "incorrect"],
    [{ number: "4539578763621486" }, "test cards only"],
    [{ number: "4242424242424242", exp_month: 13 }, "expiration month"],
    [{ number: "4242424242424242", exp_month: 1, exp_year: 2029 }, "expiration year"],
    [{ number: "4242424242424242", cvc: "12" }, "security code"],
  ])("%j is refused: %s", (card, message) => {
    expect(() => simulator.createPaymentMethod(card)).toThrow(message);
  });
});

describe("the hosted page", () => {
  let running: RunningStripeSimulator;
  afterEach(() => running.stop());

  async function openSession(): Promise<{
    stripe: StripeSdk;
    customer: string;
    session: Stripe.Checkout.Session;
    events: Stripe.Event[];
    submit: (form: Record<string, string>) => Promise<Response>;
  }> {
    running = await startStripeSimulator({ port: 0 });
    const stripe = new StripeSdk(key, connectionTo(running.url, key));
    const events = collectWebhooks({ simulator: running.simulator, stripe });
    const { id: customer } = await stripe.customers.create({});
    const session = await stripe.checkout.sessions.create({
      mode: "setup",
      customer,
      currency: "usd",
      success_url: "https://weir.invalid/done?session={CHECKOUT_SESSION_ID}",
      cancel_url: "https://weir.invalid/back",
    });
    const submit = (form: Record<string, string>): Promise<Response> =>
      fetch(session.url!, { method: "POST", body: new URLSearchParams(form), redirect: "manual" });
    return { stripe, customer, session, events, submit };
  }

  test("takes a card, attaches it, tells by webhooks, and sends the person back", async () => {
    const { stripe, customer, session, events, submit } = await openSession();
    const page = await fetch(session.url!);
    expect(page.headers.get("content-type")).toContain("text/html");
    expect(await page.text()).toContain('name="number"');
    const refused = await submit({ number: "4242424242424241", expiry: "12/40", cvc: "123" });
    expect([refused.status, await refused.text()]).toEqual([402, expect.stringContaining("incorrect")]);
    const done = await submit({ number: "5555 5555 5555 4444", expiry: "12/40", cvc: "123", name: "<Ada>" });
    expect([done.status, done.headers.get("location")]).toEqual([
      303,
      `https://weir.invalid/done?session=${session.id}`,
    ]);
    const after = await stripe.checkout.sessions.retrieve(session.id, {
      expand: ["setup_intent.payment_method"],
    });
    expect(after.status).toBe("complete");
    expect(after.setup_intent).toMatchObject({
      status: "succeeded",
      payment_method: { customer, card: { last4: "4444" }, billing_details: { name: "<Ada>" } },
    });
    await running.simulator.settle();
    expect(typesOf(events)).toEqual([
      "customer.created",
      "setup_intent.created",
      "payment_method.attached",
      "setup_intent.succeeded",
      "checkout.session.completed",
    ]);
    expect(
      await (await submit({ number: "4242424242424242", expiry: "12/40", cvc: "123" })).text(),
    ).toContain("saved");
    expect((await stripe.paymentMethods.list({ customer })).data).toHaveLength(1);
  });

  test("asks the owner of a card whose issuer wants to see them, and lets another card be entered", async () => {
    const { stripe, customer, session, submit } = await openSession();
    const card = { number: "4000002500003155", expiry: "12/40", cvc: "123" };
    expect(await (await submit(card)).text()).toContain('value="pass"');
    expect((await submit({ outcome: "fail" })).status).toBe(402);
    expect((await submit(card)).status).toBe(200);
    expect((await submit({ outcome: "pass" })).status).toBe(303);
    expect((await stripe.checkout.sessions.retrieve(session.id)).status).toBe("complete");
    const [method] = (await stripe.paymentMethods.list({ customer })).data;
    const paid = await stripe.paymentIntents.create({
      amount: 500,
      currency: "usd",
      customer,
      payment_method: method!.id,
      confirm: true,
      off_session: true,
    });
    expect(paid.status).toBe("succeeded");
  });

  test("lets the owner of a card answer for a payment, and sends them back with its status", async () => {
    const { stripe, customer } = await openSession();
    const { id: payment_method } = await stripe.paymentMethods.attach("pm_card_authenticationRequired", {
      customer,
    });
    const intent = await stripe.paymentIntents.create({
      amount: 500,
      currency: "usd",
      customer,
      payment_method,
      confirm: true,
      return_url: "https://weir.invalid/back",
    });
    const url = intent.next_action!.redirect_to_url!.url!;
    expect(await (await fetch(url)).text()).toContain("Yes, it is me");
    const done = await fetch(url, {
      method: "POST",
      body: new URLSearchParams({ outcome: "pass" }),
      redirect: "manual",
    });
    expect(done.headers.get("location")).toBe(
      `https://weir.invalid/back?payment_intent=${intent.id}&redirect_status=succeeded`,
    );
    expect((await stripe.paymentIntents.retrieve(intent.id)).status).toBe("succeeded");
    const again = await fetch(url, { method: "POST", body: new URLSearchParams({ outcome: "pass" }) });
    expect(again.status).toBe(400);
  });

  test("is not there for a session that nobody made", async () => {
    await openSession();
    expect((await fetch(`${running.url}/_simulator/checkout/cs_test_none`)).status).toBe(404);
    expect((await fetch(`${running.url}/_simulator/nothing/here`)).status).toBe(404);
  });
});
