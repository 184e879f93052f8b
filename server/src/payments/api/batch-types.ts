import { MoneyType } from "../../billing/api/graphql.js";
import { builder, requireSecretKey } from "../../graphql/builder.js";
import { forwardConnection } from "../../graphql/forward-connection.js";
import type { BatchItem } from "../store/batch-items.js";
import { batch_actions, batch_item_states } from "../store/batch-items.js";
import { batch_states, type BatchTotal } from "../store/batches.js";
import { accountOf } from "./account-field.js";
import { given } from "./given.js";
import { mustFindAccount } from "./must-find-account.js";
import {
  DisputeType,
  PaymentAttemptType,
  PaymentBatchType,
  ProviderAccountType,
  RefundType,
} from "./references.js";

const BatchStateEnum = builder.enumType("PaymentBatchState", {
  description: "closing: nothing of it changes any more, and its file is being made.",
  values: batch_states,
});

const BatchActionEnum = builder.enumType("PaymentBatchAction", {
  description: "represent: answers a chargeback.",
  values: batch_actions,
});

const BatchItemStateEnum = builder.enumType("PaymentBatchItemState", {
  description: "reserved: written down, and waits in no batch. withdrawn: will never go.",
  values: batch_item_states,
});

const BatchTotalType = builder.objectRef<BatchTotal>("PaymentBatchTotal").implement({
  description: "What items of one currency come to.",
  fields: (t) => ({
    items: t.exposeInt("items"),
    amount: t.field({ type: MoneyType, resolve: ({ currency, minor }) => ({ currency, minor }) }),
  }),
});

const BatchItemType = builder.objectRef<BatchItem>("PaymentBatchItem").implement({
  description:
    "One thing that goes out in a file. What the file says of it, such as a token, is in the file only.",
  fields: (t) => ({
    id: t.exposeID("id"),
    action: t.field({ type: BatchActionEnum, resolve: ({ action }) => action }),
    state: t.field({ type: BatchItemStateEnum, resolve: ({ state }) => state }),
    position: t.int({
      nullable: true,
      description: "Its number in the file, from 1, once it was sent.",
      resolve: ({ position }) => position ?? null,
    }),
    reference: t.exposeString("reference", { description: "Names it in the answers." }),
    amount: t.field({ type: MoneyType, resolve: ({ currency, amount }) => ({ currency, minor: amount }) }),
    attempt: t.field({
      type: PaymentAttemptType,
      nullable: true,
      complexity: 5,
      description: "That a charge is of.",
      resolve: async ({ action, subject }, _args, { caller, services }) =>
        action === "charge"
          ? ((await services.payments.charges.findAttempt(caller.organization, subject)) ?? null)
          : null,
    }),
    refund: t.field({
      type: RefundType,
      nullable: true,
      complexity: 5,
      resolve: async ({ action, subject }, _args, { caller, services }) =>
        action === "refund"
          ? ((await services.payments.refunds.find(caller.organization, subject)) ?? null)
          : null,
    }),
    dispute: t.field({
      type: DisputeType,
      nullable: true,
      complexity: 5,
      description: "That is answered.",
      resolve: async ({ action, subject }, _args, { caller, services }) =>
        action === "represent"
          ? ((await services.payments.disputes.find(caller.organization, subject)) ?? null)
          : null,
    }),
    createdAt: t.expose("createdAt", { type: "Instant" }),
    changedAt: t.expose("changedAt", { type: "Instant" }),
  }),
});

PaymentBatchType.implement({
  description:
    "What goes out together through a provider that works by files. Closed, it is one file, which never changes.",
  fields: (t) => ({
    id: t.exposeID("id"),
    account: t.field({
      type: ProviderAccountType,
      complexity: 5,
      resolve: accountOf,
    }),
    sequence: t.string({
      description: "1, 2, 3 … of its account, without gaps, from the account's first.",
      resolve: ({ sequence }) => sequence.toString(),
    }),
    state: t.field({ type: BatchStateEnum, resolve: ({ state }) => state }),
    itemCount: t.exposeInt("items"),
    totals: t.field({
      type: [BatchTotalType],
      complexity: 10,
      resolve: ({ id }, _args, { caller, services }) =>
        services.payments.batches.totals(caller.organization, id),
    }),
    items: t.connection({
      type: BatchItemType,
      description: "Oldest first.",
      resolve: ({ id }, args, { caller, services }) =>
        forwardConnection(args, (page) => services.payments.batches.items(caller.organization, id, page)),
    }),
    openedAt: t.expose("openedAt", { type: "Instant" }),
    closesAt: t.field({
      type: "Instant",
      nullable: true,
      description: "When an open one is closed by itself; null when people close it.",
      resolve: ({ state, closesAt }) => (state === "open" ? (closesAt ?? null) : null),
    }),
    closedAt: t.field({ type: "Instant", nullable: true, resolve: ({ closedAt }) => closedAt ?? null }),
    closedBy: t.string({
      nullable: true,
      description: "A key's id, or system.",
      resolve: ({ closedBy }) => closedBy ?? null,
    }),
    fileName: t.string({ nullable: true, resolve: ({ file }) => file?.name ?? null }),
    sha256: t.string({
      nullable: true,
      description: "Of the file, in hexadecimal.",
      resolve: ({ file }) => file?.sha256 ?? null,
    }),
    bytes: t.int({ nullable: true, resolve: ({ file }) => file?.bytes ?? null }),
    downloadPath: t.string({
      nullable: true,
      description: "Where the file is, for secret keys.",
      resolve: ({ id, file }) =>
        file === undefined ? null : `/v1/payment-batches/${id}${file.name.slice(file.name.lastIndexOf("."))}`,
    }),
  }),
});

builder.queryFields((t) => ({
  paymentBatches: t.connection({
    type: PaymentBatchType,
    description: "Oldest first.",
    args: {
      account: t.arg.string({ description: "Its id or key." }),
      state: t.arg({ type: BatchStateEnum }),
    },
    resolve: async (_root, { account, state, ...args }, context) => {
      const { caller, services } = context;
      const of = account == null ? undefined : (await mustFindAccount(context, account)).id;
      return forwardConnection(args, (page) =>
        services.payments.batches.list(caller.organization, { ...page, ...given({ account: of, state }) }),
      );
    },
  }),
  paymentBatch: t.field({
    type: PaymentBatchType,
    nullable: true,
    args: { id: t.arg.id({ required: true }) },
    resolve: async (_root, { id }, { caller, services }) =>
      (await services.payments.batches.find(caller.organization, id)) ?? null,
  }),
}));

builder.mutationFields((t) => ({
  closePaymentBatch: t.field({
    type: PaymentBatchType,
    description:
      "Closes the open batch of an account now. Its file is made a moment later: ask for the batch until it is closed.",
    errors: {},
    args: { account: t.arg.string({ required: true, description: "Its id or key." }) },
    resolve: (_root, { account }, context) => {
      requireSecretKey(context);
      const { caller, services, idempotencyKey } = context;
      return services.payments.batches.close(caller, account, idempotencyKey);
    },
  }),
}));
