import { MoneyType } from "../../billing/api/graphql.js";
import { builder } from "../../graphql/builder.js";
import { calendarIn, dateAt, formatDate } from "../../kernel/local-date.js";
import type { PrepaidBalance } from "../index.js";

type Amount = {
  [Name in keyof PrepaidBalance]: PrepaidBalance[Name] extends bigint ? Name : never;
}[keyof PrepaidBalance];

const PrepaidBalanceType = builder.objectRef<PrepaidBalance>("PrepaidBalance").implement({
  description:
    "What is left of what a customer paid in advance, in one currency: granted = drawn + voided + expired + upcoming + remaining, and available = remaining − burning.",
  fields: (t) => {
    const money = (name: Amount, description: string) =>
      t.field({
        type: MoneyType,
        description,
        resolve: (balance) => ({ currency: balance.currency, minor: balance[name] }),
      });
    return {
      currency: t.exposeString("currency"),
      granted: money("granted", "Paid credits in all."),
      drawn: money("drawn", "By invoices that are final, less what voided ones gave back."),
      voided: money("voided", "Taken back, as by refunds."),
      expired: money("expired", "Over, and not drawn."),
      upcoming: money("upcoming", "Not valid yet."),
      remaining: money("remaining", "Valid now, and not drawn."),
      burning: money(
        "burning",
        "What the customer would be invoiced now: its drafts and the periods that run, rated by the usage known now, with tax, after promotional credits.",
      ),
      available: money("available", "Below zero when more was used than there is."),
      burnedLately: money(
        "burnedLately",
        "What usage of the last 7 days cost, with tax and without credits. Fees are not in it.",
      ),
      runsOutAt: t.field({
        type: "Instant",
        nullable: true,
        description:
          "When it is used up if usage goes on as in the last 7 days (as since their start, of subscriptions that are younger), and grants expire as they do; null when it lasts for more than ten years. Fees of later periods are not foreseen.",
        resolve: ({ runsOutAt }) => runsOutAt ?? null,
      }),
      runsOutOn: t.string({
        nullable: true,
        description: "The day of it where the customer is: 2028-03-14",
        resolve: ({ runsOutAt, timeZone }) =>
          runsOutAt === undefined ? null : formatDate(dateAt(calendarIn(timeZone), runsOutAt)),
      }),
      computedAt: t.expose("computedAt", { type: "Instant" }),
    };
  },
});

builder.queryFields((t) => ({
  prepaidBalance: t.field({
    type: [PrepaidBalanceType],
    description:
      "What is left of a customer's paid credits less what runs, computed now, in each currency in which it has any or has them watched.",
    complexity: 100,
    args: { customer: t.arg.string({ required: true, description: "Id or key." }) },
    resolve: (_root, { customer }, { caller, services }) =>
      services.prepaid.balances.of(caller.organization, customer),
  }),
}));
