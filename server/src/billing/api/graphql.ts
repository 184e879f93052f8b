import { builder, requireSecretKey } from "../../graphql/builder.js";
import { forwardConnection } from "../../graphql/forward-connection.js";
import type { Invoice } from "../invoice.js";
import "./customer-types.js";
import "./explanation-types.js";
import "./invoice-types.js";
import {
  CustomerType,
  InvoicePreviewType,
  InvoiceType,
  LineExplanationType,
  SubscriptionType,
} from "./references.js";

builder.queryFields((t) => ({
  customers: t.connection({
    type: CustomerType,
    description: "Customers, oldest first. Pages go forward only: first, after.",
    resolve: (_root, args, { caller, services }) =>
      forwardConnection(args, (page) => services.billing.customers.list(caller.organization, page)),
  }),
  customer: t.field({
    type: CustomerType,
    nullable: true,
    args: { idOrKey: t.arg.string({ required: true }) },
    resolve: async (_root, { idOrKey }, { caller, services }) =>
      (await services.billing.customers.find(caller.organization, idOrKey)) ?? null,
  }),
  subscriptions: t.connection({
    type: SubscriptionType,
    description: "Subscriptions, oldest first; of one customer when named by id or key.",
    args: { customer: t.arg.string() },
    resolve: async (_root, { customer, ...args }, { caller, services }) => {
      const filter =
        customer == null
          ? {}
          : { customer: (await services.billing.customers.get(caller.organization, customer)).id };
      return forwardConnection(args, (page) =>
        services.billing.subscriptions.list(caller.organization, { ...page, ...filter }),
      );
    },
  }),
  subscription: t.field({
    type: SubscriptionType,
    nullable: true,
    args: { id: t.arg.id({ required: true }) },
    resolve: async (_root, { id }, { caller, services }) =>
      (await services.billing.subscriptions.find(caller.organization, id)) ?? null,
  }),
  invoices: t.connection({
    type: InvoiceType,
    description: "Invoices, newest first; of one customer when named by id or key.",
    args: { customer: t.arg.string() },
    resolve: async (_root, { customer, ...args }, { caller, services }) => {
      const filter =
        customer == null
          ? {}
          : { customer: (await services.billing.customers.get(caller.organization, customer)).id };
      return forwardConnection(args, (page) =>
        services.billing.invoices.list(caller.organization, { ...page, ...filter }),
      );
    },
  }),
  invoice: t.field({
    type: InvoiceType,
    nullable: true,
    args: { id: t.arg.id({ required: true }) },
    resolve: async (_root, { id }, { caller, services }) =>
      (await services.billing.invoices.find(caller.organization, id)) ?? null,
  }),
  invoicePreview: t.field({
    type: InvoicePreviewType,
    description: "What the period that holds an instant (now when left out) costs by the usage known now.",
    complexity: 50,
    args: { subscription: t.arg.id({ required: true }), at: t.arg({ type: "Instant" }) },
    resolve: (_root, { subscription, at }, { caller, services }) =>
      services.billing.invoices.preview(caller.organization, subscription, at ?? undefined),
  }),
  lineExplanation: t.field({
    type: LineExplanationType,
    description: "Why a line of a stored invoice costs what it costs.",
    complexity: 50,
    args: { invoice: t.arg.id({ required: true }), line: t.arg.id({ required: true }) },
    resolve: (_root, { invoice, line }, { caller, services }) =>
      services.billing.explanations.ofLine(caller.organization, invoice, line),
  }),
  previewExplanation: t.field({
    type: LineExplanationType,
    description:
      "Why a price costs what it costs so far, in the period that holds an instant (now when left out); without an invoice.",
    complexity: 50,
    args: {
      subscription: t.arg.id({ required: true }),
      price: t.arg.string({ required: true, description: "The price's key or id." }),
      at: t.arg({ type: "Instant" }),
    },
    resolve: (_root, { at, ...input }, { caller, services }) =>
      services.billing.explanations.ofPreview(caller.organization, {
        ...input,
        ...(at == null ? {} : { at }),
      }),
  }),
}));

const CreatedInvoice = builder.objectRef<{ invoice: Invoice; created: boolean }>("CreatedInvoice").implement({
  fields: (t) => ({
    invoice: t.field({ type: InvoiceType, resolve: (result) => result.invoice }),
    created: t.exposeBoolean("created", {
      description: "False when the period had its invoice already; it is as it was.",
    }),
  }),
});

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
    },
    resolve: (_root, { currency, email, ...input }, context) => {
      requireSecretKey(context);
      const optional = { ...(currency == null ? {} : { currency }), ...(email == null ? {} : { email }) };
      return context.services.billing.customers.create(
        context.caller,
        { ...input, ...optional },
        context.idempotencyKey,
      );
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
      from: t.arg({ type: "Instant", description: "From the beginning of time when left out." }),
      to: t.arg({ type: "Instant" }),
    },
    resolve: (_root, { from, to, ...input }, context) => {
      requireSecretKey(context);
      const bounds = { ...(from == null ? {} : { from }), ...(to == null ? {} : { to }) };
      return context.services.billing.customers.assignSubject(
        context.caller,
        { ...input, ...bounds },
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
    resolve: (_root, { at, ...input }, context) => {
      requireSecretKey(context);
      const bound = at == null ? {} : { at };
      return context.services.billing.customers.endSubject(
        context.caller,
        { ...input, ...bound },
        context.idempotencyKey,
      );
    },
  }),
  createSubscription: t.field({
    type: SubscriptionType,
    description: "Puts a customer on a plan from the beginning of a day in the customer's zone.",
    errors: {},
    args: {
      customer: t.arg.string({ required: true, description: "Id or key." }),
      plan: t.arg.string({
        required: true,
        description: "A plan's id or key for its current version, or a plan version's id.",
      }),
      start: t.arg({ type: "Instant", description: "Any instant of the first day; today when left out." }),
      anchorDay: t.arg.int({
        description: "Day of the month that periods begin on, 1 to 31; 1 when left out.",
      }),
    },
    resolve: (_root, { start, anchorDay, ...input }, context) => {
      requireSecretKey(context);
      const optional = { ...(start == null ? {} : { start }), ...(anchorDay == null ? {} : { anchorDay }) };
      return context.services.billing.subscriptions.create(
        context.caller,
        { ...input, ...optional },
        context.idempotencyKey,
      );
    },
  }),
  createInvoice: t.field({
    type: CreatedInvoice,
    description:
      "Stores the draft of the period that holds an instant (now when left out); there is one per period.",
    errors: {},
    args: { subscription: t.arg.id({ required: true }), at: t.arg({ type: "Instant" }) },
    resolve: (_root, { subscription, at }, context) => {
      requireSecretKey(context);
      const input = { subscription, ...(at == null ? {} : { at }) };
      return context.services.billing.invoices.create(context.caller, input, context.idempotencyKey);
    },
  }),
  refreshInvoice: t.field({
    type: InvoiceType,
    description: "Computes a draft anew from the usage known now.",
    errors: {},
    args: { id: t.arg.id({ required: true }) },
    resolve: (_root, { id }, context) => {
      requireSecretKey(context);
      return context.services.billing.invoices.refresh(context.caller, id, context.idempotencyKey);
    },
  }),
}));

export { CustomerType, InvoiceType, MoneyType, PeriodType } from "./references.js";
