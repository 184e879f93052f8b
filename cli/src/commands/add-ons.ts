import type { Command } from "commander";
import { nodesOf } from "../all-nodes.js";
import { contextOf, UsageError } from "../context.js";
import { readCount } from "../options.js";
import { printFields, printJson, printTable } from "../print.js";
import { priceSelection, printPrices, type Price } from "../price-table.js";

interface AddOn {
  readonly id: string;
  readonly key: string;
  readonly current: {
    readonly name: string;
    readonly version: number;
    readonly currency: string;
    readonly interval: string;
    readonly prices: readonly Price[];
  };
}

const selection = `{ id key current { name version currency interval prices ${priceSelection} } }`;

export function addAddOnCommands(program: Command): void {
  const addOns = program
    .command("add-ons")
    .description("add-ons: what may be put on top of a subscription (make them by: weir plans apply)");

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
        "No add-ons. Describe one in a catalog file: weir plans apply -f catalog.yaml",
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
      if (context.json) return printJson(context, addOn);
      const { current } = addOn;
      printFields(context, [
        ["key", addOn.key],
        ["name", current.name],
        ["version", `${current.version}, ${current.currency}, by the ${current.interval}`],
        ["id", addOn.id],
      ]);
      printPrices(context, current.prices);
    });
}
