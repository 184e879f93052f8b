import { builder } from "../../graphql/builder.js";
import { forwardConnection } from "../../graphql/forward-connection.js";
import { MoneyType } from "../../graphql/money-type.js";
import { PeriodType } from "../../graphql/period-type.js";
import { upcoming_months_max } from "../revenue.js";
import type { MonthOfRevenue, RevenueSchedule } from "../store/revenue-schedules.js";

const months_default = 12;

const ScheduleType = builder.objectRef<RevenueSchedule>("RevenueSchedule").implement({
  description:
    "Revenue of an invoice's line that was billed before the service was given: recognised at the end of each month, in equal parts for each local day.",
  fields: (t) => ({
    id: t.exposeID("id"),
    invoice: t.exposeID("invoice"),
    line: t.exposeID("line"),
    customer: t.exposeID("customer", { description: "Who pays." }),
    servicePeriod: t.field({ type: PeriodType, resolve: ({ service }) => service }),
    days: t.exposeInt("days", { description: "Whole local days of the service." }),
    recognizedDays: t.exposeInt("recognizedDays"),
    amount: t.field({
      type: MoneyType,
      description: "What was deferred; below zero for a line that gives back.",
      resolve: ({ currency, amount }) => ({ currency, minor: amount }),
    }),
    takenBack: t.field({
      type: MoneyType,
      description: "By credit notes, or by voiding the invoice.",
      resolve: ({ currency, amount, total }) => ({ currency, minor: amount - total }),
    }),
    recognized: t.field({
      type: MoneyType,
      resolve: ({ currency, recognized }) => ({ currency, minor: recognized }),
    }),
    remaining: t.field({
      type: MoneyType,
      description: "amount = takenBack + recognized + remaining",
      resolve: ({ currency, total, recognized }) => ({ currency, minor: total - recognized }),
    }),
    isOpen: t.exposeBoolean("isOpen", { description: "Whether something is to be recognised still." }),
  }),
});

const MonthType = builder.objectRef<MonthOfRevenue>("MonthOfRevenue").implement({
  description: "What is to be recognised in a month, in one currency.",
  fields: (t) => ({
    month: t.exposeString("month", { description: "2026-10" }),
    amount: t.field({ type: MoneyType, resolve: ({ currency, amount }) => ({ currency, minor: amount }) }),
    schedules: t.exposeInt("schedules"),
  }),
});

builder.queryFields((t) => ({
  revenueSchedules: t.connection({
    type: ScheduleType,
    description: "Deferred revenue, oldest first; of an invoice or a customer when given by id.",
    args: {
      invoice: t.arg.id(),
      customer: t.arg.id(),
      open: t.arg.boolean({ description: "Only those of which something is to be recognised still." }),
    },
    resolve: (_root, { invoice, customer, open, ...args }, { caller, services }) =>
      forwardConnection(args, (page) =>
        services.books.revenue.list(caller.organization, {
          ...page,
          ...(invoice == null ? {} : { invoice }),
          ...(customer == null ? {} : { customer }),
          open: open ?? false,
        }),
      ),
  }),
  upcomingRevenue: t.field({
    type: [MonthType],
    description:
      "What is deferred, by the month in which it will be recognised, from the present one on; what is late falls to that.",
    complexity: 50,
    args: {
      months: t.arg.int({ description: `At most ${upcoming_months_max}; ${months_default} when left out.` }),
    },
    resolve: (_root, { months }, { caller, services }) =>
      services.books.revenue.upcoming(
        caller.organization,
        Math.min(Math.max(months ?? months_default, 1), upcoming_months_max),
      ),
  }),
}));
