import { type Command, Option } from "commander";
import { nodesOf } from "../all-nodes.js";
import { contextOf, UsageError, type CliContext } from "../context.js";
import { moneyText, type ShownMoney as Money } from "../money-text.js";
import { mutate } from "../mutate.js";
import { readCount, readInstant } from "../options.js";
import { grouped, printFields, printJson, printTable } from "../print.js";

interface Sum {
  readonly count: number;
  readonly amount: Money;
}

interface ExceptionSum {
  readonly kind: string;
  readonly count: number;
  readonly suspense: Money | null;
}

interface Comparison {
  readonly from: string;
  readonly to: string;
  readonly accounts: readonly {
    readonly account: { readonly key: string; readonly side: string };
    readonly lines: readonly {
      readonly line: string;
      readonly currency: string;
      readonly books: Sum;
      readonly reported: Sum;
      readonly bank: Sum | null;
      readonly difference: Money;
    }[];
    readonly balances: readonly { readonly account: string; readonly balance: Money }[];
    readonly exceptions: readonly ExceptionSum[];
  }[];
  readonly exceptions: readonly ExceptionSum[];
}

interface Exception {
  readonly id: string;
  readonly kind: string;
  readonly state: string;
  readonly version: number;
  readonly reason: string;
  readonly account: { readonly key: string } | null;
  readonly file: { readonly id: string; readonly name: string } | null;
  readonly position: number | null;
  readonly target: string | null;
  readonly amount: Money | null;
  readonly suspense: Money | null;
  readonly happenedAt: string;
  readonly openedAt: string;
  readonly ageDays: number;
  readonly resolution: {
    readonly kind: string;
    readonly to: string | null;
    readonly note: string | null;
  } | null;
  readonly closedBy: string | null;
  readonly closedAt: string | null;
}

interface ResolveOptions {
  readonly at?: number;
  readonly match?: string;
  readonly customer?: string;
  readonly book?: string;
  readonly return?: boolean;
  readonly note?: string;
}

const money = "{ amount currency }";
const sum = `{ count amount ${money} }`;
const sums = `exceptions { kind count suspense ${money} }`;
const comparison = `from to accounts { account { key side } lines { line currency books ${sum} reported ${sum} bank ${sum} difference ${money} } balances { account balance ${money} } ${sums} } ${sums}`;
const exceptionSelection = `id kind state version reason account { key } file { id name } position target amount ${money} suspense ${money} happenedAt openedAt ageDays resolution { kind to note } closedBy closedAt`;
const kinds = [
  "unmatched",
  "amount_differs",
  "currency_differs",
  "duplicate",
  "bad_row",
  "file_check_failed",
  "file_replayed",
  "too_many_unmatched",
  "sequence_gap",
  "payout_differs",
  "missing_in_file",
  "late",
  "unknown_outcome",
  "late_capture",
  "contradiction",
  "charge_failed_for_good",
  "refund_failed",
  "payout_failed",
];
const day_ms = 86_400_000;

