import {
  customerFilter,
  customerOf,
  CustomerType,
  InvoiceType,
  MoneyType,
} from "../../billing/api/graphql.js";
import { builder, type GraphQLContext } from "../../graphql/builder.js";
import { forwardConnection } from "../../graphql/forward-connection.js";
import { attempt_states, type Decline } from "../core/index.js";
import { charge_kind } from "../kinds.js";
import type { AttemptEvent, PaymentAttempt } from "../store/attempts.js";
import { accountOf } from "./account-field.js";
import { given } from "./given.js";
import { PaymentAttemptType, PaymentMethodType, PaymentType, ProviderAccountType } from "./references.js";

const AttemptStateEnum = builder.enumType("PaymentAttemptState", {
  description:
    "pending: stored, nothing taken yet. processing: the provider works on it. requires_action: the customer must do something first. unknown: no answer says what became of it, so it is asked for. succeeded, failed and canceled are final, unless money turns up.",
  values: attempt_states,
});

const DeclineHardnessEnum = builder.enumType("DeclineHardness", {
  description:
    "hard: the same method will not do. soft: later it may. setup: the charge itself was wrong, such as its currency.",
  values: ["hard", "soft", "setup"] as const satisfies readonly Decline["hardness"][],
});

const DeclineType = builder.objectRef<Decline>("Decline").implement({
  description: "Why money was not taken.",
  fields: (t) => ({
    code: t.exposeString("code", { description: "As the provider names it: insufficient_funds." }),
    hardness: t.field({ type: DeclineHardnessEnum, resolve: ({ hardness }) => hardness }),
    message: t.exposeString("message"),
  }),
});

const EventOutcomeEnum = builder.enumType("PaymentAttemptEventOutcome", {
  description:
    "accepted: the state follows it. ignored, stale: nothing new, or older than what is known. contradicts: nothing changes, and a person looks at it.",
  values: [
    "accepted",
    "ignored",
    "stale",
    "contradicts",
  ] as const satisfies readonly AttemptEvent["outcome"][],
});

const AttemptEventType = builder.objectRef<AttemptEvent>("PaymentAttemptEvent").implement({
  description: "Something that became known of an attempt. It never changes.",
  fields: (t) => ({
    position: t.exposeInt("position"),
    input: t.exposeString("input", { description: "What became known, such as declined or unanswered." }),
    outcome: t.field({ type: EventOutcomeEnum, resolve: ({ outcome }) => outcome }),
    state: t.field({ type: AttemptStateEnum, description: "After it.", resolve: ({ state }) => state }),
    detail: t.string({ nullable: true, resolve: ({ detail }) => detail ?? null }),
    at: t.expose("at", { type: "Instant" }),
  }),
});

