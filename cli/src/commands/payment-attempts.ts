import { randomUUID } from "node:crypto";
import type { FoundOutcome, PaymentAttempt, PaymentAttemptState } from "@weir/sdk";
import { type Command, Option } from "commander";
import { take } from "../all-nodes.js";
import { contextOf, UsageError, type CliContext } from "../context.js";
import { moneyText } from "../money-text.js";
import { readCount } from "../options.js";
import { methodText, printAttempts } from "../payment-text.js";
import { printFields, printJson, printTable } from "../print.js";

interface ListOptions {
  readonly invoice?: string;
  readonly customer?: string;
  readonly state?: PaymentAttemptState;
  readonly parked?: true;
  readonly limit: number;
}

interface SettleOptions extends FoundOutcome {
  readonly outcome: "succeeded" | "failed";
}

const states: readonly PaymentAttemptState[] = [
  "pending",
  "processing",
  "requires_action",
  "unknown",
  "succeeded",
  "failed",
  "canceled",
];

export function addPaymentAttemptCommands(payments: Command): void {
  payments
    .command("attempts")
    .option("--invoice <invoice>", "id or number")
    .option("--customer <customer>", "id or key")
    .addOption(new Option("--state <state>", "only those").choices(states))
    .option("--parked", "only those that a person has to look at")
    .option("--limit <n>", "at most so many", readCount, 100)
    .description("tries to take money, oldest first")
    .action(async ({ limit, ...filter }: ListOptions, command: Command) => {
      const context = contextOf(command);
      const found = await take(context.weir.payments.attempts(filter), limit);
      if (context.json) return printJson(context, found);
      printAttempts(context, found, "No attempts. Charge an invoice: weir invoices pay INVOICE");
    });

  payments
    .command("attempt")
    .argument("<attempt>", "pat_…")
    .description("an attempt, and what became known of it")
    .action(async (id: string, _options: object, command: Command) => {
      const context = contextOf(command);
      const attempt = await context.weir.payments.findAttempt(id);
      if (attempt === null) throw new UsageError(`there is no attempt "${id}"; weir payments attempts`);
      if (context.json) return printJson(context, attempt);
      printAttempt(context, attempt);
      printFields(context, [
        ["payment", attempt.payment?.id],
        ["run", attempt.run],
      ]);
      context.out.write("\n");
      printTable(
        context,
        ["AT", "WHAT", "OUTCOME", "STATE", "DETAIL"],
        attempt.events.map(({ at, input, outcome, state, detail }) => [
          at,
          input,
          outcome,
          state,
          detail ?? "",
        ]),
        "Nothing became known of it yet.",
      );
    });

  payments
    .command("look-up")
    .argument("<attempt>", "pat_…")
    .description("ask the provider now what became of an attempt")
    .action(async (id: string, _options: object, command: Command) => {
      const context = contextOf(command);
      printAttempt(context, await context.weir.payments.lookUpAttempt(id, { idempotencyKey: randomUUID() }));
    });

  payments
    .command("cancel")
    .argument("<attempt>", "pat_…")
    .description("see to it that an attempt takes no money any more")
    .action(async (id: string, _options: object, command: Command) => {
      const context = contextOf(command);
      printAttempt(context, await context.weir.payments.cancelAttempt(id, { idempotencyKey: randomUUID() }));
    });

  payments
    .command("settle")
    .argument("<attempt>", "pat_…")
    .addOption(
      new Option("--outcome <outcome>", "what became of it")
        .choices(["succeeded", "failed"])
        .makeOptionMandatory(),
    )
    .requiredOption("--reason <text>", "how it was found out; goes into the audit log")
    .option("--provider-ref <id>", "the provider's id of the charge, where it was found")
    .description("say what became of an attempt of unknown outcome; nothing is sent to the provider")
    .action(async (id: string, found: SettleOptions, command: Command) => {
      const context = contextOf(command);
      const settled = await context.weir.payments.settleAttempt(id, found, { idempotencyKey: randomUUID() });
      printAttempt(context, settled);
    });
}

export function printAttempt(context: CliContext, attempt: PaymentAttempt): void {
  if (context.json) return printJson(context, attempt);
  const { decline } = attempt;
  printFields(context, [
    ["attempt", `${attempt.id}, number ${attempt.number}`],
    ["for", attempt.invoiceId ?? attempt.topUpId],
    ["customer", attempt.customer.key],
    ["amount", moneyText(attempt.amount)],
    ["state", attempt.state],
    ["declined", decline === null ? null : `${decline.code} (${decline.hardness}): ${decline.message}`],
    ["to be done", attempt.actionUrl],
    ["unknown since", attempt.unknownSince],
    ["parked", attempt.parkedAt === null ? null : `${attempt.parkedAt}: weir payments settle ${attempt.id}`],
    ["method", `${methodText(attempt.method)} at ${attempt.account.key}`],
    ["provider's id", attempt.providerRef],
    ["made", attempt.createdAt],
  ]);
}
