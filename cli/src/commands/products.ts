import type { Command } from "commander";
import { nodesOf } from "../all-nodes.js";
import { contextOf, UsageError } from "../context.js";
import { mutate } from "../mutate.js";
import { readCount } from "../options.js";
import { printFields, printJson, printTable } from "../print.js";

interface Product {
  readonly id: string;
  readonly key: string;
  readonly name: string;
  readonly taxCategory: string;
}

interface ProductOptions {
  readonly name?: string;
  readonly taxCategory?: string;
}

const selection = "{ id key name taxCategory }";

export function addProductCommands(program: Command): void {
  const products = program.command("products").description("products: what is sold, as taxes see it");

  products
    .command("list")
    .description("the products")
    .option("--limit <count>", "at most this many", readCount, 100)
    .action(async ({ limit }: { limit: number }, command: Command) => {
      const context = contextOf(command);
      const found = await nodesOf<Product>(
        context,
        `query ($first: Int, $after: String) { connection: products(first: $first, after: $after) { nodes ${selection} pageInfo { hasNextPage endCursor } } }`,
        {},
        limit,
      );
      if (context.json) return printJson(context, found);
      printTable(
        context,
        ["KEY", "NAME", "TAX CATEGORY", "ID"],
        found.map(({ key, name, taxCategory, id }) => [key, name, taxCategory, id]),
        "No products. Create one: weir products create inference --tax-category digital-services",
      );
    });

  products
    .command("create")
    .argument("<key>", "your own key for it")
    .option("--name <name>", "the key when left out")
    .option("--tax-category <key>", "standard when left out")
    .description("create a product")
    .action(async (key: string, { name, taxCategory }: ProductOptions, command: Command) => {
      const context = contextOf(command);
      const args = {
        key: ["String!", key],
        name: ["String", name],
        taxCategory: ["String", taxCategory],
      } as const;
      printProduct(context, await mutate<Product>(context, "createProduct", args, selection));
    });

  products
    .command("change")
    .argument("<product>", "id or key")
    .option("--name <name>")
    .option("--tax-category <key>", "which invoices follow from now on; finalized ones stay")
    .description("rename a product, or give it another tax category")
    .action(async (product: string, { name, taxCategory }: ProductOptions, command: Command) => {
      if (name === undefined && taxCategory === undefined)
        throw new UsageError("give --name or --tax-category");
      const context = contextOf(command);
      const args = {
        product: ["String!", product],
        name: ["String", name],
        taxCategory: ["String", taxCategory],
      } as const;
      printProduct(context, await mutate<Product>(context, "changeProduct", args, selection));
    });
}

function printProduct(context: ReturnType<typeof contextOf>, product: Product): void {
  if (context.json) return printJson(context, product);
  printFields(context, [
    ["key", product.key],
    ["name", product.name],
    ["tax category", product.taxCategory],
    ["id", product.id],
  ]);
}
