import { builder, requireSecretKey } from "../../graphql/builder.js";
import { forwardPage, page_items_max } from "../../graphql/forward-connection.js";
import { makeProblem, Refusal } from "../../kernel/problem.js";
import { inbox_states, inboxCursor, type InboxEvent } from "../store/webhook-inbox.js";
import { accountOf } from "./account-field.js";
import { given } from "./given.js";
import { mustFindAccount } from "./must-find-account.js";
import { ProviderAccountType } from "./references.js";

const ProviderEventStateEnum = builder.enumType("ProviderEventState", {
  description: "ignored: nothing that Weir keeps books of.",
  values: inbox_states,
});

const ProviderEventType = builder.objectRef<InboxEvent>("ProviderEvent").implement({
  description:
    "Something that a provider told us of, by webhook or by its own list. A hint: the object itself is asked for.",
  fields: (t) => ({
    id: t.exposeID("id", { description: "The provider's: evt_…" }),
    account: t.field({ type: ProviderAccountType, complexity: 5, resolve: accountOf }),
    type: t.exposeString("type"),
    objectType: t.exposeString("objectType"),
    objectId: t.exposeString("objectId"),
    state: t.field({ type: ProviderEventStateEnum, resolve: ({ state }) => state }),
    note: t.string({
      nullable: true,
      description: "What came of it, or why nothing did.",
      resolve: ({ note }) => note ?? null,
    }),
    replays: t.exposeInt("replays", { description: "How often it was processed again by hand." }),
    happenedAt: t.expose("happenedAt", { type: "Instant", description: "By the provider." }),
    receivedAt: t.expose("receivedAt", { type: "Instant", description: "In real time." }),
    processedAt: t.field({
      type: "Instant",
      nullable: true,
      resolve: ({ processedAt }) => processedAt ?? null,
    }),
  }),
});

builder.queryFields((t) => ({
  providerEvents: t.connection({
    type: ProviderEventType,
    description: "What providers told us of, newest first; of one account when named by id or key.",
    args: { account: t.arg.string(), state: t.arg({ type: ProviderEventStateEnum }) },
    resolve: async (_root, { account, state, ...args }, context) => {
      const { caller, services } = context;
      const page = forwardPage(args, page_items_max);
      if (page.after !== undefined && !/^\d{1,17} [^\0]{1,255}$/.test(page.after)) throw invalidCursor();
      const found = await services.payments.inbox.list(caller.organization, {
        ...(account == null ? {} : { account: (await mustFindAccount(context, account)).id }),
        ...given({ state, before: page.after }),
        limit: page.limit + 1,
      });
      const edges = found.slice(0, page.limit).map((node) => ({ cursor: inboxCursor(node), node }));
      return {
        edges,
        pageInfo: {
          startCursor: edges[0]?.cursor ?? null,
          endCursor: edges.at(-1)?.cursor ?? null,
          hasNextPage: found.length > page.limit,
          hasPreviousPage: page.after !== undefined,
        },
      };
    },
  }),
}));

const BackfilledType = builder.objectRef<{ readonly taken: number }>("BackfilledProviderEvents").implement({
  fields: (t) => ({ taken: t.exposeInt("taken", { description: "How many had never come." }) }),
});

const accountNote = "A provider account's id or key.";

builder.mutationFields((t) => ({
  replayProviderEvent: t.field({
    type: ProviderEventType,
    description: "Processes an event again. What it did before is not done twice.",
    errors: {},
    args: {
      account: t.arg.string({ required: true, description: accountNote }),
      event: t.arg.id({ required: true }),
    },
    resolve: (_root, input, context) => {
      requireSecretKey(context);
      return context.services.payments.inbox.replay(context.caller, input, context.idempotencyKey);
    },
  }),
  backfillProviderEvents: t.field({
    type: BackfilledType,
    description: "Takes in events that the provider lists and whose webhooks never came.",
    errors: {},
    args: { account: t.arg.string({ required: true, description: accountNote }) },
    resolve: async (_root, { account }, context) => {
      requireSecretKey(context);
      const { inbox } = context.services.payments;
      return { taken: await inbox.backfillByHand(context.caller, account, context.idempotencyKey) };
    },
  }),
}));

function invalidCursor(): Refusal {
  const detail = "`after` is the endCursor of an earlier page.";
  return new Refusal(makeProblem("invalid-page", 400, "The cursor is not valid", detail));
}
