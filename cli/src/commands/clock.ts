import { randomUUID } from "node:crypto";
import type { TestClockState } from "@weir/sdk";
import type { Command } from "commander";
import { contextOf, UsageError, type CliContext } from "../context.js";
import { readInstant } from "../options.js";
import { printFields, printJson } from "../print.js";

export function addClockCommands(program: Command): void {
  const clock = program
    .command("clock")
    .description("the test clock: play a year of billing in seconds, in test mode");

  clock
    .command("show")
    .description("where the clock stands")
    .action(async (_options: object, command: Command) => {
      const context = contextOf(command);
      const found = await context.weir.clock.show();
      if (context.json) return printJson(context, found);
      if (found === null)
        context.out.write("Live mode: time is real. For a test clock: weir clock start --at 2027-01-01\n");
      else print(context, found);
    });

  clock
    .command("start")
    .requiredOption("--at <instant>", "where it stands at first", readInstant)
    .description("put the organization into test mode, for good, before it has subscriptions")
    .action(async ({ at }: { at: string }, command: Command) => {
      const context = contextOf(command);
      const started = await context.weir.clock.start(at, { idempotencyKey: randomUUID() });
      if (context.json) printJson(context, started);
      else print(context, started);
    });

  clock
    .command("advance")
    .option("--to <instant>", "where to", readInstant)
    .option("--by <span>", "how far: 12h, 7d, 1month, 1year")
    .description("move the clock forward, by way of everything that falls due")
    .action(async (options: { to?: string; by?: string }, command: Command) => {
      const context = contextOf(command);
      if ((options.to === undefined) === (options.by === undefined))
        throw new UsageError("give either --to or --by");
      const before = await context.weir.clock.show();
      if (before === null) throw new UsageError("this organization is in live mode; weir clock start --at …");
      const to = options.to ?? later(before.now, options.by ?? "");
      const reached = await context.weir.clock.advance(to, ({ now, target }) => {
        if (context.err.isTTY) context.err.write(`\r${now} … ${target ?? ""}`);
      });
      if (context.err.isTTY) context.err.write("\r\u001b[K");
      if (context.json) printJson(context, reached);
      else print(context, reached);
      if (reached.state === "stopped")
        throw new Error(
          `the clock stopped at ${reached.now}: ${reached.reason ?? "a run failed"}; weir runs show ${reached.stoppedBy ?? ""}`,
        );
    });
}

function print(context: CliContext, clock: TestClockState): void {
  printFields(context, [
    ["now", clock.now],
    ["state", clock.state],
    ["target", clock.target],
    ["stopped by", clock.stoppedBy],
    ["reason", clock.reason],
  ]);
}

/** A span after an instant, months and years by the calendar in UTC; the 31st becomes the last day of shorter months. */
export function later(now: string, span: string): string {
  const [, count = "", unit = ""] = /^(\d{1,4})(h|d|month|months|year|years)$/.exec(span) ?? [];
  if (unit === "") throw new UsageError(`--by ${span}: write 12h, 7d, 1month or 1year`);
  const at = new Date(now);
  const number = Number(count);
  if (unit === "h" || unit === "d")
    return new Date(at.getTime() + number * (unit === "h" ? 3_600_000 : 86_400_000)).toISOString();
  const months = unit.startsWith("month") ? number : 12 * number;
  const day = at.getUTCDate();
  at.setUTCDate(1);
  at.setUTCMonth(at.getUTCMonth() + months);
  const last = new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1, 0)).getUTCDate();
  at.setUTCDate(Math.min(day, last));
  return at.toISOString();
}
