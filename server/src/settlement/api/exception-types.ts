import { builder } from "../../graphql/builder.js";
import { MoneyType } from "../../graphql/money-type.js";
import { day } from "../../kernel/instant.js";
import { exception_kinds } from "../core/matching/index.js";
import { book_accounts } from "../exceptions.js";
import { exception_states, type Resolution, type StoredException } from "../store/exceptions.js";
import { accountOf, FileType, SettlementAccountType } from "./file-types.js";

export const ExceptionKindEnum = builder.enumType("ReconciliationExceptionKind", { values: exception_kinds });
export const ExceptionStateEnum = builder.enumType("ReconciliationExceptionState", {
  values: exception_states,
});
export const BookAccountEnum = builder.enumType("BookAccount", {
  description: "What money in suspense may be booked to.",
  values: book_accounts,
});

const ResolutionType = builder.objectRef<Resolution>("ExceptionResolution").implement({
  description: "How an exception was closed.",
  fields: (t) => ({
    kind: t.exposeString("kind", {
      description:
        "match, balance, book, return, ignore, accept_file, discard_file; gone: it turned up by itself",
    }),
    to: t.exposeString("to", { nullable: true, description: "What it was said to be." }),
    note: t.exposeString("note", { nullable: true }),
  }),
});

export const ExceptionType = builder.objectRef<StoredException>("ReconciliationException").implement({
  description: "Something that did not match, for a person to decide.",
  fields: (t) => ({
    id: t.exposeID("id"),
    kind: t.field({ type: ExceptionKindEnum, resolve: ({ kind }) => kind }),
    state: t.field({ type: ExceptionStateEnum, resolve: ({ state }) => state }),
    version: t.exposeInt("version", {
      description: "Counts decisions: whoever decides says which they looked at.",
    }),
    reason: t.exposeString("reason"),
    account: t.field({
      type: SettlementAccountType,
      nullable: true,
      resolve: ({ account }, _args, context) => (account === undefined ? null : accountOf(context, account)),
    }),
    file: t.field({
      type: FileType,
      nullable: true,
      complexity: 5,
      resolve: async ({ file }, _args, { caller, services }) =>
        file === undefined
          ? null
          : ((await services.settlement.files.find(caller.organization, file)) ?? null),
    }),
    position: t.int({
      nullable: true,
      description: "The record of the file.",
      resolve: ({ position }) => position ?? null,
    }),
    target: t.id({
      nullable: true,
      description: "What of ours it is about.",
      resolve: ({ target }) => target?.id ?? null,
    }),
    amount: t.field({
      type: MoneyType,
      nullable: true,
      description: "Signed as our account with the sender sees it.",
      resolve: ({ amount }) => amount ?? null,
    }),
    suspense: t.field({
      type: MoneyType,
      nullable: true,
      description: "What of it lies in suspense.",
      resolve: ({ amount, suspense }) =>
        amount === undefined ? null : { currency: amount.currency, minor: suspense },
    }),
    happenedAt: t.expose("happenedAt", { type: "Instant", description: "When it moved, or was due." }),
    openedAt: t.expose("openedAt", { type: "Instant" }),
    ageDays: t.int({
      description: "Whole days by the organization's clock since it happened, until it was closed.",
      resolve: ({ happenedAt, closedAt }, _args, { caller, services }) => {
        const until = closedAt ?? services.clocks.of(caller.organization).now();
        return Math.max(0, Math.floor((until - happenedAt) / day));
      },
    }),
    resolution: t.field({
      type: ResolutionType,
      nullable: true,
      resolve: ({ resolution }) => resolution ?? null,
    }),
    closedBy: t.string({
      nullable: true,
      description: "An API key's id, or system.",
      resolve: ({ closedBy }) => closedBy ?? null,
    }),
    closedAt: t.field({ type: "Instant", nullable: true, resolve: ({ closedAt }) => closedAt ?? null }),
  }),
});
