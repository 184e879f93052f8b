import { randomUUID } from "node:crypto";
import type { Dispute, DisputeState } from "@weir/sdk";
import { type Command, Option } from "commander";
import { take } from "../all-nodes.js";
import { contextOf, UsageError, type CliContext } from "../context.js";
import { moneyText } from "../money-text.js";
import { collect, readCount, readPairs, readTextOrFile } from "../options.js";
import { printDisputes } from "../payment-text.js";
import { printFields, printJson } from "../print.js";

export function addDisputeCommands(program: Command): void {
  const disputes = program.command("disputes").description("chargebacks, and the evidence against them");

  disputes
    .command("list")
    .option("--payment <payment>", "only this one's")
    .addOption(
      new Option("--state <state>", "only those").choices([
        "inquiry",
        "needs_response",
        "under_review",
        "won",
        "lost",
      ]),
    )
    .option("--limit <n>", "at most so many", readCount, 100)
    .description("disputes, oldest first")
    .action(
      async (
        { limit, ...filter }: { payment?: string; state?: DisputeState; limit: number },
        command: Command,
      ) => {
        const context = contextOf(command);
        const found = await take(context.weir.disputes.list(filter), limit);
        if (context.json) return printJson(context, found);
        printDisputes(context, found, "No disputes.");
      },
    );

  disputes
    .command("show")
    .argument("<dispute>", "dsp_…")
    .description("a dispute with its evidence")
    .action(async (id: string, _options: object, command: Command) => {
      const context = contextOf(command);
      const dispute = await context.weir.disputes.find(id);
      if (dispute === null) throw new UsageError(`there is no dispute "${id}"; weir disputes list`);
      printDispute(context, dispute);
    });

  disputes
    .command("evidence")
    .argument("<dispute>", "dsp_…")
    .requiredOption(
      "--field <name=text>",
      "as the provider names it, such as uncategorized_text=…; @FILE reads a file; again for more",
      collect,
      [] as string[],
    )
    .option("--submit", "send it to the bank, once and for good; until then it is kept")
    .description("evidence against a dispute")
    .action(async (id: string, { field, submit }: { field: string[]; submit?: true }, command: Command) => {
      const context = contextOf(command);
      const evidence = Object.fromEntries(
        Object.entries(readPairs("--field", field)).map(([name, text]) => [
          name,
          readTextOrFile(`--field ${name}`, text),
        ]),
      );
      const idempotencyKey = randomUUID();
      const dispute = await context.weir.disputes.submitEvidence(id, evidence, { submit, idempotencyKey });
      printDispute(context, dispute);
      if (!context.json && dispute.submittedAt === null)
        context.err.write("It is kept and not sent yet: add --submit, which can be done once.\n");
    });

  disputes
    .command("accept")
    .argument("<dispute>", "dsp_…")
    .option("--yes", "it cannot be taken back")
    .description("give in: the money stays with the customer")
    .action(async (id: string, { yes }: { yes?: true }, command: Command) => {
      const context = contextOf(command);
      if (yes !== true) throw new UsageError("the dispute is lost by this, for good: add --yes");
      printDispute(context, await context.weir.disputes.accept(id, { idempotencyKey: randomUUID() }));
    });
}

function printDispute(context: CliContext, dispute: Dispute): void {
  if (context.json) return printJson(context, dispute);
  printFields(context, [
    ["dispute", dispute.id],
    ["payment", dispute.paymentId],
    ["state", dispute.state],
    ["amount", moneyText(dispute.amount)],
    ["held", moneyText(dispute.held)],
    ["fee", moneyText(dispute.fee)],
    ["reason", dispute.reason],
    ["account", dispute.account.key],
    ["provider's id", dispute.providerRef],
    ["opened", dispute.openedAt],
    ["evidence until", dispute.evidenceDueAt],
    ["evidence sent", dispute.submittedAt],
    ["closed", dispute.closedAt],
    ...dispute.evidence.map(({ field, text }) => [field, text] as const),
  ]);
}
