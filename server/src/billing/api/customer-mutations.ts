import { builder, requireSecretKey } from "../../graphql/builder.js";
import type { BillingAddress, TaxExemption } from "../customer.js";
import type { Erased } from "../erase-customer.js";
import { TaxExemptionType } from "../../tax/api/graphql.js";
import { CustomerType } from "./references.js";

const BillingAddressInput = builder.inputType("BillingAddressInput", {
  fields: (t) => ({
    line1: t.string(),
    line2: t.string(),
    city: t.string(),
    postalCode: t.string(),
    region: t.string(),
    country: t.string({ description: "ISO 3166: NZ." }),
  }),
});

const ErasedCustomer = builder.objectRef<Erased>("ErasedCustomer").implement({
  fields: (t) => ({
    customer: t.field({ type: CustomerType, resolve: (erased) => erased.customer }),
    subjectsErased: t.exposeInt("subjectsErased"),
    subjectsKept: t.exposeStringList("subjectsKept", {
      description: "Subjects that stay, being the keys that usage is found by.",
    }),
  }),
});

/** Members that are there; GraphQL's null is left out. */
function given<T extends object>(fields: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined && value !== null),
  ) as { [K in keyof T]?: NonNullable<T[K]> };
}

/** GraphQL's null, as an address may have it. */
type AddressFields = { readonly [K in keyof BillingAddress]: BillingAddress[K] | null };

function addressOf(input: AddressFields): BillingAddress {
  return given(input) as BillingAddress;
}