export function addReconcileCommands(program: Command): void {
  const reconcile = program
    .command("reconcile")
    .option("--account <idOrKey>", "only this account")
    .option("--from <instant>", "the last 24 hours when left out", readInstant)
    .option("--to <instant>", "exclusive", readInstant)
    .description("our books, the senders' files and the bank's statements, side by side")
    .action(async (options: { account?: string; from?: string; to?: string }, command: Command) => {
      const context = contextOf(command);
      const to = options.to ?? (await nowThere(context));
      const from = options.from ?? new Date(Date.parse(to) - day_ms).toISOString();
      const { reconciliation } = await context.weir.graphql.run<{ reconciliation: Comparison }>(
        `query ($account: String, $from: Instant!, $to: Instant!) { reconciliation(account: $account, from: $from, to: $to) { ${comparison} } }`,
        { account: options.account, from, to },
      );
      if (context.json) return printJson(context, reconciliation);
      printComparison(context, reconciliation);
    });

  reconcile
    .command("reports")
    .option("--limit <n>", "at most so many", readCount, 31)
    .description("the days that were compared, newest first")
    .action(async ({ limit }: { limit: number }, command: Command) => {
      const context = contextOf(command);
      const reports = await nodesOf<{ id: string; day: string; from: string; to: string; madeAt: string }>(
        context,
        "query ($first: Int, $after: String) { connection: reconciliationReports(first: $first, after: $after) { nodes { id day from to madeAt } pageInfo { hasNextPage endCursor } } }",
        {},
        limit,
      );
      if (context.json) return printJson(context, reports);
      printTable(
        context,
        ["DAY", "FROM", "TO", "MADE", "ID"],
        reports.map(({ id, day, from, to, madeAt }) => [day, from, to, madeAt, id]),
        "No reports yet: the first is made at the end of the day on which a file lands.",
      );
    });

  reconcile
    .command("report")
    .argument("<day>", "2026-01-31, or a report's id")
    .description("a day's report as it was made, as JSON")
    .action(async (idOrDay: string, _options: object, command: Command) => {
      const context = contextOf(command);
      const { reconciliationReport } = await context.weir.graphql.run<{
        reconciliationReport: object | null;
      }>(
        "query ($idOrDay: String!) { reconciliationReport(idOrDay: $idOrDay) { id day from to report madeAt } }",
        { idOrDay },
      );
      if (reconciliationReport === null)
        throw new UsageError(`there is no report "${idOrDay}"; weir reconcile reports`);
      printJson(context, reconciliationReport);
    });

  reconcile
    .command("exceptions")
    .option("--account <idOrKey>", "only this account's")
    .option("--file <id>", "only this file's")
    .addOption(new Option("--kind <kind>", "only of this kind").choices(kinds))
    .addOption(
      new Option("--state <state>", "open when left out")
        .choices(["open", "resolved", "ignored"])
        .default("open"),
    )
    .option("--limit <n>", "at most so many", readCount, 200)
    .description("what did not match, oldest first")
    .action(async ({ limit, ...filter }: { limit: number }, command: Command) => {
      const context = contextOf(command);
      const found = await nodesOf<Exception>(
        context,
        `query ($account: String, $file: ID, $kind: ReconciliationExceptionKind, $state: ReconciliationExceptionState, $first: Int, $after: String) { connection: reconciliationExceptions(account: $account, file: $file, kind: $kind, state: $state, first: $first, after: $after) { nodes { ${exceptionSelection} } pageInfo { hasNextPage endCursor } } }`,
        filter,
        limit,
      );
      if (context.json) return printJson(context, found);
      printTable(
        context,
        ["ID", "KIND", "AGE", "ACCOUNT", "AMOUNT", "CURRENCY", "WHY"],
        found.map((each) => [
          each.id,
          each.kind,
          `${each.ageDays} d`,
          each.account?.key ?? "",
          each.amount === null ? "" : grouped(each.amount.amount),
          each.amount?.currency ?? "",
          each.reason,
        ]),
        "No exceptions.",
      );
    });

  reconcile
    .command("exception")
    .argument("<id>", "of weir reconcile exceptions")
    .description("an exception, and how it was closed")
    .action(async (id: string, _options: object, command: Command) => {
      const context = contextOf(command);
      const found = await exceptionOf(context, id);
      printException(context, found);
    });

  reconcile
    .command("resolve")
    .argument("<exception>", "its id")
    .option(
      "--match <id>",
      "a payment, attempt, refund, dispute, payout or invoice of ours, or an invoice's number",
    )
    .option("--customer <idOrKey>", "it is this customer's: to the balance")
    .addOption(
      new Option("--book <account>", "book it to this account").choices([
        "provider_fees",
        "rounding",
        "bad_debt",
      ]),
    )
    .option("--return", "it goes back to whoever sent it")
    .option("--note <text>", "goes into the audit log")
    .option("--at <version>", "the version that was looked at; as it is now when left out", readCount)
    .description("say what an exception is; it is posted as that")
    .action(async (id: string, options: ResolveOptions, command: Command) => {
      const context = contextOf(command);
      const done = await mutate<Exception>(
        context,
        "resolveException",
        {
          exception: ["ID!", id],
          version: ["Int!", options.at ?? (await exceptionOf(context, id)).version],
          match: ["String", options.match],
          customer: ["String", options.customer],
          book: ["BookAccount", options.book],
          return: ["Boolean", options.return],
          note: ["String", options.note],
        },
        `{ ${exceptionSelection} }`,
      );
      printException(context, done);
    });

  closing(reconcile, "ignore", "ignoreException", "leave an exception as it is, for a reason");
  closing(
    reconcile,
    "reopen",
    "reopenException",
    "take a decision back: what it posted is posted the other way round",
  );
}

