import type {
  Account,
  ChargeRecord,
  PaymentIntentRecord,
  PaymentIntentWire,
  PaymentMethodRecord,
} from "../account.js";
import { ApiError, badParameter, refused } from "../api/api-error.js";
import { noForcedOutcome, type ForcedOutcome } from "../faults/forced-outcome.js";
import { cardError, declineFields } from "./card-error.js";
import { captureCharge, failCharge, finishCharge, pendCharge } from "./charges.js";
import { declines, type Decline, type DeclineName } from "./decline.js";
import { openDispute } from "./disputes.js";
import { needsAuthentication } from "./authentication.js";
import { attach, checkOwner } from "./payment-methods.js";
import { exchangeFor } from "./settlement-exchange.js";

export interface Confirmation {
  readonly isOffSession: boolean;
  readonly returnUrl: string | undefined;
  readonly failsOnRequiredAction: boolean;
  readonly forced: ForcedOutcome;
}

const confirmable = new Set(["requires_payment_method", "requires_confirmation", "requires_action"]);

/** @throws ApiError 400 for an intent that is over, or in the hands of a bank */
export function checkConfirmable(wire: PaymentIntentWire): void {
  if (confirmable.has(wire.status)) return;
  const details = { code: "payment_intent_unexpected_state", payment_intent: wire };
  if (wire.status === "succeeded")
    throw refused(
      "You cannot confirm this PaymentIntent because it has already succeeded after being previously confirmed.",
      details,
    );
  throw refused(
    `You cannot confirm this PaymentIntent because it has a status of ${wire.status}. Only a PaymentIntent with one of the following statuses may be confirmed: requires_confirmation, requires_action.`,
    details,
  );
}

/**
 * Tries to take the money of an intent that can be confirmed: it becomes succeeded, processing, requires_action, or
 * requires_payment_method with an error.
 * @throws ApiError 402 when the card says no; the intent and a failed charge stay. 400 when something is missing
 */
export function confirm(account: Account, intent: PaymentIntentRecord, confirmation: Confirmation): void {
  const { wire } = intent;
  if (wire.payment_method === null)
    throw refused(
      "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the PaymentIntent with a payment method and then confirm it again, or confirm it again directly with a payment method.",
      { code: "payment_intent_unexpected_state", payment_intent: wire },
    );
  const method = account.paymentMethods.get(wire.payment_method, "payment_method");
  checkOwner(method, wire.customer);
  checkType(wire, method);
  checkReturnUrl(wire, method, confirmation);
  exchangeFor(account, wire.currency);
  intent.isOffSession = confirmation.isOffSession;
  intent.returnUrl = confirmation.returnUrl ?? intent.returnUrl;

  if (needsAuthentication(method, confirmation.isOffSession)) {
    if (confirmation.isOffSession) throw decline(account, intent, method, declines.authentication_required);
    if (confirmation.failsOnRequiredAction) throw refuseAction(account, intent, method);
    requireAction(account, intent);
    return;
  }
  charge(account, intent, method, confirmation.forced);
}

/**
 * What comes of the owner proving who they are, or failing to: the intent goes on from requires_action.
 * @throws ApiError 400 when there is nothing to authenticate
 */
export function authenticatePayment(
  account: Account,
  intent: PaymentIntentRecord,
  outcome: "pass" | "fail",
): void {
  const { wire } = intent;
  if (wire.status !== "requires_action" || wire.payment_method === null)
    throw refused(`This PaymentIntent's status is ${wire.status}; there is nothing to authenticate.`, {
      code: "payment_intent_unexpected_state",
      payment_intent: wire,
    });
  const method = account.paymentMethods.get(wire.payment_method, "payment_method");
  if (outcome === "fail") {
    setFailed(account, intent, method, {
      type: "card_error",
      code: "payment_intent_authentication_failure",
      message:
        "We are unable to authenticate your payment method. Please choose a different payment method and try again.",
    });
    return;
  }
  try {
    charge(account, intent, method, noForcedOutcome);
  } catch (error) {
    // The bank's page has no request to answer: the decline stands in the intent.
    if (!(error instanceof ApiError)) throw error;
  }
}

