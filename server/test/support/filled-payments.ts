import { startStripeSimulator, type RunningStripeSimulator } from "../../simulators/stripe/index.js";
import { operationsOf, type Operations } from "./graphql-operations.js";
import { chargeOf, stripeKey, webhookSecret } from "./paying-organization.js";
import { eventually } from "./eventually.js";
import type { Nodes } from "./payments-api.js";
import type { TestWeir } from "./test-weir.js";

/** The id of each thing of money that moved, by what it is. */
export interface FilledPayments {
  readonly providerAccount: string;
  readonly payer: string;
  readonly paymentMethod: string;
  readonly paidInvoice: string;
  readonly openInvoice: string;
  readonly attempt: string;
  readonly payment: string;
  readonly refund: string;
  readonly dispute: string;
  readonly payout: string;
  readonly topUp: string;
  readonly providerEvent: string;
  /** Of a provider that works by files: one that was closed. */
  readonly paymentBatch: string;
  /** Of a card-update link. */
  readonly cardToken: string;
}

/** One of everything that comes from charging through a provider; the provider is gone afterwards, and nothing is under way. */
export async function fillPayments(weir: TestWeir, key: string, mark: string): Promise<FilledPayments> {
  const delays = { refund_ms: 20, available_ms: 0, payout_ms: 20 };
  // By the mark, so that no two providers give the same ids.
  const stripe = await startStripeSimulator({ port: 0, seed: mark, settings: { delays } });
  try {
    return await fill(
      stripe,
      operationsOf((query) => weir.graphql(query, {}, key)),
      mark,
    );
  } finally {
    await stripe.stop();
  }
}

