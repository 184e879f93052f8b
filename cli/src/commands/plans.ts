import type { Command } from "commander";
import { nodesOf } from "../all-nodes.js";
import type { CliContext } from "../context.js";
import { contextOf, UsageError } from "../context.js";
import { mutate } from "../mutate.js";
import { collect, readCount, readJson, readTextOrFile } from "../options.js";
import { readPrice, type PriceInput } from "../price-text.js";
import { printFields, printJson, printTable } from "../print.js";

interface PlanVersion {
  readonly id: string;
  readonly planKey: string;
  readonly version: number;
  readonly name: string;
  readonly currency: string;
  readonly prices: readonly Price[];
}

interface Price {
  readonly key: string;
  readonly meter: string;
  readonly model: {
    readonly per: string;
    readonly unitAmount?: string;
    readonly tiers?: readonly {
      readonly upTo: string | null;
      readonly unitAmount: string;
      readonly flatAmount: string;
    }[];
  };
}

interface Plan {
  readonly id: string;
  readonly key: string;
  readonly current: PlanVersion;
  readonly versions: readonly PlanVersion[];
}

interface ListedPlan {
  readonly id: string;
  readonly key: string;
  readonly current: {
    readonly name: string;
    readonly version: number;
    readonly currency: string;
    readonly prices: readonly { readonly key: string }[];
  };
}

interface PriceOptions {
  readonly name?: string;
  readonly currency: string;
  readonly price?: readonly string[];
  readonly prices?: string;
}

const versionSelection = `{ id planKey version name currency prices { key meter model {
  ... on PerUnitPrice { per unitAmount }
  ... on GraduatedPrice { per tiers { upTo unitAmount flatAmount } } } } }`;
const planSelection = `{ id key current ${versionSelection} versions ${versionSelection} }`;

export function addPlanCommands(program: Command): void {
  const plans = program.command("plans").description("plans: what usage costs");

  plans
    .command("list")
    .description("the plans, each with its current version")
    .option("--limit <count>", "at most this many", readCount, 100)
    .action(async ({ limit }: { limit: number }, command: Command) => {
      const context = contextOf(command);
      const found = await nodesOf<ListedPlan>(
        context,
        `query ($first: Int, $after: String) { connection: plans(first: $first, after: $after) { nodes { id key current { name version currency prices { key } } } pageInfo { hasNextPage endCursor } } }`,
        {},
        limit,
      );
      if (context.json) return printJson(context, found);
      printTable(
        context,
        ["KEY", "NAME", "VERSION", "CURRENCY", "PRICES", "ID"],
        found.map(({ id, key, current }) => [
          key,
          current.name,
          String(current.version),
          current.currency,
          current.prices.map((price) => price.key).join(" "),
          id,
        ]),
        'No plans. Create one: weir plans create pro --currency USD --price "tokens METER 0.002 per 1000"',
      );
    });

  plans
    .command("show")
    .argument("<plan>", "id or key")
    .description("a plan with all its versions")
    .action(async (idOrKey: string, _options: object, command: Command) => {
      const context = contextOf(command);
      const { plan } = await context.weir.graphql.run<{ plan: Plan | null }>(
        `query ($plan: String!) { plan(idOrKey: $plan) ${planSelection} }`,
        { plan: idOrKey },
      );
      if (plan === null) throw new UsageError(`there is no plan "${idOrKey}"; weir plans list`);
      printPlan(context, plan);
    });

  priceOptions(
    plans
      .command("create")
      .argument("<key>", "your own key for it")
      .description("create a plan, billed monthly"),
  ).action(async (key: string, options: PriceOptions, command: Command) => {
    const context = contextOf(command);
    const plan = await mutate<Plan>(
      context,
      "createPlan",
      {
        key: ["String!", key],
        name: ["String!", options.name ?? key],
        currency: ["String!", options.currency],
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
      .description("sell the plan at new prices from now on; subscriptions stay on their version"),
  ).action(async (plan: string, options: PriceOptions, command: Command) => {
    const context = contextOf(command);
    const version = await mutate<PlanVersion>(
      context,
      "createPlanVersion",
      {
        plan: ["String!", plan],
        name: ["String!", options.name ?? plan],
        currency: ["String!", options.currency],
        prices: ["[PriceInput!]!", pricesOf(options)],
      },
      versionSelection,
    );
    if (context.json) printJson(context, version);
    else printVersion(context, version);
  });
}

function priceOptions(command: Command): Command {
  return command
    .requiredOption("--currency <code>", "ISO 4217, such as USD")
    .option("--name <name>", "the key when left out")
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

function pricesOf(options: PriceOptions): readonly unknown[] {
  const lines: PriceInput[] = (options.price ?? []).map(readPrice);
  const given =
    options.prices === undefined ? [] : readJson("--prices", readTextOrFile("--prices", options.prices));
  if (!Array.isArray(given)) throw new UsageError("--prices must be a JSON array of prices");
  const prices = [...lines, ...(given as unknown[])];
  if (prices.length === 0) throw new UsageError("give at least one --price, or --prices");
  return prices;
}

function printPlan(context: CliContext, plan: Plan): void {
  if (context.json) return printJson(context, plan);
  printFields(context, [
    ["key", plan.key],
    ["id", plan.id],
  ]);
  for (const version of plan.versions) printVersion(context, version);
}

function printVersion(context: CliContext, version: PlanVersion): void {
  context.out.write(`\nversion ${version.version}  ${version.name}, ${version.currency}  (${version.id})\n`);
  printTable(
    context,
    ["PRICE", "METER", "UP TO", "AMOUNT", "PER", "FLAT"],
    version.prices.flatMap(({ key, meter, model }) =>
      model.tiers === undefined
        ? [[key, meter, "", model.unitAmount ?? "", model.per, ""]]
        : model.tiers.map((tier) => [
            key,
            meter,
            tier.upTo ?? "∞",
            tier.unitAmount,
            model.per,
            tier.flatAmount,
          ]),
    ),
    "No prices.",
  );
}
