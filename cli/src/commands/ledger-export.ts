import { type Command, Option } from "commander";
import type { JournalFormat } from "@weir/sdk";
import { contextOf } from "../context.js";
import { readInstant } from "../options.js";
import { saveStream } from "../save-stream.js";

interface ExportOptions {
  readonly format: JournalFormat;
  readonly from?: string;
  readonly to?: string;
  readonly out?: string;
}

export function addLedgerExportCommand(ledger: Command): void {
  ledger
    .command("export")
    .option("--from <instant>", "postings that count then or later", readInstant)
    .option("--to <instant>", "postings that count before", readInstant)
    .addOption(new Option("--format <format>").choices(["csv", "parquet"]).default("csv"))
    .option("--out <file>", "where to; - is standard output, a name of its own in this folder when left out")
    .description("the journal as a file: every transfer with its posting, by time")
    .action(async ({ out, ...options }: ExportOptions, command: Command) => {
      const context = contextOf(command);
      await saveStream(context, await context.weir.ledger.journal(options), out);
    });
}
