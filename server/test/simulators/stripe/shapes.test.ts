import type Stripe from "stripe";
import { describe, expect, test } from "vitest";
import { routes } from "../../../simulators/stripe/api/router.js";
import { collectWebhooks, openInProcess, pay } from "./opened-simulator.js";
import { readFixtures, readOpenApi } from "./open-api.js";

// The SDK's types govern, and the compiler holds the simulator's objects to them. Beside that, what they share with
// Stripe's published OpenAPI document (2020-08-27) and its examples (2026-08) is compared here.
const openApi = readOpenApi();
const fixtures = readFixtures();
if (openApi === undefined || fixtures === undefined)
  console.warn(
    "SKIPPED: the Stripe simulator's shapes are not compared, since ../shared/data/stripe is not there",
  );

/** All that the pinned version has in other words than 2020-08-27. */
const changed_since = [
  // Refunds are no part of a charge any more, unless they are expanded.
  "charge.refunds is missing",
  // A session need not have one.
  "checkout.session.cancel_url is null",
  // The capture that Stripe does by default now.
  'payment_intent.capture_method is "automatic_async"',
];
const paths_since = ["customers.retrieve_payment_method"];

/** What the examples have because they are expanded, or belong to a platform with connected accounts. */
const not_here = ["balance.connect_reserved", "charge.refunds"];

/** One object at least of each kind and state. */
async function everyObject(): Promise<ReadonlyMap<string, readonly object[]>> {
  const { stripe, simulator } = openInProcess({
    settlementCurrencies: ["usd"],
    exchangeRates: { "eur/usd": "1.0842" },
  });
  collectWebhooks({ simulator, stripe });
  const present = { off_session: false, return_url: "https://weir.invalid/back" };
  const day = 86_400_000;
  for (const card of ["pm_card_visa_chargeDeclined", "pm_card_authenticationRequired", "pm_card_radarBlock"])
    await pay(stripe, card).catch(() => undefined);
  await pay(stripe, "pm_card_authenticationRequired", present);
  await pay(stripe, "pm_usBankAccount_success");
  await pay(stripe, "pm_usBankAccount_processing");
  await pay(stripe, "pm_usBankAccount_insufficientFunds");
  await pay(stripe, "pm_card_createDispute");
  await pay(stripe, "pm_card_createDisputeInquiry");
  const { charge: euro } = await pay(stripe, "pm_card_amex", { currency: "eur" });
  await stripe.refunds.create({ charge: euro.id, amount: 100, metadata: { a: "1" } });
  for (const card of ["pm_card_pendingRefund", "pm_card_refundFail"])
    await stripe.refunds.create({ charge: (await pay(stripe, card)).charge.id });
  await stripe.refunds.create({
    charge: (await pay(stripe, "pm_card_pendingRefund")).charge.id,
    reason: "duplicate",
  });
  await stripe.paymentIntents.cancel(
    (await stripe.paymentIntents.create({ amount: 500, currency: "usd" })).id,
  );
  const { id: customer } = await stripe.customers.create({
    email: "ada@example.com",
    address: { country: "DE" },
  });
  await stripe.setupIntents.create({
    customer,
    payment_method: "pm_card_visa",
    confirm: true,
    allowed_payment_method_types: ["card"],
  });
  const setup = await stripe.setupIntents.create({ customer, allowed_payment_method_types: ["card"] });
  await stripe.setupIntents.confirm(setup.id, { payment_method: "pm_card_authenticationRequired" });
  simulator.authenticate(setup.id, "fail");
  const session = { mode: "setup", customer, currency: "usd", success_url: "https://weir.invalid" } as const;
  await stripe.checkout.sessions.create(session);
  await stripe.checkout.sessions.expire((await stripe.checkout.sessions.create(session)).id);
  await stripe.webhookEndpoints.create({
    url: "http://127.0.0.1:9/hook",
    enabled_events: ["topup.created"],
  });
  await simulator.advance(60_000);
  const [inquiry, dispute] = (await stripe.disputes.list()).data;
  await stripe.disputes.update(dispute!.id, { evidence: { uncategorized_text: "winning_evidence" } });
  await stripe.disputes.update(inquiry!.id, { evidence: { customer_name: "Ada" } });
  await simulator.advance(3 * day);
  simulator.payOut("usd");
  await pay(stripe, "pm_card_bypassPending");
  await stripe.payouts.create({ amount: 100, currency: "usd" });
  await simulator.advance(3 * day);
  simulator.failPayout((await stripe.payouts.list()).data[0]!.id);

  const all = { limit: 100 };
  return new Map<string, readonly object[]>([
    ["customer", (await stripe.customers.list(all)).data],
    ["payment_method", (await stripe.paymentMethods.list({ ...all, customer })).data],
    ["payment_intent", (await stripe.paymentIntents.list(all)).data],
    ["setup_intent", (await stripe.setupIntents.list(all)).data],
    ["checkout.session", (await stripe.checkout.sessions.list(all)).data],
    ["charge", (await stripe.charges.list(all)).data],
    ["refund", (await stripe.refunds.list(all)).data],
    ["dispute", (await stripe.disputes.list(all)).data],
    ["payout", (await stripe.payouts.list(all)).data],
    ["balance_transaction", (await stripe.balanceTransactions.list(all)).data],
    ["balance", [await stripe.balance.retrieve()]],
    ["event", (await stripe.events.list(all)).data],
    ["webhook_endpoint", (await stripe.webhookEndpoints.list(all)).data],
  ]);
}

describe.runIf(openApi !== undefined && fixtures !== undefined)("the simulator's objects", () => {
  test("are as Stripe's OpenAPI document says, as far as they share fields", async () => {
    const objects = await everyObject();
    const faults = new Set<string>();
    for (const [name, list] of objects) {
      expect(list.length, name).toBeGreaterThan(0);
      for (const object of list) for (const fault of openApi!.faults(name, object)) faults.add(fault);
    }
    for (const { data } of objects.get("event") as readonly Stripe.Event[]) {
      const { object } = data.object as { object: string };
      for (const fault of openApi!.faults(object, data.object)) faults.add(fault);
    }
    expect([...faults].toSorted()).toEqual(changed_since);
  });

  test("have every field of Stripe's newer examples", async () => {
    for (const [name, list] of await everyObject()) {
      const example = fixtures![name];
      expect(example, name).toBeDefined();
      const lacking = Object.keys(example!).filter(
        (field) => !list.some((object) => field in object) && !not_here.includes(`${name}.${field}`),
      );
      expect([name, lacking]).toEqual([name, []]);
    }
  });

  test("are reached by paths that Stripe has", () => {
    const known = openApi!.operations();
    const unknown = routes.filter(({ method, path }) => !known.has(`${method} ${path}`));
    expect(unknown.map(({ operation }) => operation)).toEqual(paths_since);
  });
});
