import { PlanVersionType } from "../../catalog/api/graphql.js";
import { builder } from "../../graphql/builder.js";
import { MoneyType } from "../../graphql/money-type.js";
import { PeriodType } from "../../graphql/period-type.js";
import type { Backtest } from "../backtests.js";
import type { BacktestedAmount, BacktestTotal } from "../core/index.js";
import { customerOf } from "./customer-field.js";
import { CustomerType } from "./references.js";

const changed = ({ currency, current, draft }: Pick<BacktestTotal, "currency" | "current" | "draft">) => ({
  currency,
  minor: draft - current,
});

const BacktestTotalType = builder.objectRef<BacktestTotal>("BacktestTotal").implement({
  description: "Revenue in one currency, before tax and credits.",
  fields: (t) => ({
    currency: t.exposeString("currency"),
    current: t.field({
      type: MoneyType,
      resolve: ({ currency, current }) => ({ currency, minor: current }),
    }),
    draft: t.field({ type: MoneyType, resolve: ({ currency, draft }) => ({ currency, minor: draft }) }),
    change: t.field({ type: MoneyType, resolve: changed }),
    winners: t.exposeInt("winners", { description: "Customers who would pay less." }),
    losers: t.exposeInt("losers", { description: "Customers who would pay more." }),
    unchanged: t.exposeInt("unchanged"),
  }),
});

const BacktestCustomerType = builder.objectRef<BacktestedAmount>("BacktestCustomer").implement({
  fields: (t) => ({
    customer: t.field({
      type: CustomerType,
      complexity: 5,
      resolve: customerOf,
    }),
    current: t.field({
      type: MoneyType,
      resolve: ({ currency, current }) => ({ currency, minor: current }),
    }),
    draft: t.field({ type: MoneyType, resolve: ({ currency, draft }) => ({ currency, minor: draft }) }),
    change: t.field({ type: MoneyType, resolve: changed }),
  }),
});

export const customers_shown_max = 200;

export const BacktestType = builder.objectRef<Backtest>("Backtest").implement({
  description: "What a past time came to, and would have come to under other prices. Stored nowhere.",
  fields: (t) => ({
    planKey: t.exposeString("planKey"),
    draft: t.field({
      type: PlanVersionType,
      description: "The prices that were tried; stored nowhere.",
      resolve: (result) => result.draft,
    }),
    period: t.field({ type: PeriodType, resolve: (result) => result.period }),
    watermark: t.field({ type: "JSON", resolve: (result) => result.watermark }),
    subscriptions: t.exposeInt("subscriptions"),
    incomparable: t.idList({
      description: "Subscriptions left out, since the draft has no price in their currency; at most 200.",
      resolve: (result) => result.incomparable.slice(0, customers_shown_max),
    }),
    totals: t.field({ type: [BacktestTotalType], resolve: (result) => [...result.totals] }),
    customers: t.field({
      type: [BacktestCustomerType],
      description: "The largest change first.",
      args: { first: t.arg.int({ defaultValue: 50, description: "At most 200." }) },
      resolve: (result, { first }) =>
        result.customers.slice(0, Math.min(Math.max(first ?? 0, 0), customers_shown_max)),
    }),
  }),
});
