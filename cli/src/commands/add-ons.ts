import type { Command } from "commander";
import { nodesOf } from "../all-nodes.js";
import { versionsOf } from "../all-versions.js";
import type { CliContext } from "../context.js";
import { contextOf, UsageError } from "../context.js";
import { mutate } from "../mutate.js";
import { readCount } from "../options.js";
import { priceOptions, pricesOf, type PriceOptions } from "../price-options.js";
import { priceSelection, printPrices, type Price } from "../price-table.js";
import { printFields, printJson, printTable, visible } from "../print.js";

interface AddOnVersion {
  readonly id: string;
  readonly addOnKey: string;
  readonly version: number;
  readonly name: string;
  readonly currency: string;
  readonly interval: string;
  readonly prices: readonly Price[];
}

interface AddOn {
  readonly id: string;
  readonly key: string;
  readonly current: AddOnVersion;
}

const versionSelection = `{ id addOnKey version name currency interval prices ${priceSelection} }`;
const selection = `{ id key current ${versionSelection} }`;

export function addAddOnCommands(program: Command): void {
  const addOns = program.command("add-ons").description("add-ons: what may be put on top of a subscription");

  addOns
    .command("list")
    .description("the add-ons, each with the version that is sold")
    .option("--limit <count>", "at most this many", readCount, 100)
    .action(async ({ limit }: { limit: number }, command: Command) => {
      const context = contextOf(command);
      const found = await nodesOf<AddOn>(
        context,
        `query ($first: Int, $after: String) { connection: addOns(first: $first, after: $after) { nodes ${selection} pageInfo { hasNextPage endCursor } } }`,
        {},
        limit,
      );
      if (context.json) return printJson(context, found);
      printTable(
        context,
        ["KEY", "NAME", "VERSION", "CURRENCY", "INTERVAL", "PRICES", "ID"],
        found.map(({ id, key, current }) => [
          key,
          current.name,
          String(current.version),
          current.currency,
          current.interval,
          current.prices.map((price) => price.key).join(" "),
          id,
        ]),
        'No add-ons. Create one: weir add-ons create support --currency USD --price "support flat 250"',
      );
    });

  addOns
    .command("show")
    .argument("<add-on>", "id or key")
    .description("an add-on with its prices")
    .action(async (idOrKey: string, _options: object, command: Command) => {
      const context = contextOf(command);
      const { addOn } = await context.weir.graphql.run<{ addOn: AddOn | null }>(
        `query ($key: String!) { addOn(idOrKey: $key) ${selection} }`,
        { key: idOrKey },
      );
      if (addOn === null) throw new UsageError(`there is no add-on "${idOrKey}"; weir add-ons list`);
      printAddOn(context, addOn);
    });

  addOns
    .command("versions")
    .argument("<add-on>", "id or key")
    .description("an add-on's versions, of which the last is sold")
    .option("--limit <count>", "at most this many", readCount, 100)
    .action(async (idOrKey: string, { limit }: { limit: number }, command: Command) => {
      const context = contextOf(command);
      const of = { field: "addOn", noun: "add-on", idOrKey } as const;
      const versions = await versionsOf<AddOnVersion>(context, of, versionSelection, limit);
      if (context.json) return printJson(context, versions);
      for (const version of versions) printVersion(context, version);
    });

  priceOptions(
    addOns.command("create").argument("<key>", "your own key for it").description("create an add-on"),
  ).action(async (key: string, options: PriceOptions, command: Command) => {
    const context = contextOf(command);
    const args = { key: ["String!", key] as const, ...describedBy(options, key) };
    printAddOn(context, await mutate<AddOn>(context, "createAddOn", args, selection));
  });

  priceOptions(
    addOns
      .command("add-version")
      .argument("<add-on>", "id or key")
      .description("sell the add-on at new prices; subscriptions keep their version"),
  ).action(async (addOn: string, options: PriceOptions, command: Command) => {
    const context = contextOf(command);
    const args = { addOn: ["String!", addOn] as const, ...describedBy(options, addOn) };
    const version = await mutate<AddOnVersion>(context, "createAddOnVersion", args, versionSelection);
    if (context.json) printJson(context, version);
    else printVersion(context, version);
  });
}

function describedBy(options: PriceOptions, key: string) {
  return {
    name: ["String!", options.name ?? key],
    currency: ["String!", options.currency],
    interval: ["BillingInterval", options.interval],
    prices: ["[PriceInput!]!", pricesOf(options)],
  } as const;
}

function printAddOn(context: CliContext, addOn: AddOn): void {
  if (context.json) return printJson(context, addOn);
  printFields(context, [
    ["key", addOn.key],
    ["id", addOn.id],
  ]);
  printVersion(context, addOn.current);
}

function printVersion(context: CliContext, version: AddOnVersion): void {
  const { name, currency, interval, id } = version;
  context.out.write(
    `\nversion ${version.version}  ${visible(name)}, ${currency}, by the ${interval}  (${id})\n`,
  );
  printPrices(context, version.prices);
}