/**
 * The outcome of a payment that is processing.
 * @throws ApiError 400 when it is not
 */
export function finishProcessing(
  account: Account,
  intent: PaymentIntentRecord,
  outcome: "succeeds" | DeclineName,
): void {
  const { wire } = intent;
  if (wire.status !== "processing" || wire.payment_method === null || wire.latest_charge === null)
    throw refused(`This PaymentIntent's status is ${wire.status}; it is not processing.`, {
      code: "payment_intent_unexpected_state",
      payment_intent: wire,
    });
  const method = account.paymentMethods.get(wire.payment_method, "payment_method");
  const pending = account.charges.get(wire.latest_charge, "charge");
  wire.processing = null;
  if (outcome === "succeeds") {
    finishCharge(account, pending, undefined);
    succeed(account, intent, method, pending, noForcedOutcome);
    return;
  }
  const why = declines[outcome];
  finishCharge(account, pending, why);
  setFailed(account, intent, method, { ...declineFields(why), charge: pending.wire.id, type: "card_error" });
}

function charge(
  account: Account,
  intent: PaymentIntentRecord,
  method: PaymentMethodRecord,
  forced: ForcedOutcome,
): void {
  const { instrument } = method;
  if (forced.decline !== undefined) throw decline(account, intent, method, declines[forced.decline.decline]);
  if (forced.processing !== undefined || instrument.answers !== "at_once") {
    startProcessing(account, intent, method, forced);
    return;
  }
  if (instrument.decline !== undefined) throw decline(account, intent, method, declines[instrument.decline]);
  succeed(account, intent, method, captureCharge(account, intent.wire, method), forced);
}

/** The bank will say later, or somebody by hand. */
function startProcessing(
  account: Account,
  intent: PaymentIntentRecord,
  method: PaymentMethodRecord,
  { processing }: ForcedOutcome,
): void {
  const { wire } = intent;
  const { instrument } = method;
  wire.latest_charge = pendCharge(account, wire, method).wire.id;
  wire.last_payment_error = null;
  wire.next_action = null;
  wire.processing = instrument.type === "card" ? { type: "card", card: {} } : null;
  wire.status = "processing";
  touch(account, intent);
  account.events.emit("payment_intent.processing", wire);
  const isByHand =
    processing === undefined ? instrument.answers === "never" : processing.outcome === undefined;
  if (isByHand) return;
  const outcome = processing?.outcome ?? instrument.decline ?? "succeeds";
  const after_ms = processing?.after_ms ?? account.settings.delays.processing_ms;
  account.agenda.add(account.now_ms() + after_ms, () => {
    // By then somebody may have settled it by hand.
    if (wire.status === "processing") finishProcessing(account, intent, outcome);
  });
}

function succeed(
  account: Account,
  intent: PaymentIntentRecord,
  method: PaymentMethodRecord,
  made: ChargeRecord,
  forced: ForcedOutcome,
): void {
  const { wire } = intent;
  wire.latest_charge = made.wire.id;
  wire.amount_received = wire.amount;
  wire.last_payment_error = null;
  wire.next_action = null;
  wire.status = "succeeded";
  touch(account, intent);
  keepMethod(account, intent, method);
  account.events.emit("payment_intent.succeeded", wire);
  const dispute = forced.dispute ?? method.instrument.dispute;
  if (dispute === undefined) return;
  const after_ms = forced.dispute?.after_ms ?? account.settings.delays.dispute_ms;
  account.agenda.add(account.now_ms() + after_ms, () => {
    // What was refunded in full by then is not disputed any more.
    if (made.wire.amount_refunded < made.wire.amount) openDispute(account, made, dispute);
  });
}

