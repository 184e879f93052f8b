import type { Command } from "commander";
import { nodesOf } from "../all-nodes.js";
import { versionsOf } from "../all-versions.js";
import type { CliContext } from "../context.js";
import { contextOf, UsageError } from "../context.js";
import { mutate } from "../mutate.js";
import { readCount, readInstant } from "../options.js";
import { priceOptions, pricesOf, type PriceOptions } from "../price-options.js";
import { priceSelection, printPrices, type Price } from "../price-table.js";
import { printFields, printJson, printTable, visible } from "../print.js";
import { addCatalogFileCommands } from "./catalog-file.js";

interface PlanVersion {
  readonly id: string;
  readonly planKey: string;
  readonly version: number;
  readonly name: string;
  readonly currency: string;
  readonly interval: string;
  readonly effectiveFrom: string;
  readonly prices: readonly Price[];
}

interface Plan {
  readonly id: string;
  readonly key: string;
  readonly current: PlanVersion | null;
}

interface ListedPlan {
  readonly id: string;
  readonly key: string;
  readonly current: {
    readonly name: string;
    readonly version: number;
    readonly currency: string;
    readonly interval: string;
    readonly prices: readonly { readonly key: string }[];
  } | null;
}

interface VersionOptions extends PriceOptions {
  readonly effectiveFrom?: string;
}

const versionSelection = `{ id planKey version name currency interval effectiveFrom prices ${priceSelection} }`;
const planSelection = `{ id key current ${versionSelection} }`;

export function addPlanCommands(program: Command): void {
  const plans = program.command("plans").description("plans: what is sold, and at what prices");

  plans
    .command("list")
    .description("the plans, each with its current version")
    .option("--limit <count>", "at most this many", readCount, 100)
    .action(async ({ limit }: { limit: number }, command: Command) => {
      const context = contextOf(command);
      const found = await nodesOf<ListedPlan>(
        context,
        `query ($first: Int, $after: String) { connection: plans(first: $first, after: $after) { nodes { id key current { name version currency interval prices { key } } } pageInfo { hasNextPage endCursor } } }`,
        {},
        limit,
      );
      if (context.json) return printJson(context, found);
      printTable(
        context,
        ["KEY", "NAME", "VERSION", "CURRENCY", "INTERVAL", "PRICES", "ID"],
        found.map(({ id, key, current }) =>
          current === null
            ? [key, "", "scheduled", "", "", "", id]
            : [
                key,
                current.name,
                String(current.version),
                current.currency,
                current.interval,
                current.prices.map((price) => price.key).join(" "),
                id,
              ],
        ),
        'No plans. Create one: weir plans create pro --currency USD --price "tokens METER 0.002 per 1000"',
      );
    });

  plans
    .command("show")
    .argument("<plan>", "id or key")
    .description("a plan with the version in force")
    .action(async (idOrKey: string, _options: object, command: Command) => {
      const context = contextOf(command);
      const { plan } = await context.weir.graphql.run<{ plan: Plan | null }>(
        `query ($plan: String!) { plan(idOrKey: $plan) ${planSelection} }`,
        { plan: idOrKey },
      );
      if (plan === null) throw new UsageError(`there is no plan "${idOrKey}"; weir plans list`);
      printPlan(context, plan);
    });

  plans
    .command("versions")
    .argument("<plan>", "id or key")
    .description("a plan's versions, those that are still to come too")
    .option("--limit <count>", "at most this many", readCount, 100)
    .action(async (idOrKey: string, { limit }: { limit: number }, command: Command) => {
      const context = contextOf(command);
      const of = { field: "plan", noun: "plan", idOrKey } as const;
      const versions = await versionsOf<PlanVersion>(context, of, versionSelection, limit);
      if (context.json) return printJson(context, versions);
      for (const version of versions) printVersion(context, version);
    });

  addCatalogFileCommands(plans);

  versionOptions(
    plans.command("create").argument("<key>", "your own key for it").description("create a plan"),
  ).action(async (key: string, options: VersionOptions, command: Command) => {
    const context = contextOf(command);
    const plan = await mutate<Plan>(
      context,
      "createPlan",
      {
        key: ["String!", key],
        name: ["String!", options.name ?? key],
        currency: ["String!", options.currency],
        interval: ["BillingInterval", options.interval],
        effectiveFrom: ["Instant", options.effectiveFrom],
        prices: ["[PriceInput!]!", pricesOf(options)],
      },
      planSelection,
    );
    printPlan(context, plan);
  });

  versionOptions(
    plans
      .command("add-version")
      .argument("<plan>", "id or key")
      .description("sell the plan at new prices; subscriptions stay on their version"),
  ).action(async (plan: string, options: VersionOptions, command: Command) => {
    const context = contextOf(command);
    const version = await mutate<PlanVersion>(
      context,
      "createPlanVersion",
      {
        plan: ["String!", plan],
        name: ["String!", options.name ?? plan],
        currency: ["String!", options.currency],
        interval: ["BillingInterval", options.interval],
        effectiveFrom: ["Instant", options.effectiveFrom],
        prices: ["[PriceInput!]!", pricesOf(options)],
      },
      versionSelection,
    );
    if (context.json) printJson(context, version);
    else printVersion(context, version);
  });
}

/** The options of a new version, which may be in force from another time than now. */
function versionOptions(command: Command): Command {
  return priceOptions(command).option(
    "--effective-from <time>",
    "from when it is in force; now when left out",
    readInstant,
  );
}

function printPlan(context: CliContext, plan: Plan): void {
  if (context.json) return printJson(context, plan);
  printFields(context, [
    ["key", plan.key],
    ["id", plan.id],
  ]);
  if (plan.current === null)
    context.out.write(`\nNothing is in force yet: weir plans versions ${plan.key}\n`);
  else printVersion(context, plan.current);
}

function printVersion(context: CliContext, version: PlanVersion): void {
  const { name, currency, interval, effectiveFrom, id } = version;
  context.out.write(
    `\nversion ${version.version}  ${visible(name)}, ${currency}, by the ${interval}, from ${effectiveFrom}  (${id})\n`,
  );
  printPrices(context, version.prices);
}
