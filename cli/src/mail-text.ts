import type { SentMail } from "@weir/sdk";
import type { CliContext } from "./context.js";
import { printFields, printJson, printTable } from "./print.js";

export function printMails(context: CliContext, mails: readonly SentMail[], empty: string): void {
  if (context.json) return printJson(context, mails);
  printTable(
    context,
    ["ID", "KIND", "TO", "STATE", "ATTEMPTS", "CREATED", "SENT", "WHY"],
    mails.map((mail) => [
      mail.id,
      mail.kind,
      mail.addressedTo === null ? mail.recipient : `${mail.recipient} (copy)`,
      mail.state,
      String(mail.attempts),
      mail.createdAt,
      mail.sentAt ?? "",
      (mail.reply ?? mail.reason ?? "").slice(0, 80),
    ]),
    empty,
  );
}

export function printMail(context: CliContext, mail: SentMail): void {
  if (context.json) return printJson(context, mail);
  printFields(context, [
    ["id", mail.id],
    ["kind", mail.kind],
    ["to", mail.recipient],
    ["copy of the mail to", mail.addressedTo],
    ["state", mail.state],
    ["why", mail.reason],
    ["server said", mail.reply],
    ["message id", mail.messageId],
    ["sending", String(mail.sending)],
    ["attempts", String(mail.attempts)],
    ["invoice", mail.invoice],
    ["customer", mail.customer],
    ["created", mail.createdAt],
    ["next attempt", mail.nextAttemptAt],
    ["sent", mail.sentAt],
  ]);
}
