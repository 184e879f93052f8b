import type { Account, PaymentIntentWire } from "../account.js";
import { seconds } from "../unix-time.js";
import { badParameter, refused } from "../api/api-error.js";
import { idOf, type Call, type Route } from "../api/call.js";
import type { Parameters } from "../api/parameters.js";
import { readAllowedTypes, typesFor } from "./allowed-types.js";
import { checkConfirmable, confirm, touch, type Confirmation } from "./confirmation.js";
import { checkChargedAmount, checkCurrency } from "./currency.js";
import { customerFor } from "./live-customer.js";
import { listPage } from "./page.js";
import { parseSearch } from "./search-query.js";
import { checkOwner, paymentMethodFor } from "./payment-methods.js";

const path = "/v1/payment_intents";

export const paymentIntentRoutes: readonly Route[] = [
  { method: "POST", path, operation: "payment_intents.create", act: create },
  { method: "GET", path, operation: "payment_intents.list", act: list },
  { method: "GET", path: `${path}/search`, operation: "payment_intents.search", act: search },
  { method: "GET", path: `${path}/:id`, operation: "payment_intents.retrieve", act: retrieve },
  { method: "POST", path: `${path}/:id`, operation: "payment_intents.update", act: update },
  { method: "POST", path: `${path}/:id/confirm`, operation: "payment_intents.confirm", act: confirmIt },
  { method: "POST", path: `${path}/:id/cancel`, operation: "payment_intents.cancel", act: cancel },
];

const searchable_fields = ["amount", "created", "currency", "customer", "status"];
const search_limit_default = 10;
const search_limit_max = 100;
const cancellation_reasons = ["abandoned", "duplicate", "fraudulent", "requested_by_customer"] as const;
const cancellable = ["requires_payment_method", "requires_confirmation", "requires_action"];
const capture_methods = ["automatic", "automatic_async"] as const;

function create(call: Call): PaymentIntentWire {
  const { account, params } = call;
  const currency = checkCurrency(params.requiredText("currency"));
  const amount = checkAmount(account, params.requiredInteger("amount"), currency);
  const customer = params.text("customer");
  const methodId = params.text("payment_method");
  const isConfirmed = params.boolean("confirm") ?? false;
  const confirmation = readConfirmation(call);
  const allowed = readAllowedTypes(params);
  const automatic = readAutomatic(params);
  const usage = params.choice("setup_future_usage", ["off_session", "on_session"]) ?? null;
  const captureMethod = params.choice("capture_method", capture_methods) ?? "automatic_async";
  const confirmationMethod = params.choice("confirmation_method", ["automatic", "manual"]) ?? "automatic";
  const description = params.text("description") ?? null;
  const receiptEmail = params.text("receipt_email") ?? null;
  const descriptor = params.text("statement_descriptor") ?? null;
  const suffix = params.text("statement_descriptor_suffix") ?? null;
  const metadata = params.metadata({});
  params.ignore("payment_method_options", "use_stripe_sdk", "mandate_data", "shipping", "radar_options");
  params.done();
  if (!isConfirmed && confirmation.isOffSession)
    throw badParameter(
      "off_session",
      "The parameter `off_session` can only be used together with `confirm=true`.",
    );
  if (!isConfirmed && confirmation.returnUrl !== undefined)
    throw badParameter(
      "return_url",
      "The parameter `return_url` can only be used together with `confirm=true`.",
    );
  if (customer !== undefined) customerFor(account, customer);
  const method = methodId === undefined ? undefined : paymentMethodFor(account, methodId);
  if (method !== undefined) checkOwner(method, customer ?? null);

  const id = account.ids.next("pi");
  const wire: PaymentIntentWire = {
    id,
    object: "payment_intent",
    allowed_payment_method_types: allowed ?? null,
    amount,
    amount_capturable: 0,
    amount_details: { tip: {} },
    amount_received: 0,
    application: null,
    application_fee_amount: null,
    automatic_payment_methods: automatic,
    canceled_at: null,
    cancellation_reason: null,
    capture_method: captureMethod,
    client_secret: `${id}_secret_${account.ids.letters(24)}`,
    confirmation_method: confirmationMethod,
    created: seconds(account.now_ms()),
    currency,
    customer: customer ?? null,
    customer_account: null,
    description,
    excluded_payment_method_types: null,
    last_payment_error: null,
    latest_charge: null,
    livemode: false,
    managed_payments: null,
    metadata,
    next_action: null,
    on_behalf_of: null,
    payment_method: method?.wire.id ?? null,
    payment_method_configuration_details: null,
    payment_method_options: {
      card: { installments: null, mandate_options: null, network: null, request_three_d_secure: "automatic" },
    },
    payment_method_types: typesFor(allowed, currency),
    payment_record: null,
    processing: null,
    receipt_email: receiptEmail,
    review: null,
    setup_future_usage: usage,
    shipping: null,
    source: null,
    statement_descriptor: descriptor,
    statement_descriptor_suffix: suffix,
    status: method === undefined ? "requires_payment_method" : "requires_confirmation",
    transfer_data: null,
    transfer_group: null,
  };
  const record = account.paymentIntents.add({
    wire,
    isOffSession: false,
    returnUrl: undefined,
    searchable_ms: 0,
  });
  touch(account, record);
  account.events.emit("payment_intent.created", wire);
  if (isConfirmed) confirm(account, record, confirmation);
  return wire;
}