async function fill(
  { simulator, url }: RunningStripeSimulator,
  { ask, mutate }: Operations,
  mark: string,
): Promise<FilledPayments> {
  const account = await mutate<{ id: string; webhookUrl: string }>(
    `createProviderAccount(key: "${mark}-stripe", provider: "stripe", name: "${mark}", settings: [{ name: "apiBase", value: "${url}" }],
      secrets: [{ name: "secretKey", value: "${stripeKey}" }, { name: "webhookSecret", value: "${webhookSecret}" }])`,
    "{ id webhookUrl }",
  );
  simulator.addWebhook({ url: account.webhookUrl, secret: webhookSecret });
  await mutate(
    `createPlan(key: "${mark}-fees", name: "${mark}", currency: "USD", graceHours: 0, prices: [
      { key: "fee", name: "${mark} fee", charge: flat, timing: arrears, model: { flat: "20" } }])`,
    "{ id }",
  );
  const now = new Date();
  const lastMonth = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - 1, 1)).toISOString();

  /** A customer with an invoice of last month. @param hasCard undefined for one that is there */
  async function billed(
    name: string,
    hasCard: boolean | undefined,
  ): Promise<{ customer: string; method: string; invoice: string }> {
    const customer =
      hasCard === undefined
        ? undefined
        : await mutate<{ id: string }>(
            `createCustomer(key: "${mark}-${name}", name: "${mark}", timeZone: "UTC")`,
            "{ id }",
          );
    const method = hasCard
      ? await mutate<{ id: string }>(
          `attachPaymentMethod(customer: "${mark}-${name}", account: "${mark}-stripe", method: "${simulator.createPaymentMethod({ number: "4242424242424242" })}")`,
          "{ id }",
        )
      : undefined;
    const subscription = await mutate<{ id: string }>(
      `createSubscription(customer: "${mark}-${name}", plan: "${mark}-fees", start: "${lastMonth}")`,
      "{ id }",
    );
    const { invoice } = await mutate<{ invoice: { id: string } }>(
      `createInvoice(subscription: "${subscription.id}", at: "${lastMonth}")`,
      "{ invoice { id } }",
    );
    await mutate(`finalizeInvoice(id: "${invoice.id}")`, "{ id }");
    return { customer: customer?.id ?? "", method: method?.id ?? "", invoice: invoice.id };
  }

  /** A charge that went out by a file, of a customer whose invoices say how to pay by a transfer too. */
  async function closedBatch(): Promise<string> {
    await mutate(
      `createProviderAccount(key: "${mark}-acquirer", provider: "card_files", name: "${mark}",
        settings: [{ name: "acquirerId", value: "${mark}" }, { name: "merchantId", value: "${mark}" }])`,
      "{ id }",
    );
    await mutate(
      `createProviderAccount(key: "${mark}-bank", provider: "bank_transfer", name: "${mark}",
        settings: [{ name: "iban", value: "DE89370400440532013000" }, { name: "holder", value: "${mark}" }])`,
      "{ id }",
    );
    await mutate(`createCustomer(key: "${mark}-by-file", name: "${mark}", timeZone: "UTC")`, "{ id }");
    await mutate(
      `attachPaymentMethod(customer: "${mark}-by-file", account: "${mark}-acquirer", method: "${mark}-token")`,
      "{ id }",
    );
    await billed("by-file", undefined);
    await eventually(
      async () =>
        (
          await ask<{ paymentBatches: Nodes<{ itemCount: number }> }>(
            "{ paymentBatches { nodes { itemCount } } }",
          )
        ).paymentBatches.nodes,
      ([found]) => found?.itemCount === 1,
    );
    const { id } = await mutate<{ id: string }>(`closePaymentBatch(account: "${mark}-acquirer")`, "{ id }");
    await eventually(
      async () =>
        (await ask<{ paymentBatch: { state: string } }>(`{ paymentBatch(id: "${id}") { state } }`))
          .paymentBatch,
      ({ state }) => state === "closed",
    );
    return id;
  }

  const payer = await billed("payer", true);
  const payment = await eventually(
    async () => {
      const { payments } = await ask<{
        payments: Nodes<{
          id: string;
          providerRef: string;
          attempt: { id: string };
          settlement: object | null;
        }>;
      }>(
        `{ payments(invoice: "${payer.invoice}") { nodes { id providerRef attempt { id } settlement { providerRef } } } }`,
      );
      return payments.nodes[0];
    },
    (found) => found?.settlement != null,
  );
  const { id: paid, providerRef, attempt } = payment!;
  const refund = await mutate<{ id: string }>(
    `createRefund(payment: "${paid}", source: goodwill, amount: "1.00", reason: "${mark}")`,
    "{ id }",
  );
  await eventually(
    async () => (await ask<{ refund: { state: string } }>(`{ refund(id: "${refund.id}") { state } }`)).refund,
    ({ state }) => state === "succeeded",
  );
  simulator.payOut("usd");
  const [payout] = await eventually(
    async () =>
      (await ask<{ payouts: Nodes<{ id: string; state: string }> }>("{ payouts { nodes { id state } } }"))
        .payouts.nodes,
    ([found]) => found?.state === "paid",
  );
  simulator.dispute(await chargeOf(simulator, providerRef), { amount: 500 });
  const [dispute] = await eventually(
    async () =>
      (await ask<{ disputes: Nodes<{ id: string }> }>("{ disputes { nodes { id } } }")).disputes.nodes,
    ([found]) => found !== undefined,
  );
  await mutate(
    `submitDisputeEvidence(dispute: "${dispute!.id}", evidence: [{ field: "uncategorized_text", text: "${mark}" }])`,
    "{ id }",
  );
  const debtor = await billed("debtor", false);
  await mutate(
    `receivePayment(customer: "${mark}-debtor", amount: "1.00", currency: "USD", reference: "${mark}-check", note: "${mark}")`,
    "{ id }",
  );
  const { topUpId: topUp } = await mutate<{ topUpId: string }>(
    `topUpCredit(customer: "${mark}-payer", amount: "7.00", currency: "USD")`,
    "{ topUpId }",
  );
  await eventually(
    async () => (await ask<{ topUp: { grants: string[] } }>(`{ topUp(id: "${topUp}") { grants } }`)).topUp,
    ({ grants }) => grants.length > 0,
  );
  await mutate(`pauseCollection(customer: "${mark}-debtor", reason: "${mark}")`, "{ id }");
  await mutate("setDunningSchedule(hour: 11)", "{ hour }");
  const link = await mutate<{ url: string }>(`createCardUpdateLink(customer: "${mark}-payer")`, "{ url }");
  const paymentBatch = await closedBatch();
  await simulator.settle();
  const { providerEvents } = await eventually(
    () =>
      ask<{ providerEvents: Nodes<{ id: string; state: string }> }>(
        "{ providerEvents(first: 200) { nodes { id state } } }",
      ),
    (found) => found.providerEvents.nodes.every(({ state }) => state !== "pending"),
  );
  return {
    providerAccount: account.id,
    payer: payer.customer,
    paymentMethod: payer.method,
    paidInvoice: payer.invoice,
    openInvoice: debtor.invoice,
    attempt: attempt.id,
    payment: paid,
    refund: refund.id,
    dispute: dispute!.id,
    payout: payout!.id,
    topUp,
    providerEvent: providerEvents.nodes[0]!.id,
    paymentBatch,
    cardToken: link.url.slice(link.url.lastIndexOf("/") + 1),
  };
}