builder.mutationFields((t) => ({
  createCustomer: t.field({
    type: CustomerType,
    errors: {},
    args: {
      key: t.arg.string({ required: true }),
      name: t.arg.string({ required: true }),
      timeZone: t.arg.string({ required: true, description: 'An IANA name such as "Pacific/Auckland".' }),
      currency: t.arg.string({ description: "The only currency it is billed in; any when left out." }),
      email: t.arg.string(),
      address: t.arg({ type: BillingAddressInput }),
      taxId: t.arg.string(),
      taxExempt: t.arg({ type: TaxExemptionType }),
      paymentTermsDays: t.arg.int({ description: "0 to 365; 30 when left out." }),
      locale: t.arg.string({ description: 'A language tag such as "de-AT".' }),
      electronicAddress: t.arg.string({
        description: 'Where its e-invoices go, with the scheme of the code list EAS: "0204:991-01234-56".',
      }),
      registrationNumber: t.arg.string({
        description: "In a register of companies; with a scheme of ISO 6523: 0106:12345678.",
      }),
      buyerReference: t.arg.string({
        description: "What it wants named on its invoices: a Leitweg-ID, a cost centre, an order.",
      }),
      payer: t.arg.string({ description: "Id or key of another customer who pays its invoices." }),
    },
    resolve: (_root, { key, name, timeZone, address, ...optional }, context) => {
      requireSecretKey(context);
      const input = {
        key,
        name,
        timeZone,
        ...given(optional),
        ...(address == null ? {} : { address: addressOf(address) }),
      };
      return context.services.billing.customers.create(context.caller, input, context.idempotencyKey);
    },
  }),
  updateCustomer: t.field({
    type: CustomerType,
    description:
      "Changes what is given; null takes away, what is left out stays. Another time zone or payer applies from each subscription's next period.",
    errors: {},
    args: {
      customer: t.arg.string({ required: true, description: "Id or key." }),
      name: t.arg.string(),
      timeZone: t.arg.string(),
      currency: t.arg.string(),
      email: t.arg.string(),
      address: t.arg({ type: BillingAddressInput, description: "Replaces the whole address." }),
      taxId: t.arg.string(),
      taxExempt: t.arg({ type: TaxExemptionType }),
      paymentTermsDays: t.arg.int(),
      locale: t.arg.string(),
      electronicAddress: t.arg.string(),
      registrationNumber: t.arg.string(),
      buyerReference: t.arg.string(),
      payer: t.arg.string({ description: "Id or key; null when it is to pay for itself again." }),
    },
    resolve: (_root, args, context) => {
      requireSecretKey(context);
      return context.services.billing.customers.update(
        context.caller,
        updateOf(args),
        context.idempotencyKey,
      );
    },
  }),
  eraseCustomer: t.field({
    type: ErasedCustomer,
    description:
      "Replaces a customer's personal data, for good: key, name, e-mail, address, tax id and locale. Invoices go on under its id.",
    errors: {},
    args: {
      customer: t.arg.string({ required: true, description: "Id or key." }),
      confirm: t.arg.string({ required: true, description: "The customer's key, once more." }),
      subjects: t.arg.stringList({
        description:
          "Those of its subjects that are personal themselves; only once nothing under them is to be billed any more.",
      }),
    },
    resolve: (_root, { customer, confirm, subjects }, context) => {
      requireSecretKey(context);
      const input = { customer, confirm, ...given({ subjects }) };
      return context.services.billing.customers.erase(context.caller, input, context.idempotencyKey);
    },
  }),
  assignSubject: t.field({
    type: CustomerType,
    description:
      "Makes a subject the customer's, within [from, to) when given. Two customers never own it at one instant.",
    errors: {},
    args: {
      customer: t.arg.string({ required: true, description: "Id or key." }),
      subject: t.arg.string({ required: true }),
      from: t.arg({
        type: "Instant",
        description: "From the beginning of time, or of what is not invoiced, when left out.",
      }),
      to: t.arg({ type: "Instant" }),
    },
    resolve: (_root, { customer, subject, ...bounds }, context) => {
      requireSecretKey(context);
      return context.services.billing.customers.assignSubject(
        context.caller,
        { customer, subject, ...given(bounds) },
        context.idempotencyKey,
      );
    },
  }),
  endSubject: t.field({
    type: CustomerType,
    description:
      "Ends the customer's assignment of a subject at an instant (now when left out); at its beginning, it is removed.",
    errors: {},
    args: {
      customer: t.arg.string({ required: true, description: "Id or key." }),
      subject: t.arg.string({ required: true }),
      at: t.arg({ type: "Instant" }),
    },
    resolve: (_root, { customer, subject, at }, context) => {
      requireSecretKey(context);
      return context.services.billing.customers.endSubject(
        context.caller,
        { customer, subject, ...given({ at }) },
        context.idempotencyKey,
      );
    },
  }),
  reassignSubject: t.field({
    type: CustomerType,
    description: "Makes a subject another customer's from an instant on (now when left out).",
    errors: {},
    args: {
      customer: t.arg.string({ required: true, description: "Who gets it: id or key." }),
      subject: t.arg.string({ required: true }),
      at: t.arg({ type: "Instant" }),
    },
    resolve: (_root, { customer, subject, at }, context) => {
      requireSecretKey(context);
      return context.services.billing.customers.reassignSubject(
        context.caller,
        { customer, subject, ...given({ at }) },
        context.idempotencyKey,
      );
    },
  }),
}));

interface UpdateArguments {
  readonly customer: string;
  readonly name?: string | null | undefined;
  readonly timeZone?: string | null | undefined;
  readonly taxExempt?: TaxExemption | null | undefined;
  readonly paymentTermsDays?: number | null | undefined;
  readonly currency?: string | null | undefined;
  readonly email?: string | null | undefined;
  readonly address?: AddressFields | null | undefined;
  readonly taxId?: string | null | undefined;
  readonly locale?: string | null | undefined;
  readonly electronicAddress?: string | null | undefined;
  readonly registrationNumber?: string | null | undefined;
  readonly buyerReference?: string | null | undefined;
  readonly payer?: string | null | undefined;
}

/** Null takes away what may be without; of what may not, it says as little as leaving it out. */
function updateOf(args: UpdateArguments) {
  const { customer, name, timeZone, taxExempt, paymentTermsDays, address, ...clearable } = args;
  const changes = Object.fromEntries(Object.entries(clearable).filter(([, value]) => value !== undefined));
  return {
    customer,
    ...given({ name, timeZone, taxExempt, paymentTermsDays }),
    ...(changes as { [K in keyof typeof clearable]?: string | null }),
    ...(address === undefined ? {} : { address: address === null ? null : addressOf(address) }),
  };
}