function confirmIt(call: Call): PaymentIntentWire {
  const { account, params } = call;
  const record = account.paymentIntents.get(idOf(call), "intent");
  const methodId = params.text("payment_method");
  const usage = params.choice("setup_future_usage", ["off_session", "on_session"]);
  const receiptEmail = params.unsettableText("receipt_email");
  const confirmation = readConfirmation(call);
  params.ignore("payment_method_options", "use_stripe_sdk", "mandate_data", "shipping", "radar_options");
  params.done();
  const { wire } = record;
  // What cannot be confirmed is not changed either.
  checkConfirmable(wire);
  if (methodId !== undefined) setMethod(account, wire, methodId);
  if (usage !== undefined) wire.setup_future_usage = usage;
  if (receiptEmail !== undefined) wire.receipt_email = receiptEmail;
  confirm(account, record, confirmation);
  return wire;
}

function retrieve(call: Call): PaymentIntentWire {
  call.params.ignore("client_secret");
  call.params.done();
  return call.account.paymentIntents.get(idOf(call), "intent").wire;
}

function list({ account, params }: Call): object {
  const customer = params.text("customer");
  if (customer !== undefined) account.customers.get(customer, "customer");
  return listPage({
    store: account.paymentIntents,
    url: path,
    params,
    matches: ({ wire }) => customer === undefined || wire.customer === customer,
  });
}

/** As on Stripe, what was changed a moment ago is not found yet: a search is no way to learn what became of a request. */
function search({ account, params }: Call): object {
  const matches = parseSearch(params.requiredText("query"), searchable_fields);
  const limit = params.integer("limit") ?? search_limit_default;
  const page = Number(params.text("page") ?? "0");
  params.done();
  if (limit < 1 || limit > search_limit_max || !Number.isSafeInteger(page) || page < 0)
    throw badParameter(
      "limit",
      `Invalid limit or page: a limit is between 1 and ${search_limit_max}, a page is next_page.`,
    );
  const now_ms = account.now_ms();
  const found = account.paymentIntents
    .inOrder()
    .filter(({ wire, searchable_ms }) => searchable_ms <= now_ms && matches(wire))
    .toReversed();
  const end = page + limit;
  return {
    object: "search_result",
    data: found.slice(page, end).map(({ wire }) => wire),
    has_more: found.length > end,
    next_page: found.length > end ? String(end) : null,
    url: `${path}/search`,
  };
}

function update(call: Call): PaymentIntentWire {
  const { account, params } = call;
  const record = account.paymentIntents.get(idOf(call), "intent");
  const { wire } = record;
  const amount = params.integer("amount");
  const customer = params.text("customer");
  const methodId = params.text("payment_method");
  const description = params.unsettableText("description");
  const metadata = params.metadata(wire.metadata);
  params.done();
  const isOpen = wire.status === "requires_payment_method" || wire.status === "requires_confirmation";
  if (!isOpen && (amount !== undefined || customer !== undefined || methodId !== undefined))
    throw refused(
      `This PaymentIntent's status is ${wire.status}; its amount, customer and payment method stay.`,
      {
        code: "payment_intent_unexpected_state",
        payment_intent: wire,
      },
    );
  if (customer !== undefined && wire.customer !== null && wire.customer !== customer)
    throw badParameter("customer", "The customer of a PaymentIntent cannot be changed once it is set.");
  if (amount !== undefined) wire.amount = checkAmount(account, amount, wire.currency);
  if (customer !== undefined) wire.customer = customerFor(account, customer).wire.id;
  if (methodId !== undefined) setMethod(account, wire, methodId);
  if (description !== undefined) wire.description = description;
  wire.metadata = metadata;
  touch(account, record);
  return wire;
}

function cancel(call: Call): PaymentIntentWire {
  const { account, params } = call;
  const record = account.paymentIntents.get(idOf(call), "intent");
  const reason = params.choice("cancellation_reason", cancellation_reasons) ?? null;
  params.done();
  const { wire } = record;
  if (!cancellable.includes(wire.status))
    throw refused(
      `You cannot cancel this PaymentIntent because it has a status of ${wire.status}. Only a PaymentIntent with one of the following statuses may be canceled: ${cancellable.join(", ")}.`,
      { code: "payment_intent_unexpected_state", payment_intent: wire },
    );
  wire.status = "canceled";
  wire.canceled_at = seconds(account.now_ms());
  wire.cancellation_reason = reason;
  wire.next_action = null;
  touch(account, record);
  account.events.emit("payment_intent.canceled", wire);
  return wire;
}

function setMethod(account: Account, wire: PaymentIntentWire, id: string): void {
  const method = paymentMethodFor(account, id);
  checkOwner(method, wire.customer);
  wire.payment_method = method.wire.id;
  wire.status = "requires_confirmation";
}

function readConfirmation({ params, forced }: Call): Confirmation {
  const offSession = params.choice("off_session", ["true", "false", "one_off", "recurring"]);
  return {
    isOffSession: offSession !== undefined && offSession !== "false",
    returnUrl: params.url("return_url"),
    failsOnRequiredAction: params.boolean("error_on_requires_action") ?? false,
    forced,
  };
}

/** Methods are chosen automatically unless that is declined. */
function readAutomatic(params: Parameters): PaymentIntentWire["automatic_payment_methods"] {
  const given = params.nested("automatic_payment_methods");
  if (given === undefined) return { allow_redirects: "always", enabled: true };
  const isEnabled = given.boolean("enabled") ?? false;
  const redirects = given.choice("allow_redirects", ["always", "never"]) ?? "always";
  given.done();
  return isEnabled ? { allow_redirects: redirects, enabled: true } : null;
}

function checkAmount(account: Account, amount: number, currency: string): number {
  return checkChargedAmount(amount, currency, account.settings.hasMinimumAmounts);
}
