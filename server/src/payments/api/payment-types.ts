import {
  customerFilter,
  customerOf,
  CustomerType,
  InvoiceType,
  MoneyType,
} from "../../billing/api/graphql.js";
import { builder, requireSecretKey, type GraphQLContext } from "../../graphql/builder.js";
import { forwardConnection } from "../../graphql/forward-connection.js";
import type { Currency } from "../../kernel/currency.js";
import type { Instant } from "../../kernel/instant.js";
import { makeProblem, Refusal } from "../../kernel/problem.js";
import { PostingType } from "../../ledger/api/graphql.js";
import type { SettledAmounts } from "../provider.js";
import type { Allocation, Payment, PaymentSource } from "../store/payments.js";
import { accountOf } from "./account-field.js";
import { readAmount, readCurrency } from "./amount-input.js";
import { given } from "./given.js";
import { postingsComplexity, postingsOf } from "./ledger-postings.js";
import {
  DisputeType,
  PaymentAttemptType,
  PaymentType,
  ProviderAccountType,
  RefundType,
} from "./references.js";

const refunds_max = 1_000;
const disputes_max = 100;
/** Most payments have one of these, or none. */
const few = { field: 10, multiplier: 2 };

const PaymentSourceEnum = builder.enumType("PaymentSource", {
  description:
    "attempt: Weir took it. bank, file: a bank's or an acquirer's file says so. manual: a person recorded it.",
  values: ["attempt", "bank", "file", "manual"] as const satisfies readonly PaymentSource[],
});

const AllocationType = builder
  .objectRef<Allocation & { readonly currency: Currency }>("PaymentAllocation")
  .implement({
    description: "What of a payment went to an invoice.",
    fields: (t) => ({
      invoice: t.field({
        type: InvoiceType,
        complexity: 5,
        resolve: ({ invoice }, _args, { caller, services }) =>
          services.billing.invoices.get(caller.organization, invoice),
      }),
      invoiceId: t.exposeID("invoice"),
      amount: t.field({ type: MoneyType, resolve: ({ currency, amount }) => ({ currency, minor: amount }) }),
      at: t.expose("at", { type: "Instant" }),
    }),
  });

const SettlementType = builder
  .objectRef<SettledAmounts & { readonly settledAt: Instant }>("PaymentSettlement")
  .implement({
    description: "What the provider made of a payment in its own books, in the currency that it settles in.",
    fields: (t) => ({
      providerRef: t.exposeString("ref", { description: "The provider's id of the movement: txn_…" }),
      gross: t.field({ type: MoneyType, resolve: ({ gross }) => gross }),
      fee: t.field({ type: MoneyType, resolve: ({ fee }) => fee }),
      net: t.field({
        type: MoneyType,
        resolve: ({ gross, fee }) => ({ currency: gross.currency, minor: gross.minor - fee.minor }),
      }),
      rate: t.string({
        nullable: true,
        description: "As the provider gave it; null without conversion.",
        resolve: ({ rate }) => rate ?? null,
      }),
      settledAt: t.expose("settledAt", { type: "Instant" }),
    }),
  });

PaymentType.implement({
  description: "Money that came in. It never changes: what goes back of it is a refund or a dispute.",
  fields: (t) => ({
    id: t.exposeID("id"),
    customer: t.field({
      type: CustomerType,
      complexity: 5,
      resolve: customerOf,
    }),
    account: t.field({
      type: ProviderAccountType,
      nullable: true,
      complexity: 5,
      description: "Null for money that came in outside of Weir.",
      resolve: ({ account }, args, context) =>
        account === undefined ? null : accountOf({ account }, args, context),
    }),
    source: t.field({ type: PaymentSourceEnum, resolve: ({ source }) => source }),
    sourceId: t.exposeString("sourceId", {
      description: "The attempt's, bank line's or file record's id, or the reference that a person gave.",
    }),
    attempt: t.field({
      type: PaymentAttemptType,
      nullable: true,
      complexity: 5,
      resolve: async ({ source, sourceId }, _args, { caller, services }) =>
        source === "attempt"
          ? ((await services.payments.charges.findAttempt(caller.organization, sourceId)) ?? null)
          : null,
    }),
    amount: t.field({ type: MoneyType, resolve: ({ currency, amount }) => ({ currency, minor: amount }) }),
    toBalance: t.field({
      type: MoneyType,
      description: "What no invoice took: the customer's balance.",
      resolve: ({ currency, excess, topUp }) => ({ currency, minor: topUp === undefined ? excess : 0n }),
    }),
    toppedUp: t.field({
      type: MoneyType,
      description: "What became prepaid credit.",
      resolve: ({ currency, excess, topUp }) => ({ currency, minor: topUp === undefined ? 0n : excess }),
    }),
    topUpId: t.id({ nullable: true, resolve: ({ topUp }) => topUp ?? null }),
    providerRef: t.string({
      nullable: true,
      description: "The provider's id of the money: what refunds and disputes name.",
      resolve: ({ ref }) => ref ?? null,
    }),
    note: t.string({ nullable: true, resolve: ({ note }) => note ?? null }),
    receivedAt: t.expose("receivedAt", { type: "Instant" }),
    allocations: t.field({
      type: [AllocationType],
      description: "The invoices that it went to.",
      complexity: few,
      resolve: async (payment, _args, { caller, services }) => {
        const found = await services.payments.charges.allocations(caller.organization, payment);
        return found.map((allocation) => ({ ...allocation, currency: payment.currency }));
      },
    }),
    settlement: t.field({
      type: SettlementType,
      nullable: true,
      description: "Null until the provider has booked it.",
      complexity: 5,
      resolve: async (payment, _args, { caller, services }) =>
        (await services.payments.charges.settlement(caller.organization, payment)) ?? null,
    }),
    refunds: t.field({
      type: [RefundType],
      complexity: few,
      resolve: ({ id }, _args, { caller, services }) =>
        services.payments.refunds.list(caller.organization, { payment: id, limit: refunds_max }),
    }),
    disputes: t.field({
      type: [DisputeType],
      complexity: few,
      resolve: ({ id }, _args, { caller, services }) =>
        services.payments.disputes.list(caller.organization, { payment: id, limit: disputes_max }),
    }),
    postings: t.field({
      type: [PostingType],
      description: "What it posted to the ledger: the capture, the provider's fee and conversion.",
      complexity: postingsComplexity,
      resolve: ({ id }, _args, context) => postingsOf(context, id),
    }),
  }),
});

