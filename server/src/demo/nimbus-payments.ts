import { randomBytes } from "node:crypto";
import path from "node:path";
import { startStripeSimulator, type RunningStripeSimulator } from "@weir/server/simulators/stripe";
import type { Caller } from "../identity/index.js";
import { instantFromMs, msOf, type Instant } from "../kernel/instant.js";
import { Refusal } from "../kernel/problem.js";
import type { Services } from "../services.js";
import { nimbusCustomers } from "./nimbus.js";
import { openNimbusBank, playNimbusTransfers, transferring } from "./nimbus-transfers.js";

/** What Nimbus Cloud's customers pay with, by test cards of Stripe's: most do, some are declined, one disputes. */
const cards = {
  good: "4242424242424242",
  withoutFunds: "4000000000009995",
  stolen: "4000000000009979",
  disputes: "4000000000000259",
} as const;

const account_key = "stripe";
const key = "sk_test_nimbus";
/** Whose last month is billed by hand on the first start, so that there is something to see. */
const billed_customers = 20;
const look_ms = 500;
const looks_max = 240;

/** Nimbus Cloud's Stripe, simulated, while the demo runs. It remembers in the data directory what it did. */
export interface NimbusStripe {
  stop(): Promise<void>;
}

export type PaymentsDemo = Pick<
  Services,
  "payments" | "settlement" | "billing" | "config" | "clock" | "log"
> & {
  readonly caller: Caller;
  /** Weir's own. */
  readonly url: string;
};

/** Starts the provider, and ties Nimbus Cloud's account to it: its address is another at every start. */
export async function startNimbusStripe(demo: PaymentsDemo): Promise<NimbusStripe & RunningStripeSimulator> {
  const { payments, caller, config, url } = demo;
  const stripe = await startStripeSimulator({
    port: 0,
    journal: path.join(config.dataDir, "demo-stripe.jsonl"),
    settings: {
      declinesOnAttach: false,
      settlementCurrencies: ["usd", "eur", "jpy"],
      delays: { dispute_ms: 2_000, available_ms: 1_000 },
    },
  });
  const webhookSecret = `whsec_${randomBytes(24).toString("base64url")}`;
  const settings = { apiBase: stripe.url };
  const secrets = { secretKey: key, webhookSecret };
  const known = await payments.accounts.find(caller.organization, account_key);
  const { id } =
    known === undefined
      ? await payments.accounts.create(caller, {
          key: account_key,
          provider: "stripe",
          name: "Stripe (simulated)",
          settings,
          secrets,
        })
      : await payments.accounts.update(caller, { account: account_key, settings, secrets });
  const target = new URL(`/v1/webhooks/${caller.organization}/${id}`, url).href;
  stripe.simulator.addWebhook({ url: target, secret: webhookSecret });
  return stripe;
}

/** Cards for all who pay by one, last month's invoices for some, then a bank's statement and a payout: each only when it is not there yet. */
export async function playNimbusPayments(
  demo: PaymentsDemo,
  stripe: RunningStripeSimulator,
  signal: AbortSignal,
): Promise<void> {
  const { payments, caller, log } = demo;
  const { organization } = caller;
  await openNimbusBank(demo);
  const byTransfer: ReadonlySet<string> = new Set(transferring);
  for (const [index, { key: customer }] of nimbusCustomers.entries()) {
    signal.throwIfAborted();
    if (byTransfer.has(customer)) continue;
    const { id } = await demo.billing.customers.get(organization, customer);
    if ((await payments.methods.list(organization, { customer: id, limit: 1 })).length > 0) continue;
    const method = stripe.simulator.createPaymentMethod({ number: cardOf(index) });
    await payments.methods.attach(caller, { customer, account: account_key, method });
  }
  const isNew = (await payments.receivables.list(organization, { limit: 1 })).length === 0;
  if (!isNew) return;
  for (const { key: customer } of nimbusCustomers.slice(0, billed_customers)) {
    signal.throwIfAborted();
    await billLastMonth(demo, customer);
  }
  await playNimbusTransfers(demo, signal);
  await settled(demo, signal);
  for (const currency of ["usd", "eur"]) stripe.simulator.payOut(currency);
  log.info(
    "the demo's customers have paid, or not: see weir payments list, weir receivables list, weir disputes list",
  );
}

function cardOf(index: number): string {
  if (index % 10 === 3) return cards.withoutFunds;
  if (index % 20 === 7) return cards.stolen;
  return index === 11 ? cards.disputes : cards.good;
}

/** The invoice of a customer's last month, made final: it is charged as it is. */
async function billLastMonth({ billing, caller, clock }: PaymentsDemo, customer: string): Promise<void> {
  const { id } = await billing.customers.get(caller.organization, customer);
  const [subscription] = await billing.subscriptions.list(caller.organization, { customer: id, limit: 1 });
  if (subscription === undefined) return;
  const now = new Date(msOf(clock.now()));
  const at = instantFromMs(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - 1, 15)) as Instant;
  const { invoice } = await billing.invoices.create(caller, { subscription: subscription.id, at });
  try {
    await billing.invoices.finalize(caller, invoice.id);
  } catch (error) {
    // On the first day of a month it is still yesterday somewhere.
    if (!(error instanceof Refusal) || error.slug !== "period-not-over") throw error;
  }
}

/** Waits until nothing is open of what was charged, or it is clear that it will take longer. */
async function settled({ payments, caller }: PaymentsDemo, signal: AbortSignal): Promise<void> {
  for (let looks = 0; looks < looks_max; looks += 1) {
    signal.throwIfAborted();
    const open = await payments.charges.attemptsOf(caller.organization, { state: "pending", limit: 1 });
    const untried = await payments.receivables.list(caller.organization, { state: "open", limit: 100 });
    if (open.length === 0 && untried.every(({ attempts }) => attempts > 0)) return;
    await new Promise((resolve) => setTimeout(resolve, look_ms));
  }
}
