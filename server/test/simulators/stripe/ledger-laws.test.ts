import fc from "fast-check";
import type Stripe from "stripe";
import { expect, test } from "vitest";
import type { StripeSimulator } from "../../../simulators/stripe/index.js";
import { ignoreRefusal, step, take } from "./account-steps.js";
import { openInProcess, type OpenedSimulator } from "./opened-simulator.js";

/** Some settle in one currency, some in each. */
const settling = fc.constantFrom(undefined, ["usd"], ["eur", "usd"]);

function open(settlementCurrencies: readonly string[] | undefined): OpenedSimulator {
  const exchangeRates = { "eur/usd": "1.0842", "jpy/usd": "0.0067", "jpy/eur": "0.0062", "usd/eur": "0.92" };
  return openInProcess({ settlementCurrencies, exchangeRates });
}

async function everything<T extends { id: string }>(list: Stripe.ApiListPromise<T>): Promise<readonly T[]> {
  return list.autoPagingToArray({ limit: 10_000 });
}

/** Balances are the sums of their movements, and objects, balance transactions and the ledger tell one story. */
async function checkLaws({ stripe, simulator }: OpenedSimulator): Promise<void> {
  const { ledger } = simulator;
  const all = { limit: 100 };
  const transactions = await everything(stripe.balanceTransactions.list(all));
  const refunds = await everything(stripe.refunds.list(all));
  const disputes = await everything(stripe.disputes.list(all));
  const charges = await everything(stripe.charges.list(all));
  const payouts = await everything(stripe.payouts.list(all));

  for (const { amount, fee, net, fee_details } of transactions) {
    expect(net).toBe(amount - fee);
    expect(fee).toBe(sum(fee_details.map((detail) => detail.amount)));
  }
  const now_s = Math.floor(simulator.now() / 1_000);
  const shown = await stripe.balance.retrieve();
  for (const { currency, available, pending } of ledger.balances()) {
    const own = transactions.filter((transaction) => transaction.currency === currency);
    expect(available + pending).toBe(sum(own.map(({ net }) => net)));
    expect(pending).toBe(sum(own.filter(({ available_on }) => available_on > now_s).map(({ net }) => net)));
    expect(shown.available).toContainEqual(expect.objectContaining({ currency, amount: available }));
    expect(shown.pending).toContainEqual(expect.objectContaining({ currency, amount: pending }));
  }
  expect(ledger.movements().toReversed()).toEqual(transactions.map((transaction) => ({ ...transaction })));

  for (const charge of charges) {
    const totals = ledger.charge(charge.id);
    const refunded = sum(
      refunds
        .filter((refund) => refund.charge === charge.id && refund.status !== "failed")
        .map(({ amount }) => amount),
    );
    const disputed = sum(
      disputes
        .filter(
          ({ charge: of, status }) => of === charge.id && !status.startsWith("warning_") && status !== "won",
        )
        .map(({ amount }) => amount),
    );
    expect(charge.amount_refunded).toBe(refunded);
    expect(charge.refunded).toBe(charge.status === "succeeded" && refunded === charge.amount);
    expect(refunded).toBeLessThanOrEqual(charge.status === "succeeded" ? charge.amount : 0);
    if (charge.status === "succeeded")
      expect(totals).toEqual({
        charge: charge.id,
        currency: charge.currency,
        captured: charge.amount,
        refunded,
        disputed,
      });
    else expect(totals).toBeUndefined();
    const own = transactions.filter(({ source }) => source === charge.id);
    expect(own.map(({ id }) => id)).toEqual(
      charge.balance_transaction === null ? [] : [charge.balance_transaction],
    );
  }
  for (const refund of refunds) {
    const own = transactions.filter(({ source }) => source === refund.id).map(({ net }) => net);
    expect(own).toHaveLength(refund.status === "failed" ? 2 : 1);
    if (refund.status === "failed") expect(sum(own)).toBe(0);
  }
  for (const payout of payouts) {
    const own = transactions.filter(({ source }) => source === payout.id).map(({ net }) => net);
    expect(sum(own)).toBe(payout.status === "failed" ? 0 : -payout.amount);
    const paid = (await everything(stripe.balanceTransactions.list({ ...all, payout: payout.id }))).map(
      ({ net }) => net,
    );
    // What a faulty payout differs by; 0 for the others.
    expect([-7, 0, 7]).toContain(sum(paid));
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

test("whatever happens, balances are the sums of their movements, and all lists tell one story", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), settling, async (steps, currencies) => {
      const opened = open(currencies);
      for (const taken of steps) await take(opened, taken).catch(ignoreRefusal);
      await checkLaws(opened);
      await opened.simulator.advance(30 * 24 * 3_600_000);
      await checkLaws(opened);
    }),
    { numRuns: 150 },
  );
});

test("the same seed and the same steps give the same books, ids included", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
      const books = async (): Promise<ReturnType<StripeSimulator["ledger"]["movements"]>> => {
        const opened = open(undefined);
        for (const taken of steps) await take(opened, taken).catch(ignoreRefusal);
        return opened.simulator.ledger.movements();
      };
      expect(await books()).toEqual(await books());
    }),
    { numRuns: 30 },
  );
});
