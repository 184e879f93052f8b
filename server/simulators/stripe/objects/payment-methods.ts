import { createHash } from "node:crypto";
import type { Account, CustomerRecord, PaymentMethodRecord, PaymentMethodWire } from "../account.js";
import { seconds } from "../unix-time.js";
import { ApiError, badParameter, missing, refused } from "../api/api-error.js";
import { idOf, type Call, type Route } from "../api/call.js";
import { customerFor } from "./live-customer.js";
import { cardError } from "./card-error.js";
import { declines } from "./decline.js";
import { listPage } from "./page.js";
import { instrumentOfName, cardOfNumber, type TestInstrument } from "./test-instrument.js";

export const paymentMethodRoutes: readonly Route[] = [
  { method: "POST", path: "/v1/payment_methods", operation: "payment_methods.create", act: refuseNumbers },
  { method: "GET", path: "/v1/payment_methods", operation: "payment_methods.list", act: list },
  { method: "GET", path: "/v1/payment_methods/:id", operation: "payment_methods.retrieve", act: retrieve },
  { method: "POST", path: "/v1/payment_methods/:id", operation: "payment_methods.update", act: update },
  {
    method: "POST",
    path: "/v1/payment_methods/:id/attach",
    operation: "payment_methods.attach",
    act: attachTo,
  },
  {
    method: "POST",
    path: "/v1/payment_methods/:id/detach",
    operation: "payment_methods.detach",
    act: detach,
  },
  {
    method: "GET",
    path: "/v1/customers/:id/payment_methods",
    operation: "customers.list_payment_methods",
    act: listOfCustomer,
  },
  {
    method: "GET",
    path: "/v1/customers/:id/payment_methods/:id",
    operation: "customers.retrieve_payment_method",
    act: retrieveOfCustomer,
  },
];

/** A card as a person enters it. */
export interface EnteredCard {
  readonly number: string;
  readonly exp_month?: number;
  readonly exp_year?: number;
  readonly cvc?: string;
  readonly name?: string;
}

const years_valid_default = 5;
/** The one card that can be attached and is declined when it is charged, on Stripe. */
const declines_when_charged = "4000000000000341";

/**
 * A payment method for a card number, which Stripe takes from its own pages only.
 * @throws ApiError 402 for a number that no card has, a date in the past, a code of the wrong length; 400 for a number that may be real
 */
export function enterCard(account: Account, entered: EnteredCard): PaymentMethodRecord {
  const card = cardOfNumber(entered.number);
  if (card === "no_test_card")
    throw refused("The simulator takes Stripe's test cards only, never the number of a real card.");
  if (card === "incorrect_number")
    throw wrongCard("incorrect_number", "number", "Your card number is incorrect.");
  const now = new Date(account.now_ms());
  const month = entered.exp_month ?? 12;
  const year = entered.exp_year ?? now.getUTCFullYear() + years_valid_default;
  if (!Number.isInteger(month) || month < 1 || month > 12)
    throw wrongCard("invalid_expiry_month", "exp_month", "Your card's expiration month is invalid.");
  if (!Number.isInteger(year) || year * 12 + month < now.getUTCFullYear() * 12 + now.getUTCMonth() + 1)
    throw wrongCard("invalid_expiry_year", "exp_year", "Your card's expiration year is invalid.");
  const cvc_length = card.brand === "amex" ? 4 : 3;
  if (entered.cvc !== undefined && !new RegExp(`^\\d{${cvc_length}}$`).test(entered.cvc))
    throw wrongCard("invalid_cvc", "cvc", "Your card's security code is invalid.");
  return addCard(account, card, { month, year, name: entered.name ?? null });
}

/**
 * The payment method of an id; a name such as "pm_card_visa" makes a new one, as on Stripe.
 * @throws ApiError 404 or 400
 */
