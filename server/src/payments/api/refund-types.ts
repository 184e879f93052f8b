import { CreditNoteType, InvoiceType, MoneyType } from "../../billing/api/graphql.js";
import { builder, requireSecretKey } from "../../graphql/builder.js";
import { forwardConnection } from "../../graphql/forward-connection.js";
import { PostingType } from "../../ledger/api/graphql.js";
import { refund_sources, refund_states } from "../core/index.js";
import { readAmount } from "./amount-input.js";
import type { Payee } from "../provider.js";
import { given } from "./given.js";
import { postingsComplexity, postingsOf } from "./ledger-postings.js";
import { mustFindPayment } from "./payment-types.js";
import { PaymentType, RefundType } from "./references.js";

const RefundSourceEnum = builder.enumType("RefundSource", {
  description:
    "balance: off the customer's balance, as after a credit note. goodwill: out of your own pocket. invoice: back onto the invoice, which is owed again. prepaid: off the credit that a top-up bought, as far as it is left.",
  values: refund_sources,
});

const RefundStateEnum = builder.enumType("RefundState", {
  description: "One that succeeded may fail days later: then the money is back.",
  values: refund_states,
});

const RefundPayeeType = builder.objectRef<Payee>("RefundPayee").implement({
  fields: (t) => ({
    name: t.exposeString("name"),
    iban: t.string({
      description: "But for its last four characters masked.",
      resolve: ({ iban }) => maskedIban(iban),
    }),
  }),
});

const RefundPayeeInput = builder.inputType("RefundPayeeInput", {
  fields: (t) => ({ name: t.string({ required: true }), iban: t.string({ required: true }) }),
});

function maskedIban(iban: string): string {
  return `${iban.slice(0, 2)}${"*".repeat(iban.length - 6)}${iban.slice(-4)}`;
}

RefundType.implement({
  description: "Money of a payment that goes back. Posted when it is made; posted back when it failed.",
  fields: (t) => ({
    id: t.exposeID("id"),
    payment: t.field({
      type: PaymentType,
      complexity: 5,
      resolve: ({ payment }, _args, context) => mustFindPayment(context, payment),
    }),
    paymentId: t.exposeID("payment"),
    source: t.field({ type: RefundSourceEnum, resolve: ({ source }) => source }),
    invoice: t.field({
      type: InvoiceType,
      nullable: true,
      complexity: 5,
      description: "That is owed again.",
      resolve: ({ invoice }, _args, { caller, services }) =>
        invoice === undefined ? null : services.billing.invoices.get(caller.organization, invoice),
    }),
    creditNote: t.field({
      type: CreditNoteType,
      nullable: true,
      complexity: 5,
      resolve: ({ creditNote }, _args, { caller, services }) =>
        creditNote === undefined ? null : services.billing.creditNotes.get(caller.organization, creditNote),
    }),
    amount: t.field({ type: MoneyType, resolve: ({ currency, amount }) => ({ currency, minor: amount }) }),
    toBalance: t.field({
      type: MoneyType,
      description:
        "Of one that failed: what its invoice, paid otherwise or void by then, does not need any more, and is the customer's balance.",
      resolve: ({ currency, toBalance }) => ({ currency, minor: toBalance }),
    }),
    reason: t.exposeString("reason"),
    state: t.field({ type: RefundStateEnum, resolve: ({ state }) => state }),
    providerRef: t.string({ nullable: true, resolve: ({ ref }) => ref ?? null }),
    payee: t.field({
      type: RefundPayeeType,
      nullable: true,
      description: "Whose account it goes to, of a transfer; null where it goes back as it came.",
      resolve: (refund, _args, { caller, services }) =>
        services.payments.refunds.payeeOf(caller.organization, refund) ?? null,
    }),
    failure: t.string({
      nullable: true,
      description: "Why it did not arrive, in the provider's words.",
      resolve: ({ failure }) => failure ?? null,
    }),
    parkedAt: t.field({
      type: "Instant",
      nullable: true,
      description: "Since when a person has to find out what became of it.",
      resolve: ({ parkedAt }) => parkedAt ?? null,
    }),
    createdAt: t.expose("createdAt", { type: "Instant" }),
    sentAt: t.field({
      type: "Instant",
      nullable: true,
      description: "In real time, which the provider counts in; null for one that Weir did not send.",
      resolve: ({ sentAt }) => sentAt ?? null,
    }),
    changedAt: t.expose("changedAt", { type: "Instant" }),
    postings: t.field({
      type: [PostingType],
      description: "What it posted to the ledger.",
      complexity: postingsComplexity,
      resolve: ({ id }, _args, context) => postingsOf(context, id),
    }),
  }),
});

builder.queryFields((t) => ({
  refunds: t.connection({
    type: RefundType,
    description: "Oldest first.",
    args: { payment: t.arg.id(), state: t.arg({ type: RefundStateEnum }) },
    resolve: (_root, { payment, state, ...args }, { caller, services }) =>
      forwardConnection(args, (page) =>
        services.payments.refunds.list(caller.organization, { ...page, ...given({ payment, state }) }),
      ),
  }),
  refund: t.field({
    type: RefundType,
    nullable: true,
    args: { id: t.arg.id({ required: true }) },
    resolve: async (_root, { id }, { caller, services }) =>
      (await services.payments.refunds.find(caller.organization, id)) ?? null,
  }),
}));

builder.mutationFields((t) => ({
  createRefund: t.field({
    type: RefundType,
    description:
      "Gives money of a payment back, never more than came in. It is posted at once and sent a moment later; of money that came in outside of Weir, send it there. Of a transfer it waits in a batch: close it, and hand the file to the bank.",
    errors: {},
    args: {
      payment: t.arg.id({ required: true }),
      source: t.arg({ type: RefundSourceEnum, required: true }),
      reason: t.arg.string({ required: true }),
      amount: t.arg({
        type: "Decimal",
        required: false,
        description:
          'In major units of the payment\'s currency: "100.00". All that can be given back when left out.',
      }),
      invoice: t.arg.id({
        description:
          "That is to be owed again, with source invoice: id or number. The payment's only one when left out.",
      }),
      creditNote: t.arg.id({ description: "That it pays out, by id or number, with source balance." }),
      payee: t.arg({
        type: RefundPayeeInput,
        required: false,
        description:
          "Whose account it goes to, when the payment was a transfer. The one that it came from, when left out.",
      }),
    },
    resolve: async (_root, { payment, source, reason, amount, invoice, creditNote, payee }, context) => {
      requireSecretKey(context);
      const { caller, services, idempotencyKey } = context;
      const { organization } = caller;
      const { invoices, creditNotes } = services.billing;
      const { currency } = await mustFindPayment(context, payment);
      const input = {
        payment,
        source,
        reason,
        ...(amount == null ? {} : { amount: readAmount(amount, currency) }),
        ...(invoice == null ? {} : { invoice: (await invoices.get(organization, invoice)).id }),
        ...(payee == null ? {} : { payee }),
        ...(creditNote == null ? {} : { creditNote: (await creditNotes.get(organization, creditNote)).id }),
      };
      return services.payments.refunds.create(caller, input, idempotencyKey);
    },
  }),
}));