PaymentAttemptType.implement({
  description:
    "A try to take money, stored before the provider hears of it. What it is never changes; its state does.",
  fields: (t) => ({
    id: t.exposeID("id"),
    number: t.exposeInt("number", { description: "1, 2, 3 … of what it is to pay." }),
    invoice: t.field({
      type: InvoiceType,
      nullable: true,
      complexity: 5,
      description: "Null for a top-up.",
      resolve: ({ target }, _args, { caller, services }) =>
        target.kind === "invoice" ? services.billing.invoices.get(caller.organization, target.invoice) : null,
    }),
    invoiceId: t.id({
      nullable: true,
      resolve: ({ target }) => (target.kind === "invoice" ? target.invoice : null),
    }),
    topUpId: t.id({
      nullable: true,
      resolve: ({ target }) => (target.kind === "top_up" ? target.topUp : null),
    }),
    customer: t.field({
      type: CustomerType,
      complexity: 5,
      resolve: customerOf,
    }),
    account: t.field({ type: ProviderAccountType, complexity: 5, resolve: accountOf }),
    method: t.field({
      type: PaymentMethodType,
      complexity: 5,
      resolve: async ({ method }, _args, { caller, services }) => {
        const found = await services.payments.methods.find(caller.organization, method);
        if (found === undefined) throw new Error(`payment method ${method} is named and is not there`);
        return found;
      },
    }),
    amount: t.field({ type: MoneyType, resolve: ({ currency, amount }) => ({ currency, minor: amount }) }),
    state: t.field({ type: AttemptStateEnum, resolve: ({ state }) => state }),
    providerRef: t.string({
      nullable: true,
      description: "The provider's id of the charge, once known.",
      resolve: ({ ref }) => ref ?? null,
    }),
    decline: t.field({ type: DeclineType, nullable: true, resolve: ({ decline }) => decline ?? null }),
    actionUrl: t.string({
      nullable: true,
      description: "Where the customer can do what is required.",
      resolve: ({ actionUrl }) => actionUrl ?? null,
    }),
    unknownSince: t.field({
      type: "Instant",
      nullable: true,
      resolve: ({ unknownSince }) => unknownSince ?? null,
    }),
    parkedAt: t.field({
      type: "Instant",
      nullable: true,
      description: "Since when a person has to find out what became of it: settlePaymentAttempt.",
      resolve: ({ parkedAt }) => parkedAt ?? null,
    }),
    createdAt: t.expose("createdAt", { type: "Instant" }),
    sentAt: t.expose("sentAt", {
      type: "Instant",
      description: "In real time, which the provider counts in.",
    }),
    changedAt: t.expose("changedAt", { type: "Instant" }),
    events: t.field({
      type: [AttemptEventType],
      description: "What became known of it, in order.",
      complexity: 10,
      resolve: (attempt, _args, { caller, services }) =>
        services.payments.charges.events(caller.organization, attempt),
    }),
    payment: t.field({
      type: PaymentType,
      nullable: true,
      description: "What it brought in.",
      complexity: 5,
      resolve: async (attempt, _args, { caller, services }) =>
        (await services.payments.charges.paymentOf(caller.organization, attempt)) ?? null,
    }),
    run: t.id({
      nullable: true,
      description: "The workflow run that made it; null once that is no longer kept.",
      complexity: 10,
      resolve: runOf,
    }),
  }),
});

/** Runs of charges are named by what is charged and the attempt's number; those begun by hand by the attempt. */
async function runOf(
  { id, number, target }: PaymentAttempt,
  _args: unknown,
  { caller, services }: GraphQLContext,
): Promise<string | null> {
  const planned = target.kind === "invoice" ? [`${charge_kind}:${target.invoice}:${number}`] : [];
  for (const run of [`${charge_kind}:${id}:${id}`, ...planned])
    if ((await services.runs.find(caller.organization, run)) !== undefined) return run;
  return null;
}

builder.queryFields((t) => ({
  paymentAttempts: t.connection({
    type: PaymentAttemptType,
    description: "Tries to take money, oldest first.",
    args: {
      invoice: t.arg.id({ description: "Its id or number." }),
      customer: t.arg.string({ description: "Id or key." }),
      state: t.arg({ type: AttemptStateEnum }),
      parked: t.arg.boolean({ description: "Only those that a person has to look at." }),
    },
    resolve: async (_root, { invoice, customer, state, parked, ...args }, { caller, services }) => {
      const { organization } = caller;
      const { invoices } = services.billing;
      const filter = {
        ...(invoice == null ? {} : { invoice: (await invoices.get(organization, invoice)).id }),
        ...(await customerFilter({ caller, services }, customer)),
        ...given({ state, parked }),
      };
      return forwardConnection(args, (page) =>
        services.payments.charges.attemptsOf(organization, { ...page, ...filter }),
      );
    },
  }),
  paymentAttempt: t.field({
    type: PaymentAttemptType,
    nullable: true,
    args: { id: t.arg.id({ required: true }) },
    resolve: async (_root, { id }, { caller, services }) =>
      (await services.payments.charges.findAttempt(caller.organization, id)) ?? null,
  }),
}));