export function paymentMethodFor(
  account: Account,
  id: string,
  param = "payment_method",
): PaymentMethodRecord {
  const instrument = instrumentOfName(id);
  if (instrument === undefined) return account.paymentMethods.get(id, param);
  if (instrument.type === "us_bank_account") return addBankAccount(account, instrument);
  const year = new Date(account.now_ms()).getUTCFullYear() + years_valid_default;
  return addCard(account, instrument, { month: 12, year, name: null });
}

/** @throws ApiError 400 for one that is another's or was used up; 402 for a card that declines, when that is set so */
export function attach(account: Account, method: PaymentMethodRecord, customer: CustomerRecord): void {
  const { wire } = method;
  if (wire.customer === customer.wire.id) return;
  if (wire.customer !== null)
    throw refused("The payment method you provided has already been attached to a customer.");
  if (method.isSpent)
    throw refused(
      "This PaymentMethod was previously used without being attached to a Customer or was detached from a Customer, and may not be used again.",
    );
  checkKept(account, method.instrument);
  wire.customer = customer.wire.id;
  account.events.emit("payment_method.attached", wire);
}

/** @throws ApiError 402 for a card that its issuer would decline, when that is to show at once */
export function checkKept(account: Account, instrument: TestInstrument): void {
  const { type, decline, number } = instrument;
  if (!account.settings.declinesOnAttach || type !== "card" || decline === undefined) return;
  if (number !== declines_when_charged) throw cardError(declines[decline], {});
}

function addCard(
  account: Account,
  instrument: TestInstrument,
  entered: { readonly month: number; readonly year: number; readonly name: string | null },
): PaymentMethodRecord {
  const { brand, country, funding } = instrument;
  return addMethod(account, instrument, entered.name, {
    type: "card",
    card: {
      brand,
      checks: { address_line1_check: null, address_postal_code_check: null, cvc_check: "unchecked" },
      country,
      display_brand: brand,
      exp_month: entered.month,
      exp_year: entered.year,
      fingerprint: fingerprintOf(instrument),
      funding,
      generated_from: null,
      last4: instrument.number.slice(-4),
      networks: { available: [brand], preferred: null },
      regulated_status: "unregulated",
      three_d_secure_usage: { supported: true },
      wallet: null,
    },
  });
}

function addBankAccount(account: Account, instrument: TestInstrument): PaymentMethodRecord {
  return addMethod(account, instrument, "Jenny Rosen", {
    type: "us_bank_account",
    us_bank_account: {
      account_holder_type: "individual",
      account_type: "checking",
      bank_name: instrument.brand,
      financial_connections_account: null,
      fingerprint: fingerprintOf(instrument),
      last4: instrument.number.slice(-4),
      networks: { preferred: "ach", supported: ["ach"] },
      routing_number: "110000000",
      status_details: null,
    },
  });
}

function addMethod(
  account: Account,
  instrument: TestInstrument,
  name: string | null,
  kind: Pick<PaymentMethodWire, "type" | "card" | "us_bank_account">,
): PaymentMethodRecord {
  const wire: PaymentMethodWire = {
    id: account.ids.next("pm"),
    object: "payment_method",
    allow_redisplay: "unspecified",
    billing_details: { address: null, email: null, name, phone: null, tax_id: null },
    created: seconds(account.now_ms()),
    customer: null,
    customer_account: null,
    livemode: false,
    metadata: {},
    ...kind,
  };
  return account.paymentMethods.add({ wire, instrument, isSetUp: false, isSpent: false });
}

/** The same for the same number, as on Stripe, and no number. */
export function fingerprintOf({ type, number }: TestInstrument): string {
  return createHash("sha256").update(`${type} ${number}`).digest("hex").slice(0, 16);
}

function refuseNumbers(): never {
  throw refused(
    "Sending credit card numbers directly to the Stripe API is generally unsafe. Use a test payment method such as pm_card_visa, the simulator's hosted page, or POST /_simulator/payment_methods.",
    {},
    402,
  );
}

function retrieve(call: Call): PaymentMethodWire {
  call.params.done();
  // On Stripe a name such as "pm_card_visa" gives a new one here too. Reading makes nothing in the simulator.
  return call.account.paymentMethods.get(idOf(call)).wire;
}

