import type Stripe from "stripe";
import type { Call, Route } from "../api/call.js";

export const balanceRoutes: readonly Route[] = [
  { method: "GET", path: "/v1/balance", operation: "balance.retrieve", act: retrieve },
];

function retrieve({ account, params }: Call): Stripe.Balance {
  params.done();
  const balances = account.ledger.balances();
  return {
    object: "balance",
    available: balances.map(({ currency, available }) => ({
      amount: available,
      currency,
      source_types: { card: available },
    })),
    livemode: false,
    pending: balances.map(({ currency, pending }) => ({
      amount: pending,
      currency,
      source_types: { card: pending },
    })),
  };
}
