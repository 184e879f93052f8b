import type Stripe from "stripe";
import { describe, expect, test } from "vitest";
import { LiveKeyRefused, connectionTo } from "../../../simulators/stripe/index.js";
import { customerWith, describeEachClient, key, openInProcess, pay } from "./opened-simulator.js";

const minute = 60_000;

describeEachClient("payments by the official SDK", (open) => {
  test("are created, confirmed, retrieved and listed, each with its charge and balance transaction", async () => {
    const { stripe, simulator } = await open();
    const { customer, payment_method } = await customerWith(stripe);
    expect(payment_method).not.toBe("pm_card_visa");
    const created = await stripe.paymentIntents.create({
      amount: 12_345,
      currency: "usd",
      customer,
      payment_method,
      metadata: { attempt: "att_1" },
    });
    expect(created.status).toBe("requires_confirmation");
    const confirmed = await stripe.paymentIntents.confirm(created.id, {
      off_session: true,
      expand: ["latest_charge.balance_transaction", "customer"],
    });
    expect(confirmed.status).toBe("succeeded");
    expect((confirmed.customer as Stripe.Customer).name).toBe("Ada");
    const charge = confirmed.latest_charge as Stripe.Charge;
    expect(charge).toMatchObject({ amount_captured: 12_345, paid: true, metadata: { attempt: "att_1" } });
    // 2.9% of 12,345 is 358.005, and 30.
    expect(charge.balance_transaction).toMatchObject({
      amount: 12_345,
      fee: 388,
      net: 11_957,
      currency: "usd",
    });
    expect((await stripe.paymentIntents.retrieve(created.id)).latest_charge).toBe(charge.id);
    const listed = await stripe.paymentIntents.list({ customer, created: { gte: created.created } });
    expect(listed.data.map(({ id }) => id)).toEqual([created.id]);
    expect(simulator.ledger.charge(charge.id)).toMatchObject({ captured: 12_345, refunded: 0, disputed: 0 });
    expect(await stripe.balance.retrieve()).toMatchObject({
      available: [{ amount: 0, currency: "usd" }],
      pending: [{ amount: 11_957, currency: "usd" }],
    });
    await simulator.advance(2 * 24 * 60 * minute);
    expect(simulator.ledger.balance("usd")).toEqual({ currency: "usd", available: 11_957, pending: 0 });
    const transaction = await stripe.balanceTransactions.retrieve(
      (charge.balance_transaction as Stripe.BalanceTransaction).id,
    );
    expect(transaction.status).toBe("available");
  });

  test("that decline leave the intent open for another card, with a failed charge", async () => {
    const { stripe } = await open();
    const { customer, payment_method } = await customerWith(
      stripe,
      "pm_card_visa_chargeDeclinedInsufficientFunds",
    );
    const intent = await stripe.paymentIntents.create({
      amount: 500,
      currency: "eur",
      customer,
      payment_method,
    });
    await expect(stripe.paymentIntents.confirm(intent.id, { off_session: true })).rejects.toMatchObject({
      type: "StripeCardError",
      statusCode: 402,
      code: "card_declined",
      decline_code: "insufficient_funds",
      payment_intent: { id: intent.id, status: "requires_payment_method" },
    });
    const after = await stripe.paymentIntents.retrieve(intent.id, { expand: ["latest_charge"] });
    expect(after.last_payment_error).toMatchObject({
      decline_code: "insufficient_funds",
      payment_method: { id: payment_method },
    });
    expect(after.latest_charge).toMatchObject({ status: "failed", paid: false, balance_transaction: null });
    const { id } = await stripe.paymentMethods.attach("pm_card_mastercard", { customer });
    const paid = await stripe.paymentIntents.confirm(intent.id, { payment_method: id, off_session: true });
    expect(paid).toMatchObject({ status: "succeeded", last_payment_error: null });
    const charges = await stripe.charges.list({ payment_intent: intent.id });
    expect(charges.data.map(({ status }) => status)).toEqual(["succeeded", "failed"]);
  });

  test("cannot be confirmed or canceled once they succeeded, nor confirmed once canceled", async () => {
    const { stripe } = await open();
    const { intent } = await pay(stripe);
    const unexpected = { statusCode: 400, code: "payment_intent_unexpected_state" };
    await expect(stripe.paymentIntents.confirm(intent.id)).rejects.toMatchObject(unexpected);
    await expect(stripe.paymentIntents.cancel(intent.id)).rejects.toMatchObject(unexpected);
    const other = await stripe.paymentIntents.create({ amount: 500, currency: "usd" });
    await expect(stripe.paymentIntents.confirm(other.id)).rejects.toMatchObject(unexpected);
    const canceled = await stripe.paymentIntents.cancel(other.id, { cancellation_reason: "abandoned" });
    expect(canceled).toMatchObject({
      status: "canceled",
      cancellation_reason: "abandoned",
      amount_received: 0,
    });
    await expect(
      stripe.paymentIntents.confirm(other.id, { payment_method: "pm_card_visa" }),
    ).rejects.toMatchObject(unexpected);
  });

  test("are updated while they are open", async () => {
    const { stripe } = await open();
    const { customer, payment_method } = await customerWith(stripe);
    const { id } = await stripe.paymentIntents.create({
      amount: 500,
      currency: "usd",
      metadata: { a: "1", b: "2" },
    });
    const updated = await stripe.paymentIntents.update(id, {
      amount: 700,
      customer,
      payment_method,
      metadata: { a: "", c: "3" },
    });
    expect(updated).toMatchObject({ amount: 700, status: "requires_confirmation" });
    expect(updated.metadata).toEqual({ b: "2", c: "3" });
  });

  test("are listed page by page, newest first, in both directions", async () => {
    const { stripe } = await open();
    const ids: string[] = [];
    for (let amount = 101; amount <= 107; amount += 1)
      ids.unshift((await stripe.paymentIntents.create({ amount, currency: "usd" })).id);
    const first = await stripe.paymentIntents.list({ limit: 3 });
    expect(first.data.map(({ id }) => id)).toEqual(ids.slice(0, 3));
    expect(first.has_more).toBe(true);
    const last = await stripe.paymentIntents.list({ limit: 3, starting_after: ids[5]! });
    expect(last.data.map(({ id }) => id)).toEqual(ids.slice(6));
    expect(last.has_more).toBe(false);
    const back = await stripe.paymentIntents.list({ limit: 3, ending_before: ids[4]! });
    expect(back.data.map(({ id }) => id)).toEqual(ids.slice(1, 4));
    expect(back.has_more).toBe(true);
    const all: string[] = [];
    for await (const intent of stripe.paymentIntents.list({ limit: 2 })) all.push(intent.id);
    expect(all).toEqual(ids);
  });

  test("are found by a search only once the index has caught up", async () => {
    const { stripe, simulator } = await open();
    const { id } = await stripe.paymentIntents.create({
      amount: 900,
      currency: "usd",
      metadata: { attempt: "att_7" },
    });
    await stripe.paymentIntents.create({ amount: 901, currency: "usd", metadata: { attempt: "att_8" } });
    const query = `metadata["attempt"]:"att_7" AND amount<=900 AND -status:"succeeded"`;
    expect((await stripe.paymentIntents.search({ query })).data).toEqual([]);
    await simulator.advance(minute);
    const found = await stripe.paymentIntents.search({ query });
    expect(found.data.map((intent) => intent.id)).toEqual([id]);
    const paged = await stripe.paymentIntents.search({ query: `amount>1 OR currency:"usd"`, limit: 1 });
    expect(paged).toMatchObject({ has_more: true, data: [{ amount: 901 }] });
    const next = await stripe.paymentIntents.search({ query: `amount>1`, limit: 1, page: paged.next_page! });
    expect(next).toMatchObject({ has_more: false, data: [{ amount: 900 }] });
    await expect(stripe.paymentIntents.search({ query: `colour:"red"` })).rejects.toMatchObject({
      param: "query",
    });
    await expect(stripe.paymentIntents.search({ query: `amount is 5` })).rejects.toMatchObject({
      param: "query",
    });
  });

  test("by bank debit are processing first, and then succeed or fail", async () => {
    const { stripe, simulator } = await open();
    const { intent, charge } = await pay(stripe, "pm_usBankAccount_success");
    expect(intent.status).toBe("processing");
    expect(charge).toMatchObject({ status: "pending", paid: false, balance_transaction: null });
    expect(simulator.ledger.charge(charge.id)).toBeUndefined();
    const { intent: failing } = await pay(stripe, "pm_usBankAccount_insufficientFunds");
    const { intent: silent } = await pay(stripe, "pm_usBankAccount_processing");
    await expect(stripe.paymentIntents.confirm(intent.id)).rejects.toMatchObject({ statusCode: 400 });
    await simulator.advance(minute);
    expect(await stripe.paymentIntents.retrieve(intent.id)).toMatchObject({
      status: "succeeded",
      amount_received: 10_000,
    });
    expect(await stripe.charges.retrieve(charge.id, { expand: ["balance_transaction"] })).toMatchObject({
      status: "succeeded",
      balance_transaction: { type: "payment", amount: 10_000 },
    });
    expect(await stripe.paymentIntents.retrieve(failing.id, { expand: ["latest_charge"] })).toMatchObject({
      status: "requires_payment_method",
      last_payment_error: { decline_code: "insufficient_funds" },
      latest_charge: { status: "failed", amount_captured: 0 },
    });
    expect((await stripe.paymentIntents.retrieve(silent.id)).status).toBe("processing");
    simulator.finishProcessing(silent.id, "account_closed");
    expect((await stripe.paymentIntents.retrieve(silent.id)).status).toBe("requires_payment_method");
  });

  test("wait for the owner of a card that requires it, and decline while they are away", async () => {
    const { stripe, simulator } = await open();
    await expect(pay(stripe, "pm_card_authenticationRequired")).rejects.toMatchObject({
      statusCode: 402,
      code: "authentication_required",
      decline_code: "authentication_required",
      payment_intent: { status: "requires_payment_method" },
    });
    const present = { off_session: false, return_url: "https://weir.invalid/back" };
    const { intent } = await pay(stripe, "pm_card_authenticationRequired", present);
    expect(intent).toMatchObject({
      status: "requires_action",
      next_action: { type: "redirect_to_url", redirect_to_url: { return_url: "https://weir.invalid/back" } },
    });
    simulator.authenticate(intent.id, "pass");
    expect((await stripe.paymentIntents.retrieve(intent.id)).status).toBe("succeeded");

    const { intent: other } = await pay(stripe, "pm_card_authenticationRequired", present);
    simulator.authenticate(other.id, "fail");
    expect(await stripe.paymentIntents.retrieve(other.id)).toMatchObject({
      status: "requires_payment_method",
      last_payment_error: { code: "payment_intent_authentication_failure" },
    });
    await expect(
      pay(stripe, "pm_card_authenticationRequired", { off_session: false, error_on_requires_action: true }),
    ).rejects.toMatchObject({ code: "authentication_required", decline_code: "authentication_not_handled" });

    const { intent: poor } = await pay(
      stripe,
      "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds",
      present,
    );
    simulator.authenticate(poor.id, "pass");
    expect((await stripe.paymentIntents.retrieve(poor.id)).last_payment_error?.decline_code).toBe(
      "insufficient_funds",
    );
  });

  test("of a card that was set up with its owner there succeed while they are away", async () => {
    const { stripe, simulator } = await open();
    await expect(pay(stripe, "pm_card_authenticationRequiredOnSetup")).rejects.toMatchObject({
      code: "authentication_required",
    });
    const { id: customer } = await stripe.customers.create({});
    const first = await stripe.paymentIntents.create({
      amount: 1_000,
      currency: "usd",
      customer,
      payment_method: "pm_card_authenticationRequiredOnSetup",
      setup_future_usage: "off_session",
      confirm: true,
      return_url: "https://weir.invalid/back",
    });
    expect(first.status).toBe("requires_action");
    simulator.authenticate(first.id, "pass");
    const [method] = (await stripe.customers.listPaymentMethods(customer)).data;
    const later = await stripe.paymentIntents.create({
      amount: 1_000,
      currency: "usd",
      customer,
      payment_method: method!.id,
      confirm: true,
      off_session: true,
    });
    expect(later.status).toBe("succeeded");
  });
});

