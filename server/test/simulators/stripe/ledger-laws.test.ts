import fc from "fast-check";
import type Stripe from "stripe";
import { expect, test } from "vitest";
import type { StripeSimulator } from "../../../simulators/stripe/index.js";
import { openInProcess, pay, type OpenedSimulator } from "./opened-simulator.js";

/** Something that a merchant, a card's owner or a bank does; `pick` chooses among what there is. */
type Step =
  | { readonly kind: "pay"; readonly card: string; readonly currency: string; readonly amount: number }
  | { readonly kind: "refund"; readonly pick: number; readonly share: number }
  | { readonly kind: "failRefund" | "dispute" | "win" | "lose" | "failPayout"; readonly pick: number }
  | { readonly kind: "payOut"; readonly currency: string; readonly difference: number }
  | { readonly kind: "rate"; readonly rate: number }
  | { readonly kind: "wait"; readonly hours: number };

const cards = [
  "pm_card_visa",
  "pm_card_bypassPending",
  "pm_card_pendingRefund",
  "pm_card_refundFail",
  "pm_card_createDispute",
  "pm_card_createDisputeInquiry",
  "pm_card_visa_chargeDeclined",
  "pm_usBankAccount_success",
  "pm_usBankAccount_insufficientFunds",
];
const pick = fc.nat({ max: 30 });
const currency = fc.constantFrom("usd", "eur", "jpy");
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("pay" as const),
      card: fc.constantFrom(...cards),
      currency,
      amount: fc.integer({ min: 50, max: 99_999_999 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("refund" as const),
      pick,
      share: fc.integer({ min: 1, max: 100 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        "failRefund" as const,
        "dispute" as const,
        "win" as const,
        "lose" as const,
        "failPayout" as const,
      ),
      pick,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("payOut" as const),
      currency,
      difference: fc.constantFrom(0, 0, -7, 7),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("rate" as const), rate: fc.integer({ min: 1, max: 9_999 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("wait" as const), hours: fc.integer({ min: 1, max: 80 }) }),
  },
);

/** Some settle in one currency, some in each. */
const settling = fc.constantFrom(undefined, ["usd"], ["eur", "usd"]);

function open(settlementCurrencies: readonly string[] | undefined): OpenedSimulator {
  const exchangeRates = { "eur/usd": "1.0842", "jpy/usd": "0.0067", "jpy/eur": "0.0062", "usd/eur": "0.92" };
  return openInProcess({ settlementCurrencies, exchangeRates });
}

/** Does a step as far as it can be done: refusals are part of the game. */
async function take({ stripe, simulator }: OpenedSimulator, taken: Step): Promise<void> {
  const all = { limit: 100 };
  const one = <T>(items: readonly T[], at: number): T | undefined => items[at % Math.max(items.length, 1)];
  switch (taken.kind) {
    case "pay":
      await pay(stripe, taken.card, { currency: taken.currency, amount: taken.amount });
      return;
    case "refund": {
      const charge = one((await stripe.charges.list(all)).data, taken.pick);
      if (charge === undefined) return;
      await stripe.refunds.create({
        charge: charge.id,
        amount: Math.ceil((charge.amount * taken.share) / 100),
      });
      return;
    }
    case "failRefund": {
      const refund = one((await stripe.refunds.list(all)).data, taken.pick);
      if (refund !== undefined) simulator.failRefund(refund.id);
      return;
    }
    case "dispute": {
      const charge = one((await stripe.charges.list(all)).data, taken.pick);
      if (charge !== undefined) simulator.dispute(charge.id);
      return;
    }
    case "win":
    case "lose": {
      const dispute = one((await stripe.disputes.list(all)).data, taken.pick);
      if (dispute !== undefined) simulator.decideDispute(dispute.id, taken.kind === "win" ? "won" : "lost");
      return;
    }
    case "failPayout": {
      const payout = one((await stripe.payouts.list(all)).data, taken.pick);
      if (payout !== undefined) simulator.failPayout(payout.id);
      return;
    }
    case "payOut":
      simulator.payOut(taken.currency, taken.difference);
      return;
    case "rate":
      simulator.setExchangeRate("eur", "usd", `1.${String(taken.rate).padStart(4, "0")}`);
      return;
    case "wait":
      await simulator.advance(taken.hours * 3_600_000);
  }
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

/** A refusal of the API, or of the simulator's own: anything else is a fault of the test's, or of the simulator's. */
function ignoreRefusal(error: unknown): void {
  const isRefusal = error instanceof Error && ("statusCode" in error || error.name === "ApiError");
  if (!isRefusal) throw error;
}
