import type { Command } from "commander";
import { nodesOf } from "../all-nodes.js";
import { contextOf } from "../context.js";
import type { Money } from "../ledger-text.js";
import { readCount } from "../options.js";
import { grouped, printJson, printTable } from "../print.js";

interface Schedule {
  readonly invoice: string;
  readonly customer: string;
  readonly servicePeriod: { readonly start: string; readonly end: string };
  readonly days: number;
  readonly recognizedDays: number;
  readonly amount: Money;
  readonly takenBack: Money;
  readonly recognized: Money;
  readonly remaining: Money;
}

interface UpcomingMonth {
  readonly month: string;
  readonly amount: Money;
  readonly schedules: number;
}

const money = "{ amount currency }";
const scheduleSelection = `id invoice line customer servicePeriod { start end } days recognizedDays isOpen amount ${money} takenBack ${money} recognized ${money} remaining ${money}`;
const none = "Nothing is deferred: no line of a finalized invoice is for services still to come.";

export function addLedgerRevenueCommands(ledger: Command): void {
  ledger
    .command("deferred")
    .option("--invoice <id>", "only of this invoice")
    .option("--customer <id>", "only of this customer")
    .option("--all", "also what is recognised altogether")
    .option("--limit <n>", "at most so many", readCount, 100)
    .description("revenue that was billed before the service: what of it is recognised, and what remains")
    .action(
      async (
        { limit, all, ...filter }: { limit: number; all?: boolean; invoice?: string; customer?: string },
        command: Command,
      ) => {
        const context = contextOf(command);
        const schedules = await nodesOf<Schedule>(
          context,
          `query ($invoice: ID, $customer: ID, $open: Boolean, $first: Int, $after: String) { connection: revenueSchedules(invoice: $invoice, customer: $customer, open: $open, first: $first, after: $after) { nodes { ${scheduleSelection} } pageInfo { hasNextPage endCursor } } }`,
          { ...filter, open: all !== true },
          limit,
        );
        if (context.json) return printJson(context, schedules);
        printTable(
          context,
          [
            "INVOICE",
            "CUSTOMER",
            "SERVICE",
            "DAYS",
            "AMOUNT",
            "TAKEN BACK",
            "RECOGNISED",
            "REMAINING",
            "CURRENCY",
          ],
          schedules.map((one) => [
            one.invoice,
            one.customer,
            `${one.servicePeriod.start} … ${one.servicePeriod.end}`,
            `${one.recognizedDays}/${one.days}`,
            ...[one.amount, one.takenBack, one.recognized, one.remaining].map(({ amount }) =>
              grouped(amount),
            ),
            one.amount.currency,
          ]),
          none,
        );
      },
    );

  ledger
    .command("upcoming")
    .option("--months <n>", "so many, from the present one on", readCount, 12)
    .description("what is deferred, by the month in which it will be recognised")
    .action(async ({ months }: { months: number }, command: Command) => {
      const context = contextOf(command);
      const { upcoming } = await context.weir.graphql.run<{ upcoming: readonly UpcomingMonth[] }>(
        `query ($months: Int) { upcoming: upcomingRevenue(months: $months) { month amount ${money} schedules } }`,
        { months },
      );
      if (context.json) return printJson(context, upcoming);
      printTable(
        context,
        ["MONTH", "AMOUNT", "CURRENCY", "SCHEDULES"],
        upcoming.map(({ month, amount, schedules }) => [
          month,
          grouped(amount.amount),
          amount.currency,
          String(schedules),
        ]),
        none,
      );
    });
}
