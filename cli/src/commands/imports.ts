import type { Command } from "commander";
import { contextOf } from "../context.js";
import { printImport } from "../import-text.js";
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
        ["NAME", "STATUS", "ROWS", "ACCEPTED", "DUPLICATES", "CONFLICTS", "REJECTED", "UNMETERED", "ID"],
        found.map((each) => [
          each.name,
          each.status,
          ...[
            each.rowsDone,
            each.accepted,
            each.duplicates,
            each.conflicts,
            each.rejected,
            each.unmetered,
          ].map(String),
          each.id,
        ]),
        "No imports. Begin one: weir events import FILE.csv --help",
      );
    });

  imports
    .command("show")
    .argument("<import>", "its id or name")
    .description(
      "an import, and the lines of its file that were not taken; weir runs cancel and retry its run",
    )
    .action(async (idOrName: string, _options: object, command: Command) => {
      const context = contextOf(command);
      const found = await context.weir.imports.get(idOrName);
      if (context.json) printJson(context, found);
      else printImport(context, found, found);
    });
}