describe("declines", () => {
  // Code, decline code, parameter and advice as seen in Stripe's test mode.
  const expected = [
    ["4000000000000002", "card_declined", "generic_decline", undefined, "try_again_later"],
    ["4000000000009995", "card_declined", "insufficient_funds", undefined, "try_again_later"],
    ["4000000000009987", "card_declined", "lost_card", undefined, "do_not_try_again"],
    ["4000000000009979", "card_declined", "stolen_card", undefined, "do_not_try_again"],
    ["4000000000000069", "expired_card", "expired_card", "exp_month", "confirm_card_data"],
    ["4000000000000127", "incorrect_cvc", "incorrect_cvc", "cvc", "confirm_card_data"],
    ["4000000000000119", "processing_error", "processing_error", undefined, "try_again_later"],
    ["4000000000006975", "card_declined", "card_velocity_exceeded", undefined, "try_again_later"],
    ["4000000000000341", "card_declined", "generic_decline", undefined, "try_again_later"],
    ["4100000000000019", "card_declined", "fraudulent", undefined, undefined],
  ] as const;

  test.each(expected)("card %s: %s, %s", async (number, code, decline_code, param, advice) => {
    const { stripe, simulator } = openInProcess();
    const { id: customer } = await stripe.customers.create({});
    const payment_method = simulator.createPaymentMethod({ number }, customer);
    const error = await stripe.paymentIntents
      .create({ amount: 10_000, currency: "usd", customer, payment_method, confirm: true, off_session: true })
      .then(
        () => undefined,
        (thrown: unknown) => thrown as Stripe.errors.StripeCardError,
      );
    expect(error).toMatchObject({ type: "StripeCardError", statusCode: 402, code, decline_code });
    expect([error?.param, error?.advice_code]).toEqual([param, advice]);
    expect(error?.doc_url).toContain(code.replaceAll("_", "-"));
    const [charge] = (await stripe.charges.list({ customer })).data;
    expect(charge).toMatchObject({
      status: "failed",
      failure_code: code,
      payment_method_details: { card: { last4: number.slice(-4) } },
    });
    expect(charge?.outcome?.type).toBe(decline_code === "fraudulent" ? "blocked" : "issuer_declined");
    expect(simulator.ledger.balances()).toEqual([]);
  });

  test("are given when the card is attached, if that is set as on Stripe", async () => {
    const { stripe } = openInProcess({ declinesOnAttach: true });
    await expect(customerWith(stripe, "pm_card_visa_chargeDeclined")).rejects.toMatchObject({
      statusCode: 402,
    });
    await expect(customerWith(stripe, "pm_card_chargeCustomerFail")).resolves.toBeDefined();
  });
});

