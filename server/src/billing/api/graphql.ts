import { builder, requireSecretKey } from "../../graphql/builder.js";
import { makeProblem, Refusal } from "../../kernel/problem.js";
import { forwardConnection } from "../../graphql/forward-connection.js";
import type { Invoice } from "../invoicing/index.js";
import "./credit-note-mutations.js";
import "./backtest-queries.js";
import "./customer-mutations.js";
import "./customer-types.js";
import "./explanation-types.js";
import "./invoice-types.js";
import "./line-types.js";
import "./subscription-mutations.js";
import "./subscription-types.js";
import { customerFilter } from "./customer-field.js";
import {
  CreditNoteType,
  CustomerType,
  InvoicePreviewType,
  InvoiceType,
  LineExplanationType,
  SubscriptionType,
} from "./references.js";

function readStatus(text: string): Invoice["status"] {
  if (text === "draft" || text === "finalized" || text === "voided") return text;
  const detail = `"${text.slice(0, 32)}" is no status: draft, finalized or voided.`;
  throw new Refusal(makeProblem("invalid-status", 400, "No such status", detail));
}

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
      const filter = await customerFilter({ caller, services }, customer);
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
    description:
      "Invoices, newest first; those that a customer, named by id or key, pays or has a subscription on.",
    args: {
      customer: t.arg.string(),
      status: t.arg.string({ description: "draft, finalized or voided" }),
    },
    resolve: async (_root, { customer, status, ...args }, { caller, services }) => {
      const filter = {
        ...(await customerFilter({ caller, services }, customer)),
        ...(status == null ? {} : { status: readStatus(status) }),
      };
      return forwardConnection(args, (page) =>
        services.billing.invoices.list(caller.organization, { ...page, ...filter }),
      );
    },
  }),
  invoice: t.field({
    type: InvoiceType,
    nullable: true,
    args: { id: t.arg.id({ required: true, description: "Its id or number." }) },
    resolve: async (_root, { id }, { caller, services }) =>
      (await services.billing.invoices.find(caller.organization, id)) ?? null,
  }),
  creditNote: t.field({
    type: CreditNoteType,
    nullable: true,
    args: { idOrNumber: t.arg.id({ required: true }) },
    resolve: async (_root, { idOrNumber }, { caller, services }) =>
      (await services.billing.creditNotes.find(caller.organization, idOrNumber)) ?? null,
  }),
  creditNotes: t.connection({
    type: CreditNoteType,
    description: "Credit notes, oldest first; of one invoice when named by id or number.",
    args: { invoice: t.arg.id() },
    resolve: (_root, { invoice, ...args }, { caller, services }) =>
      forwardConnection(args, (page) =>
        services.billing.creditNotes.list(caller.organization, {
          ...page,
          ...(invoice == null ? {} : { invoice }),
        }),
      ),
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
  finalizeInvoice: t.field({
    type: InvoiceType,
    description:
      "Computes a draft a last time and makes it final: numbered, posted to the ledger, drawn from credits and balance, all or nothing.",
    errors: {},
    args: { id: t.arg.id({ required: true }) },
    resolve: (_root, { id }, context) => {
      requireSecretKey(context);
      return context.services.billing.invoices.finalize(context.caller, id, context.idempotencyKey);
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

export { customerFilter, customerOf } from "./customer-field.js";
export {
  CreditNoteType,
  CustomerType,
  InvoiceType,
  LineExplanationType,
  MoneyType,
  PeriodType,
} from "./references.js";
