import { customerFilter, customerOf, CustomerType, MoneyType } from "../../billing/api/graphql.js";
import { builder, requireSecretKey } from "../../graphql/builder.js";
import { forwardConnection } from "../../graphql/forward-connection.js";
import { PaymentAttemptType, PaymentMethodType, PaymentType } from "../../payments/api/graphql.js";
import { top_up_states, type TopUp } from "../index.js";

const attempts_max = 50;

const StateEnum = builder.enumType("TopUpState", {
  description:
    "open: an attempt may take money, or it waits for another. Money that turns up later makes one of any state succeeded.",
  values: top_up_states,
});

const TopUpType = builder.objectRef<TopUp>("TopUp").implement({
  description:
    "Money that a customer is charged in advance. There is at most one open of a customer in a currency.",
  fields: (t) => ({
    id: t.exposeID("id"),
    customer: t.field({
      type: CustomerType,
      complexity: 5,
      resolve: customerOf,
    }),
    amount: t.field({ type: MoneyType, resolve: ({ currency, amount }) => ({ currency, minor: amount }) }),
    isAutomatic: t.exposeBoolean("isAutomatic", { description: "By the customer's settings." }),
    state: t.field({ type: StateEnum, resolve: ({ state }) => state }),
    method: t.field({
      type: PaymentMethodType,
      nullable: true,
      complexity: 5,
      description: "That was asked for; the customer's default when null.",
      resolve: async ({ method }, _args, { caller, services }) =>
        method === undefined
          ? null
          : ((await services.payments.methods.find(caller.organization, method)) ?? null),
    }),
    attempts: t.field({
      type: [PaymentAttemptType],
      description: "Oldest first.",
      complexity: 10,
      resolve: ({ id }, _args, { caller, services }) =>
        services.payments.charges.attemptsOf(caller.organization, { invoice: id, limit: attempts_max }),
    }),
    retryAt: t.field({
      type: "Instant",
      nullable: true,
      description: "When another attempt is made, of one that waits for it.",
      resolve: ({ retryAt }) => retryAt ?? null,
    }),
    failedBy: t.string({
      nullable: true,
      description: "A decline's or problem's code.",
      resolve: ({ failedBy }) => failedBy ?? null,
    }),
    payments: t.field({
      type: [PaymentType],
      description: "What it brought in: two, when an attempt that had ended took money all the same.",
      complexity: 10,
      resolve: async (topUp, _args, { caller, services }) => {
        const found = await services.prepaid.topUps.paymentsOf(caller.organization, topUp);
        const all = await Promise.all(
          found.map(({ payment }) => services.payments.charges.findPayment(caller.organization, payment)),
        );
        return all.filter((payment) => payment !== undefined);
      },
    }),
    grants: t.idList({
      description: "The credit grants that it became: creditGrant(id).",
      complexity: 5,
      resolve: async (topUp, _args, { caller, services }) =>
        (await services.prepaid.topUps.paymentsOf(caller.organization, topUp)).map(({ grant }) => grant),
    }),
    createdAt: t.expose("createdAt", { type: "Instant" }),
    changedAt: t.expose("changedAt", { type: "Instant" }),
  }),
});

builder.queryFields((t) => ({
  topUps: t.connection({
    type: TopUpType,
    description: "Oldest first; of one customer when named by id or key.",
    args: { customer: t.arg.string(), state: t.arg({ type: StateEnum }) },
    resolve: async (_root, { customer, state, ...args }, { caller, services }) => {
      const { organization } = caller;
      const filter = {
        ...(await customerFilter({ caller, services }, customer)),
        ...(state == null ? {} : { state }),
      };
      return forwardConnection(args, (page) =>
        services.prepaid.topUps.list(organization, { ...page, ...filter }),
      );
    },
  }),
  topUp: t.field({
    type: TopUpType,
    nullable: true,
    args: { id: t.arg.id({ required: true }) },
    resolve: async (_root, { id }, { caller, services }) =>
      (await services.prepaid.topUps.find(caller.organization, id)) ?? null,
  }),
}));

builder.mutationFields((t) => ({
  topUpCredit: t.field({
    type: PaymentAttemptType,
    description:
      "Charges a customer in advance. The attempt is stored, and the money taken a moment later: then it is a paid credit grant. It is not tried again by itself.",
    errors: {},
    args: {
      customer: t.arg.string({ required: true, description: "Id or key." }),
      amount: t.arg({ type: "Decimal", required: true, description: 'In major units: "100.00".' }),
      currency: t.arg.string({ description: "The customer's when left out." }),
      method: t.arg.id({ description: "The customer's default when left out." }),
    },
    resolve: (_root, { currency, method, ...input }, context) => {
      requireSecretKey(context);
      const optional = {
        ...(currency == null ? {} : { currency }),
        ...(method == null ? {} : { method }),
      };
      return context.services.prepaid.topUps.topUp(
        context.caller,
        { ...input, ...optional },
        context.idempotencyKey,
      );
    },
  }),
}));
