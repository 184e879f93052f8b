import type { Account, PaymentMethodRecord, SetupIntentRecord, SetupIntentWire } from "../account.js";
import { ApiError, badParameter, refused } from "../api/api-error.js";
import { idOf, type Call, type Route } from "../api/call.js";
import { seconds } from "../unix-time.js";
import { readAllowedTypes, type MethodType } from "./allowed-types.js";
import { cardError, declineFields } from "./card-error.js";
import { declines } from "./decline.js";
import { customerFor } from "./live-customer.js";
import { listPage } from "./page.js";
import { attach, checkKept, checkOwner, paymentMethodFor } from "./payment-methods.js";

const path = "/v1/setup_intents";

export const setupIntentRoutes: readonly Route[] = [
  { method: "POST", path, operation: "setup_intents.create", act: create },
  { method: "GET", path, operation: "setup_intents.list", act: list },
  { method: "GET", path: `${path}/:id`, operation: "setup_intents.retrieve", act: retrieve },
  { method: "POST", path: `${path}/:id`, operation: "setup_intents.update", act: update },
  { method: "POST", path: `${path}/:id/confirm`, operation: "setup_intents.confirm", act: confirmIt },
  { method: "POST", path: `${path}/:id/cancel`, operation: "setup_intents.cancel", act: cancel },
];

const open_statuses = ["requires_payment_method", "requires_confirmation", "requires_action"];
const cancellation_reasons = ["abandoned", "duplicate", "requested_by_customer"] as const;

export interface NewSetupIntent {
  readonly customer: string | null;
  readonly metadata: Record<string, string>;
  readonly description?: string | null;
  readonly usage?: "off_session" | "on_session";
  readonly allowed?: MethodType[];
}

export function addSetupIntent(account: Account, setup: NewSetupIntent): SetupIntentRecord {
  const id = account.ids.next("seti");
  const wire: SetupIntentWire = {
    id,
    object: "setup_intent",
    allowed_payment_method_types: setup.allowed ?? null,
    application: null,
    automatic_payment_methods: { allow_redirects: "always", enabled: true },
    cancellation_reason: null,
    client_secret: `${id}_secret_${account.ids.letters(24)}`,
    created: seconds(account.now_ms()),
    customer: setup.customer,
    customer_account: null,
    description: setup.description ?? null,
    excluded_payment_method_types: null,
    flow_directions: null,
    last_setup_error: null,
    latest_attempt: null,
    livemode: false,
    mandate: null,
    metadata: setup.metadata,
    next_action: null,
    on_behalf_of: null,
    payment_method: null,
    payment_method_configuration_details: null,
    payment_method_options: {
      card: { mandate_options: null, network: null, request_three_d_secure: "automatic" },
    },
    payment_method_types: ["card"],
    single_use_mandate: null,
    status: "requires_payment_method",
    usage: setup.usage ?? "off_session",
  };
  const record = account.setupIntents.add({ wire, returnUrl: undefined });
  account.events.emit("setup_intent.created", wire);
  return record;
}

/**
 * Sets a payment method up for later charges: the intent becomes succeeded, or requires_action.
 * @throws ApiError 402 when the card says no; 400 for an intent that is over, or a method that is another's
 */
export function confirmSetup(account: Account, setup: SetupIntentRecord, method: PaymentMethodRecord): void {
  const { wire } = setup;
  checkOpen(wire, "confirm");
  checkOwner(method, method.wire.customer === null ? null : wire.customer);
  wire.payment_method = method.wire.id;
  try {
    checkKept(account, method.instrument);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const why = declines[method.instrument.decline ?? "generic_decline"];
    fail(account, setup, method, { ...declineFields(why), type: "card_error" });
    throw cardError(why, { setup_intent: { ...wire }, payment_method: method.wire });
  }
  // The issuer of a card that asks for its owner at all asks when it is set up.
  if (method.instrument.authentication === "never") {
    succeed(account, setup, method);
    return;
  }
  const url = `${account.pagesUrl}/_simulator/authenticate/${wire.id}`;
  wire.status = "requires_action";
  wire.next_action =
    setup.returnUrl === undefined
      ? { type: "use_stripe_sdk", use_stripe_sdk: { type: "three_d_secure_redirect", stripe_js: url } }
      : { type: "redirect_to_url", redirect_to_url: { return_url: setup.returnUrl, url } };
  account.events.emit("setup_intent.requires_action", wire);
}

/** @throws ApiError 400 when there is nothing to authenticate */
export function authenticateSetup(
  account: Account,
  setup: SetupIntentRecord,
  outcome: "pass" | "fail",
): void {
  const { wire } = setup;
  if (wire.status !== "requires_action" || wire.payment_method === null)
    throw unexpected(wire, "authenticate");
  const method = account.paymentMethods.get(wire.payment_method, "payment_method");
  if (outcome === "pass") succeed(account, setup, method);
  else
    fail(account, setup, method, {
      type: "card_error",
      code: "setup_intent_authentication_failure",
      message:
        "We are unable to authenticate your payment method. Please choose a different payment method and try again.",
    });
}

