import type { Account, CheckoutSessionRecord, CheckoutSessionWire } from "../account.js";
import { badParameter, refused } from "../api/api-error.js";
import { idOf, type Call, type Route } from "../api/call.js";
import { seconds } from "../unix-time.js";
import { readAllowedTypes } from "./allowed-types.js";
import { checkCurrency } from "./currency.js";
import { customerFor } from "./live-customer.js";
import { listPage } from "./page.js";
import { enterCard, type EnteredCard } from "./payment-methods.js";
import { addSetupIntent, authenticateSetup, confirmSetup } from "./setup-intents.js";

const path = "/v1/checkout/sessions";

export const checkoutSessionRoutes: readonly Route[] = [
  { method: "POST", path, operation: "checkout.sessions.create", act: create },
  { method: "GET", path, operation: "checkout.sessions.list", act: list },
  { method: "GET", path: `${path}/:id`, operation: "checkout.sessions.retrieve", act: retrieve },
  { method: "POST", path: `${path}/:id/expire`, operation: "checkout.sessions.expire", act: expire },
];

const open_ms_default = 24 * 60 * 60 * 1_000;
const open_ms_min = 30 * 60 * 1_000;

/**
 * What a person does on the hosted page: enters a card, which is set up and attached to the customer.
 * @returns whether the issuer wants to see its owner first, by `finishCheckout`
 * @throws ApiError 402 for a card that is refused, 400 for a session that is over
 */
export function enterCardInCheckout(
  account: Account,
  session: CheckoutSessionRecord,
  card: EnteredCard,
): "complete" | "requires_action" {
  checkOpen(session.wire);
  const setup = setupOf(account, session);
  confirmSetup(account, setup, enterCard(account, card));
  if (setup.wire.status === "requires_action") return "requires_action";
  complete(account, session);
  return "complete";
}

/** The owner proved who they are, or failed to. @throws ApiError 400 when nobody asked */
export function authenticateCheckout(
  account: Account,
  session: CheckoutSessionRecord,
  outcome: "pass" | "fail",
): void {
  checkOpen(session.wire);
  authenticateSetup(account, setupOf(account, session), outcome);
  if (outcome === "pass") complete(account, session);
}

function setupOf(account: Account, session: CheckoutSessionRecord): ReturnType<typeof addSetupIntent> {
  return account.setupIntents.get(session.wire.setup_intent ?? "", "setup_intent");
}

function complete(account: Account, { wire }: CheckoutSessionRecord): void {
  wire.status = "complete";
  wire.url = null;
  account.events.emit("checkout.session.completed", wire);
}

