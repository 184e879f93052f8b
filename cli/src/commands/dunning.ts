import { type Command, InvalidArgumentError, Option } from "commander";
import { contextOf, UsageError, type CliContext } from "../context.js";
import { mutate } from "../mutate.js";
import { readCount, readWhole } from "../options.js";
import { printFields, printJson, printTable } from "../print.js";

interface Schedule {
  readonly retryDays: readonly number[];
  readonly hour: number;
  readonly endDays: number;
  readonly end: string;
}

interface Step {
  readonly kind: "retry" | "wait" | "end";
  readonly at: string;
  readonly why: string | null;
  readonly action: string | null;
}

interface Collected {
  readonly key: string;
  readonly collectionPause: { readonly reason: string; readonly pausedAt: string } | null;
}

interface SetOptions {
  readonly retryDays?: readonly number[];
  readonly hour?: number;
  readonly endDays?: number;
  readonly end?: string;
}

const scheduleSelection = "{ retryDays hour endDays end }";
const pauseSelection = "{ key collectionPause { reason pausedAt } }";
const ends: Readonly<Record<string, string>> = {
  none: "left open for a person",
  mark_uncollectible: "the invoice is written off",
  pause: "nothing is charged to the customer by itself any more",
  cancel: "the invoice's subscriptions end",
};
const steps: Readonly<Record<string, string>> = {
  schedule: "by the schedule",
  payday: "moved to a payday, since funds were missing",
  soon: "soon, since the issuer was out of order",
};

export function addDunningCommands(program: Command): void {
  const dunning = program.command("dunning").description("how what was declined is collected");

  dunning
    .command("schedule")
    .description("when it is tried again, and what happens at the end")
    .action(async (_options: object, command: Command) => {
      const context = contextOf(command);
      const { dunningSchedule } = await context.weir.graphql.run<{ dunningSchedule: Schedule }>(
        `{ dunningSchedule ${scheduleSelection} }`,
      );
      printSchedule(context, dunningSchedule);
    });

  dunning
    .command("set")
    .option(
      "--retry-days <days>",
      "days after the first decline, such as 1,3,5,7; none for no retries",
      readDays,
    )
    .option("--hour <hour>", "of the customer's day, 0 to 23", readWhole)
    .option("--end-days <days>", "days after the first decline at which it ends", readCount)
    .addOption(new Option("--end <action>", "what happens then").choices(Object.keys(ends)))
    .description("change the schedule; what is left out stays")
    .action(async (options: SetOptions, command: Command) => {
      const context = contextOf(command);
      if (Object.keys(options).length === 0)
        throw new UsageError("nothing to change: give --retry-days, --hour, --end-days or --end");
      const schedule = await mutate<Schedule>(
        context,
        "setDunningSchedule",
        {
          retryDays: ["[Int!]", options.retryDays],
          hour: ["Int", options.hour],
          endDays: ["Int", options.endDays],
          end: ["DunningEnd", options.end],
        },
        scheduleSelection,
      );
      printSchedule(context, schedule);
    });

  dunning
    .command("preview")
    .argument("<invoice>", "id or number")
    .option(
      "--decline <code>",
      "as the provider names it, such as stolen_card; as the last attempt was when left out",
    )
    .description("what would be done from now on, if every attempt were declined in the same way")
    .action(async (invoice: string, { decline }: { decline?: string }, command: Command) => {
      const context = contextOf(command);
      const { dunningPreview } = await context.weir.graphql.run<{ dunningPreview: Step[] }>(
        "query ($invoice: ID!, $decline: String) { dunningPreview(invoice: $invoice, declineCode: $decline) { kind at why action } }",
        { invoice, decline },
      );
      if (context.json) return printJson(context, dunningPreview);
      printTable(context, ["AT", "WHAT", "WHY"], dunningPreview.map(stepRow), "Nothing would be done.");
    });

  dunning
    .command("pause")
    .argument("<customer>", "id or key")
    .requiredOption("--reason <text>", "goes into the audit log")
    .description("charge nothing to a customer by itself any more")
    .action(async (customer: string, { reason }: { reason: string }, command: Command) => {
      const context = contextOf(command);
      const args = { customer: ["String!", customer], reason: ["String!", reason] } as const;
      printPause(context, await mutate<Collected>(context, "pauseCollection", args, pauseSelection));
    });

  dunning
    .command("resume")
    .argument("<customer>", "id or key")
    .description("charge what is open at once, and what comes as it is finalized")
    .action(async (customer: string, _options: object, command: Command) => {
      const context = contextOf(command);
      const args = { customer: ["String!", customer] } as const;
      printPause(context, await mutate<Collected>(context, "resumeCollection", args, pauseSelection));
    });
}

function stepRow({ kind, at, why, action }: Step): string[] {
  if (kind === "retry") return [at, "try again", steps[why ?? ""] ?? ""];
  if (kind === "wait") return [`until ${at}`, "wait", "no retry will do before there is another way to pay"];
  return [at, "end", ends[action ?? ""] ?? ""];
}

function printSchedule(context: CliContext, schedule: Schedule): void {
  if (context.json) return printJson(context, schedule);
  const { retryDays, hour, endDays, end } = schedule;
  printFields(context, [
    ["retries", retryDays.length === 0 ? "none" : `days ${retryDays.join(", ")} after the first decline`],
    ["at", `${String(hour).padStart(2, "0")}:00 of the customer's day`],
    ["ends", `after ${endDays} days: ${ends[end] ?? end}`],
  ]);
}

function printPause(context: CliContext, { key, collectionPause }: Collected): void {
  if (context.json) return printJson(context, { key, collectionPause });
  context.out.write(
    collectionPause === null
      ? `${key} is charged by itself\n`
      : `${key} is not charged since ${collectionPause.pausedAt}: ${collectionPause.reason}\n`,
  );
}

function readDays(value: string): number[] {
  if (value === "none") return [];
  const days = value.split(",").map((part) => part.trim());
  if (!days.every((day) => /^[1-9]\d{0,2}$/.test(day)))
    throw new InvalidArgumentError("write whole days, such as 1,3,5,7");
  return days.map(Number);
}
