import {
  seconds,
  type Account,
  type ChargeRecord,
  type ChargeWire,
  type PaymentIntentWire,
  type PaymentMethodRecord,
} from "../account.js";
import { idOf, type Call, type Route } from "../api/call.js";
import { divideHalfAway, exchangeAt, noExchange, type Exchange } from "./exchange.js";
import type { Decline } from "./decline.js";
import { listPage } from "./page.js";
import { fingerprintOf } from "./payment-methods.js";
import { refused } from "../api/api-error.js";

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
  const exchange = exchangeFor(account, intent.currency);
  const charge = addCharge(account, intent, method, undefined);
  account.ledger.chargeTotals(charge.wire.id, intent.currency).captured += intent.amount;
  const later_ms = account.settings.delays.balanceTransaction_ms;
  if (later_ms === 0) settle(account, charge, exchange);
  account.events.emit("charge.succeeded", charge.wire);
  if (later_ms > 0)
    account.agenda.add(account.now_ms() + later_ms, () => {
      settle(account, charge, exchange);
      account.events.emit("charge.updated", charge.wire, { balance_transaction: null });
    });
  return charge;
}

/** A charge that the issuer, or Stripe, refused. */
export function failCharge(
  account: Account,
  intent: PaymentIntentWire,
  method: PaymentMethodRecord,
  decline: Decline,
): ChargeRecord {
  const charge = addCharge(account, intent, method, decline);
  account.events.emit("charge.failed", charge.wire);
  return charge;
}

/**
 * How what is charged in a currency reaches the account's balance.
 * @throws ApiError 400 when the account has neither a balance in the currency nor a rate
 */
export function exchangeFor(account: Account, currency: string): Exchange {
  const { settlementCurrencies, exchangeRates } = account.settings;
  const [first] = settlementCurrencies ?? [];
  if (first === undefined || settlementCurrencies?.includes(currency) === true) return noExchange(currency);
  const rate = exchangeRates[`${currency}/${first}`];
  if (rate === undefined)
    throw refused(
      `This account takes no payments in ${currency}: it has no exchange rate for "${currency}/${first}".`,
      {
        param: "currency",
      },
    );
  return exchangeAt(currency, first, rate);
}

function settle(account: Account, charge: ChargeRecord, exchange: Exchange): void {
  const { wire } = charge;
  const { fees, delays } = account.settings;
  const amount = exchange.convert(wire.amount);
  const share = Number(divideHalfAway(BigInt(amount) * BigInt(fees.basisPoints), 10_000n));
  const now_ms = account.now_ms();
  const transaction = account.ledger.post({
    type: "charge",
    reportingCategory: "charge",
    amount,
    fee: { amount: share + fees.fixed, description: "Stripe processing fees" },
    currency: exchange.currency,
    rate: exchange.rate,
    source: wire.id,
    charge: wire.id,
    description: wire.description,
    available_ms: charge.card.bypassesPending ? now_ms : now_ms + delays.available_ms,
  });
  wire.balance_transaction = transaction.wire.id;
}

function addCharge(
  account: Account,
  intent: PaymentIntentWire,
  method: PaymentMethodRecord,
  decline: Decline | undefined,
): ChargeRecord {
  const { wire: methodWire, card } = method;
  const hasPaid = decline === undefined;
  const id = account.ids.next("ch");
  const wire: ChargeWire = {
    id,
    object: "charge",
    amount: intent.amount,
    amount_captured: hasPaid ? intent.amount : 0,
    amount_refunded: 0,
    application: null,
    application_fee: null,
    application_fee_amount: null,
    balance_transaction: null,
    billing_details: methodWire.billing_details,
    calculated_statement_descriptor: intent.statement_descriptor ?? "WEIR SIMULATOR",
    captured: hasPaid,
    created: seconds(account.now_ms()),
    currency: intent.currency,
    customer: intent.customer,
    description: intent.description,
    disputed: false,
    failure_balance_transaction: null,
    failure_code: decline?.code ?? null,
    failure_message: decline?.message ?? null,
    fraud_details: {},
    livemode: false,
    metadata: intent.metadata,
    on_behalf_of: null,
    outcome: outcomeOf(decline),
    paid: hasPaid,
    payment_intent: intent.id,
    payment_method: methodWire.id,
    payment_method_details: {
      card: {
        amount_authorized: hasPaid ? intent.amount : null,
        authorization_code: null,
        brand: card.brand,
        checks: { address_line1_check: null, address_postal_code_check: null, cvc_check: null },
        country: card.country,
        electronic_commerce_indicator: null,
        exp_month: methodWire.card?.exp_month ?? 12,
        exp_year: methodWire.card?.exp_year ?? 2040,
        fingerprint: fingerprintOf(card),
        funding: card.funding,
        installments: null,
        last4: card.number.slice(-4),
        mandate: null,
        network: card.brand,
        network_transaction_id: null,
        regulated_status: "unregulated",
        three_d_secure: null,
        transaction_link_id: null,
        wallet: null,
      },
      type: "card",
    },
    receipt_email: intent.receipt_email,
    receipt_number: null,
    receipt_url: hasPaid ? `${account.pagesUrl}/_simulator/receipts/${id}` : null,
    refunded: false,
    review: null,
    shipping: null,
    source: null,
    source_transfer: null,
    statement_descriptor: intent.statement_descriptor,
    statement_descriptor_suffix: intent.statement_descriptor_suffix,
    status: hasPaid ? "succeeded" : "failed",
    transfer_data: null,
    transfer_group: null,
  };
  return account.charges.add({ wire, card });
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
