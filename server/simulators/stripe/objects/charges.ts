import type {
  Account,
  ChargeRecord,
  ChargeWire,
  PaymentIntentWire,
  PaymentMethodRecord,
} from "../account.js";
import { seconds } from "../unix-time.js";
import { idOf, type Call, type Route } from "../api/call.js";
import { divideHalfAway, type Exchange } from "./exchange.js";
import { exchangeFor } from "./settlement-exchange.js";
import type { Decline } from "./decline.js";
import { listPage } from "./page.js";
import { fingerprintOf } from "./payment-methods.js";

export const chargeRoutes: readonly Route[] = [
  { method: "GET", path: "/v1/charges", operation: "charges.list", act: list },
  { method: "GET", path: "/v1/charges/:id", operation: "charges.retrieve", act: retrieve },
  { method: "POST", path: "/v1/charges/:id", operation: "charges.update", act: update },
];

/** Takes the money of a payment: a charge that succeeded, and its balance transaction, at once or later as set. */
export function captureCharge(
  account: Account,
  intent: PaymentIntentWire,
  method: PaymentMethodRecord,
): ChargeRecord {
  const charge = addCharge(account, intent, method, "succeeded", undefined);
  capture(account, charge);
  return charge;
}

/** A charge that the issuer, or Stripe, refused. */
export function failCharge(
  account: Account,
  intent: PaymentIntentWire,
  method: PaymentMethodRecord,
  decline: Decline,
): ChargeRecord {
  const charge = addCharge(account, intent, method, "failed", decline);
  account.events.emit("charge.failed", charge.wire);
  return charge;
}

/** A charge whose outcome comes later, by `finishCharge`. */
export function pendCharge(
  account: Account,
  intent: PaymentIntentWire,
  method: PaymentMethodRecord,
): ChargeRecord {
  const charge = addCharge(account, intent, method, "pending", undefined);
  account.events.emit("charge.pending", charge.wire);
  return charge;
}

export function finishCharge(account: Account, charge: ChargeRecord, decline: Decline | undefined): void {
  Object.assign(
    charge.wire,
    outcomeFields(charge.wire.amount, decline === undefined ? "succeeded" : "failed", decline),
  );
  if (decline === undefined) capture(account, charge);
  else account.events.emit("charge.failed", charge.wire);
}

function capture(account: Account, charge: ChargeRecord): void {
  const { wire } = charge;
  const exchange = exchangeFor(account, wire.currency);
  account.ledger.chargeTotals(wire.id, wire.currency).captured += wire.amount;
  const later_ms = account.settings.delays.balanceTransaction_ms;
  if (later_ms === 0) settle(account, charge, exchange);
  account.events.emit("charge.succeeded", wire);
  if (later_ms === 0) return;
  account.agenda.add(account.now_ms() + later_ms, () => {
    settle(account, charge, exchange);
    account.events.emit("charge.updated", wire, { balance_transaction: null });
  });
}

function settle(account: Account, charge: ChargeRecord, exchange: Exchange): void {
  const { wire, instrument } = charge;
  const { fees, delays } = account.settings;
  const amount = exchange.convert(wire.amount);
  const share = Number(divideHalfAway(BigInt(amount) * BigInt(fees.basisPoints), 10_000n));
  const now_ms = account.now_ms();
  const transaction = account.ledger.post({
    type: instrument.type === "card" ? "charge" : "payment",
    reportingCategory: "charge",
    amount,
    fee: { amount: share + fees.fixed, description: "Stripe processing fees" },
    currency: exchange.currency,
    rate: exchange.rate,
    source: wire.id,
    charge: wire.id,
    description: wire.description,
    available_ms: instrument.bypassesPending ? now_ms : now_ms + delays.available_ms,
  });
  wire.balance_transaction = transaction.wire.id;
}

