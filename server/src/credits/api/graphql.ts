import { customerFilter, customerOf, CustomerType, MoneyType } from "../../billing/api/graphql.js";
import { builder, requireSecretKey, type GraphQLContext } from "../../graphql/builder.js";
import { forwardConnection } from "../../graphql/forward-connection.js";
import type { Instant } from "../../kernel/instant.js";
import type { CreditMovement, CreditTotals, StoredGrant } from "../index.js";
import { statusOf, usableAt } from "../core/index.js";

const CreditKindEnum = builder.enumType("CreditKind", {
  description:
    "Promotional credits lower what is taxed; paid ones, bought in advance, pay what is due, tax included.",
  values: ["promotional", "paid"] as const,
});

const StatusEnum = builder.enumType("CreditGrantStatus", {
  values: ["upcoming", "active", "used_up", "expired", "voided"] as const,
});

const MovementKindEnum = builder.enumType("CreditMovementKind", {
  description:
    "use: an invoice draws. restore: it gives back. revive: what it draws was booked as expired before. reinstate: what was voided for a refund is there again, since that did not arrive.",
  values: ["use", "restore", "void", "expire", "revive", "reinstate"] as const,
});

const MovementType = builder
  .objectRef<{ grant: StoredGrant; movement: CreditMovement }>("CreditMovement")
  .implement({
    description: "Something that happened to a grant; it never changes.",
    fields: (t) => ({
      id: t.id({ resolve: ({ movement }) => movement.id }),
      kind: t.field({ type: MovementKindEnum, resolve: ({ movement }) => movement.kind }),
      amount: t.field({
        type: MoneyType,
        resolve: ({ grant, movement }) => ({ currency: grant.currency, minor: movement.amount }),
      }),
      invoice: t.id({ nullable: true, resolve: ({ movement }) => movement.invoice ?? null }),
      reason: t.string({ nullable: true, resolve: ({ movement }) => movement.reason ?? null }),
      at: t.field({ type: "Instant", resolve: ({ movement }) => movement.at }),
    }),
  });

/** The organization's time, which may be a test clock's. */
const nowOf = ({ services, caller }: Pick<GraphQLContext, "services" | "caller">): Instant =>
  services.clocks.of(caller.organization).now();

const CreditGrantType = builder.objectRef<StoredGrant>("CreditGrant").implement({
  description: "Credit of a customer. It never changes; what happens to it is a movement.",
  fields: (t) => ({
    id: t.exposeID("id"),
    customer: t.field({
      type: CustomerType,
      complexity: 5,
      resolve: customerOf,
    }),
    kind: t.field({ type: CreditKindEnum, resolve: (grant) => grant.kind }),
    status: t.field({
      type: StatusEnum,
      resolve: (grant, _args, context) => statusOf(grant, nowOf(context)),
    }),
    amount: t.field({
      type: MoneyType,
      resolve: ({ currency, amount }) => ({ currency, minor: amount }),
    }),
    used: t.field({
      type: MoneyType,
      description: "Drawn by invoices, less what voided ones gave back.",
      resolve: ({ currency, used }) => ({ currency, minor: used }),
    }),
    voided: t.field({
      type: MoneyType,
      resolve: ({ currency, voided }) => ({ currency, minor: voided }),
    }),
    remaining: t.field({
      type: MoneyType,
      description: "What can be drawn now; nothing before the grant begins and once it has expired.",
      resolve: (grant, _args, context) => ({
        currency: grant.currency,
        minor: usableAt(grant, nowOf(context)),
      }),
    }),
    priority: t.exposeInt("priority", { description: "The lowest is used first." }),
    effectiveFrom: t.expose("effectiveFrom", { type: "Instant" }),
    expiresAt: t.field({
      type: "Instant",
      nullable: true,
      description:
        "Exclusive; never when null. Invoices for service periods that end by then may draw on it later.",
      resolve: (grant) => grant.expiresAt ?? null,
    }),
    note: t.string({ nullable: true, resolve: (grant) => grant.note ?? null }),
    createdAt: t.expose("createdAt", { type: "Instant" }),
    movements: t.connection({
      type: MovementType,
      description: "What happened to it, oldest first.",
      resolve: (grant, args, { caller, services }) =>
        forwardConnection(args, async (page) => {
          const found = await services.credits.movements(caller.organization, { ...page, grant: grant.id });
          return found.map((movement) => ({ id: movement.id, grant, movement }));
        }),
    }),
  }),
});

