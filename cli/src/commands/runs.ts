import { type Command, Option } from "commander";
import { nodesOf } from "../all-nodes.js";
import { contextOf, UsageError } from "../context.js";
import { mutate } from "../mutate.js";
import { readCount } from "../options.js";
import { printFields, printJson, printTable } from "../print.js";

interface Run {
  readonly id: string;
  readonly kind: string;
  readonly version: number;
  readonly state: string;
  readonly waitsFor: string | null;
  readonly error: string | null;
  readonly createdAt: string;
  readonly endedAt: string | null;
}

interface Details {
  readonly run: Run;
  readonly input: unknown;
  readonly output: unknown;
  readonly hasMoreSteps: boolean;
  readonly steps: readonly {
    readonly position: number;
    readonly name: string;
    readonly state: string;
    readonly attempts: number;
    readonly error: string | null;
    readonly startedAt: string;
    readonly endedAt: string | null;
  }[];
}

const selection = "id kind version state waitsFor error createdAt endedAt";
const states = ["queued", "running", "waiting", "succeeded", "failed", "canceled"];

export function addRunCommands(program: Command): void {
  const runs = program.command("runs").description("workflow runs: what Weir does by itself, step by step");

  runs
    .command("list")
    .addOption(new Option("--state <state>", "only those in this state").choices(states))
    .option("--kind <kind>", "only of this workflow")
    .option("--limit <n>", "at most so many", readCount, 50)
    .description("runs, newest first")
    .action(async ({ limit, ...filter }: { limit: number }, command: Command) => {
      const context = contextOf(command);
      const found = await nodesOf<Run>(
        context,
        `query ($state: RunState, $kind: String, $first: Int, $after: String) { connection: runs(state: $state, kind: $kind, first: $first, after: $after) { nodes { ${selection} } pageInfo { hasNextPage endCursor } } }`,
        filter,
        limit,
      );
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
      const { run: details } = await context.weir.graphql.run<{ run: Details | null }>(
        `query ($id: ID!) { run(id: $id) { run { ${selection} } input output hasMoreSteps steps { position name state attempts error startedAt endedAt } } }`,
        { id },
      );
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

  for (const [verb, field, description] of [
    ["retry", "retryRun", "go on with a run that failed or was canceled; what succeeded stays"],
    ["cancel", "cancelRun", "end a run before its next step"],
  ] as const) {
    runs
      .command(verb)
      .argument("<id>", "of weir runs list")
      .description(description)
      .action(async (id: string, _options: object, command: Command) => {
        const context = contextOf(command);
        const details = await mutate<{ run: Run }>(
          context,
          field,
          { id: ["ID!", id] },
          `{ run { ${selection} } }`,
        );
        if (context.json) printJson(context, details.run);
        else context.out.write(`${details.run.id} is ${details.run.state}\n`);
      });
  }
}
