import type { Command } from "commander";
import { nodesOf } from "../all-nodes.js";
import { contextOf } from "../context.js";
import { account_selection, printAccounts, type LedgerAccount, type Money } from "../ledger-text.js";
import { readCount, readInstant } from "../options.js";
import { grouped, printJson, printTable } from "../print.js";
import { addLedgerBlockCommands } from "./ledger-blocks.js";
import { addLedgerExportCommand } from "./ledger-export.js";
import { addLedgerMonthCommands } from "./ledger-months.js";
import { addLedgerRevenueCommands } from "./ledger-revenue.js";

interface Posting {
  readonly id: string;
  readonly reason: string;
  readonly reference: string;
  readonly pending: boolean;
  readonly resolvedBy: string | null;
  readonly postedAt: string;
  readonly transfers: readonly { readonly debit: string; readonly credit: string; readonly amount: Money }[];
}

interface TrialBalance {
  readonly balanced: boolean;
  readonly differences: readonly {
    readonly code: string;
    readonly currency: string;
    readonly side: string;
    readonly kept: string;
    readonly transferred: string;
  }[];
  readonly accounts: readonly LedgerAccount[];
}

const postingSelection =
  "id idempotencyKey reason reference reverses pending resolves resolution resolvedBy postedAt transfers { debit credit amount { amount currency } servicePeriod { start end } }";
const no_postings = "Nothing is posted yet. Finalizing an invoice posts it.";

export function addLedgerCommands(program: Command): void {
  const ledger = program
    .command("ledger")
    .description("the books: accounts, postings, trial balance, months, deferred revenue, verification");

  ledger
    .command("accounts")
    .option("--prefix <text>", "only accounts whose code begins with it, such as receivable:")
    .option("--at <instant>", "as they were then; now when left out", readInstant)
    .option("--limit <n>", "at most so many", readCount, 1000)
    .description("accounts with their balances")
    .action(async ({ limit, ...filter }: { limit: number }, command: Command) => {
      const context = contextOf(command);
      const accounts = await nodesOf<LedgerAccount>(
        context,
        `query ($prefix: String, $at: Instant, $first: Int, $after: String) { connection: ledgerAccounts(prefix: $prefix, at: $at, first: $first, after: $after) { nodes { ${account_selection} } pageInfo { hasNextPage endCursor } } }`,
        filter,
        limit,
      );
      if (context.json) return printJson(context, accounts);
      printAccounts(context, accounts, no_postings);
    });

  ledger
    .command("postings")
    .option("--reference <id>", "only what this caused, such as an invoice")
    .option("--account <code>", "only those that touch this account")
    .option("--from <instant>", "posted then or later", readInstant)
    .option("--to <instant>", "posted before", readInstant)
    .option("--limit <n>", "at most so many", readCount, 100)
    .description("postings with their transfers, oldest first")
    .action(async ({ limit, ...filter }: { limit: number }, command: Command) => {
      const context = contextOf(command);
      const postings = await nodesOf<Posting>(
        context,
        `query ($reference: String, $account: String, $from: Instant, $to: Instant, $first: Int, $after: String) { connection: ledgerPostings(reference: $reference, account: $account, from: $from, to: $to, first: $first, after: $after) { nodes { ${postingSelection} } pageInfo { hasNextPage endCursor } } }`,
        filter,
        limit,
      );
      if (context.json) return printJson(context, postings);
      printTable(
        context,
        ["POSTED", "STATUS", "REASON", "REFERENCE", "DEBIT", "CREDIT", "AMOUNT", "CURRENCY"],
        postings.flatMap(({ postedAt, pending, resolvedBy, reason, reference, transfers }) =>
          transfers.map(({ debit, credit, amount }, index) => [
            index === 0 ? postedAt : "",
            index > 0 ? "" : !pending ? "posted" : resolvedBy === null ? "pending" : "resolved",
            index === 0 ? reason : "",
            index === 0 ? reference : "",
            debit,
            credit,
            grouped(amount.amount),
            amount.currency,
          ]),
        ),
        no_postings,
      );
    });

  ledger
    .command("trial-balance")
    .option("--at <instant>", "as it was then, its postings included; now when left out", readInstant)
    .description("add everything up; exit code 1 when it does not balance")
    .action(async ({ at }: { at?: string }, command: Command) => {
      const context = contextOf(command);
      const { trialBalance } = await context.weir.graphql.run<{ trialBalance: TrialBalance }>(
        `query ($at: Instant) { trialBalance(at: $at) { balanced differences { code currency side kept transferred } accounts { ${account_selection} } } }`,
        { at },
      );
      const { balanced, differences, accounts } = trialBalance;
      const sound = balanced && differences.length === 0;
      if (context.json) printJson(context, trialBalance);
      else printAccounts(context, accounts, no_postings);
      if (sound) {
        if (!context.json && accounts.length > 0) context.out.write("Balanced in every currency.\n");
        return;
      }
      const found = differences.map(
        ({ code, currency, side, kept, transferred }) =>
          `${code} ${currency}: the kept ${side} sum is ${kept}, its transfers add up to ${transferred}`,
      );
      if (!balanced) found.push("debits differ from credits");
      throw new Error(`the books are not sound: ${found.join("; ")}`);
    });

  addLedgerMonthCommands(ledger);
  addLedgerRevenueCommands(ledger);
  addLedgerExportCommand(ledger);
  addLedgerBlockCommands(ledger);
}
