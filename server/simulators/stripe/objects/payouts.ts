import type { Account, PayoutRecord, PayoutWire } from "../account.js";
import { badParameter, refused } from "../api/api-error.js";
import { idOf, type Call, type Route } from "../api/call.js";
import type { ForcedOutcome } from "../faults/forced-outcome.js";
import type { BalanceTransactionRecord } from "../ledger.js";
import { seconds } from "../unix-time.js";
import { checkCurrency } from "./currency.js";
import { isIn, listPage } from "./page.js";

const path = "/v1/payouts";

export const payoutRoutes: readonly Route[] = [
  { method: "POST", path, operation: "payouts.create", act: create },
  { method: "GET", path, operation: "payouts.list", act: list },
  { method: "GET", path: `${path}/:id`, operation: "payouts.retrieve", act: retrieve },
  { method: "POST", path: `${path}/:id`, operation: "payouts.update", act: update },
  { method: "POST", path: `${path}/:id/cancel`, operation: "payouts.cancel", act: cancel },
];

const bank_account = "ba_1WeirSimulatorBankAccount";

/** What Stripe says of a payout's failure, by its code: https://docs.stripe.com/payouts#payout-failures. */
const failure_messages: Readonly<Record<string, string>> = {
  account_closed: "The bank account has been closed.",
  account_frozen: "The bank account has been frozen.",
  could_not_process: "The bank could not process this payout.",
  declined: "The bank has declined this transfer.",
  no_account:
    "The bank account details on file are probably incorrect. No bank account could be located with those details.",
};

/** What a payout of all that is available would come to; 0 or less when there is nothing to pay out. */
export function amountToPayOut(account: Account, currency: string): number {
  return unpaid(account, currency).reduce((total, { wire }) => total + wire.net, 0);
}

/**
 * Pays out all that is available in a currency, as Stripe does by itself; the payout is what its balance transactions
 * come to, or `difference` more. Undefined when there is nothing to pay out.
 */
export function payOutAvailable(
  account: Account,
  currency: string,
  difference: number,
  forced: ForcedOutcome,
): PayoutRecord | undefined {
  const paid = unpaid(account, currency);
  const amount = amountToPayOut(account, currency) + difference + (forced.payout_difference?.amount ?? 0);
  if (amount <= 0) return undefined;
  const payout = addPayout(account, {
    amount,
    currency,
    isAutomatic: true,
    description: "STRIPE PAYOUT",
    metadata: {},
    forced,
  });
  // What a faulty payout left over, or took too much, is not made up for by the next one: it is part of no payout.
  for (const transaction of paid) transaction.payout = payout.wire.id;
  return payout;
}

function unpaid(account: Account, currency: string): readonly BalanceTransactionRecord[] {
  const now_ms = account.now_ms();
  return account.ledger.transactions
    .inOrder()
    .filter(
      ({ wire, payout }) =>
        wire.currency === currency && payout === undefined && wire.available_on * 1_000 <= now_ms,
    );
}

/**
 * The bank sends a payout back, also one that was paid.
 * @throws ApiError 400 when it was canceled or has failed
 */
export function failPayout(account: Account, payout: PayoutRecord, code = "account_closed"): void {
  const { wire } = payout;
  if (wire.status === "failed" || wire.status === "canceled")
    throw refused(`This payout's status is ${wire.status}; it cannot fail.`);
  const returned = giveBack(account, payout, "payout_failure");
  wire.status = "failed";
  wire.failure_balance_transaction = returned;
  wire.failure_code = code;
  wire.failure_message = failure_messages[code] ?? "The bank returned this payout.";
  account.events.emit("payout.failed", wire);
}

function create(call: Call): PayoutWire {
  const { account, params, forced } = call;
  const currency = checkCurrency(params.requiredText("currency"));
  const amount = params.requiredInteger("amount");
  const description = params.text("description") ?? null;
  const metadata = params.metadata({});
  params.choice("method", ["standard"]);
  params.choice("source_type", ["card"]);
  const descriptor = params.text("statement_descriptor") ?? null;
  params.done();
  if (amount < 1)
    throw badParameter(
      "amount",
      "This value must be greater than or equal to 1.",
      "parameter_invalid_integer",
    );
  const { available } = account.ledger.balance(currency);
  if (amount > available)
    throw refused(
      `You have insufficient funds in your Stripe account for this payout: ${available} ${currency} are available, in minor units.`,
      { code: "balance_insufficient" },
    );
  const payout = addPayout(account, { amount, currency, isAutomatic: false, description, metadata, forced });
  payout.wire.statement_descriptor = descriptor;
  return payout.wire;
}

