import { builder, requireSecretKey } from "../../graphql/builder.js";
import { months_listed_max, type MonthOfBooks } from "../ledger-months.js";
import { AccountType } from "./account-type.js";

const months_default = 24;

const MonthType = builder.objectRef<MonthOfBooks>("LedgerMonth").implement({
  description: "A month of the books. Once it is closed nothing is posted into it any more.",
  fields: (t) => ({
    month: t.exposeString("month", { description: "2026-10" }),
    start: t.expose("start", { type: "Instant" }),
    end: t.expose("end", { type: "Instant" }),
    closed: t.boolean({ resolve: ({ closed }) => closed !== undefined }),
    closedAt: t.field({
      type: "Instant",
      nullable: true,
      description: "In the organization's time.",
      resolve: ({ closed }) => closed?.closedAt ?? null,
    }),
    closedBy: t.id({
      nullable: true,
      description: "The key that closed it.",
      resolve: ({ closed }) => closed?.closedBy ?? null,
    }),
    block: t.int({
      nullable: true,
      description:
        "The last sealed block when it was closed. Null while it is open, and while postings are waited for that were under way.",
      resolve: ({ closed }) => closed?.closing?.block ?? null,
    }),
    hash: t.string({
      nullable: true,
      description: "That block's.",
      resolve: ({ closed }) => closed?.closing?.hash ?? null,
    }),
    trialBalance: t.field({
      type: [AccountType],
      nullable: true,
      description: "What it was closed with, by account and currency.",
      complexity: 20,
      resolve: async ({ month, closed }, _args, { caller, services }) =>
        closed?.closing === undefined
          ? null
          : ((await services.books.months.closingOf(caller.organization, month)) ?? null),
    }),
  }),
});

builder.queryFields((t) => ({
  ledgerMonths: t.field({
    type: [MonthType],
    description: "The months of the books from the first with a posting to the present one, latest first.",
    args: {
      first: t.arg.int({ description: `At most ${months_listed_max}; ${months_default} when left out.` }),
    },
    resolve: (_root, { first }, { caller, services }) =>
      services.books.months.list(
        caller.organization,
        Math.min(Math.max(first ?? months_default, 1), months_listed_max),
      ),
  }),
  ledgerTimeZone: t.string({
    description: "Where the months of the books begin: UTC until it is set.",
    resolve: (_root, _args, { caller, services }) => services.books.months.timeZone(caller.organization),
  }),
}));

builder.mutationFields((t) => ({
  closeLedgerMonth: t.field({
    type: MonthType,
    description:
      "Closes a month that is over, for good: nothing is posted into it any more, and what it came to is recorded. Again changes nothing.",
    errors: {},
    args: { month: t.arg.string({ required: true, description: "2026-10" }) },
    resolve: (_root, { month }, context) => {
      requireSecretKey(context);
      return context.services.books.months.close(context.caller, month, context.idempotencyKey);
    },
  }),
  setLedgerTimeZone: t.string({
    description: "Says where the months of the books begin, until a month is closed.",
    errors: {},
    args: { timeZone: t.arg.string({ required: true, description: "Such as Europe/Berlin." }) },
    resolve: (_root, { timeZone }, context) => {
      requireSecretKey(context);
      return context.services.books.months.setTimeZone(context.caller, timeZone, context.idempotencyKey);
    },
  }),
}));
