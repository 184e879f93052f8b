import type { Account, ChargeRecord, RefundRecord, RefundWire } from "../account.js";
import { badParameter, refused } from "../api/api-error.js";
import { idOf, type Call, type Route } from "../api/call.js";
import type { ForcedOutcome } from "../faults/forced-outcome.js";
import { seconds } from "../unix-time.js";
import { listPage } from "./page.js";
import { exchangeFor } from "./settlement-exchange.js";

const path = "/v1/refunds";

export const refundRoutes: readonly Route[] = [
  { method: "POST", path, operation: "refunds.create", act: create },
  { method: "GET", path, operation: "refunds.list", act: list },
  { method: "GET", path: `${path}/:id`, operation: "refunds.retrieve", act: retrieve },
  { method: "POST", path: `${path}/:id`, operation: "refunds.update", act: update },
];

const reasons = ["duplicate", "fraudulent", "requested_by_customer"] as const;
const refunds_shown_max = 10;

/** The refunds of a charge, as they stand in it when they are expanded. */
export function refundsOfCharge(account: Account, charge: string): object {
  const found = account.refunds
    .inOrder()
    .filter(({ wire }) => wire.charge === charge)
    .toReversed();
  return {
    object: "list",
    data: found.slice(0, refunds_shown_max).map(({ wire }) => wire),
    has_more: found.length > refunds_shown_max,
    url: `/v1/charges/${charge}/refunds`,
  };
}

/**
 * A refund that was pending, or even made, does not arrive: its money comes back.
 * @throws ApiError 400 when it failed already
 */
export function failRefund(account: Account, refund: RefundRecord, reason = "unknown"): void {
  const { wire, settled } = refund;
  if (wire.status !== "pending" && wire.status !== "succeeded")
    throw refused(`This refund's status is ${wire.status}; it cannot fail.`);
  const charge = account.charges.get(wire.charge ?? "", "charge");
  const returned = account.ledger.post({
    type: "refund_failure",
    reportingCategory: "refund_failure",
    amount: -settled.amount,
    currency: settled.currency,
    source: wire.id,
    charge: charge.wire.id,
    description: `REFUND FAILURE (${charge.wire.description ?? ""})`,
    available_ms: account.now_ms(),
  });
  account.ledger.chargeTotals(charge.wire.id, charge.wire.currency).refunded -= wire.amount;
  charge.wire.amount_refunded -= wire.amount;
  charge.wire.refunded = false;
  wire.status = "failed";
  wire.failure_reason = reason;
  wire.failure_balance_transaction = returned.wire.id;
  delete wire.pending_reason;
  account.events.emit("refund.failed", wire);
  emitUpdated(account, wire);
}

function create(call: Call): RefundWire {
  const { account, params } = call;
  const intentId = params.text("payment_intent");
  const chargeId = params.text("charge");
  const asked = params.integer("amount");
  const reason = params.choice("reason", reasons) ?? null;
  const metadata = params.metadata({});
  params.ignore("reverse_transfer", "refund_application_fee", "instructions_email");
  params.done();
  const charge = chargeOf(account, intentId, chargeId);
  const amount = checkAmount(account, charge, asked);
  const refund = addRefund(account, charge, { amount, reason, metadata, forced: call.forced });
  return refund.wire;
}

function chargeOf(
  account: Account,
  intentId: string | undefined,
  chargeId: string | undefined,
): ChargeRecord {
  if ((intentId === undefined) === (chargeId === undefined))
    throw badParameter(
      "charge",
      "One of the following params should be provided for this request: payment_intent or charge.",
      "parameter_missing",
    );
  if (chargeId !== undefined) return account.charges.get(chargeId, "charge");
  const intent = account.paymentIntents.get(intentId ?? "", "payment_intent").wire;
  if (intent.status !== "succeeded" || intent.latest_charge === null)
    throw refused(`This PaymentIntent (${intent.id}) does not have a successful charge to refund.`);
  return account.charges.get(intent.latest_charge, "charge");
}

function checkAmount(account: Account, { wire }: ChargeRecord, asked: number | undefined): number {
  if (wire.status !== "succeeded")
    throw refused(`Charge ${wire.id} has not succeeded; there is nothing to refund.`);
  if ((account.ledger.charge(wire.id)?.disputed ?? 0) > 0)
    throw refused(`Charge ${wire.id} has been charged back; cannot issue a refund.`, {
      code: "charge_disputed",
    });
  const left = wire.amount - wire.amount_refunded;
  if (left === 0)
    throw refused(`Charge ${wire.id} has already been refunded.`, { code: "charge_already_refunded" });
  if (asked === undefined) return left;
  if (asked < 1)
    throw badParameter(
      "amount",
      "This value must be greater than or equal to 1.",
      "parameter_invalid_integer",
    );
  if (asked > left)
    throw refused(
      `Refund amount (${asked} ${wire.currency}, in minor units) is greater than unrefunded amount on charge (${left} ${wire.currency})`,
      { param: "amount" },
    );
  return asked;
}

