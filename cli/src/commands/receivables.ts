import type { Receivable } from "@weir/sdk";
import { type Command, Option } from "commander";
import { take } from "../all-nodes.js";
import { contextOf } from "../context.js";
import { readCount } from "../options.js";
import { printReceivables } from "../payment-text.js";
import { printJson } from "../print.js";

interface ListOptions {
  readonly customer?: string;
  readonly state?: Receivable["state"];
  readonly overdue?: true;
  readonly limit: number;
}

export function addReceivableCommands(program: Command): void {
  program
    .command("receivables")
    .description("what is owed of invoices")
    .command("list")
    .option("--customer <customer>", "id or key")
    .addOption(new Option("--state <state>", "only those").choices(["open", "paid", "uncollectible", "void"]))
    .option("--overdue", "only those that should have been paid by now")
    .option("--limit <n>", "at most so many", readCount, 1000)
    .description("what is owed and was owed, by invoice")
    .action(async ({ limit, ...filter }: ListOptions, command: Command) => {
      const context = contextOf(command);
      const found = await take(context.weir.receivables.list(filter), limit);
      if (context.json) return printJson(context, found);
      const nothing = filter.overdue === true ? "Nothing is overdue." : "Nothing is owed.";
      printReceivables(context, found, nothing);
    });
}
