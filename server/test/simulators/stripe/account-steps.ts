import fc from "fast-check";
import { pay, type OpenedSimulator } from "./opened-simulator.js";

/** Something that a merchant, a card's owner or a bank does; `pick` chooses among what there is. */
export type Step =
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
export const step: fc.Arbitrary<Step> = fc.oneof(
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

/** Does a step. @throws what is refused: refusals are part of the game */
export async function take({ stripe, simulator }: OpenedSimulator, taken: Step): Promise<void> {
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

/** A refusal of the API, or of the simulator's own: anything else is a fault of the test's, or of the simulator's. */
export function ignoreRefusal(error: unknown): void {
  const isRefusal = error instanceof Error && ("statusCode" in error || error.name === "ApiError");
  if (!isRefusal) throw error;
}
