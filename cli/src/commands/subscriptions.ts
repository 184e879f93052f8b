import type { Command } from "commander";
import { nodesOf } from "../all-nodes.js";
import { contextOf } from "../context.js";
import { mutate } from "../mutate.js";
import { readCount, readInstant } from "../options.js";
import { printFields, printJson, printTable } from "../print.js";

interface Subscription {
  readonly id: string;
  readonly anchorDay: number;
  readonly startedAt: string;
  readonly timeZone: string;
  readonly customer: { readonly key: string };
  readonly planVersion: { readonly planKey: string; readonly version: number };
  readonly period: { readonly start: string; readonly end: string } | null;
}

interface CreateOptions {
  readonly start?: string;
  readonly anchorDay?: number;
}

const selection =
  "{ id anchorDay startedAt timeZone customer { key } planVersion { planKey version } period { start end } }";

export function addSubscriptionCommands(program: Command): void {
  const subscriptions = program.command("subscriptions").description("customers on plans");

  subscriptions
    .command("list")
    .description("the subscriptions, with their current period")
    .option("--customer <customer>", "id or key")
    .option("--limit <count>", "at most this many", readCount, 100)
    .action(async (options: { customer?: string; limit: number }, command: Command) => {
      const context = contextOf(command);
      const found = await nodesOf<Subscription>(
        context,
        `query ($customer: String, $first: Int, $after: String) { connection: subscriptions(customer: $customer, first: $first, after: $after) { nodes ${selection} pageInfo { hasNextPage endCursor } } }`,
        { customer: options.customer },
        options.limit,
      );
      if (context.json) return printJson(context, found);
      printTable(
        context,
        ["ID", "CUSTOMER", "PLAN", "VERSION", "PERIOD", "TIME ZONE"],
        found.map((each) => [
          each.id,
          each.customer.key,
          each.planVersion.planKey,
          String(each.planVersion.version),
          each.period === null ? "" : `${each.period.start} … ${each.period.end}`,
          each.timeZone,
        ]),
        "No subscriptions. Create one: weir subscriptions create CUSTOMER PLAN",
      );
    });

  subscriptions
    .command("create")
    .argument("<customer>", "id or key")
    .argument("<plan>", "a plan's id or key for its current version, or a version's id")
    .description("put a customer on a plan")
    .option("--start <instant>", "any instant of the first day; today when left out", readInstant)
    .option(
      "--anchor-day <day>",
      "the day of the month that periods begin on, 1 to 31; 1 when left out",
      readCount,
    )
    .action(async (customer: string, plan: string, options: CreateOptions, command: Command) => {
      const context = contextOf(command);
      const created = await mutate<Subscription>(
        context,
        "createSubscription",
        {
          customer: ["String!", customer],
          plan: ["String!", plan],
          start: ["Instant", options.start],
          anchorDay: ["Int", options.anchorDay],
        },
        selection,
      );
      if (context.json) return printJson(context, created);
      printFields(context, [
        ["id", created.id],
        ["customer", created.customer.key],
        ["plan", `${created.planVersion.planKey}, version ${created.planVersion.version}`],
        ["started", created.startedAt],
        ["periods begin", `on day ${created.anchorDay}, ${created.timeZone}`],
        ["period", created.period === null ? "" : `${created.period.start} … ${created.period.end}`],
      ]);
    });
}