function addPayout(
  account: Account,
  payout: {
    readonly amount: number;
    readonly currency: string;
    readonly isAutomatic: boolean;
    readonly description: string | null;
    readonly metadata: Record<string, string>;
    readonly forced: ForcedOutcome;
  },
): PayoutRecord {
  const { amount, currency, isAutomatic, description, metadata, forced } = payout;
  const now_ms = account.now_ms();
  const arrival_ms = now_ms + account.settings.delays.payout_ms;
  const id = account.ids.next("po");
  const transaction = account.ledger.post({
    type: "payout",
    reportingCategory: "payout",
    amount: -amount,
    currency,
    source: id,
    description,
    available_ms: now_ms,
  });
  if (isAutomatic) transaction.payout = id;
  const wire: PayoutWire = {
    id,
    object: "payout",
    amount,
    application_fee: null,
    application_fee_amount: null,
    arrival_date: seconds(arrival_ms),
    automatic: isAutomatic,
    balance_transaction: transaction.wire.id,
    created: seconds(now_ms),
    currency,
    description,
    destination: bank_account,
    failure_balance_transaction: null,
    failure_code: null,
    failure_message: null,
    livemode: false,
    metadata,
    method: "standard",
    original_payout: null,
    payout_method: null,
    reconciliation_status: isAutomatic ? "in_progress" : "not_applicable",
    reversed_by: null,
    source_type: "card",
    statement_descriptor: null,
    status: "pending",
    trace_id: null,
    type: "bank_account",
  };
  const record = account.payouts.add({ wire });
  account.events.emit("payout.created", wire);
  account.agenda.add(now_ms + Math.floor((arrival_ms - now_ms) / 2), () => depart(account, record));
  account.agenda.add(arrival_ms, () => arrive(account, record));
  const fails = forced.payout_fails;
  if (fails !== undefined) {
    // By default just after it was paid, which is when it surprises.
    const at_ms = fails.after_ms === undefined ? arrival_ms + 1_000 : now_ms + fails.after_ms;
    account.agenda.add(at_ms, () => {
      if (wire.status !== "failed" && wire.status !== "canceled") failPayout(account, record, fails.code);
    });
  }
  return record;
}

function depart(account: Account, { wire }: PayoutRecord): void {
  if (wire.status !== "pending") return;
  wire.status = "in_transit";
  wire.trace_id = { status: "supported", value: wire.id.slice(-12) };
  if (wire.automatic) wire.reconciliation_status = "completed";
  account.events.emit("payout.updated", wire);
  if (wire.automatic) account.events.emit("payout.reconciliation_completed", wire);
}

function arrive(account: Account, { wire }: PayoutRecord): void {
  if (wire.status !== "in_transit") return;
  wire.status = "paid";
  account.events.emit("payout.paid", wire);
}

/** The money of a payout comes back into the balance; gives the id of the balance transaction. */
function giveBack(
  account: Account,
  { wire }: PayoutRecord,
  type: "payout_failure" | "payout_cancel",
): string {
  const returned = account.ledger.post({
    type,
    reportingCategory: "payout_reversal",
    amount: wire.amount,
    currency: wire.currency,
    source: wire.id,
    description: `${type === "payout_failure" ? "PAYOUT FAILURE" : "PAYOUT CANCELED"} (${wire.description ?? ""})`,
    available_ms: account.now_ms(),
  });
  return returned.wire.id;
}

function cancel(call: Call): PayoutWire {
  call.params.done();
  const payout = call.account.payouts.get(idOf(call));
  const { wire } = payout;
  if (wire.status !== "pending")
    throw refused(`Payouts can only be canceled while they are pending, and this one is ${wire.status}.`);
  wire.status = "canceled";
  wire.failure_balance_transaction = giveBack(call.account, payout, "payout_cancel");
  call.account.events.emit("payout.canceled", wire);
  return wire;
}

function retrieve(call: Call): PayoutWire {
  call.params.done();
  return call.account.payouts.get(idOf(call)).wire;
}

function list({ account, params }: Call): object {
  const status = params.text("status");
  const arrival = params.range("arrival_date");
  params.ignore("destination");
  return listPage({
    store: account.payouts,
    url: path,
    params,
    matches: ({ wire }) =>
      (status === undefined || wire.status === status) && isIn(wire.arrival_date, arrival),
  });
}

function update(call: Call): PayoutWire {
  const { account, params } = call;
  const { wire } = account.payouts.get(idOf(call));
  const metadata = params.metadata(wire.metadata ?? {});
  params.done();
  wire.metadata = metadata;
  account.events.emit("payout.updated", wire);
  return wire;
}
