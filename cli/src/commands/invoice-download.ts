import { writeFileSync } from "node:fs";
import { Option, type Command } from "commander";
import type { DocumentFile, DocumentFormat } from "@weir/sdk";
import { contextOf, UsageError, type CliContext } from "../context.js";

interface DownloadOptions {
  readonly format: DocumentFormat;
  readonly out?: string;
}

export function addInvoiceDownloadCommands(invoices: Command): void {
  download(invoices.command("download").argument("<invoice>", "id or number"))
    .description("an invoice or draft as a document")
    .action(async (invoice: string, options: DownloadOptions, command: Command) => {
      const context = contextOf(command);
      save(context, await context.weir.invoices.download(invoice, options.format), options.out);
    });

  download(invoices.command("download-credit-note").argument("<credit-note>", "id or number"))
    .description("a credit note as a document")
    .action(async (creditNote: string, options: DownloadOptions, command: Command) => {
      const context = contextOf(command);
      save(context, await context.weir.invoices.downloadCreditNote(creditNote, options.format), options.out);
    });
}

function download(command: Command): Command {
  return command
    .addOption(
      new Option("--format <format>", "xml is the EN 16931 e-invoice")
        .choices(["pdf", "html", "json", "xml"])
        .default("pdf"),
    )
    .option("--out <file>", "where to; - is standard output, its number in this folder when left out");
}

/** @throws UsageError for a file that cannot be written */
function save(context: CliContext, { name, content }: DocumentFile, out = name): void {
  if (out === "-") {
    context.out.write(content);
    return;
  }
  try {
    writeFileSync(out, content);
  } catch (error) {
    throw new UsageError(`--out ${out}: ${String(error)}`);
  }
  context.err.write(`${out}: ${content.byteLength} bytes\n`);
}
