import { randomUUID } from "node:crypto";
import type { RunState } from "@weir/sdk";
import { type Command, Option } from "commander";
import { take } from "../all-nodes.js";
import { contextOf, UsageError } from "../context.js";
import { readCount } from "../options.js";
import { printFields, printJson, printTable } from "../print.js";

const states = ["queued", "running", "waiting", "succeeded", "failed", "canceled"];

interface ListOptions {
  readonly state?: RunState;
  readonly kind?: string;
  readonly limit: number;
}

export function addRunCommands(program: Command): void {
  const runs = program.command("runs").description("workflow runs: what Weir does by itself, step by step");

  runs
    .command("list")
    .addOption(new Option("--state <state>", "only those in this state").choices(states))
    .option("--kind <kind>", "only of this workflow")
    .option("--limit <n>", "at most so many", readCount, 50)
    .description("runs, newest first")
    .action(async ({ limit, ...filter }: ListOptions, command: Command) => {
      const context = contextOf(command);
      const found = await take(context.weir.runs.list(filter), limit);
      if (context.json) return printJson(context, found);
      printTable(
        context,
        ["ID", "KIND", "STATE", "WAITS FOR", "BEGUN", "ENDED", "ERROR"],
        found.map((run) => [
          run.id,
          run.kind,
          run.state,
          run.waitsFor ?? "",
          run.createdAt,
          run.endedAt ?? "",
          (run.error ?? "").slice(0, 80),
        ]),
        "No runs.",
      );
    });

  runs
    .command("show")
    .argument("<id>", "of weir runs list")
    .description("a run with its steps")
    .action(async (id: string, _options: object, command: Command) => {
      const context = contextOf(command);
      const details = await context.weir.runs.find(id);
      if (details === null) throw new UsageError(`there is no run "${id}"; weir runs list`);
      if (context.json) return printJson(context, details);
      const { run, steps } = details;
      printFields(context, [
        ["id", run.id],
        ["kind", `${run.kind}, version ${run.version}`],
        ["state", run.state],
        ["waits for", run.waitsFor],
        ["error", run.error],
        ["begun", run.createdAt],
        ["ended", run.endedAt],
        ["input", JSON.stringify(details.input)],
      ]);
      context.out.write("\n");
      printTable(
        context,
        ["STEP", "NAME", "STATE", "ATTEMPTS", "BEGUN", "ENDED", "ERROR"],
        steps.map((step) => [
          String(step.position),
          step.name,
          step.state,
          String(step.attempts),
          step.startedAt,
          step.endedAt ?? "",
          step.error ?? "",
        ]),
        "No step was done yet.",
      );
      if (details.hasMoreSteps) context.out.write("… and more\n");
    });

  for (const [verb, description] of [
    ["retry", "go on with a run that failed or was canceled; what succeeded stays"],
    ["cancel", "end a run before its next step"],
  ] as const) {
    runs
      .command(verb)
      .argument("<id>", "of weir runs list")
      .description(description)
      .action(async (id: string, _options: object, command: Command) => {
        const context = contextOf(command);
        const { run } = await context.weir.runs[verb](id, { idempotencyKey: randomUUID() });
        if (context.json) printJson(context, run);
        else context.out.write(`${run.id} is ${run.state}\n`);
      });
  }
}
