import { randomUUID } from "node:crypto";
import type { Command } from "commander";
import { contextOf } from "../context.js";
import { printMails } from "../mail-text.js";
import { collectList } from "../options.js";

export function addInvoiceEmailCommand(invoices: Command): void {
  invoices
    .command("email")
    .argument("<invoice>", "id or number")
    .option("--to <addresses>", "to these, at most 10: a,b; to the customer's when left out", collectList)
    .description("send a finalized invoice by mail, its PDF and e-invoice attached")
    .action(async (invoice: string, { to }: { to?: readonly string[] }, command: Command) => {
      const context = contextOf(command);
      const idempotencyKey = randomUUID();
      const mails = await context.weir.mail.sendInvoice(invoice, to, { idempotencyKey });
      printMails(context, mails, "");
    });
}