function create(call: Call): CheckoutSessionWire {
  const { account, params } = call;
  const mode = params.text("mode");
  if (mode !== "setup")
    throw badParameter(
      "mode",
      "The simulator has checkout sessions in the mode setup only: it takes cards, and no payments.",
    );
  const customer = params.text("customer");
  const currency = params.text("currency");
  const successUrl = params.url("success_url");
  const cancelUrl = params.url("cancel_url") ?? null;
  const reference = params.text("client_reference_id") ?? null;
  const email = params.text("customer_email") ?? null;
  const creation = params.choice("customer_creation", ["always", "if_required"]);
  const now_ms = account.now_ms();
  const expiresAt = params.integer("expires_at") ?? seconds(now_ms + open_ms_default);
  const allowed = readAllowedTypes(params, ["card"]);
  const setupData = params.nested("setup_intent_data");
  const setupMetadata = setupData?.metadata({}) ?? {};
  const setupDescription = setupData?.text("description") ?? null;
  setupData?.done();
  const metadata = params.metadata({});
  params.ignore("locale", "billing_address_collection", "ui_mode", "payment_method_options", "custom_text");
  params.done();
  if (successUrl === undefined)
    throw badParameter("success_url", "Missing required param: success_url.", "parameter_missing");
  if (currency === undefined && allowed === undefined)
    throw badParameter(
      "currency",
      "Missing required param: currency, or allowed_payment_method_types.",
      "parameter_missing",
    );
  if (expiresAt * 1_000 > now_ms + open_ms_default || (expiresAt + 1) * 1_000 <= now_ms + open_ms_min)
    throw badParameter(
      "expires_at",
      "The expires_at timestamp must be between 30 minutes and 24 hours from now.",
    );
  if (customer !== undefined) customerFor(account, customer);
  const setup = addSetupIntent(account, {
    customer: customer ?? null,
    metadata: setupMetadata,
    description: setupDescription,
  });

  const id = account.ids.next("cs_test");
  const wire: CheckoutSessionWire = {
    id,
    object: "checkout.session",
    adaptive_pricing: null,
    after_expiration: null,
    allow_promotion_codes: null,
    allowed_payment_method_types: allowed ?? null,
    amount_subtotal: null,
    amount_total: null,
    automatic_tax: { enabled: false, liability: null, provider: null, status: null },
    billing_address_collection: null,
    cancel_url: cancelUrl,
    client_reference_id: reference,
    client_secret: null,
    collected_information: null,
    consent: null,
    consent_collection: null,
    created: seconds(now_ms),
    currency: currency === undefined ? null : checkCurrency(currency),
    currency_conversion: null,
    custom_fields: [],
    custom_text: {
      after_submit: null,
      shipping_address: null,
      submit: null,
      terms_of_service_acceptance: null,
    },
    customer: customer ?? null,
    customer_account: null,
    customer_creation: creation ?? null,
    customer_details: null,
    customer_email: email,
    discounts: null,
    expires_at: expiresAt,
    integration_identifier: null,
    invoice: null,
    invoice_creation: null,
    livemode: false,
    locale: null,
    managed_payments: null,
    metadata,
    mode: "setup",
    origin_context: null,
    payment_intent: null,
    payment_link: null,
    payment_method_collection: "always",
    payment_method_configuration_details: null,
    payment_method_options: null,
    payment_method_types: ["card"],
    payment_status: "no_payment_required",
    permissions: null,
    phone_number_collection: { enabled: false },
    recovered_from: null,
    saved_payment_method_options: null,
    setup_intent: setup.wire.id,
    shipping_address_collection: null,
    shipping_cost: null,
    shipping_options: [],
    status: "open",
    submit_type: null,
    subscription: null,
    success_url: successUrl,
    total_details: null,
    ui_mode: "hosted_page",
    url: `${account.pagesUrl}/_simulator/checkout/${id}`,
    wallet_options: null,
  };
  const record = account.checkoutSessions.add({ wire });
  account.agenda.add(expiresAt * 1_000, () => {
    if (wire.status === "open") expireNow(account, record);
  });
  return wire;
}

function expire(call: Call): CheckoutSessionWire {
  call.params.done();
  const session = call.account.checkoutSessions.get(idOf(call));
  checkOpen(session.wire);
  expireNow(call.account, session);
  return session.wire;
}

function expireNow(account: Account, { wire }: CheckoutSessionRecord): void {
  wire.status = "expired";
  wire.url = null;
  account.events.emit("checkout.session.expired", wire);
}

function retrieve(call: Call): CheckoutSessionWire {
  call.params.done();
  return call.account.checkoutSessions.get(idOf(call)).wire;
}

function list({ account, params }: Call): object {
  const customer = params.text("customer");
  const status = params.text("status");
  return listPage({
    store: account.checkoutSessions,
    url: path,
    params,
    matches: ({ wire }) =>
      (customer === undefined || wire.customer === customer) &&
      (status === undefined || wire.status === status),
  });
}

function checkOpen(wire: CheckoutSessionWire): void {
  if (wire.status !== "open")
    throw refused(
      `This Checkout Session's status is ${wire.status}; only an open one can be used or expired.`,
    );
}
