import { randomUUID } from "node:crypto";
import type { InvoiceStatus } from "@weir/sdk";
import { type Command, Option } from "commander";
import { take } from "../all-nodes.js";
import { contextOf, UsageError } from "../context.js";
import { readCount, readInstant } from "../options.js";
import { printAmounts, printInvoice } from "../invoice-text.js";
import { printJson, printTable } from "../print.js";
import { addInvoiceDownloadCommands } from "./invoice-download.js";
import { addInvoiceEmailCommand } from "./invoice-email.js";
import { addInvoiceExplainCommand } from "./invoice-explain.js";
import { addCreditNoteCommands } from "./invoice-credit-notes.js";
import { addInvoicePaymentCommands } from "./invoice-payment.js";
import { subscriptionOf } from "./subscription-of.js";

interface ListOptions {
  readonly customer?: string;
  readonly status?: InvoiceStatus;
  readonly limit: number;
}

export function addInvoiceCommands(program: Command): void {
  const invoices = program
    .command("invoices")
    .description("invoices: previews, drafts, finalizing, credit notes, and why they cost what they cost");

  invoices
    .command("preview")
    .argument("<subscription>", "its id, or a customer's id or key that has one subscription")
    .option("--at <instant>", "the period that holds it; now when left out", readInstant)
    .description("what a period costs by the usage known now")
    .action(async (name: string, { at }: { at?: string }, command: Command) => {
      const context = contextOf(command);
      const preview = await context.weir.invoices.preview(await subscriptionOf(context, name), at);
      if (context.json) return printJson(context, preview);
      printAmounts(context, preview);
    });

  invoices
    .command("create")
    .argument("<subscription>", "its id, or a customer's id or key that has one subscription")
    .option("--at <instant>", "the period that holds it; now when left out", readInstant)
    .description("store a period's draft; there is one per period")
    .action(async (name: string, { at }: { at?: string }, command: Command) => {
      const context = contextOf(command);
      const subscription = await subscriptionOf(context, name);
      const idempotencyKey = randomUUID();
      const done = await context.weir.invoices.create(subscription, at, { idempotencyKey });
      if (context.json) return printJson(context, done);
      if (!done.created)
        context.err.write("This period has its draft already; weir invoices refresh brings it up to date.\n");
      printInvoice(context, done.invoice);
    });

  invoices
    .command("refresh")
    .argument("<invoice>")
    .description("compute a draft again by the usage known now")
    .action(async (id: string, _options: object, command: Command) => {
      const context = contextOf(command);
      const invoice = await context.weir.invoices.refresh(id, { idempotencyKey: randomUUID() });
      if (context.json) printJson(context, invoice);
      else printInvoice(context, invoice);
    });

  invoices
    .command("list")
    .description("the invoices, newest first")
    .option("--customer <customer>", "id or key")
    .addOption(new Option("--status <status>", "only those").choices(["draft", "finalized", "voided"]))
    .option("--limit <count>", "at most this many", readCount, 100)
    .action(async ({ limit, ...filter }: ListOptions, command: Command) => {
      const context = contextOf(command);
      const found = await take(context.weir.invoices.list(filter), limit);
      if (context.json) return printJson(context, found);
      printTable(
        context,
        ["ID", "NUMBER", "CUSTOMER", "KIND", "STATUS", "PERIOD", "TOTAL", "DUE"],
        found.map(({ id, number, customer, kind, status, period, totals }) => [
          id,
          number ?? "",
          customer.key,
          kind,
          status,
          `${period.start} … ${period.end}`,
          `${totals.total.amount} ${totals.total.currency}`,
          totals.due.amount,
        ]),
        "No invoices. See what one would be: weir invoices preview CUSTOMER",
      );
    });

  invoices
    .command("show")
    .argument("<invoice>")
    .description("an invoice with its lines")
    .action(async (id: string, _options: object, command: Command) => {
      const context = contextOf(command);
      const invoice = await context.weir.invoices.find(id);
      if (invoice === null) throw new UsageError(`there is no invoice "${id}"; weir invoices list`);
      if (context.json) printJson(context, invoice);
      else printInvoice(context, invoice);
    });

  invoices
    .command("finalize")
    .argument("<invoice>")
    .description(
      "make a draft final: numbered, posted to the ledger, drawn from credits; it never changes again",
    )
    .action(async (id: string, _options: object, command: Command) => {
      const context = contextOf(command);
      const invoice = await context.weir.invoices.finalize(id, { idempotencyKey: randomUUID() });
      if (context.json) printJson(context, invoice);
      else printInvoice(context, invoice);
    });

  addInvoiceExplainCommand(invoices);
  addCreditNoteCommands(invoices);
  addInvoicePaymentCommands(invoices);
  addInvoiceDownloadCommands(invoices);
  addInvoiceEmailCommand(invoices);
}
