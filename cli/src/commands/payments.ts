import { randomUUID } from "node:crypto";
import type { ReceivedPayment } from "@weir/sdk";
import type { Command } from "commander";
import { take } from "../all-nodes.js";
import { contextOf, UsageError } from "../context.js";
import { collectList, readCount, readInstant } from "../options.js";
import {
  postingsOfPayment,
  printDisputes,
  printPaymentFields,
  printPayments,
  printPostings,
  printRefunds,
} from "../payment-text.js";
import { printJson } from "../print.js";
import { addPaymentBatchCommands } from "./payment-batches.js";
import { addPaymentAttemptCommands } from "./payment-attempts.js";
import { addPaymentMethodCommands } from "./payment-methods.js";
import { addProviderAccountCommands } from "./provider-accounts.js";
import { addProviderEventCommands } from "./provider-events.js";

interface ReceiveOptions {
  readonly reference: string;
  readonly currency?: string;
  readonly invoice: readonly string[];
  readonly note?: string;
  readonly at?: string;
}

export function addPaymentCommands(program: Command): void {
  const payments = program
    .command("payments")
    .description("money that came in: payments, the tries to take it, cards, accounts at providers");

  payments
    .command("list")
    .option("--customer <customer>", "id or key")
    .option("--invoice <invoice>", "that something of it went to; id or number")
    .option("--limit <n>", "at most so many", readCount, 100)
    .description("money that came in, oldest first")
    .action(
      async (
        { limit, ...filter }: { customer?: string; invoice?: string; limit: number },
        command: Command,
      ) => {
        const context = contextOf(command);
        const found = await take(context.weir.payments.list(filter), limit);
        if (context.json) return printJson(context, found);
        printPayments(context, found, "No payments. Charge an invoice: weir invoices pay INVOICE");
      },
    );

  payments
    .command("show")
    .argument("<payment>", "pay_…")
    .description("a payment: where it went, what the provider booked, refunds, disputes and postings")
    .action(async (id: string, _options: object, command: Command) => {
      const context = contextOf(command);
      const payment = await context.weir.payments.find(id);
      if (payment === null) throw new UsageError(`there is no payment "${id}"; weir payments list`);
      if (context.json) return printJson(context, payment);
      printPaymentFields(context, payment);
      if (payment.refunds.length > 0) {
        context.out.write("\n");
        printRefunds(context, payment.refunds, "");
      }
      if (payment.disputes.length > 0) {
        context.out.write("\n");
        printDisputes(context, payment.disputes, "");
      }
      context.out.write("\n");
      printPostings(context, postingsOfPayment(payment));
    });

  payments
    .command("receive")
    .argument("<customer>", "id or key")
    .argument("<amount>", "in major units, such as 100.00")
    .requiredOption("--reference <text>", "what names it where it came in, such as a check's number")
    .option("--currency <code>", "the customer's when left out")
    .option(
      "--invoice <invoices>",
      "ids or numbers, in this order; the customer's open ones, first due first, when left out",
      collectList,
      [],
    )
    .option("--note <text>", "what to remember of it")
    .option("--at <instant>", "the bank's booking time; now when left out", readInstant)
    .description("record money that came in outside of Weir; what is too much is the customer's balance")
    .action(async (customer: string, amount: string, options: ReceiveOptions, command: Command) => {
      const context = contextOf(command);
      const { reference, currency, invoice, note, at } = options;
      const received: ReceivedPayment = {
        customer,
        amount,
        reference,
        currency,
        invoices: invoice.length === 0 ? undefined : invoice,
        note,
        receivedAt: at,
      };
      const payment = await context.weir.payments.receive(received, { idempotencyKey: randomUUID() });
      if (context.json) return printJson(context, payment);
      printPayments(context, [payment], "");
    });

  addPaymentAttemptCommands(payments);
  addPaymentBatchCommands(payments);
  addPaymentMethodCommands(payments);
  addProviderAccountCommands(payments);
  addProviderEventCommands(payments);
}