describe("bad requests", () => {
  const { stripe, simulator } = openInProcess();
  const bad: readonly (readonly [string, () => Promise<unknown>, object])[] = [
    [
      "no amount",
      () => stripe.paymentIntents.create({ currency: "usd" } as never),
      { param: "amount", code: "parameter_missing" },
    ],
    [
      "an amount that is no integer",
      () => stripe.paymentIntents.create({ amount: 10.5, currency: "usd" }),
      { param: "amount", code: "parameter_invalid_integer" },
    ],
    [
      "an amount of zero",
      () => stripe.paymentIntents.create({ amount: 0, currency: "usd" }),
      { param: "amount" },
    ],
    [
      "49 cents",
      () => stripe.paymentIntents.create({ amount: 49, currency: "usd" }),
      { code: "amount_too_small" },
    ],
    [
      "49 yen",
      () => stripe.paymentIntents.create({ amount: 49, currency: "jpy" }),
      { code: "amount_too_small" },
    ],
    [
      "a million dollars",
      () => stripe.paymentIntents.create({ amount: 100_000_000, currency: "usd" }),
      { code: "amount_too_large" },
    ],
    [
      "a third decimal of a dinar that is not 0",
      () => stripe.paymentIntents.create({ amount: 10_001, currency: "kwd" }),
      { param: "amount" },
    ],
    [
      "a fraction of a króna",
      () => stripe.paymentIntents.create({ amount: 10_050, currency: "isk" }),
      { param: "amount" },
    ],
    [
      "no currency there is",
      () => stripe.paymentIntents.create({ amount: 500, currency: "zzz" }),
      { param: "currency" },
    ],
    [
      "a customer there is not",
      () => stripe.paymentIntents.create({ amount: 500, currency: "usd", customer: "cus_no" }),
      { code: "resource_missing", param: "customer", statusCode: 400 },
    ],
    [
      "an empty text",
      () => stripe.customers.create({ email: "a@b.c", payment_method: "" }),
      { code: "parameter_invalid_empty" },
    ],
    [
      "a return_url that is no address",
      () => stripe.paymentIntents.create({ amount: 500, currency: "usd", confirm: true, return_url: "back" }),
      { code: "url_invalid", param: "return_url" },
    ],
    [
      "a parameter of older versions",
      () =>
        stripe.paymentIntents.create({
          amount: 500,
          currency: "usd",
          payment_method_types: ["card"],
        } as never),
      { code: "parameter_unknown", param: "payment_method_types" },
    ],
    [
      "a type of payment method that is not here",
      () =>
        stripe.paymentIntents.create({
          amount: 500,
          currency: "usd",
          allowed_payment_method_types: ["klarna"],
        }),
      { param: "allowed_payment_method_types" },
    ],
    [
      "a parameter that nobody knows",
      () => stripe.paymentIntents.create({ amount: 500, currency: "usd", colour: "red" } as never),
      { code: "parameter_unknown", param: "colour" },
    ],
    [
      "51 metadata",
      () =>
        stripe.customers.create({
          metadata: Object.fromEntries(Array.from({ length: 51 }, (_, at) => [`k${at}`, "v"])),
        }),
      { param: "metadata" },
    ],
    [
      "a long key of metadata",
      () => stripe.customers.create({ metadata: { ["k".repeat(41)]: "v" } }),
      { param: "metadata" },
    ],
    [
      "an intent there is not",
      () => stripe.paymentIntents.retrieve("pi_no"),
      { statusCode: 404, code: "resource_missing" },
    ],
    [
      "a property that cannot be expanded",
      () => stripe.customers.list({ expand: ["data.name"] }),
      { param: "expand" },
    ],
    ["a limit of 101", () => stripe.customers.list({ limit: 101 }), { param: "limit" }],
    [
      "off_session without confirm",
      () => stripe.paymentIntents.create({ amount: 500, currency: "usd", off_session: true }),
      { param: "off_session" },
    ],
    [
      "no return_url with the customer there",
      () =>
        stripe.paymentIntents.create({
          amount: 500,
          currency: "usd",
          payment_method: "pm_card_visa",
          confirm: true,
        }),
      { param: "return_url" },
    ],
    [
      "a raw card number",
      () =>
        stripe.paymentMethods.create({
          type: "card",
          card: { number: "4242424242424242", exp_month: 1, exp_year: 2040 },
        } as never),
      { statusCode: 402 },
    ],
    ["a path there is not", () => stripe.coupons.list(), { statusCode: 404 }],
  ];

  test.each(bad)("%s is refused in Stripe's shape", async (_, request, expected) => {
    await expect(request()).rejects.toMatchObject({ rawType: "invalid_request_error", ...expected });
  });

  test("a payment method of another customer is refused", async () => {
    const { payment_method } = await customerWith(stripe);
    const { customer } = await customerWith(stripe);
    const params = { amount: 500, currency: "usd", payment_method };
    await expect(stripe.paymentIntents.create(params)).rejects.toMatchObject({ param: "payment_method" });
    await expect(stripe.paymentIntents.create({ ...params, customer })).rejects.toMatchObject({
      param: "payment_method",
    });
  });

  test("a payment method that paid without a customer cannot be used again", async () => {
    const once = { amount: 500, currency: "usd", confirm: true, off_session: true };
    const { latest_charge } = await stripe.paymentIntents.create({ ...once, payment_method: "pm_card_visa" });
    const { payment_method } = await stripe.charges.retrieve(latest_charge as string);
    await expect(
      stripe.paymentIntents.create({ ...once, payment_method: payment_method! }),
    ).rejects.toMatchObject({ statusCode: 400 });
    const { customer } = await customerWith(stripe);
    await expect(stripe.paymentMethods.attach(payment_method!, { customer })).rejects.toMatchObject({
      statusCode: 400,
    });
  });

  test("a currency that the account has no balance in and no rate for is refused, and no money moves", async () => {
    const other = openInProcess({ settlementCurrencies: ["usd"] });
    await expect(pay(other.stripe, "pm_card_visa", { currency: "eur" })).rejects.toMatchObject({
      param: "currency",
      statusCode: 400,
    });
    expect(other.simulator.ledger.balances()).toEqual([]);
  });

  test("keys: a live one is refused by name, an odd one and none are not known", async () => {
    const ask = async (authorization?: string): Promise<readonly [number, string]> => {
      const answer = await simulator.handle({
        method: "GET",
        path: "/v1/balance",
        headers: { authorization },
        body: "",
      });
      return typeof answer === "string" ? [0, answer] : [answer.status, answer.body];
    };
    expect((await ask(`Bearer ${key}`))[0]).toBe(200);
    expect((await ask(`Basic ${Buffer.from("rk_test_1:").toString("base64")}`))[0]).toBe(200);
    for (const live of ["sk_live_1", "rk_live_1"]) {
      const [status, body] = await ask(`Bearer ${live}`);
      expect([status, body]).toEqual([403, expect.stringContaining("live")]);
      expect(() => connectionTo("http://127.0.0.1:12111", live)).toThrow(LiveKeyRefused);
    }
    expect((await ask("Bearer weir"))[0]).toBe(401);
    expect((await ask())[0]).toBe(401);
    expect(() => connectionTo("https://api.stripe.com", key)).toThrow(TypeError);
  });
});

