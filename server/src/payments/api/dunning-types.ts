import { CustomerType } from "../../billing/api/graphql.js";
import { builder, requireSecretKey, type GraphQLContext } from "../../graphql/builder.js";
import type { CustomerId } from "../../kernel/ids.js";
import { dunning_ends, type Decline, type DunningSchedule, type DunningStep } from "../core/index.js";
import type { CollectionPause } from "../store/dunning-settings.js";
import { given } from "./given.js";

const methods_max = 50;

const DunningEndEnum = builder.enumType("DunningEnd", {
  description:
    "none: left open for a person. mark_uncollectible: written off. pause: nothing is charged to the customer by itself any more. cancel: the invoice's subscriptions end.",
  values: dunning_ends,
});

const DunningScheduleType = builder.objectRef<DunningSchedule>("DunningSchedule").implement({
  description: "How what was declined is collected.",
  fields: (t) => ({
    retryDays: t.intList({
      description: "Days after the first decline, at most 15, up to day 90.",
      resolve: ({ retryDays }) => [...retryDays],
    }),
    hour: t.exposeInt("hour", { description: "Of the customer's day, 0 to 23." }),
    endDays: t.exposeInt("endDays", { description: "Days after the first decline at which it ends." }),
    end: t.field({ type: DunningEndEnum, resolve: ({ end }) => end }),
  }),
});

const DunningStepKindEnum = builder.enumType("DunningStepKind", {
  description: "wait: no retry will do before the customer gives another way to pay.",
  values: ["retry", "wait", "end"] as const satisfies readonly DunningStep["kind"][],
});

const RetryTimeEnum = builder.enumType("DunningRetryReason", {
  description:
    "payday: moved to the 1st or 15th, since funds were missing. soon: the issuer was out of order.",
  values: ["schedule", "payday", "soon"] as const,
});

const DunningStepType = builder
  .objectRef<DunningStep & { readonly schedule: DunningSchedule }>("DunningStep")
  .implement({
    fields: (t) => ({
      kind: t.field({ type: DunningStepKindEnum, resolve: ({ kind }) => kind }),
      at: t.field({
        type: "Instant",
        description: "Of waiting: until when.",
        resolve: (step) => (step.kind === "wait" ? step.until : step.at),
      }),
      why: t.field({
        type: RetryTimeEnum,
        nullable: true,
        description: "Why a retry comes then.",
        resolve: (step) => (step.kind === "retry" ? step.why : null),
      }),
      action: t.field({
        type: DunningEndEnum,
        nullable: true,
        description: "What is done at the end.",
        resolve: ({ kind, schedule }) => (kind === "end" ? schedule.end : null),
      }),
    }),
  });

const CollectionPauseType = builder.objectRef<CollectionPause>("CollectionPause").implement({
  description: "Nothing is charged to the customer by itself.",
  fields: (t) => ({
    reason: t.exposeString("reason"),
    pausedAt: t.expose("pausedAt", { type: "Instant" }),
  }),
});

builder.objectFields(CustomerType, (t) => ({
  collectionPause: t.field({
    type: CollectionPauseType,
    nullable: true,
    complexity: 5,
    description: "Null while its invoices are charged by themselves.",
    resolve: async ({ id }, _args, { caller, services }) =>
      (await services.payments.dunning.pauseOf(caller.organization, id)) ?? null,
  }),
}));

/** What a decline of this code would mean where the customer pays. */
async function declineOf(
  { caller, services }: GraphQLContext,
  customer: CustomerId,
  code: string,
): Promise<Decline> {
  const { methods, accounts } = services.payments;
  const known = await methods.list(caller.organization, { customer, limit: methods_max });
  const account = (known.find(({ isDefault }) => isDefault) ?? known.at(-1))?.account;
  const used = account === undefined ? undefined : await accounts.find(caller.organization, account);
  const providers = used === undefined ? accounts.providers : [accounts.providerOf(used.provider)];
  const [decline] = providers.flatMap((provider) => provider.declineFor?.(code) ?? []);
  return decline ?? { code, hardness: "soft", message: "" };
}

builder.queryFields((t) => ({
  dunningSchedule: t.field({
    type: DunningScheduleType,
    resolve: (_root, _args, { caller, services }) => services.payments.dunning.schedule(caller.organization),
  }),
  dunningPreview: t.field({
    type: [DunningStepType],
    description:
      "What would be done about an invoice from now on, if every attempt were declined in the same way.",
    complexity: 10,
    args: {
      invoice: t.arg.id({ required: true, description: "Its id or number." }),
      declineCode: t.arg.string({
        description:
          "As the customer's provider names it, such as stolen_card; as the last attempt was when left out.",
      }),
    },
    resolve: async (_root, { invoice, declineCode }, context) => {
      const { caller, services } = context;
      const { id, customer } = await services.billing.invoices.get(caller.organization, invoice);
      const decline = declineCode == null ? undefined : await declineOf(context, customer, declineCode);
      const { dunning } = services.payments;
      const schedule = await dunning.schedule(caller.organization);
      const steps = await dunning.preview(caller.organization, id, decline);
      return steps.map((step) => ({ ...step, schedule }));
    },
  }),
}));

builder.mutationFields((t) => ({
  setDunningSchedule: t.field({
    type: DunningScheduleType,
    description: "Applies to declines from now on; what is left out stays.",
    errors: {},
    args: {
      retryDays: t.arg.intList({
        description: "Days after the first decline, each later than the one before.",
      }),
      hour: t.arg.int(),
      endDays: t.arg.int(),
      end: t.arg({ type: DunningEndEnum }),
    },
    resolve: (_root, input, context) => {
      requireSecretKey(context);
      return context.services.payments.dunning.setSchedule(
        context.caller,
        given(input),
        context.idempotencyKey,
      );
    },
  }),
  pauseCollection: t.field({
    type: CustomerType,
    description: "Nothing is charged to the customer by itself any more; payInvoice still does.",
    errors: {},
    args: {
      customer: t.arg.string({ required: true, description: "Id or key." }),
      reason: t.arg.string({ required: true }),
    },
    resolve: async (_root, input, context) => {
      requireSecretKey(context);
      const { caller, services, idempotencyKey } = context;
      const id = await services.payments.dunning.pause(caller, input, idempotencyKey);
      return services.billing.customers.get(caller.organization, id);
    },
  }),
  resumeCollection: t.field({
    type: CustomerType,
    description: "Charges what is open at once, and what comes as it is finalized.",
    errors: {},
    args: { customer: t.arg.string({ required: true, description: "Id or key." }) },
    resolve: async (_root, input, context) => {
      requireSecretKey(context);
      const { caller, services, idempotencyKey } = context;
      const id = await services.payments.dunning.resume(caller, input, idempotencyKey);
      return services.billing.customers.get(caller.organization, id);
    },
  }),
}));
