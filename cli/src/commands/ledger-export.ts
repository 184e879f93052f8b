import { createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type Command, Option } from "commander";
import type { JournalFormat } from "@weir/sdk";
import { contextOf, UsageError } from "../context.js";
import { readInstant } from "../options.js";

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
      const { name, content } = await context.weir.ledger.journal(options);
      const file = out ?? name;
      let bytes = 0;
      const counted = Readable.from(
        (async function* () {
          for await (const chunk of content) {
            bytes += chunk.byteLength;
            yield chunk;
          }
        })(),
      );
      if (file === "-") {
        await pipeline(counted, context.out, { end: false });
        return;
      }
      try {
        await pipeline(counted, createWriteStream(file));
      } catch (error) {
        // Of the file, not of the connection.
        if (error instanceof Error && "syscall" in error && "path" in error)
          throw new UsageError(`--out ${file}: ${error.message}`);
        throw error;
      }
      context.err.write(`${file}: ${bytes} bytes\n`);
    });
}
