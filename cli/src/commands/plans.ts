import type { Command } from "commander";
import { nodesOf } from "../all-nodes.js";
import type { CliContext } from "../context.js";
import { contextOf, UsageError } from "../context.js";
import { mutate } from "../mutate.js";
import { collect, readCount, readInstant, readJson, readTextOrFile } from "../options.js";
import { priceSelection, printPrices, type Price } from "../price-table.js";
import { readPrice, type PriceInput } from "../price-text.js";
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

export interface PriceOptions {
  readonly name?: string;
  readonly currency: string;
  readonly interval?: string;
  readonly effectiveFrom?: string;
  readonly price?: readonly string[];
  readonly prices?: string;
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
      const versions = await versionsOf(context, idOrKey, limit);
      if (context.json) return printJson(context, versions);
      for (const version of versions) printVersion(context, version);
    });

  addCatalogFileCommands(plans);

  priceOptions(
    plans.command("create").argument("<key>", "your own key for it").description("create a plan"),
  ).action(async (key: string, options: PriceOptions, command: Command) => {
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

  priceOptions(
    plans
      .command("add-version")
      .argument("<plan>", "id or key")
      .description("sell the plan at new prices; subscriptions stay on their version"),
  ).action(async (plan: string, options: PriceOptions, command: Command) => {
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

/** Options that describe a plan's prices. */
export function priceOptions(command: Command): Command {
  return command
    .requiredOption("--currency <code>", "ISO 4217, such as USD")
    .option("--name <name>", "the key when left out")
    .option("--interval <interval>", "week, month, quarter or year; month when left out")
    .option("--effective-from <time>", "from when it is in force; now when left out", readInstant)
    .option("--price <text>", "a price in one line; may be repeated", collect)
    .option("--prices <json>", "prices as in GraphQL's PriceInput; @FILE reads a file")
    .addHelpText(
      "after",
      `
A price is its key, a meter, and an amount, or tiers of UP_TO:AMOUNT[:FLAT]:

  --price "tokens llm-tokens 0.002 per 1000"
  --price "tokens llm-tokens graduated 1000000:0 10000000:0.5 inf:0.3 per 1000000"`,
    );
}

/** @throws UsageError without a price */
export function pricesOf(options: Pick<PriceOptions, "price" | "prices">): readonly unknown[] {
  const lines: PriceInput[] = (options.price ?? []).map(readPrice);
  const given =
    options.prices === undefined ? [] : readJson("--prices", readTextOrFile("--prices", options.prices));
  if (!Array.isArray(given)) throw new UsageError("--prices must be a JSON array of prices");
  const prices = [...lines, ...(given as unknown[])];
  if (prices.length === 0) throw new UsageError("give at least one --price, or --prices");
  return prices;
}

async function versionsOf(
  context: CliContext,
  idOrKey: string,
  limit: number,
): Promise<readonly PlanVersion[]> {
  const found: PlanVersion[] = [];
  for (let after: string | null = null; ; ) {
    const { plan }: { plan: { versions: Page<PlanVersion> } | null } = await context.weir.graphql.run<{
      plan: { versions: Page<PlanVersion> } | null;
    }>(
      `query ($plan: String!, $first: Int, $after: String) { plan(idOrKey: $plan) { versions(first: $first, after: $after) { nodes ${versionSelection} pageInfo { hasNextPage endCursor } } } }`,
      { plan: idOrKey, first: Math.min(limit - found.length, 50), after },
    );
    if (plan === null) throw new UsageError(`there is no plan "${idOrKey}"; weir plans list`);
    found.push(...plan.versions.nodes);
    after = plan.versions.pageInfo.endCursor;
    if (!plan.versions.pageInfo.hasNextPage || found.length >= limit) return found;
  }
}

interface Page<T> {
  readonly nodes: readonly T[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
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
