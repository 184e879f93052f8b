import type { Command } from "commander";
import { contextOf } from "../context.js";
import { printJson, printTable } from "../print.js";

export function addImportCommands(program: Command): void {
  const imports = program.command("imports").description("imports of history; weir events import makes them");
  imports
    .command("list")
    .description("the imports, and how far each got")
    .action(async (_options: object, command: Command) => {
      const context = contextOf(command);
      const found = await context.weir.imports.list();
      if (context.json) return printJson(context, found);
      printTable(
        context,
        ["NAME", "STATUS", "ROWS", "ACCEPTED", "DUPLICATES", "CONFLICTS", "UNMETERED", "ID"],
        found.map((each) => [
          each.name,
          each.status,
          ...[each.rowsDone, each.accepted, each.duplicates, each.conflicts, each.unmetered].map(String),
          each.id,
        ]),
        "No imports. Begin one: weir events import FILE.csv --help",
      );
    });
}