test("what is charged in one currency and settled in another keeps its rate, and refunds take today's", async () => {
  const { stripe, simulator } = openInProcess({
    settlementCurrencies: ["usd"],
    exchangeRates: { "eur/usd": "1.0842", "jpy/usd": "0.0067" },
  });
  const { charge } = await pay(stripe, "pm_card_visa", { currency: "eur" });
  // 100.00 EUR × 1.0842 = 108.42 USD, of which 2.9% is 3.14418.
  expect(charge.balance_transaction).toMatchObject({
    currency: "usd",
    amount: 10_842,
    fee: 344,
    net: 10_498,
    exchange_rate: 1.0842,
  });
  simulator.setExchangeRate("eur", "usd", "1.2");
  const refund = await stripe.refunds.create({
    charge: charge.id,
    amount: 5_000,
    expand: ["balance_transaction"],
  });
  expect(refund).toMatchObject({
    amount: 5_000,
    currency: "eur",
    balance_transaction: { amount: -6_000, currency: "usd" },
  });
  // 5,000 yen have no decimals: 33.50 USD.
  const { charge: yen } = await pay(stripe, "pm_card_visa", { currency: "jpy", amount: 5_000 });
  expect(yen.balance_transaction).toMatchObject({ amount: 3_350, currency: "usd" });
  expect(() => simulator.setExchangeRate("eur", "usd", "-1")).toThrow(RangeError);
});