const CreditBalanceType = builder.objectRef<CreditTotals>("CreditBalance").implement({
  description:
    "A customer's credits of one kind and currency, now: granted = used + voided + expired + upcoming + remaining.",
  fields: (t) => ({
    kind: t.field({ type: CreditKindEnum, resolve: (totals) => totals.kind }),
    currency: t.exposeString("currency"),
    granted: t.field({
      type: MoneyType,
      resolve: ({ currency, granted }) => ({ currency, minor: granted }),
    }),
    used: t.field({ type: MoneyType, resolve: ({ currency, used }) => ({ currency, minor: used }) }),
    voided: t.field({ type: MoneyType, resolve: ({ currency, voided }) => ({ currency, minor: voided }) }),
    expired: t.field({
      type: MoneyType,
      resolve: ({ currency, expired }) => ({ currency, minor: expired }),
    }),
    upcoming: t.field({
      type: MoneyType,
      description: "Not valid yet.",
      resolve: ({ currency, upcoming }) => ({ currency, minor: upcoming }),
    }),
    remaining: t.field({
      type: MoneyType,
      description: "Valid now and not drawn.",
      resolve: ({ currency, remaining }) => ({ currency, minor: remaining }),
    }),
  }),
});

builder.objectFields(CustomerType, (t) => ({
  creditBalances: t.field({
    type: [CreditBalanceType],
    description: "What the customer has now, by currency and kind.",
    complexity: 10,
    resolve: (customer, _args, { caller, services }) =>
      services.credits.totalsOf(caller.organization, customer.id),
  }),
  creditGrants: t.connection({
    type: CreditGrantType,
    description: "Oldest first.",
    resolve: (customer, args, { caller, services }) =>
      forwardConnection(args, (page) =>
        services.credits.list(caller.organization, { ...page, customer: customer.id }),
      ),
  }),
}));

builder.queryFields((t) => ({
  creditGrants: t.connection({
    type: CreditGrantType,
    description: "Credit grants, oldest first; of one customer when named by id or key.",
    args: {
      customer: t.arg.string(),
      open: t.arg.boolean({ description: "Only those that are neither used up nor voided." }),
    },
    resolve: async (_root, { customer, open, ...args }, { caller, services }) => {
      const { organization } = caller;
      const filter = await customerFilter({ caller, services }, customer);
      return forwardConnection(args, (page) =>
        services.credits.list(organization, { ...page, ...filter, open: open ?? false }),
      );
    },
  }),
  creditGrant: t.field({
    type: CreditGrantType,
    nullable: true,
    args: { id: t.arg.id({ required: true }) },
    resolve: async (_root, { id }, { caller, services }) =>
      (await services.credits.find(caller.organization, id)) ?? null,
  }),
}));

builder.mutationFields((t) => ({
  grantCredit: t.field({
    type: CreditGrantType,
    description: "Gives a customer credits. Paid ones are posted to the ledger: the money came in elsewhere.",
    errors: {},
    args: {
      customer: t.arg.string({ required: true, description: "Id or key." }),
      kind: t.arg({ type: CreditKindEnum, required: true }),
      amount: t.arg({ type: "Decimal", required: true, description: 'In major units: "100.00".' }),
      currency: t.arg.string({ description: "The customer's when left out." }),
      priority: t.arg.int({ description: "0 to 1000, the lowest is used first; 100 when left out." }),
      effectiveFrom: t.arg({ type: "Instant", description: "Now when left out." }),
      expiresAt: t.arg({ type: "Instant", description: "Exclusive; never when left out." }),
      note: t.arg.string(),
    },
    resolve: (_root, { currency, priority, effectiveFrom, expiresAt, note, ...input }, context) => {
      requireSecretKey(context);
      const optional = {
        ...(currency == null ? {} : { currency }),
        ...(priority == null ? {} : { priority }),
        ...(effectiveFrom == null ? {} : { effectiveFrom }),
        ...(expiresAt == null ? {} : { expiresAt }),
        ...(note == null ? {} : { note }),
      };
      return context.services.credits.grant(
        context.caller,
        { ...input, ...optional },
        context.idempotencyKey,
      );
    },
  }),
  voidCreditGrant: t.field({
    type: CreditGrantType,
    description:
      "Takes away what is left of a grant; what invoices drew stays drawn. Of a paid one it goes back as money, elsewhere.",
    errors: {},
    args: { grant: t.arg.id({ required: true }), reason: t.arg.string({ required: true }) },
    resolve: (_root, input, context) => {
      requireSecretKey(context);
      return context.services.credits.void(context.caller, input, context.idempotencyKey);
    },
  }),
}));
