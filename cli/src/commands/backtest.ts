import type { Command } from "commander";
import { contextOf } from "../context.js";
import { readCount, readInstant } from "../options.js";
import { priceOptions, pricesOf, type PriceOptions } from "../price-options.js";
import { grouped, printJson, printTable } from "../print.js";

interface Money {
  readonly amount: string;
  readonly currency: string;
}

interface Compared {
  readonly current: Money;
  readonly draft: Money;
  readonly change: Money;
}

interface Backtest {
  readonly planKey: string;
  readonly period: { readonly start: string; readonly end: string };
  readonly subscriptions: number;
  readonly incomparable: readonly string[];
  readonly totals: readonly (Compared & {
    readonly currency: string;
    readonly winners: number;
    readonly losers: number;
    readonly unchanged: number;
  })[];
  readonly customers: readonly (Compared & { readonly customer: { readonly key: string } })[];
}

interface Options extends PriceOptions {
  readonly from: string;
  readonly to: string;
  readonly limit: number;
}

const compared = "current { amount currency } draft { amount currency } change { amount currency }";

export function addBacktestCommand(program: Command): void {
  priceOptions(
    program
      .command("backtest")
      .argument("<plan>", "id or key")
      .requiredOption("--from <instant>", "billing periods that end after it …", readInstant)
      .requiredOption("--to <instant>", "… and not after this", readInstant)
      .option("--limit <n>", "at most so many customers, the largest change first; up to 200", readCount, 20)
      .description("what a past time would have earned under other prices: who would pay less, who more"),
  ).action(async (plan: string, options: Options, command: Command) => {
    const context = contextOf(command);
    const { from, to, limit, currency, interval, name } = options;
    const { backtest } = await context.weir.graphql.run<{ backtest: Backtest }>(
      `query ($plan: String!, $start: Instant!, $end: Instant!, $draft: PlanDraftInput!, $first: Int!) {
        backtest(plan: $plan, start: $start, end: $end, draft: $draft) {
          planKey period { start end } subscriptions incomparable
          totals { currency ${compared} winners losers unchanged }
          customers(first: $first) { customer { key } ${compared} }
        } }`,
      {
        plan,
        start: from,
        end: to,
        first: limit,
        draft: {
          currency,
          ...(interval === undefined ? {} : { interval }),
          ...(name === undefined ? {} : { name }),
          prices: pricesOf(options),
        },
      },
    );
    if (context.json) return printJson(context, backtest);
    const { period, subscriptions, totals, customers, incomparable } = backtest;
    context.out.write(
      `${backtest.planKey}, ${period.start} to ${period.end}: ${subscriptions} subscriptions\n\n`,
    );
    printTable(
      context,
      ["CURRENCY", "REVENUE", "UNDER THE DRAFT", "CHANGE", "PAY LESS", "PAY MORE", "THE SAME"],
      totals.map(({ currency: code, current, draft, change, winners, losers, unchanged }) => [
        code,
        grouped(current.amount),
        grouped(draft.amount),
        grouped(change.amount),
        String(winners),
        String(losers),
        String(unchanged),
      ]),
      "Nobody was on this plan in that time.",
    );
    if (customers.length > 0) {
      context.out.write("\n");
      printTable(
        context,
        ["CUSTOMER", "CURRENCY", "NOW", "DRAFT", "CHANGE"],
        customers.map(({ customer, current, draft, change }) => [
          customer.key,
          current.currency,
          grouped(current.amount),
          grouped(draft.amount),
          grouped(change.amount),
        ]),
        "",
      );
    }
    if (incomparable.length > 0) {
      context.out.write(
        `\nLeft out, since the draft has no price in their currency: ${incomparable.length} subscriptions\n`,
      );
    }
  });
}
