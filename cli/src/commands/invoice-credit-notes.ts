import { randomUUID } from "node:crypto";
import type { CreditedLine, CreditNote } from "@weir/sdk";
import type { Command } from "commander";
import { take } from "../all-nodes.js";
import { contextOf, UsageError, type CliContext } from "../context.js";
import { readCount } from "../options.js";
import { printFields, printJson, printTable } from "../print.js";

export function addCreditNoteCommands(invoices: Command): void {
  invoices
    .command("void")
    .argument("<invoice>", "id or number")
    .requiredOption("--reason <text>", "why, on the credit note")
    .description("take a finalized invoice back; what it billed is due again. To waive an amount: credit")
    .action(async (id: string, { reason }: { reason: string }, command: Command) => {
      const context = contextOf(command);
      const note = await context.weir.invoices.void(id, reason, { idempotencyKey: randomUUID() });
      printNote(context, note);
    });

  invoices
    .command("credit")
    .argument("<invoice>", "id or number")
    .requiredOption("--reason <text>", "why, on the credit note")
    .option(
      "--line <line=minor>",
      "a line's id, or id=AMOUNT in minor units without tax; again for more lines; every line in full when left out",
      (text: string, known: string[]) => [...known, text],
      [] as string[],
    )
    .description("give back parts of a finalized invoice, with their tax")
    .action(async (id: string, { reason, line }: { reason: string; line: string[] }, command: Command) => {
      const context = contextOf(command);
      const lines = line.length === 0 ? undefined : line.map(readLine);
      const idempotencyKey = randomUUID();
      const note = await context.weir.invoices.issueCreditNote(id, { reason, lines }, { idempotencyKey });
      printNote(context, note);
    });

  invoices
    .command("credit-notes")
    .description("what was given back, oldest first")
    .option("--invoice <invoice>", "id or number")
    .option("--limit <count>", "at most this many", readCount, 100)
    .action(async (options: { invoice?: string; limit: number }, command: Command) => {
      const context = contextOf(command);
      const { invoice, limit } = options;
      const found = await take(context.weir.invoices.creditNotes({ invoice }), limit);
      if (context.json) return printJson(context, found);
      printTable(
        context,
        ["NUMBER", "INVOICE", "VOIDS", "NET", "TAX", "CURRENCY", "REASON"],
        found.map((note) => [
          note.number,
          note.invoiceId,
          note.voids ? "yes" : "",
          note.net.amount,
          note.tax.amount,
          note.net.currency,
          note.reason,
        ]),
        "No credit notes. Give something back: weir invoices credit INVOICE --reason TEXT",
      );
    });
}

function readLine(text: string): CreditedLine {
  const [line = "", minor, ...more] = text.split("=");
  if (line === "" || more.length > 0 || (minor !== undefined && !/^[1-9][0-9]*$/.test(minor)))
    throw new UsageError(`--line "${text}": give a line's id, or id=AMOUNT in whole minor units above zero`);
  return minor === undefined ? { line } : { line, minor };
}

function printNote(context: CliContext, note: CreditNote): void {
  if (context.json) return printJson(context, note);
  printFields(context, [
    ["credit note", `${note.number} (${note.id})`],
    ["invoice", note.invoiceId],
    ["net", `${note.net.amount} ${note.net.currency}`],
    ["tax", note.tax.amount],
    ["to balance", note.toBalance.amount],
    ["reason", note.reason],
  ]);
}