/** A method that is to be used again is attached; any other without a customer is used up. */
function keepMethod(account: Account, intent: PaymentIntentRecord, method: PaymentMethodRecord): void {
  const { customer, setup_future_usage } = intent.wire;
  if (setup_future_usage === "off_session" && !intent.isOffSession) method.isSetUp = true;
  if (method.wire.customer !== null) return;
  const owner = customer === null ? undefined : account.customers.find(customer);
  if (setup_future_usage !== null && owner !== undefined) attach(account, method, owner);
  else method.isSpent = true;
}

/** Puts a decline into the intent and the books; the error is for the request's reply. */
function decline(
  account: Account,
  intent: PaymentIntentRecord,
  method: PaymentMethodRecord,
  why: Decline,
): ApiError {
  const { wire } = intent;
  const { wire: failed } = failCharge(account, wire, method, why);
  wire.latest_charge = failed.id;
  setFailed(account, intent, method, { ...declineFields(why), charge: failed.id, type: "card_error" });
  return cardError(why, { charge: failed.id, payment_intent: { ...wire }, payment_method: method.wire });
}

function setFailed(
  account: Account,
  intent: PaymentIntentRecord,
  method: PaymentMethodRecord,
  error: NonNullable<PaymentIntentWire["last_payment_error"]>,
): void {
  const { wire } = intent;
  wire.last_payment_error = { ...error, payment_method: { ...method.wire } };
  wire.next_action = null;
  wire.payment_method = null;
  wire.status = "requires_payment_method";
  touch(account, intent);
  account.events.emit("payment_intent.payment_failed", wire);
}

function refuseAction(account: Account, intent: PaymentIntentRecord, method: PaymentMethodRecord): ApiError {
  const why = { ...declines.authentication_required, declineCode: "authentication_not_handled" };
  setFailed(account, intent, method, { ...declineFields(why), type: "card_error" });
  return cardError(why, { payment_intent: { ...intent.wire }, payment_method: method.wire });
}

function requireAction(account: Account, intent: PaymentIntentRecord): void {
  const { wire } = intent;
  const url = `${account.pagesUrl}/_simulator/authenticate/${wire.id}`;
  wire.next_action =
    intent.returnUrl === undefined
      ? { type: "use_stripe_sdk", use_stripe_sdk: { type: "three_d_secure_redirect", stripe_js: url } }
      : { type: "redirect_to_url", redirect_to_url: { return_url: intent.returnUrl, url } };
  wire.status = "requires_action";
  touch(account, intent);
  account.events.emit("payment_intent.requires_action", wire);
}

function checkType(wire: PaymentIntentWire, method: PaymentMethodRecord): void {
  const { type } = method.instrument;
  if (!wire.payment_method_types.includes(type))
    throw badParameter(
      "payment_method",
      `The PaymentMethod provided (${type}) is not allowed for this PaymentIntent. Please attach a PaymentMethod of one of the following types: ${wire.payment_method_types.join(", ")}.`,
    );
}

/** A payment method that may send its owner away needs to know where to come back to. */
function checkReturnUrl(
  wire: PaymentIntentWire,
  method: PaymentMethodRecord,
  confirmation: Confirmation,
): void {
  const { automatic_payment_methods: automatic, allowed_payment_method_types: allowed } = wire;
  // None of the types that can be allowed by name sends anybody anywhere.
  if (automatic?.enabled !== true || automatic.allow_redirects === "never" || allowed !== null) return;
  if (confirmation.isOffSession || confirmation.returnUrl !== undefined || confirmation.failsOnRequiredAction)
    return;
  if (method.instrument.type !== "card") return;
  throw badParameter(
    "return_url",
    "This PaymentIntent is configured to accept payment methods enabled in your Dashboard. Because some of these payment methods might redirect your customer off of your page, you must provide a `return_url`. If you don't want to accept redirect-based payment methods, set `automatic_payment_methods[enabled]` to `true` and `automatic_payment_methods[allow_redirects]` to `never`.",
  );
}

/** Notes that an intent changed: searches find the change later. */
export function touch(account: Account, intent: PaymentIntentRecord): void {
  intent.searchable_ms = account.now_ms() + account.settings.delays.search_ms;
}
