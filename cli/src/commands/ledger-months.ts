import type { Command } from "commander";
import { contextOf } from "../context.js";
import { account_selection, printAccounts, type LedgerAccount } from "../ledger-text.js";
import { mutate } from "../mutate.js";
import { readCount } from "../options.js";
import { printJson, printTable } from "../print.js";

interface Month {
  readonly month: string;
  readonly start: string;
  readonly end: string;
  readonly closed: boolean;
  readonly closedAt: string | null;
  readonly closedBy: string | null;
  readonly block: number | null;
  readonly trialBalance?: readonly LedgerAccount[] | null;
}

const monthSelection = "month start end closed closedAt closedBy block hash";

export function addLedgerMonthCommands(ledger: Command): void {
  ledger
    .command("months")
    .option("--limit <n>", "at most so many", readCount, 24)
    .description("the months of the books, latest first, and which are closed")
    .action(async ({ limit }: { limit: number }, command: Command) => {
      const context = contextOf(command);
      const { months } = await context.weir.graphql.run<{ months: readonly Month[] }>(
        `query ($first: Int) { months: ledgerMonths(first: $first) { ${monthSelection} } }`,
        { first: limit },
      );
      if (context.json) return printJson(context, months);
      printTable(
        context,
        ["MONTH", "FROM", "TO", "STATE", "CLOSED", "BY"],
        months.map(({ month, start, end, closed, closedAt, closedBy }) => [
          month,
          start,
          end,
          closed ? "closed" : "open",
          closedAt ?? "",
          closedBy ?? "",
        ]),
        "Nothing is posted yet. Finalizing an invoice posts it.",
      );
    });

  ledger
    .command("close")
    .argument("<month>", "such as 2026-10")
    .description("close a month that is over, for good: nothing is posted into it any more")
    .action(async (month: string, _options: object, command: Command) => {
      const context = contextOf(command);
      const selection = `{ ${monthSelection} trialBalance { ${account_selection} } }`;
      const closed = await mutate<Month>(
        context,
        "closeLedgerMonth",
        { month: ["String!", month] },
        selection,
      );
      if (context.json) return printJson(context, closed);
      printAccounts(context, closed.trialBalance ?? [], "Nothing was posted by the month's end.");
      context.out.write(`${closed.month} is closed, with everything before ${closed.end}.\n`);
    });

  ledger
    .command("time-zone")
    .argument("[zone]", "such as Europe/Berlin")
    .description("where the months of the books begin, or say so: until a month is closed")
    .action(async (zone: string | undefined, _options: object, command: Command) => {
      const context = contextOf(command);
      const timeZone =
        zone === undefined
          ? (await context.weir.graphql.run<{ timeZone: string }>("{ timeZone: ledgerTimeZone }")).timeZone
          : await mutate<string>(context, "setLedgerTimeZone", { timeZone: ["String!", zone] }, "");
      if (context.json) return printJson(context, { timeZone });
      context.out.write(`${timeZone}\n`);
    });
}
