import { afterAll, beforeAll, expect, test } from "vitest";
import { startStripeSimulator } from "../../simulators/stripe/index.js";
import { eventually } from "../support/eventually.js";
import {
  startPayingOrganization,
  stripeKey,
  type PayingOrganization,
} from "../support/paying-organization.js";
import { startTestWeir, type TestWeir } from "../support/test-weir.js";
import { watchedTransactions } from "../support/watched-transactions.js";

let weir: TestWeir;
let paying: PayingOrganization;
const payments = () => weir.weir.services.payments;
const invoicesOf = (customer: string) =>
  payments().receivables.list(paying.caller.organization, { customer: customer as never, limit: 100 });
const balanceOf = async (code: string, currency = "USD") => {
  const accounts = await weir.weir.services.ledger.accounts(paying.caller.organization, {
    prefix: code,
    limit: 10,
  });
  const found = accounts.find((one) => one.code === code && one.currency === currency);
  return found === undefined ? undefined : found.debit - found.credit;
};

// What to look at when it grows: each statement of a charge is one for every charge of every customer.
const charge_statements = [12, 6, 6, 19];

beforeAll(async () => {
  weir = await startTestWeir("payments");
  paying = await startPayingOrganization(weir, "paying");
});
afterAll(async () => {
  await paying?.stop();
  await weir?.close();
});

test("an invoice is charged as it is finalized, and posted with the provider's fee", async () => {
  const customer = await paying.customer("acme", "4242424242424242");
  await paying.advance("2028-02-01T00:00:00Z");
  const [receivable] = await invoicesOf(customer);
  expect(receivable).toMatchObject({ state: "paid", due: 2000n, paid: 2000n, attempts: 1 });
  const [attempt] = await payments().charges.attemptsOf(paying.caller.organization, {
    invoice: receivable!.invoice,
    limit: 10,
  });
  expect(attempt).toMatchObject({ state: "succeeded", number: 1, amount: 2000n });
  const [payment] = await payments().charges.payments(paying.caller.organization, {
    invoice: receivable!.invoice,
    limit: 10,
  });
  expect(payment).toMatchObject({ amount: 2000n, excess: 0n, source: "attempt" });
  const settlement = await payments().charges.settlement(paying.caller.organization, payment!);
  expect(settlement?.gross).toEqual({ currency: "USD", minor: 2000n });
  expect(await balanceOf(`receivable:${customer}`)).toBe(0n);
  expect(await balanceOf(`provider_clearing:${paying.account}`)).toBe(2000n - settlement!.fee.minor);
  expect(await balanceOf("provider_fees")).toBe(settlement!.fee.minor);
  expect((await weir.weir.services.ledger.trialBalance(paying.caller.organization)).balanced).toBe(true);
});

test("a charge takes four transactions of few statements: asked for, looked up, made known, taken", async () => {
  const { organization } = paying.caller;
  const { postgres, workflows } = weir.weir.services;
  // Without webhooks: what they bring is no part of the charge.
  const quiet = await startStripeSimulator({ port: 0, settings: {} });
  try {
    await payments().accounts.create(paying.caller, {
      key: "quiet",
      provider: "stripe",
      settings: { apiBase: quiet.url },
      secrets: { secretKey: stripeKey },
    });
    const customer = await paying.customer("few");
    await paying.advance("2028-03-01T00:00:00Z");
    await payments().methods.attach(paying.caller, {
      customer,
      account: "quiet",
      method: quiet.simulator.createPaymentMethod({ number: "4242424242424242" }),
    });
    const [receivable] = await invoicesOf(customer);
    const transactions = await watchedTransactions(postgres, async () => {
      const { id } = await payments().charges.pay(paying.caller, { invoice: receivable!.invoice });
      const run = `charge:${id}:${id}`;
      await eventually(
        () => workflows.outcomes(organization, [run]),
        (outcomes) => outcomes.get(run)?.state === "succeeded",
      );
    });
    expect(await invoicesOf(customer)).toMatchObject([{ state: "paid" }]);
    const ofCharge = transactions.filter((one) => one.some((text) => text.includes("payment_attempts")));
    expect(ofCharge.map(({ length }) => length)).toEqual(charge_statements);
  } finally {
    await quiet.stop();
  }
});
