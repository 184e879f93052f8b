import { badParameter } from "../api/api-error.js";
import { idOf, type Call, type Route } from "../api/call.js";
import type { BalanceTransactionWire } from "../ledger.js";
import { listPage } from "./page.js";

const path = "/v1/balance_transactions";

export const balanceTransactionRoutes: readonly Route[] = [
  { method: "GET", path, operation: "balance_transactions.list", act: list },
  { method: "GET", path: `${path}/:id`, operation: "balance_transactions.retrieve", act: retrieve },
];

function retrieve(call: Call): BalanceTransactionWire {
  call.params.done();
  const { ledger } = call.account;
  return ledger.shown(ledger.transactions.get(idOf(call)).wire);
}

function list({ account, params }: Call): object {
  const { ledger } = account;
  const currency = params.text("currency");
  const payout = params.text("payout");
  const source = params.text("source");
  const type = params.text("type");
  if (payout !== undefined && !account.payouts.get(payout, "payout").wire.automatic)
    throw badParameter(
      "payout",
      "Balance transaction history can only be filtered on automatic transfers, not manual.",
    );
  const page = listPage({
    store: ledger.transactions,
    url: path,
    params,
    matches: (transaction) =>
      (currency === undefined || transaction.wire.currency === currency) &&
      (payout === undefined || transaction.payout === payout) &&
      (source === undefined || transaction.wire.source === source) &&
      (type === undefined || transaction.wire.type === type),
  });
  for (const wire of page.data) ledger.shown(wire);
  return page;
}