function retrieveOfCustomer(call: Call): PaymentMethodWire {
  call.params.done();
  const customer = customerFor(call.account, idOf(call), "customer");
  const { wire } = call.account.paymentMethods.get(idOf(call, 1));
  if (wire.customer !== customer.wire.id) throw missing("PaymentMethod", wire.id, "id", false);
  return wire;
}

function list({ account, params }: Call): object {
  const customer = params.text("customer");
  const type = params.text("type");
  if (customer !== undefined) customerFor(account, customer);
  return listPage({
    store: account.paymentMethods,
    url: "/v1/payment_methods",
    params,
    // Without a customer the list is empty, as on Stripe.
    matches: ({ wire }) =>
      customer !== undefined && wire.customer === customer && (type === undefined || wire.type === type),
  });
}

function listOfCustomer(call: Call): object {
  const customer = customerFor(call.account, idOf(call), "id").wire.id;
  const type = call.params.text("type");
  return listPage({
    store: call.account.paymentMethods,
    url: `/v1/customers/${customer}/payment_methods`,
    params: call.params,
    matches: ({ wire }) => wire.customer === customer && (type === undefined || wire.type === type),
  });
}

function update(call: Call): PaymentMethodWire {
  const { account, params } = call;
  const { wire } = account.paymentMethods.get(idOf(call));
  const details = params.nested("billing_details");
  const changed = { ...wire.billing_details };
  for (const name of ["email", "name", "phone"] as const) {
    const value = details?.unsettableText(name);
    if (value !== undefined) changed[name] = value;
  }
  details?.ignore("address");
  details?.done();
  const metadata = params.metadata(wire.metadata ?? {});
  params.done();
  if (wire.customer === null)
    throw refused("You must save this PaymentMethod to a customer before you can update it.");
  wire.billing_details = changed;
  wire.metadata = metadata;
  account.events.emit("payment_method.updated", wire);
  return wire;
}

function attachTo(call: Call): PaymentMethodWire {
  const { account, params } = call;
  const id = params.requiredText("customer");
  params.done();
  const customer = customerFor(account, id);
  const method = paymentMethodFor(account, idOf(call), "id");
  attach(account, method, customer);
  return method.wire;
}

function detach(call: Call): PaymentMethodWire {
  const { account, params } = call;
  params.done();
  const method = account.paymentMethods.get(idOf(call));
  const { wire } = method;
  if (wire.customer === null)
    throw refused(
      "The payment method you provided is not attached to a customer so detachment is impossible.",
    );
  const customer = account.customers.find(wire.customer);
  if (customer?.wire.invoice_settings.default_payment_method === wire.id)
    customer.wire.invoice_settings = { ...customer.wire.invoice_settings, default_payment_method: null };
  const previous = { customer: wire.customer };
  wire.customer = null;
  method.isSpent = true;
  account.events.emit("payment_method.detached", wire, previous);
  return wire;
}

function wrongCard(code: string, param: string, message: string): ApiError {
  return new ApiError(402, { type: "card_error", code, param, message }, { isStored: true });
}

/** @throws ApiError 400 when a payment method belongs to another than the customer of a payment */
export function checkOwner(method: PaymentMethodRecord, customer: string | null): void {
  const owner = method.wire.customer;
  if (owner !== null && customer === null)
    throw badParameter(
      "payment_method",
      `The PaymentMethod ${method.wire.id} belongs to the Customer ${owner}. Please include the Customer in the \`customer\` parameter on the PaymentIntent.`,
    );
  if (owner !== null && owner !== customer)
    throw badParameter(
      "payment_method",
      `The PaymentMethod ${method.wire.id} does not belong to the Customer ${customer} you supplied in the request.`,
    );
  if (owner === null && method.isSpent)
    throw refused(
      "The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment, or was detached from a Customer. It may not be used again.",
    );
}