function succeed(account: Account, setup: SetupIntentRecord, method: PaymentMethodRecord): void {
  const { wire } = setup;
  const owner = wire.customer === null ? undefined : account.customers.find(wire.customer);
  if (owner !== undefined) attach(account, method, owner);
  if (wire.usage === "off_session") method.isSetUp = true;
  wire.status = "succeeded";
  wire.next_action = null;
  wire.last_setup_error = null;
  account.events.emit("setup_intent.succeeded", wire);
}

function fail(
  account: Account,
  { wire }: SetupIntentRecord,
  method: PaymentMethodRecord,
  error: NonNullable<SetupIntentWire["last_setup_error"]>,
): void {
  wire.last_setup_error = { ...error, payment_method: { ...method.wire } };
  wire.payment_method = null;
  wire.next_action = null;
  wire.status = "requires_payment_method";
  account.events.emit("setup_intent.setup_failed", wire);
}

function create(call: Call): SetupIntentWire {
  const { account, params } = call;
  const customer = params.text("customer");
  const methodId = params.text("payment_method");
  const isConfirmed = params.boolean("confirm") ?? false;
  const returnUrl = params.url("return_url");
  const usage = params.choice("usage", ["off_session", "on_session"]);
  const description = params.text("description") ?? null;
  const metadata = params.metadata({});
  const allowed = readAllowedTypes(params, ["card"]);
  params.ignore("automatic_payment_methods", "payment_method_options", "mandate_data", "use_stripe_sdk");
  params.done();
  if (customer !== undefined) customerFor(account, customer);
  const method = methodId === undefined ? undefined : paymentMethodFor(account, methodId);
  if (isConfirmed && method === undefined)
    throw badParameter(
      "payment_method",
      "You cannot confirm a SetupIntent without a payment method.",
      "parameter_missing",
    );
  const setup = addSetupIntent(account, {
    customer: customer ?? null,
    metadata,
    description,
    ...(usage !== undefined && { usage }),
    ...(allowed !== undefined && { allowed }),
  });
  setup.returnUrl = returnUrl;
  if (method !== undefined) setMethod(setup.wire, method);
  if (isConfirmed && method !== undefined) confirmSetup(account, setup, method);
  return setup.wire;
}

function confirmIt(call: Call): SetupIntentWire {
  const { account, params } = call;
  const setup = account.setupIntents.get(idOf(call), "intent");
  const { wire } = setup;
  const methodId = params.text("payment_method") ?? wire.payment_method;
  const returnUrl = params.url("return_url");
  params.ignore("payment_method_options", "mandate_data", "use_stripe_sdk");
  params.done();
  checkOpen(wire, "confirm");
  if (methodId === null)
    throw refused("You cannot confirm this SetupIntent because it's missing a payment method.", {
      code: "setup_intent_unexpected_state",
      setup_intent: wire,
    });
  setup.returnUrl = returnUrl ?? setup.returnUrl;
  confirmSetup(account, setup, paymentMethodFor(account, methodId));
  return wire;
}

function update(call: Call): SetupIntentWire {
  const { account, params } = call;
  const { wire } = account.setupIntents.get(idOf(call), "intent");
  const methodId = params.text("payment_method");
  const description = params.unsettableText("description");
  const metadata = params.metadata(wire.metadata ?? {});
  params.done();
  if (methodId !== undefined) {
    checkOpen(wire, "update");
    setMethod(wire, paymentMethodFor(account, methodId));
  }
  if (description !== undefined) wire.description = description;
  wire.metadata = metadata;
  return wire;
}

function cancel(call: Call): SetupIntentWire {
  const { account, params } = call;
  const { wire } = account.setupIntents.get(idOf(call), "intent");
  const reason = params.choice("cancellation_reason", cancellation_reasons) ?? null;
  params.done();
  checkOpen(wire, "cancel");
  wire.status = "canceled";
  wire.cancellation_reason = reason;
  wire.next_action = null;
  account.events.emit("setup_intent.canceled", wire);
  return wire;
}

function retrieve(call: Call): SetupIntentWire {
  call.params.ignore("client_secret");
  call.params.done();
  return call.account.setupIntents.get(idOf(call), "intent").wire;
}

function list({ account, params }: Call): object {
  const customer = params.text("customer");
  const method = params.text("payment_method");
  return listPage({
    store: account.setupIntents,
    url: path,
    params,
    matches: ({ wire }) =>
      (customer === undefined || wire.customer === customer) &&
      (method === undefined || wire.payment_method === method),
  });
}

function setMethod(wire: SetupIntentWire, method: PaymentMethodRecord): void {
  checkOwner(method, method.wire.customer === null ? null : wire.customer);
  wire.payment_method = method.wire.id;
  wire.status = "requires_confirmation";
}

function checkOpen(wire: SetupIntentWire, verb: string): void {
  if (!open_statuses.includes(wire.status)) throw unexpected(wire, verb);
}

function unexpected(wire: SetupIntentWire, verb: string): ApiError {
  return refused(`You cannot ${verb} this SetupIntent because it has a status of ${wire.status}.`, {
    code: "setup_intent_unexpected_state",
    setup_intent: wire,
  });
}
