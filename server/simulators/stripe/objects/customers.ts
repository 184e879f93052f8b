import type Stripe from "stripe";
import type { Account, CustomerWire } from "../account.js";
import { seconds } from "../unix-time.js";
import { badParameter } from "../api/api-error.js";
import { idOf, type Call, type Route } from "../api/call.js";
import type { Parameters } from "../api/parameters.js";
import { customerFor } from "./live-customer.js";
import { listPage } from "./page.js";
import { attach, paymentMethodFor } from "./payment-methods.js";

export const customerRoutes: readonly Route[] = [
  { method: "POST", path: "/v1/customers", operation: "customers.create", act: create },
  { method: "GET", path: "/v1/customers", operation: "customers.list", act: list },
  { method: "GET", path: "/v1/customers/:id", operation: "customers.retrieve", act: retrieve },
  { method: "POST", path: "/v1/customers/:id", operation: "customers.update", act: update },
  { method: "DELETE", path: "/v1/customers/:id", operation: "customers.delete", act: remove },
];

function create({ account, params }: Call): CustomerWire {
  const id = account.ids.next("cus");
  const wire: CustomerWire = {
    id,
    object: "customer",
    address: null,
    balance: 0,
    created: seconds(account.now_ms()),
    currency: null,
    customer_account: null,
    default_source: null,
    delinquent: false,
    description: null,
    discount: null,
    email: null,
    invoice_prefix: id.slice(-8).toUpperCase(),
    invoice_settings: {
      custom_fields: null,
      default_payment_method: null,
      footer: null,
      rendering_options: null,
    },
    livemode: false,
    metadata: {},
    name: null,
    next_invoice_sequence: 1,
    phone: null,
    preferred_locales: [],
    shipping: null,
    tax_exempt: "none",
    test_clock: null,
  };
  const method = params.text("payment_method");
  change(account, wire, params);
  const record = account.customers.add({ wire, isDeleted: false });
  account.events.emit("customer.created", wire);
  if (method !== undefined) attach(account, paymentMethodFor(account, method), record);
  return wire;
}

function retrieve(call: Call): CustomerWire | Stripe.DeletedCustomer {
  call.params.done();
  const { wire, isDeleted } = call.account.customers.get(idOf(call));
  return isDeleted ? { id: wire.id, object: "customer", deleted: true } : wire;
}

function list({ account, params }: Call): object {
  const email = params.text("email");
  return listPage({
    store: account.customers,
    url: "/v1/customers",
    params,
    matches: (customer) => !customer.isDeleted && (email === undefined || customer.wire.email === email),
  });
}

function update(call: Call): CustomerWire {
  const { wire } = customerFor(call.account, idOf(call), "id");
  change(call.account, wire, call.params);
  call.account.events.emit("customer.updated", wire);
  return wire;
}

/** A deleted customer keeps its id; its payment methods are detached. */
function remove(call: Call): Stripe.DeletedCustomer {
  call.params.done();
  const customer = customerFor(call.account, idOf(call), "id");
  customer.isDeleted = true;
  call.account.events.emit("customer.deleted", customer.wire);
  return { id: customer.wire.id, object: "customer", deleted: true };
}

function change(account: Account, wire: CustomerWire, params: Parameters): void {
  const texts = ["description", "email", "name", "phone"] as const;
  const given = texts.map((name) => [name, params.unsettableText(name)] as const);
  const address = readAddress(params);
  const settings = params.nested("invoice_settings");
  const method = settings?.unsettableText("default_payment_method");
  settings?.done();
  const metadata = params.metadata(wire.metadata);
  params.done();
  if (
    typeof method === "string" &&
    account.paymentMethods.get(method, "invoice_settings[default_payment_method]").wire.customer !== wire.id
  )
    throw badParameter(
      "invoice_settings[default_payment_method]",
      `The customer does not have a payment method with the ID ${method}. The payment method must be attached to the customer.`,
      "resource_missing",
    );
  for (const [name, value] of given) if (value !== undefined) wire[name] = value;
  if (address !== undefined) wire.address = address;
  if (method !== undefined)
    wire.invoice_settings = { ...wire.invoice_settings, default_payment_method: method };
  wire.metadata = metadata;
}

function readAddress(params: Parameters): Stripe.Address | undefined {
  const given = params.nested("address");
  if (given === undefined) return undefined;
  const part = (name: string): string | null => given.unsettableText(name) ?? null;
  const address: Stripe.Address = {
    city: part("city"),
    country: part("country"),
    line1: part("line1"),
    line2: part("line2"),
    postal_code: part("postal_code"),
    state: part("state"),
  };
  given.done();
  return address;
}