function closing(reconcile: Command, name: string, field: string, description: string): void {
  reconcile
    .command(name)
    .argument("<exception>", "its id")
    .requiredOption("--reason <text>", "goes into the audit log")
    .option("--at <version>", "the version that was looked at; as it is now when left out", readCount)
    .description(description)
    .action(async (id: string, { reason, at }: { reason: string; at?: number }, command: Command) => {
      const context = contextOf(command);
      const done = await mutate<Exception>(
        context,
        field,
        {
          exception: ["ID!", id],
          version: ["Int!", at ?? (await exceptionOf(context, id)).version],
          reason: ["String!", reason],
        },
        `{ ${exceptionSelection} }`,
      );
      printException(context, done);
    });
}

/** The organization's time, which may be a test clock's. */
async function nowThere(context: CliContext): Promise<string> {
  const { testClock } = await context.weir.graphql.run<{ testClock: { now: string } | null }>(
    "{ testClock { now } }",
  );
  return testClock?.now ?? new Date().toISOString();
}

async function exceptionOf(context: CliContext, id: string): Promise<Exception> {
  const { reconciliationException } = await context.weir.graphql.run<{
    reconciliationException: Exception | null;
  }>(`query ($id: ID!) { reconciliationException(id: $id) { ${exceptionSelection} } }`, { id });
  if (reconciliationException === null)
    throw new UsageError(`there is no exception "${id}"; weir reconcile exceptions`);
  return reconciliationException;
}

function printComparison(context: CliContext, { from, to, accounts, exceptions }: Comparison): void {
  context.out.write(`${from} – ${to}\n`);
  for (const { account, lines, balances, exceptions: open } of accounts) {
    context.out.write(`\n${account.key} (${account.side})\n`);
    printTable(
      context,
      ["", "CURRENCY", "BOOKS", "N", "FILES", "N", "BANK", "DIFFERENCE"],
      lines.map(({ line, currency, books, reported, bank, difference }) => [
        line,
        currency,
        grouped(books.amount.amount),
        String(books.count),
        grouped(reported.amount.amount),
        String(reported.count),
        bank === null ? "" : grouped(bank.amount.amount),
        grouped(difference.amount),
      ]),
      "Nothing moved.",
    );
    for (const { account: code, balance } of balances) context.out.write(`${code}: ${moneyText(balance)}\n`);
    printSums(context, open);
  }
  printSums(context, exceptions);
}

function printSums(context: CliContext, open: readonly ExceptionSum[]): void {
  for (const { kind, count, suspense } of open) {
    const waiting =
      suspense === null || /^-?0(\.0+)?$/.test(suspense.amount) ? "" : `, ${moneyText(suspense)} in suspense`;
    context.out.write(`open: ${count} × ${kind}${waiting}\n`);
  }
}

function printException(context: CliContext, found: Exception): void {
  if (context.json) return printJson(context, found);
  const { amount, suspense, resolution } = found;
  printFields(context, [
    ["id", found.id],
    ["kind", found.kind],
    ["state", `${found.state}, version ${found.version}`],
    ["why", found.reason],
    ["account", found.account?.key],
    ["file", found.file === null ? "" : `${found.file.name} (${found.file.id})`],
    ["record", found.position === null ? "" : String(found.position)],
    ["about", found.target],
    ["amount", amount === null ? "" : moneyText(amount)],
    ["in suspense", suspense === null ? "" : moneyText(suspense)],
    ["happened", found.happenedAt],
    ["opened", found.openedAt],
    ["age", `${found.ageDays} days`],
    [
      "closed",
      resolution === null
        ? ""
        : `${resolution.kind}${resolution.to === null ? "" : ` ${resolution.to}`} by ${found.closedBy ?? ""} at ${found.closedAt ?? ""}`,
    ],
    ["note", resolution?.note],
  ]);
}
