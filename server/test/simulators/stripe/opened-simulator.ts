import Stripe from "stripe";
import { afterEach, beforeEach, describe } from "vitest";
import {
  connectionTo,
  inProcessClient,
  startStripeSimulator,
  StripeSimulator,
  type RunningStripeSimulator,
  type SettingsChange,
  type WebhookDelivery,
} from "../../../simulators/stripe/index.js";

export const key = "sk_test_weir";

/** A simulator with a clock of its own, and the official SDK on it. */
export interface OpenedSimulator {
  readonly simulator: StripeSimulator;
  readonly stripe: Stripe;
}

export function openInProcess(settings: SettingsChange = {}, seed = "test"): OpenedSimulator {
  const simulator = new StripeSimulator({ settings, seed });
  return {
    simulator,
    stripe: new Stripe(key, { httpClient: inProcessClient(simulator), maxNetworkRetries: 0 }),
  };
}

/** Runs tests twice: with the SDK over HTTP, and in process. `open` gives an empty simulator. */
export function describeEachClient(
  title: string,
  tests: (open: (settings?: SettingsChange) => Promise<OpenedSimulator>) => void,
): void {
  describe(`${title}, in process`, () => tests(async (settings) => openInProcess(settings)));
  describe(`${title}, over HTTP`, () => {
    let running: RunningStripeSimulator[] = [];
    beforeEach(() => {
      running = [];
    });
    afterEach(async () => {
      await Promise.all(running.map((one) => one.stop()));
    });
    tests(async (settings) => {
      const clock = { now: Date.UTC(2030, 0, 1) };
      const one = await startStripeSimulator({
        port: 0,
        seed: "test",
        now: () => clock.now,
        ...(settings !== undefined && { settings }),
      });
      running.push(one);
      const stripe = new Stripe(key, {
        ...connectionTo(one.url, key),
        maxNetworkRetries: 0,
        telemetry: false,
      });
      return { simulator: advanceable(one.simulator, clock), stripe };
    });
  });
}

/** A simulator whose clock is the test's, which `advance` moves all the same. */
function advanceable(simulator: StripeSimulator, clock: { now: number }): StripeSimulator {
  simulator.advance = async (duration_ms) => {
    const end = clock.now + duration_ms;
    await simulator.settle();
    for (let next = simulator.nextDue(); next !== undefined && next <= end; next = simulator.nextDue()) {
      clock.now = next;
      await simulator.settle();
    }
    clock.now = end;
  };
  return simulator;
}

/** A customer with a card. */
export async function customerWith(
  stripe: Stripe,
  card = "pm_card_visa",
): Promise<{ readonly customer: string; readonly payment_method: string }> {
  const { id: customer } = await stripe.customers.create({ name: "Ada" });
  const { id: payment_method } = await stripe.paymentMethods.attach(card, { customer });
  return { customer, payment_method };
}

/** A payment that was tried while its customer was away; its charge is expanded. */
export async function pay(
  stripe: Stripe,
  card = "pm_card_visa",
  params: Partial<Stripe.PaymentIntentCreateParams> = {},
): Promise<{ readonly intent: Stripe.PaymentIntent; readonly charge: Stripe.Charge }> {
  const intent = await stripe.paymentIntents.create({
    amount: 10_000,
    currency: "usd",
    ...(await customerWith(stripe, card)),
    confirm: true,
    off_session: true,
    expand: ["latest_charge.balance_transaction"],
    ...params,
  });
  return { intent, charge: intent.latest_charge as Stripe.Charge };
}

/** Collects the webhooks of a simulator, as the SDK understands them. */
export function collectWebhooks(
  { simulator, stripe }: OpenedSimulator,
  status: (delivery: WebhookDelivery) => number = () => 200,
): Stripe.Event[] {
  const events: Stripe.Event[] = [];
  const receive = async (delivery: WebhookDelivery): Promise<number> => {
    const { "stripe-signature": signature = "" } = delivery.headers;
    const now = simulator.now();
    events.push(stripe.webhooks.constructEvent(delivery.body, signature, "whsec_1", 300, undefined, now));
    return status(delivery);
  };
  simulator.addWebhook({ url: "http://weir.invalid/hook", secret: "whsec_1", receive });
  return events;
}

export function typesOf(events: readonly Stripe.Event[]): readonly string[] {
  return events.map(({ type }) => type);
}
