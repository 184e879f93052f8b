import { randomUUID } from "node:crypto";
import type { Refund, RefundState } from "@weir/sdk";
import { type Command, Option } from "commander";
import { take } from "../all-nodes.js";
import { contextOf, UsageError } from "../context.js";
import { moneyText } from "../money-text.js";
import { readCount } from "../options.js";
import { printRefunds } from "../payment-text.js";
import { printFields, printJson } from "../print.js";

interface CreateOptions {
  readonly source: Refund["source"];
  readonly reason: string;
  readonly amount?: string;
  readonly invoice?: string;
  readonly creditNote?: string;
  readonly iban?: string;
  readonly name?: string;
}

export function addRefundCommands(program: Command): void {
  const refunds = program.command("refunds").description("money of payments that goes back");

  refunds
    .command("list")
    .option("--payment <payment>", "only this one's")
    .addOption(
      new Option("--state <state>", "only those").choices(["pending", "succeeded", "failed", "canceled"]),
    )
    .option("--limit <n>", "at most so many", readCount, 100)
    .description("refunds, oldest first")
    .action(
      async (
        { limit, ...filter }: { payment?: string; state?: RefundState; limit: number },
        command: Command,
      ) => {
        const context = contextOf(command);
        const found = await take(context.weir.refunds.list(filter), limit);
        if (context.json) return printJson(context, found);
        printRefunds(
          context,
          found,
          "No refunds. Give money back: weir refunds create PAYMENT --source goodwill",
        );
      },
    );

  refunds
    .command("show")
    .argument("<refund>", "ref_…")
    .description("a refund")
    .action(async (id: string, _options: object, command: Command) => {
      const context = contextOf(command);
      const refund = await context.weir.refunds.find(id);
      if (refund === null) throw new UsageError(`there is no refund "${id}"; weir refunds list`);
      if (context.json) return printJson(context, refund);
      printFields(context, [
        ["refund", refund.id],
        ["payment", refund.paymentId],
        ["amount", moneyText(refund.amount)],
        ["state", refund.state],
        ["failure", refund.failure],
        ["source", refund.source],
        ["reason", refund.reason],
        ["provider's id", refund.providerRef],
        ["made", refund.createdAt],
      ]);
    });

  refunds
    .command("create")
    .argument("<payment>", "pay_…")
    .addOption(
      new Option(
        "--source <source>",
        "balance: off the customer's balance, as after a credit note. goodwill: out of your own pocket. invoice: back onto the invoice, which is owed again. prepaid: off the credit that a top-up bought",
      )
        .choices(["balance", "goodwill", "invoice", "prepaid"])
        .makeOptionMandatory(),
    )
    .requiredOption("--reason <text>", "goes into the audit log")
    .option("--amount <amount>", "in major units, such as 100.00; all that can be given back when left out")
    .option("--invoice <invoice>", "with source invoice: which one, when there are several")
    .option("--credit-note <note>", "with source balance: the credit note that it pays out")
    .option("--iban <iban>", "of a transfer: the account that it goes to, if not back to where it came from")
    .option("--name <name>", "with --iban: whose account that is")
    .description("give money of a payment back: posted at once, sent a moment later")
    .action(async (payment: string, { iban, name, ...options }: CreateOptions, command: Command) => {
      const context = contextOf(command);
      if ((iban === undefined) !== (name === undefined))
        throw new UsageError("--iban and --name go together");
      const payee = iban === undefined || name === undefined ? undefined : { iban, name };
      const made = await context.weir.refunds.create(
        { payment, payee, ...options },
        { idempotencyKey: randomUUID() },
      );
      if (context.json) return printJson(context, made);
      printRefunds(context, [made], "");
    });
}