/** @throws Refusal 404 */
export async function mustFindPayment({ caller, services }: GraphQLContext, id: string): Promise<Payment> {
  const found = await services.payments.charges.findPayment(caller.organization, id);
  if (found !== undefined) return found;
  const detail = `There is no payment "${id.slice(0, 64)}".`;
  throw new Refusal(makeProblem("payment-not-found", 404, "No such payment", detail));
}

builder.objectFields(CustomerType, (t) => ({
  payments: t.connection({
    type: PaymentType,
    description: "Oldest first.",
    resolve: ({ id }, args, { caller, services }) =>
      forwardConnection(args, (page) =>
        services.payments.charges.payments(caller.organization, { ...page, customer: id }),
      ),
  }),
}));

builder.queryFields((t) => ({
  payments: t.connection({
    type: PaymentType,
    description: "Money that came in, oldest first.",
    args: {
      customer: t.arg.string({ description: "Id or key." }),
      invoice: t.arg.id({ description: "That something of it went to; its id or number." }),
    },
    resolve: async (_root, { customer, invoice, ...args }, { caller, services }) => {
      const { organization } = caller;
      const { invoices } = services.billing;
      const filter = {
        ...(invoice == null ? {} : { invoice: (await invoices.get(organization, invoice)).id }),
        ...(await customerFilter({ caller, services }, customer)),
      };
      return forwardConnection(args, (page) =>
        services.payments.charges.payments(organization, { ...page, ...filter }),
      );
    },
  }),
  payment: t.field({
    type: PaymentType,
    nullable: true,
    args: { id: t.arg.id({ required: true }) },
    resolve: async (_root, { id }, { caller, services }) =>
      (await services.payments.charges.findPayment(caller.organization, id)) ?? null,
  }),
}));

builder.mutationFields((t) => ({
  receivePayment: t.field({
    type: PaymentType,
    description:
      "Records money that came in outside of Weir. What its invoices do not take is the customer's balance.",
    errors: {},
    args: {
      customer: t.arg.string({ required: true, description: "Id or key." }),
      amount: t.arg({ type: "Decimal", required: true, description: 'In major units: "100.00".' }),
      currency: t.arg.string({ description: "The customer's when left out." }),
      reference: t.arg.string({
        required: true,
        description: "What names it where it came in, such as a check's number. The same twice is refused.",
      }),
      invoices: t.arg.idList({
        description:
          "By id or number, in this order; the customer's open ones, first due first, when left out.",
      }),
      note: t.arg.string(),
      receivedAt: t.arg({ type: "Instant", description: "The bank's booking time; now when left out." }),
    },
    resolve: async (_root, { customer, amount, currency: code, reference, ...rest }, context) => {
      requireSecretKey(context);
      const { caller, services, idempotencyKey } = context;
      const payer = await services.billing.customers.get(caller.organization, customer);
      const currency = readCurrency(code ?? undefined, payer.currency);
      const input = { customer, amount: readAmount(amount, currency), currency, reference, ...given(rest) };
      return services.payments.charges.receive(caller, input, idempotencyKey);
    },
  }),
}));
