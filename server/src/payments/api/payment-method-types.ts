import { customerFilter, customerOf, CustomerType } from "../../billing/api/graphql.js";
import { builder } from "../../graphql/builder.js";
import { forwardConnection } from "../../graphql/forward-connection.js";
import { accountOf } from "./account-field.js";
import { PaymentMethodType, ProviderAccountType } from "./references.js";

const PaymentMethodKindEnum = builder.enumType("PaymentMethodKind", {
  values: ["card", "bank_debit", "bank_transfer", "other"] as const,
});

PaymentMethodType.implement({
  description:
    "A customer's way to pay. Its number is the provider's; here are a token and the last four digits.",
  fields: (t) => ({
    id: t.exposeID("id"),
    customer: t.field({
      type: CustomerType,
      complexity: 5,
      resolve: customerOf,
    }),
    account: t.field({ type: ProviderAccountType, complexity: 5, resolve: accountOf }),
    providerRef: t.exposeString("ref", { description: "The provider's token: pm_…" }),
    kind: t.field({ type: PaymentMethodKindEnum, resolve: ({ kind }) => kind }),
    brand: t.string({ nullable: true, resolve: ({ brand }) => brand ?? null }),
    last4: t.string({ nullable: true, resolve: ({ last4 }) => last4 ?? null }),
    expires: t.string({
      nullable: true,
      description: "The last month it is good in: 2028-04.",
      resolve: ({ expires }) => expires ?? null,
    }),
    isDefault: t.exposeBoolean("isDefault", { description: "What is charged by itself." }),
    createdAt: t.expose("createdAt", { type: "Instant" }),
    detachedAt: t.field({ type: "Instant", nullable: true, resolve: ({ detachedAt }) => detachedAt ?? null }),
  }),
});

const detachedNote = "Also those that were taken away.";

builder.objectFields(CustomerType, (t) => ({
  paymentMethods: t.connection({
    type: PaymentMethodType,
    description: "Oldest first.",
    args: { detached: t.arg.boolean({ description: detachedNote }) },
    resolve: ({ id }, { detached, ...args }, { caller, services }) =>
      forwardConnection(args, (page) =>
        services.payments.methods.list(caller.organization, {
          ...page,
          customer: id,
          detached: detached ?? false,
        }),
      ),
  }),
}));

builder.queryFields((t) => ({
  paymentMethods: t.connection({
    type: PaymentMethodType,
    description: "Oldest first; of one customer when named by id or key.",
    args: { customer: t.arg.string(), detached: t.arg.boolean({ description: detachedNote }) },
    resolve: async (_root, { customer, detached, ...args }, { caller, services }) => {
      const { organization } = caller;
      const filter = await customerFilter({ caller, services }, customer);
      return forwardConnection(args, (page) =>
        services.payments.methods.list(organization, { ...page, ...filter, detached: detached ?? false }),
      );
    },
  }),
  paymentMethod: t.field({
    type: PaymentMethodType,
    nullable: true,
    args: { id: t.arg.id({ required: true }) },
    resolve: async (_root, { id }, { caller, services }) =>
      (await services.payments.methods.find(caller.organization, id)) ?? null,
  }),
}));
