import { customerOf, CustomerType } from "../../billing/api/graphql.js";
import { builder, requireSecretKey } from "../../graphql/builder.js";
import { accountOf } from "./account-field.js";
import { createCardUpdateLink, type CardUpdateLink } from "./card-update-link.js";
import { given } from "./given.js";
import { PaymentMethodType, ProviderAccountType } from "./references.js";
import { setupAccountFor } from "./setup-account.js";

const CardUpdateLinkType = builder.objectRef<CardUpdateLink>("CardUpdateLink").implement({
  description: "Who has it can enter a card for the customer, and nothing else.",
  fields: (t) => ({
    url: t.exposeString("url"),
    customer: t.field({
      type: CustomerType,
      complexity: 5,
      resolve: customerOf,
    }),
    account: t.field({ type: ProviderAccountType, complexity: 5, resolve: accountOf }),
    expiresAt: t.expose("expiresAt", { type: "Instant", description: "On the organization's clock." }),
  }),
});

const PaymentSetupPageType = builder.objectRef<{ readonly url: string }>("PaymentSetupPage").implement({
  description: "The provider's page for entering a card; good for a day or so, and for one use.",
  fields: (t) => ({ url: t.exposeString("url") }),
});

const accountNote =
  "A provider account's id or key; that of the customer's default method, or the only one, when left out.";

builder.mutationFields((t) => ({
  attachPaymentMethod: t.field({
    type: PaymentMethodType,
    description:
      "Attaches what the provider's page or library made. The first of a customer is its default, and is charged by itself.",
    errors: {},
    args: {
      customer: t.arg.string({ required: true, description: "Id or key." }),
      account: t.arg.string({ required: true, description: "A provider account's id or key." }),
      method: t.arg.string({
        required: true,
        description: "The provider's token: pm_… Never a card's number.",
      }),
      makeDefault: t.arg.boolean({ description: "If there is none, when left out." }),
      brand: t.arg.string({
        description: "visa, say: for people, where the provider cannot be asked, as the last four digits.",
      }),
      last4: t.arg.string(),
      expires: t.arg.string({ description: "2028-04: the last month it is good in." }),
    },
    resolve: (_root, { customer, account, method, makeDefault, brand, last4, expires }, context) => {
      requireSecretKey(context);
      const input = { customer, account, method, ...given({ makeDefault, brand, last4, expires }) };
      return context.services.payments.methods.attach(context.caller, input, context.idempotencyKey);
    },
  }),
  setDefaultPaymentMethod: t.field({
    type: PaymentMethodType,
    description: "What is charged by itself from now on. What was declined before is tried with it at once.",
    errors: {},
    args: { method: t.arg.id({ required: true }) },
    resolve: (_root, { method }, context) => {
      requireSecretKey(context);
      return context.services.payments.methods.setDefault(context.caller, method, context.idempotencyKey);
    },
  }),
  detachPaymentMethod: t.field({
    type: PaymentMethodType,
    description: "Takes a method away, at the provider too.",
    errors: {},
    args: { method: t.arg.id({ required: true }) },
    resolve: (_root, { method }, context) => {
      requireSecretKey(context);
      return context.services.payments.methods.detach(context.caller, method, context.idempotencyKey);
    },
  }),
  createPaymentSetupPage: t.field({
    type: PaymentSetupPageType,
    description:
      "Makes a page at the provider on which the customer enters a card, for someone who is there now. To send by mail: createCardUpdateLink.",
    errors: {},
    args: {
      customer: t.arg.string({ required: true, description: "Id or key." }),
      account: t.arg.string({ description: accountNote }),
      returnUrl: t.arg.string({
        description: "Where the provider sends the customer back to; a page of Weir's when left out.",
      }),
    },
    resolve: async (_root, { customer, account: wanted, returnUrl }, context) => {
      requireSecretKey(context);
      const { caller, services, idempotencyKey } = context;
      const { id } = await services.billing.customers.get(caller.organization, customer);
      const { id: account } = await setupAccountFor(context, id, wanted ?? undefined);
      const input = { customer: id, account, returnUrl: returnUrl ?? `${services.publicUrl()}/pay/done` };
      return { url: await services.payments.methods.createSetupPage(caller, input, idempotencyKey) };
    },
  }),
  createCardUpdateLink: t.field({
    type: CardUpdateLinkType,
    description:
      "A link to send to a customer, good for 30 days: it leads to the provider's page for entering a card.",
    errors: {},
    args: {
      customer: t.arg.string({ required: true, description: "Id or key." }),
      account: t.arg.string({ description: accountNote }),
    },
    resolve: (_root, { customer, account }, context) => {
      requireSecretKey(context);
      return createCardUpdateLink(context, { customer, ...given({ account }) }, context.idempotencyKey);
    },
  }),
}));
