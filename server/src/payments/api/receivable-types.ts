import {
  customerFilter,
  customerOf,
  CustomerType,
  InvoiceType,
  MoneyType,
} from "../../billing/api/graphql.js";
import { builder, requireSecretKey } from "../../graphql/builder.js";
import { forwardConnection, type ConnectionArguments } from "../../graphql/forward-connection.js";
import type { GraphQLContext } from "../../graphql/builder.js";
import { openAmount, type ReceivableState } from "../core/index.js";
import { dunning_states, type Receivable, type ReceivablePage } from "../store/receivables.js";
import { given } from "./given.js";
import { ReceivableType } from "./references.js";

const ReceivableStateEnum = builder.enumType("ReceivableState", {
  description: "uncollectible: nothing is open, and parts were written off.",
  values: ["open", "paid", "uncollectible", "void"] as const satisfies readonly ReceivableState[],
});

const DunningStateEnum = builder.enumType("DunningState", {
  description:
    "none: nothing was declined. retrying: another attempt is planned. waiting: no retry will do before the customer gives another way to pay, or the retries are used up. ended: it is for a person.",
  values: dunning_states,
});

const DunningProgressType = builder.objectRef<Receivable["dunning"]>("DunningProgress").implement({
  description: "How far collecting of an invoice has come.",
  fields: (t) => ({
    state: t.field({ type: DunningStateEnum, resolve: ({ state }) => state }),
    since: t.field({
      type: "Instant",
      nullable: true,
      description: "The first decline.",
      resolve: ({ since }) => since ?? null,
    }),
    retries: t.exposeInt("retries", { description: "Made since." }),
    nextAttemptAt: t.field({
      type: "Instant",
      nullable: true,
      resolve: ({ nextAttemptAt }) => nextAttemptAt ?? null,
    }),
  }),
});

/** Whether it should have been paid by now, on the organization's clock. */
function isOverdue({ state, dueAt }: Receivable, { clock }: Pick<GraphQLContext, "clock">): boolean {
  return state === "open" && dueAt < clock.now();
}

ReceivableType.implement({
  description: "What is owed of a finalized invoice: due = credited + paid + written off + open.",
  fields: (t) => {
    const money = (of: (receivable: Receivable) => bigint, description: string) =>
      t.field({
        type: MoneyType,
        description,
        resolve: (receivable) => ({ currency: receivable.currency, minor: of(receivable) }),
      });
    return {
      invoice: t.field({
        type: InvoiceType,
        complexity: 5,
        resolve: ({ invoice }, _args, { caller, services }) =>
          services.billing.invoices.get(caller.organization, invoice),
      }),
      invoiceId: t.exposeID("invoice"),
      customer: t.field({
        type: CustomerType,
        description: "Who pays.",
        complexity: 5,
        resolve: customerOf,
      }),
      state: t.field({ type: ReceivableStateEnum, resolve: ({ state }) => state }),
      due: money(({ due }) => due, "What the invoice came to when it was finalized."),
      credited: money(({ credited }) => credited, "Taken off by credit notes."),
      paid: money(({ paid }) => paid, "Less what was refunded so that it is owed again."),
      writtenOff: money(({ writtenOff }) => writtenOff, "Given up: bad debt."),
      open: money(openAmount, "Owed still, never below zero."),
      dueAt: t.expose("dueAt", { type: "Instant" }),
      overdue: t.boolean({ resolve: (receivable, _args, context) => isOverdue(receivable, context) }),
      attempts: t.exposeInt("attempts", { description: "To take it: the number of the last one." }),
      dunning: t.field({ type: DunningProgressType, resolve: ({ dunning }) => dunning }),
      settledAt: t.field({
        type: "Instant",
        nullable: true,
        description: "Since when nothing is open.",
        resolve: ({ settledAt }) => settledAt ?? null,
      }),
    };
  },
});

async function receivablesOf(
  args: ConnectionArguments,
  filter: Omit<ReceivablePage, "after" | "limit">,
  { caller, services }: GraphQLContext,
) {
  return forwardConnection(args, async (page) => {
    const found = await services.payments.receivables.list(caller.organization, { ...page, ...filter });
    return found.map((receivable) => ({ ...receivable, id: receivable.invoice }));
  });
}

const overdueNote = "Only those that should have been paid by now.";

builder.objectFields(CustomerType, (t) => ({
  receivables: t.connection({
    type: ReceivableType,
    description: "What it owes and owed, by invoice.",
    args: {
      state: t.arg({ type: ReceivableStateEnum }),
      overdue: t.arg.boolean({ description: overdueNote }),
    },
    resolve: ({ id }, { state, overdue, ...args }, context) => {
      const until = overdue === true ? { overdueAt: context.clock.now() } : {};
      return receivablesOf(args, { customer: id, ...given({ state }), ...until }, context);
    },
  }),
}));

builder.queryFields((t) => ({
  receivables: t.connection({
    type: ReceivableType,
    description: "What is owed of invoices, by invoice; of one customer when named by id or key.",
    args: {
      customer: t.arg.string(),
      state: t.arg({ type: ReceivableStateEnum }),
      overdue: t.arg.boolean({ description: overdueNote }),
    },
    resolve: async (_root, { customer, state, overdue, ...args }, context) => {
      const { caller, services, clock } = context;
      const filter = {
        ...(await customerFilter({ caller, services }, customer)),
        ...given({ state }),
        ...(overdue === true ? { overdueAt: clock.now() } : {}),
      };
      return receivablesOf(args, filter, context);
    },
  }),
}));

builder.mutationFields((t) => ({
  writeOffInvoice: t.field({
    type: ReceivableType,
    description:
      "Gives up what is open of an invoice: it becomes bad debt. Money that comes later is taken all the same.",
    errors: {},
    args: {
      invoice: t.arg.id({ required: true, description: "Its id or number." }),
      reason: t.arg.string({ required: true }),
    },
    resolve: (_root, input, context) => {
      requireSecretKey(context);
      return context.services.payments.receivables.writeOff(context.caller, input, context.idempotencyKey);
    },
  }),
}));
