import { randomUUID } from "node:crypto";
import type { PaymentAttempt } from "@weir/sdk";
import type { Command } from "commander";
import { contextOf, UsageError, type CliContext } from "../context.js";
import { moneyText } from "../money-text.js";
import { printHowPaid, printReceivables } from "../payment-text.js";
import { printFields, printJson } from "../print.js";
import { printAttempt } from "./payment-attempts.js";

interface PayOptions {
  readonly method?: string;
  readonly amount?: string;
  readonly wait: boolean;
}

const wait_ms_max = 30_000;
const ask_every_ms = 250;

export function addInvoicePaymentCommands(invoices: Command): void {
  invoices
    .command("pay")
    .argument("<invoice>", "id or number")
    .option("--method <method>", "the customer's default when left out")
    .option("--amount <amount>", "in major units, such as 100.00; all that is open when left out")
    .option("--no-wait", "do not wait for what becomes of it")
    .description("charge what is open of an invoice; exit code 1 when no money was taken")
    .action(async (invoice: string, { method, amount, wait }: PayOptions, command: Command) => {
      const context = contextOf(command);
      const options = { idempotencyKey: randomUUID() };
      const begun = await context.weir.invoices.pay(invoice, { method, amount }, options);
      const attempt = wait ? await outcomeOf(context, begun) : begun;
      printAttempt(context, attempt);
      const { state, decline } = attempt;
      if (state === "failed" || state === "canceled")
        throw new Error(
          `no money was taken: ${decline === null ? state : `${decline.code}, ${decline.message}`}`,
        );
      if (!context.json && state !== "succeeded" && wait)
        context.err.write(`It is ${state} still: weir payments attempt ${attempt.id}\n`);
    });

  invoices
    .command("instructions")
    .argument("<invoice>", "id or number")
    .description("how an invoice can be paid by a transfer: to which account, by which reference")
    .action(async (invoice: string, _options: object, command: Command) => {
      const context = contextOf(command);
      const found = await context.weir.invoices.paymentInstructions(invoice);
      if (context.json) return printJson(context, found);
      if (found.length === 0)
        context.out.write(
          "Nothing is to be paid by a transfer: no account takes transfers in its currency, or nothing was due.\n",
        );
      for (const { account, holder, iban, bic, reference, amount } of found)
        printFields(context, [
          ["account", account.key],
          ["holder", holder],
          ["IBAN", iban],
          ["BIC", bic],
          ["reference", reference],
          ["owed", moneyText(amount)],
        ]);
    });

  invoices
    .command("write-off")
    .argument("<invoice>", "id or number")
    .requiredOption("--reason <text>", "goes into the audit log")
    .description("give up what is open of an invoice: it becomes bad debt")
    .action(async (invoice: string, { reason }: { reason: string }, command: Command) => {
      const context = contextOf(command);
      const receivable = await context.weir.invoices.writeOff(invoice, reason, {
        idempotencyKey: randomUUID(),
      });
      if (context.json) printJson(context, receivable);
      else printReceivables(context, [receivable], "");
    });

  invoices
    .command("payment")
    .argument("<invoice>", "id or number")
    .description(
      "how an invoice was paid: attempts, payments, refunds, the provider's ids, and every posting",
    )
    .action(async (idOrNumber: string, _options: object, command: Command) => {
      const context = contextOf(command);
      const paid = await context.weir.invoices.howPaid(idOrNumber);
      if (paid === null) throw new UsageError(`there is no invoice "${idOrNumber}"; weir invoices list`);
      if (context.json) printJson(context, paid);
      else printHowPaid(context, paid);
    });
}

/** Asks until something became of an attempt, or for half a minute. */
async function outcomeOf(context: CliContext, begun: PaymentAttempt): Promise<PaymentAttempt> {
  let attempt = begun;
  const end = Date.now() + wait_ms_max;
  while ((attempt.state === "pending" || attempt.state === "processing") && Date.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, ask_every_ms));
    attempt = (await context.weir.payments.findAttempt(begun.id)) ?? attempt;
  }
  return attempt;
}
