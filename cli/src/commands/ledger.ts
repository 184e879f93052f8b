import type { Command } from "commander";
import { nodesOf } from "../all-nodes.js";
import { contextOf, type CliContext } from "../context.js";
import { readCount, readInstant } from "../options.js";
import { grouped, printJson, printTable } from "../print.js";

interface Money {
  readonly amount: string;
  readonly currency: string;
}

interface Account {
  readonly code: string;
  readonly type: string;
  readonly currency: string;
  readonly debit: Money;
  readonly credit: Money;
  readonly balance: Money;
}

interface Posting {
  readonly id: string;
  readonly reason: string;
  readonly reference: string;
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
  readonly accounts: readonly Account[];
}

const money = "{ amount currency }";
const accountSelection = `code type currency debit ${money} credit ${money} balance ${money}`;
const postingSelection = `id idempotencyKey reason reference reverses postedAt transfers { debit credit amount ${money} servicePeriod { start end } }`;
const no_postings = "Nothing is posted yet. Finalizing an invoice posts it.";

export function addLedgerCommands(program: Command): void {
  const ledger = program.command("ledger").description("the books: accounts, postings, trial balance");

  ledger
    .command("accounts")
    .option("--prefix <text>", "only accounts whose code begins with it, such as receivable:")
    .option("--limit <n>", "at most so many", readCount, 1000)
    .description("accounts with their balances")
    .action(async ({ prefix, limit }: { prefix?: string; limit: number }, command: Command) => {
      const context = contextOf(command);
      const accounts = await nodesOf<Account>(
        context,
        `query ($prefix: String, $first: Int, $after: String) { connection: ledgerAccounts(prefix: $prefix, first: $first, after: $after) { nodes { ${accountSelection} } pageInfo { hasNextPage endCursor } } }`,
        { prefix },
        limit,
      );
      if (context.json) return printJson(context, accounts);
      printAccounts(context, accounts);
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
        ["POSTED", "REASON", "REFERENCE", "DEBIT", "CREDIT", "AMOUNT", "CURRENCY"],
        postings.flatMap(({ postedAt, reason, reference, transfers }) =>
          transfers.map(({ debit, credit, amount }, index) => [
            index === 0 ? postedAt : "",
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
    .description("add everything up anew; exit code 1 when it does not balance")
    .action(async (_options: object, command: Command) => {
      const context = contextOf(command);
      const { trialBalance } = await context.weir.graphql.run<{ trialBalance: TrialBalance }>(
        `{ trialBalance { balanced differences { code currency side kept transferred } accounts { ${accountSelection} } } }`,
      );
      const { balanced, differences, accounts } = trialBalance;
      const sound = balanced && differences.length === 0;
      if (context.json) printJson(context, trialBalance);
      else printAccounts(context, accounts);
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
}

function printAccounts(context: CliContext, accounts: readonly Account[]): void {
  printTable(
    context,
    ["ACCOUNT", "TYPE", "CURRENCY", "DEBIT", "CREDIT", "BALANCE"],
    accounts.map(({ code, type, currency, debit, credit, balance }) => [
      code,
      type.toLowerCase(),
      currency,
      grouped(debit.amount),
      grouped(credit.amount),
      grouped(balance.amount),
    ]),
    no_postings,
  );
}
