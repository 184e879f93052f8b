import { writeFileSync } from "node:fs";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { UsageQuery } from "@weir/sdk";
import type { CliContext } from "../context.js";
import { contextOf } from "../context.js";
import { collect, collectList, readCount, readInstant, readPairs } from "../options.js";
import { grouped, printJson, printTable } from "../print.js";

interface UsageOptions {
  readonly from?: string;
  readonly to?: string;
  readonly window?: "MINUTE" | "HOUR" | "DAY" | "MONTH";
  readonly timeZone?: string;
  readonly subject?: readonly string[];
  readonly customer?: readonly string[];
  readonly groupBy?: readonly string[];
  readonly filter?: readonly string[];
  readonly top?: number;
  readonly csv?: boolean;
  readonly parquet?: string;
  readonly watch?: boolean;
}

/** What the query and the subscription both give. */
interface ShownRow {
  readonly windowStart: string;
  readonly windowEnd: string;
  readonly subject: string | null;
  readonly groups: Readonly<Record<string, string>>;
  readonly value: string | null;
}

interface WatchedUsage {
  readonly usage: {
    readonly complete: boolean;
    readonly rows: readonly (Omit<ShownRow, "groups"> & {
      readonly groupBy: readonly { readonly name: string; readonly value: string }[];
    })[];
  };
}

const watchUsage = `subscription ($meter: String!, $input: UsageInput) {
  usage(meter: $meter, input: $input) {
    complete
    rows { windowStart windowEnd subject value groupBy { name value } }
  }
}`;

export function addUsageCommand(program: Command): void {
  program
    .command("usage")
    .argument("<meter>", "slug or id")
    .description("usage of a meter: a total, or by window, subject, customer and dimension")
    .option("--from <instant>", "2026-01-31, RFC 3339, or 30d for thirty days ago", readInstant)
    .option("--to <instant>", "exclusive; now when left out", readInstant)
    .addOption(
      new Option("--window <size>", "one row for each: minute, hour, day or month").argParser(readWindow),
    )
    .option("--time-zone <zone>", "where days and months begin, such as Europe/Berlin; UTC when left out")
    .option("--subject <subjects>", "only these: a,b", collectList)
    .option("--customer <customers>", "only these customers' subjects, by id or key: a,b", collectList)
    .option("--group-by <names>", "subject, or a dimension of the meter: a,b", collectList)
    .option(
      "--filter <dimension=value>",
      "may be repeated; several values of one dimension are alternatives",
      collect,
    )
    .option("--top <count>", "only the groups with the largest totals", readCount)
    .option("--csv", "print CSV")
    .option("--parquet <file>", "write Parquet to a file")
    .option("--watch", "show it live, until Ctrl-C")
    .action(async (meter: string, options: UsageOptions, command: Command) => {
      const context = contextOf(command);
      const query = queryOf(options);
      if (options.watch === true) return watch(context, meter, query);
      if (options.csv === true) {
        context.out.write(await context.weir.usage.csv(meter, query));
        return;
      }
      if (options.parquet !== undefined) {
        const bytes = await context.weir.usage.parquet(meter, query);
        writeFileSync(options.parquet, bytes);
        context.err.write(`${bytes.length} bytes in ${options.parquet}\n`);
        return;
      }
      const result = await context.weir.usage.query(meter, query);
      if (context.json) return printJson(context, result);
      const rows = result.data.map(({ groupBy, ...row }) => ({ ...row, groups: groupBy }));
      printRows(context, rows, result.complete);
    });
}

const windows = ["MINUTE", "HOUR", "DAY", "MONTH"] as const;

function readWindow(value: string): (typeof windows)[number] {
  const found = windows.find((window) => window === value.toUpperCase());
  if (found === undefined) throw new InvalidArgumentError("it is minute, hour, day or month");
  return found;
}

function queryOf(options: UsageOptions): UsageQuery {
  const { from, to, window, timeZone, top } = options;
  const filters: Record<string, string[]> = {};
  for (const text of options.filter ?? []) {
    for (const [name, value] of Object.entries(readPairs("--filter", [text])))
      (filters[name] ??= []).push(value);
  }
  return {
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(window === undefined ? {} : { windowSize: window }),
    ...(timeZone === undefined ? {} : { timeZone }),
    ...(top === undefined ? {} : { top }),
    subjects: options.subject ?? [],
    customers: options.customer ?? [],
    groupBy: options.groupBy ?? [],
    filters,
  };
}

async function watch(context: CliContext, meter: string, query: UsageQuery): Promise<void> {
  const { filters, ...rest } = query;
  const input = {
    ...rest,
    filters: Object.entries(filters ?? {}).map(([dimension, values]) => ({ dimension, values })),
  };
  for await (const { usage } of context.weir.graphql.subscribe<WatchedUsage>(watchUsage, { meter, input })) {
    if (context.json) {
      context.out.write(`${JSON.stringify(usage)}\n`);
      continue;
    }
    if (context.out.isTTY === true) context.out.write("\u001b[2J\u001b[H");
    context.out.write(`${meter} at ${new Date().toISOString()}\n`);
    const rows = usage.rows.map(({ groupBy, ...row }) => ({
      ...row,
      groups: Object.fromEntries(groupBy.map(({ name, value }) => [name, value])),
    }));
    printRows(context, rows, usage.complete);
  }
}

function printRows(context: CliContext, rows: readonly ShownRow[], complete: boolean): void {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row.groups)))];
  const bySubject = rows.some((row) => row.subject !== null);
  printTable(
    context,
    ["FROM", "TO", ...(bySubject ? ["SUBJECT"] : []), ...names.map((name) => name.toUpperCase()), "VALUE"],
    rows.map((row) => [
      row.windowStart,
      row.windowEnd,
      ...(bySubject ? [row.subject ?? ""] : []),
      ...names.map((name) => row.groups[name] ?? ""),
      grouped(row.value),
    ]),
    "No usage in this time. Are events arriving? weir events list",
  );
  if (!complete) context.err.write("The meter's history is still being measured: these are not yet all.\n");
}
