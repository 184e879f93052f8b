import { randomUUID } from "node:crypto";
import type { MailFilter, MailSettings } from "@weir/sdk";
import { type Command, Option } from "commander";
import { take } from "../all-nodes.js";
import { contextOf, UsageError, type CliContext } from "../context.js";
import { printMail, printMails } from "../mail-text.js";
import { collectList, readCount } from "../options.js";
import { printFields, printJson } from "../print.js";

const states = ["queued", "sent", "failed", "suppressed"];
const kinds = ["invoice", "receipt", "payment_failed", "card_update", "dunning_final", "test"];

interface SettingsOptions {
  readonly fromName?: string;
  readonly replyTo?: string;
  readonly copies?: readonly string[];
  readonly sendInvoices?: "on" | "off";
  readonly sendPayments?: "on" | "off";
}

export function addMailCommands(program: Command): void {
  const mail = program.command("mail").description("mails to customers: settings, what was sent, what waits");

  mail
    .command("settings")
    .description("show how the organization writes its mails, or with options set it, as a whole")
    .option("--from-name <name>", "beside the operator's address; the billing profile's when left out")
    .option("--reply-to <address>", "where answers go; the billing profile's when left out")
    .option("--copies <addresses>", "who gets a blind copy of each mail: a,b", collectList)
    .addOption(
      new Option("--send-invoices <when>", "send invoices by themselves as they are finalized").choices([
        "on",
        "off",
      ]),
    )
    .addOption(
      new Option(
        "--send-payments <when>",
        "tell customers of their payments: receipts, failures, last reminders; off when left out",
      ).choices(["on", "off"]),
    )
    .action(async (options: SettingsOptions, command: Command) => {
      const context = contextOf(command);
      if (Object.keys(options).length === 0)
        return printSettings(context, await context.weir.mail.settings());
      if (options.sendInvoices === undefined)
        throw new UsageError("give --send-invoices as well: the settings are replaced as a whole");
      const { sendInvoices, sendPayments, ...rest } = options;
      const settings = await context.weir.mail.setSettings(
        { ...rest, sendInvoices: sendInvoices === "on", sendPayments: sendPayments === "on" },
        { idempotencyKey: randomUUID() },
      );
      printSettings(context, settings);
    });

  mail
    .command("list")
    .addOption(new Option("--state <state>", "only those in this state").choices(states))
    .addOption(new Option("--kind <kind>", "only of this kind").choices(kinds))
    .option("--invoice <invoice>", "only of this invoice: id or number")
    .option("--customer <customer>", "only to this customer: id or key")
    .option("--limit <n>", "at most so many", readCount, 50)
    .description("mails, newest first")
    .action(async ({ limit, ...filter }: MailFilter & { limit: number }, command: Command) => {
      const context = contextOf(command);
      const found = await take(context.weir.mail.list(filter), limit);
      printMails(context, found, "No mails. Send an invoice: weir invoices email INVOICE");
    });

  mail
    .command("show")
    .argument("<id>", "of weir mail list")
    .description("a mail, and what became of it")
    .action(async (id: string, _options: object, command: Command) => {
      const context = contextOf(command);
      const found = await context.weir.mail.find(id);
      if (found === null) throw new UsageError(`there is no mail "${id}"; weir mail list`);
      printMail(context, found);
    });

  mail
    .command("resend")
    .argument("<id>", "of weir mail list")
    .description("send a mail again; one that waits is tried at once")
    .action(async (id: string, _options: object, command: Command) => {
      const context = contextOf(command);
      printMail(context, await context.weir.mail.resend(id, { idempotencyKey: randomUUID() }));
    });

  mail
    .command("test")
    .argument("<address>")
    .description("send a mail that says that mail works")
    .action(async (address: string, _options: object, command: Command) => {
      const context = contextOf(command);
      printMail(context, await context.weir.mail.sendTest(address, { idempotencyKey: randomUUID() }));
    });
}

function printSettings(context: CliContext, settings: MailSettings): void {
  if (context.json) return printJson(context, settings);
  printFields(context, [
    ["server", settings.server ? "yes" : "none: whoever runs Weir sets WEIR_SMTP_URL and WEIR_MAIL_FROM"],
    ["from name", settings.fromName ?? "the billing profile's"],
    ["answers to", settings.replyTo ?? "the billing profile's"],
    ["copies", settings.copies.join(", ")],
    ["invoices", settings.sendInvoices ? "sent as they are finalized" : "not sent by themselves"],
    ["payments", settings.sendPayments ? "customers are told of them" : "customers are not told of them"],
  ]);
}
