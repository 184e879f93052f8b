import { customerOf, CustomerType, MoneyType } from "../../billing/api/graphql.js";
import { builder, requireSecretKey } from "../../graphql/builder.js";
import { PaymentMethodType } from "../../payments/api/graphql.js";
import type { BalanceWatch } from "../index.js";

const moneyOf = ({ currency }: BalanceWatch, minor: bigint | undefined) =>
  minor === undefined ? null : { currency, minor };

const TopUpSettingsType = builder.objectRef<BalanceWatch>("TopUpSettings").implement({
  description: "What is done about a customer's prepaid balance, and how it was found last.",
  fields: (t) => ({
    customer: t.field({
      type: CustomerType,
      complexity: 5,
      resolve: customerOf,
    }),
    currency: t.exposeString("currency"),
    threshold: t.field({
      type: MoneyType,
      nullable: true,
      description: "Topped up below it.",
      resolve: (watch) => moneyOf(watch, watch.topUp?.threshold),
    }),
    amount: t.field({
      type: MoneyType,
      nullable: true,
      description: "Of a top-up.",
      resolve: (watch) => moneyOf(watch, watch.topUp?.amount),
    }),
    monthlyMax: t.field({
      type: MoneyType,
      nullable: true,
      description: "Of automatic top-ups in a calendar month where the customer is; no limit when null.",
      resolve: (watch) => moneyOf(watch, watch.topUp?.monthlyMax),
    }),
    method: t.field({
      type: PaymentMethodType,
      nullable: true,
      complexity: 5,
      description: "The customer's default when null.",
      resolve: async ({ topUp }, _args, { caller, services }) =>
        topUp?.method === undefined
          ? null
          : ((await services.payments.methods.find(caller.organization, topUp.method)) ?? null),
    }),
    lowAt: t.field({
      type: MoneyType,
      nullable: true,
      description: "balance.low is told below it, once until the balance is at or above it again.",
      resolve: (watch) => moneyOf(watch, watch.lowAt),
    }),
    isLow: t.exposeBoolean("isLow"),
    stoppedAt: t.field({
      type: "Instant",
      nullable: true,
      description:
        "Since when nothing is charged by itself. It goes on with another default method, or when the settings are set again.",
      resolve: ({ stopped }) => stopped?.at ?? null,
    }),
    stoppedBy: t.string({
      nullable: true,
      description: "Why: a decline's or problem's code.",
      resolve: ({ stopped }) => stopped?.by ?? null,
    }),
    fault: t.string({
      nullable: true,
      description: "Why the last look could not tell the balance.",
      resolve: ({ fault }) => fault ?? null,
    }),
    changedAt: t.expose("changedAt", { type: "Instant" }),
  }),
});

builder.queryFields((t) => ({
  topUpSettings: t.field({
    type: TopUpSettingsType,
    nullable: true,
    description: "Null when the customer's balance is not watched.",
    args: { customer: t.arg.string({ required: true, description: "Id or key." }) },
    resolve: async (_root, { customer }, { caller, services }) =>
      (await services.prepaid.settings.find(caller.organization, customer)) ?? null,
  }),
}));

builder.mutationFields((t) => ({
  setTopUpSettings: t.field({
    type: TopUpSettingsType,
    description:
      "Says when a customer's prepaid balance is topped up by itself, and when you are told that it is low; replaces both, and looks at the balance at once. Automatic top-ups that were stopped go on.",
    errors: {},
    args: {
      customer: t.arg.string({ required: true, description: "Id or key." }),
      currency: t.arg.string({ description: "The customer's when left out." }),
      threshold: t.arg({ type: "Decimal", description: 'In major units: "20.00". Topped up below it.' }),
      amount: t.arg({ type: "Decimal", description: "By so much; with a threshold." }),
      monthlyMax: t.arg({
        type: "Decimal",
        description: "Of all automatic top-ups in a calendar month; no limit when left out.",
      }),
      method: t.arg.id({ description: "The customer's default when left out." }),
      lowAt: t.arg({ type: "Decimal", description: "balance.low is told below it." }),
    },
    resolve: (_root, { customer, ...args }, context) => {
      requireSecretKey(context);
      const { currency, threshold, amount, monthlyMax, method, lowAt } = args;
      const input = {
        customer,
        ...(currency == null ? {} : { currency }),
        ...(threshold == null ? {} : { threshold }),
        ...(amount == null ? {} : { amount }),
        ...(monthlyMax == null ? {} : { monthlyMax }),
        ...(method == null ? {} : { method }),
        ...(lowAt == null ? {} : { lowAt }),
      };
      return context.services.prepaid.settings.set(context.caller, input, context.idempotencyKey);
    },
  }),
  disableTopUpSettings: t.field({
    type: CustomerType,
    description:
      "The customer's balance is watched and topped up no more. A top-up that is under way is not called back.",
    errors: {},
    args: { customer: t.arg.string({ required: true, description: "Id or key." }) },
    resolve: async (_root, input, context) => {
      requireSecretKey(context);
      const { caller, services, idempotencyKey } = context;
      const id = await services.prepaid.settings.disable(caller, input, idempotencyKey);
      return services.billing.customers.get(caller.organization, id);
    },
  }),
}));