function addRefund(
  account: Account,
  charge: ChargeRecord,
  refund: {
    readonly amount: number;
    readonly reason: RefundWire["reason"];
    readonly metadata: Record<string, string>;
    readonly forced: ForcedOutcome;
  },
): RefundRecord {
  const { amount, reason, metadata, forced } = refund;
  const id = account.ids.next("re");
  const fate = fateOf(account, charge, forced);
  const exchange = exchangeFor(account, charge.wire.currency);
  const transaction = account.ledger.post({
    type: charge.instrument.type === "card" ? "refund" : "payment_refund",
    reportingCategory: "refund",
    amount: -exchange.convert(amount),
    currency: exchange.currency,
    rate: exchange.rate,
    source: id,
    charge: charge.wire.id,
    description: `REFUND FOR CHARGE (${charge.wire.description ?? ""})`,
    available_ms: account.now_ms(),
  });
  const wire: RefundWire = {
    id,
    object: "refund",
    amount,
    balance_transaction: transaction.wire.id,
    charge: charge.wire.id,
    created: seconds(account.now_ms()),
    currency: charge.wire.currency,
    customer: charge.wire.customer,
    customer_account: null,
    destination_details: {
      card: { reference_status: "pending", reference_type: "acquirer_reference_number", type: "refund" },
      type: "card",
    },
    metadata,
    payment_intent: charge.wire.payment_intent,
    payment_method: charge.wire.payment_method,
    reason,
    receipt_number: null,
    source_transfer_reversal: null,
    status: fate.isPending ? "pending" : "succeeded",
    transfer_reversal: null,
    ...(fate.isPending && { pending_reason: "processing" }),
  };
  const record = account.refunds.add({
    wire,
    settled: { amount: transaction.wire.amount, currency: transaction.wire.currency },
  });
  account.ledger.chargeTotals(charge.wire.id, charge.wire.currency).refunded += amount;
  const before = charge.wire.amount_refunded;
  charge.wire.amount_refunded += amount;
  charge.wire.refunded = charge.wire.amount_refunded === charge.wire.amount;
  account.events.emit("refund.created", wire);
  account.events.emit("charge.refunded", charge.wire, { amount_refunded: before });
  if (fate.later !== undefined) schedule(account, record, fate.later, fate.after_ms);
  return record;
}

interface RefundFate {
  readonly isPending: boolean;
  readonly later: "succeeds" | "fails" | undefined;
  readonly after_ms: number;
}

function fateOf(account: Account, charge: ChargeRecord, forced: ForcedOutcome): RefundFate {
  const after_ms = account.settings.delays.refund_ms;
  const { refund_pending: pending, refund_fails: fails } = forced;
  if (pending !== undefined)
    return { isPending: true, later: pending.outcome, after_ms: pending.after_ms ?? after_ms };
  if (fails !== undefined) return { isPending: false, later: "fails", after_ms: fails.after_ms ?? after_ms };
  const { refunds } = charge.instrument;
  if (refunds === "succeed_later") return { isPending: true, later: "succeeds", after_ms };
  return { isPending: false, later: refunds === "fail_later" ? "fails" : undefined, after_ms };
}

function schedule(
  account: Account,
  refund: RefundRecord,
  later: "succeeds" | "fails",
  after_ms: number,
): void {
  const { wire } = refund;
  account.agenda.add(account.now_ms() + after_ms, () => {
    if (later === "fails" && wire.status !== "failed") failRefund(account, refund, "lost_or_stolen_card");
    if (later !== "succeeds" || wire.status !== "pending") return;
    wire.status = "succeeded";
    delete wire.pending_reason;
    emitUpdated(account, wire);
  });
}

/** Stripe tells it twice: by the charge, as it always did, and by the refund. */
function emitUpdated(account: Account, wire: RefundWire): void {
  account.events.emit("charge.refund.updated", wire);
  account.events.emit("refund.updated", wire);
}

function retrieve(call: Call): RefundWire {
  call.params.done();
  return call.account.refunds.get(idOf(call)).wire;
}

function list({ account, params }: Call): object {
  const charge = params.text("charge");
  const intent = params.text("payment_intent");
  return listPage({
    store: account.refunds,
    url: path,
    params,
    matches: ({ wire }) =>
      (charge === undefined || wire.charge === charge) &&
      (intent === undefined || wire.payment_intent === intent),
  });
}

function update(call: Call): RefundWire {
  const { account, params } = call;
  const { wire } = account.refunds.get(idOf(call));
  const metadata = params.metadata(wire.metadata ?? {});
  params.done();
  wire.metadata = metadata;
  emitUpdated(account, wire);
  return wire;
}