function addCharge(
  account: Account,
  intent: PaymentIntentWire,
  method: PaymentMethodRecord,
  status: "succeeded" | "failed" | "pending",
  decline: Decline | undefined,
): ChargeRecord {
  const id = account.ids.next("ch");
  const wire: ChargeWire = {
    id,
    object: "charge",
    amount: intent.amount,
    amount_refunded: 0,
    application: null,
    application_fee: null,
    application_fee_amount: null,
    balance_transaction: null,
    billing_details: method.wire.billing_details,
    calculated_statement_descriptor: intent.statement_descriptor ?? "WEIR SIMULATOR",
    created: seconds(account.now_ms()),
    currency: intent.currency,
    customer: intent.customer,
    description: intent.description,
    disputed: false,
    failure_balance_transaction: null,
    fraud_details: {},
    livemode: false,
    metadata: { ...intent.metadata },
    on_behalf_of: null,
    payment_intent: intent.id,
    payment_method: method.wire.id,
    payment_method_details: detailsOf(method, intent.amount),
    receipt_email: intent.receipt_email,
    receipt_number: null,
    receipt_url: null,
    refunded: false,
    review: null,
    shipping: null,
    source: null,
    source_transfer: null,
    statement_descriptor: intent.statement_descriptor,
    statement_descriptor_suffix: intent.statement_descriptor_suffix,
    transfer_data: null,
    transfer_group: null,
    ...outcomeFields(intent.amount, status, decline),
  };
  return account.charges.add({ wire, instrument: method.instrument });
}

/** What of a charge depends on how it ended. */
function outcomeFields(
  amount: number,
  status: "succeeded" | "failed" | "pending",
  decline: Decline | undefined,
): Pick<
  ChargeWire,
  "amount_captured" | "captured" | "failure_code" | "failure_message" | "outcome" | "paid" | "status"
> {
  const hasFailed = status === "failed";
  return {
    amount_captured: hasFailed ? 0 : amount,
    captured: !hasFailed,
    failure_code: decline?.code ?? null,
    failure_message: decline?.message ?? null,
    outcome: outcomeOf(decline),
    paid: status === "succeeded",
    status,
  };
}

function detailsOf(
  method: PaymentMethodRecord,
  amount: number,
): NonNullable<ChargeWire["payment_method_details"]> {
  const { wire, instrument } = method;
  const last4 = instrument.number.slice(-4);
  const fingerprint = fingerprintOf(instrument);
  if (instrument.type === "us_bank_account")
    return {
      type: "us_bank_account",
      us_bank_account: {
        account_holder_type: "individual",
        account_type: "checking",
        bank_name: instrument.brand,
        fingerprint,
        last4,
        payment_reference: null,
        routing_number: wire.us_bank_account?.routing_number ?? null,
      },
    };
  return {
    card: {
      amount_authorized: amount,
      authorization_code: null,
      brand: instrument.brand,
      checks: { address_line1_check: null, address_postal_code_check: null, cvc_check: null },
      country: instrument.country,
      electronic_commerce_indicator: null,
      exp_month: wire.card?.exp_month ?? 12,
      exp_year: wire.card?.exp_year ?? 2040,
      fingerprint,
      funding: instrument.funding,
      installments: null,
      last4,
      mandate: null,
      network: instrument.brand,
      network_transaction_id: null,
      regulated_status: "unregulated",
      three_d_secure: null,
      transaction_link_id: null,
      wallet: null,
    },
    type: "card",
  };
}

function outcomeOf(decline: Decline | undefined): ChargeWire["outcome"] {
  if (decline === undefined)
    return {
      advice_code: null,
      network_advice_code: null,
      network_decline_code: null,
      network_status: "approved_by_network",
      reason: null,
      risk_level: "normal",
      risk_score: 20,
      seller_message: "Payment complete.",
      type: "authorized",
    };
  const isBlocked = decline.isBlocked === true;
  return {
    advice_code: decline.advice ?? null,
    network_advice_code: null,
    network_decline_code: null,
    network_status: isBlocked ? "not_sent_to_network" : "declined_by_network",
    reason: isBlocked ? "highest_risk_level" : decline.declineCode,
    risk_level: isBlocked ? "highest" : "normal",
    risk_score: isBlocked ? 90 : 20,
    seller_message: isBlocked
      ? "Stripe blocked this payment as too risky."
      : "The bank did not approve the payment.",
    type: isBlocked ? "blocked" : "issuer_declined",
  };
}

function retrieve(call: Call): ChargeWire {
  call.params.done();
  return call.account.charges.get(idOf(call)).wire;
}

function list({ account, params }: Call): object {
  const customer = params.text("customer");
  const intent = params.text("payment_intent");
  return listPage({
    store: account.charges,
    url: "/v1/charges",
    params,
    matches: ({ wire }) =>
      (customer === undefined || wire.customer === customer) &&
      (intent === undefined || wire.payment_intent === intent),
  });
}

function update(call: Call): ChargeWire {
  const { account, params } = call;
  const { wire } = account.charges.get(idOf(call));
  const description = params.unsettableText("description");
  const metadata = params.metadata(wire.metadata);
  params.done();
  if (description !== undefined) wire.description = description;
  wire.metadata = metadata;
  account.events.emit("charge.updated", wire);
  return wire;
}
