import {
  startStripeSimulator,
  type RunningStripeSimulator,
  type StripeSimulator,
} from "../../simulators/stripe/index.js";
import type { Caller } from "../../src/identity/index.js";
import type { ProviderAccountId } from "../../src/kernel/ids.js";
import { operationsOf } from "./graphql-operations.js";
import type { TestWeir } from "./test-weir.js";

export const webhookSecret = "whsec_simulated_secret";
export const stripeKey = "sk_test_weir";

/** An organization on a test clock that charges through a Stripe that is simulated, and hears of it by webhooks. */
export interface PayingOrganization {
  readonly caller: Caller;
  readonly key: string;
  readonly account: ProviderAccountId;
  readonly stripe: RunningStripeSimulator;
  /** A customer on the plan "monthly" of 20.00 USD in arrears, with a card when its number is given. */
  customer(key: string, card?: string): Promise<string>;
  advance(to: string): Promise<void>;
  /** The provider's charge of a payment intent. */
  chargeOf(intent: string): Promise<string>;
  stop(): Promise<void>;
}

export async function startPayingOrganization(
  weir: TestWeir,
  slug: string,
  settings: Parameters<typeof startStripeSimulator>[0]["settings"] = {},
): Promise<PayingOrganization> {
  const { identity, payments } = weir.weir.services;
  const { id } = await identity.createOrganization({ slug, name: slug, mode: "live" });
  const { secret: key } = await identity.issueSystemKey(id, { name: slug, kind: "secret" });
  const caller = { organization: id, key: "key_test" as Caller["key"], kind: "secret" as const };
  const operations = operationsOf((query) => weir.graphql(query, {}, key));
  await operations.mutate('startTestClock(at: "2028-01-01T00:00:00Z")', "{ now }");
  await operations.mutate(
    `createPlan(key: "monthly", name: "Monthly", currency: "USD", graceHours: 0, prices: [
      { key: "fee", name: "Fee", charge: flat, timing: arrears, model: { flat: "20" } }])`,
    "{ id }",
  );
  const stripe = await startStripeSimulator({ port: 0, settings });
  const account = await payments.accounts.create(caller, {
    key: "stripe",
    provider: "stripe",
    settings: { apiBase: stripe.url },
    secrets: { secretKey: stripeKey, webhookSecret },
  });
  stripe.simulator.addWebhook({
    url: new URL(`/v1/webhooks/${id}/${account.id}`, weir.url).href,
    secret: webhookSecret,
  });
  return {
    caller,
    key,
    account: account.id,
    stripe,
    async customer(name, card) {
      const made = (await operations.mutate(
        `createCustomer(key: "${name}", name: "${name}", timeZone: "UTC", email: "${name}@example.com")`,
        "{ id }",
      )) as { id: string };
      await operations.mutate(`createSubscription(customer: "${name}", plan: "monthly")`, "{ id }");
      if (card !== undefined)
        await payments.methods.attach(caller, {
          customer: name,
          account: account.id,
          method: stripe.simulator.createPaymentMethod({ number: card }),
        });
      return made.id;
    },
    async advance(to) {
      const { now, state } = await operations.advance(to);
      if (now !== to)
        throw new Error(
          `the clock stands at ${now}, ${state}, not ${to}: ${JSON.stringify(await weir.weir.services.testClocks.find(id))}`,
        );
    },
    chargeOf: (intent) => chargeOf(stripe.simulator, intent),
    stop: () => stripe.stop(),
  };
}

/** The provider's charge of a payment intent. */
export async function chargeOf(simulator: StripeSimulator, intent: string): Promise<string> {
  const path = `/v1/payment_intents/${intent}`;
  const headers = { authorization: `Bearer ${stripeKey}` };
  const answer = await simulator.handle({ method: "GET", path, headers, body: "" });
  if (typeof answer === "string") throw new Error("the simulator gave no answer");
  return (JSON.parse(answer.body) as { latest_charge: string }).latest_charge;
}
