import { MoneyType } from "../../billing/api/graphql.js";
import { builder } from "../../graphql/builder.js";
import { forwardConnection } from "../../graphql/forward-connection.js";
import { PostingType } from "../../ledger/api/graphql.js";
import { payout_states } from "../core/index.js";
import { accountOf } from "./account-field.js";
import { given } from "./given.js";
import { postingsComplexity, postingsOf } from "./ledger-postings.js";
import { mustFindAccount } from "./must-find-account.js";
import { PayoutType, ProviderAccountType } from "./references.js";

const PayoutStateEnum = builder.enumType("PayoutState", {
  description: "paid: the provider says so; the bank's statement says so once there is a receivedAt.",
  values: payout_states,
});

PayoutType.implement({
  description: "What a provider sends to the bank.",
  fields: (t) => ({
    id: t.exposeID("id"),
    account: t.field({ type: ProviderAccountType, complexity: 5, resolve: accountOf }),
    providerRef: t.exposeString("ref"),
    amount: t.field({ type: MoneyType, resolve: ({ amount }) => amount }),
    state: t.field({ type: PayoutStateEnum, resolve: ({ state }) => state }),
    failure: t.string({ nullable: true, resolve: ({ failure }) => failure ?? null }),
    arrivesOn: t.string({
      nullable: true,
      description: "The day that the provider expects: 2026-11-30.",
      resolve: ({ arrivesOn }) => arrivesOn ?? null,
    }),
    createdAt: t.expose("createdAt", { type: "Instant" }),
    changedAt: t.expose("changedAt", { type: "Instant" }),
    receivedAt: t.field({
      type: "Instant",
      nullable: true,
      description: "When it was seen on the bank's statement.",
      resolve: ({ receivedAt }) => receivedAt ?? null,
    }),
    postings: t.field({
      type: [PostingType],
      description: "What it posted to the ledger.",
      complexity: postingsComplexity,
      resolve: ({ id }, _args, context) => postingsOf(context, id),
    }),
  }),
});

builder.queryFields((t) => ({
  payouts: t.connection({
    type: PayoutType,
    description: "Oldest first; of one provider account when named by id or key.",
    args: { account: t.arg.string(), state: t.arg({ type: PayoutStateEnum }) },
    resolve: async (_root, { account, state, ...args }, context) => {
      const { caller, services } = context;
      const filter = {
        ...(account == null ? {} : { account: (await mustFindAccount(context, account)).id }),
        ...given({ state }),
      };
      return forwardConnection(args, (page) =>
        services.payments.payouts.list(caller.organization, { ...page, ...filter }),
      );
    },
  }),
  payout: t.field({
    type: PayoutType,
    nullable: true,
    args: { id: t.arg.id({ required: true }) },
    resolve: async (_root, { id }, { caller, services }) =>
      (await services.payments.payouts.find(caller.organization, id)) ?? null,
  }),
}));