test("a payment takes the types that are allowed, and the currency's", async () => {
  const { stripe } = openInProcess();
  const { intent } = await pay(stripe, "pm_card_visa", {
    allowed_payment_method_types: ["card"],
    off_session: false,
  });
  expect(intent).toMatchObject({ status: "succeeded", allowed_payment_method_types: ["card"] });
  await expect(
    pay(stripe, "pm_usBankAccount_success", { allowed_payment_method_types: ["card"] }),
  ).rejects.toMatchObject({ param: "payment_method" });
  await expect(pay(stripe, "pm_usBankAccount_success", { currency: "eur" })).rejects.toMatchObject({
    param: "payment_method",
  });
});

test("a charge gets its balance transaction later when that is set as on Stripe", async () => {
  const events: string[] = [];
  const { stripe, simulator } = openInProcess({ delays: { balanceTransaction_ms: minute } });
  simulator.addWebhook({
    url: "http://weir.invalid",
    secret: "whsec_1",
    receive: async ({ body }) => {
      events.push((JSON.parse(body) as Stripe.Event).type);
      return 200;
    },
  });
  const { charge } = await pay(stripe);
  expect(charge.balance_transaction).toBeNull();
  expect(simulator.ledger.charge(charge.id)).toMatchObject({ captured: 10_000 });
  await simulator.advance(minute);
  expect((await stripe.charges.retrieve(charge.id)).balance_transaction).toMatch(/^txn_/);
  expect(events.at(-1)).toBe("charge.updated");
});
