import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline/promises";
import { WeirError, type CatalogChange, type CatalogReport } from "@weir/sdk";
import type { Command } from "commander";
import { contextOf, UsageError, type CliContext } from "../context.js";
import { readInstant } from "../options.js";
import { printJson, visible } from "../print.js";

interface ApplyOptions {
  readonly file: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly effectiveFrom?: string;
}

/** `weir plans apply` and `weir plans export`: the whole catalog as one file. */
export function addCatalogFileCommands(plans: Command): void {
  plans
    .command("apply")
    .description(
      "make what a catalog file describes: shows what changes, asks, and does all of it or nothing",
    )
    .requiredOption("-f, --file <file>", "a catalog.yaml; - is standard input")
    .option("--dry-run", "only show what would change")
    .option("--yes", "do not ask")
    .option(
      "--effective-from <time>",
      "from when new plan versions are in force that name no instant; now when left out",
      readInstant,
    )
    .action(async (options: ApplyOptions, command: Command) => {
      const context = contextOf(command);
      const yaml = readFile(options.file);
      const from = options.effectiveFrom === undefined ? {} : { effectiveFrom: options.effectiveFrom };
      const send = (dryRun: boolean) =>
        explainingFaults(options.file, () =>
          context.weir.catalog.apply(yaml, {
            ...from,
            ...(dryRun ? { dryRun } : { idempotencyKey: randomUUID() }),
          }),
        );
      if (options.dryRun === true) return printReport(context, await send(true));
      if (options.yes === true) return printReport(context, await send(false));
      const planned = await send(true);
      if (planned.changes.every(({ action }) => action === "none")) return printReport(context, planned);
      printReport(context.json ? { ...context, json: false, out: context.err } : context, planned);
      if (options.file === "-" || process.stdin.isTTY !== true)
        throw new UsageError("nothing was applied: give --yes where nobody can be asked");
      if (!(await confirmed(context))) throw new UsageError("nothing was applied");
      printReport(context, await send(false));
    });

  plans
    .command("export")
    .description("the whole catalog as a file; applying it changes nothing")
    .action(async (_options: object, command: Command) => {
      const context = contextOf(command);
      context.out.write(await context.weir.catalog.export());
    });
}

function readFile(file: string): string {
  try {
    return readFileSync(file === "-" ? 0 : file, "utf8");
  } catch (error) {
    throw new UsageError(`--file: ${String(error)}`);
  }
}

async function confirmed(context: CliContext): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: context.err });
  try {
    return /^y(es)?$/i.test((await terminal.question("Apply? [y/N] ")).trim());
  } finally {
    terminal.close();
  }
}

interface FileFault {
  readonly line: number;
  readonly column: number;
  readonly path: string;
  readonly message: string;
}

/** Faults as compilers write them, so that editors find their place: catalog.yaml:12:5: plans[0].key: … */
async function explainingFaults(file: string, send: () => Promise<CatalogReport>): Promise<CatalogReport> {
  try {
    return await send();
  } catch (error) {
    const errors = error instanceof WeirError ? error.problem["errors"] : undefined;
    if (!(error instanceof WeirError) || !Array.isArray(errors) || error.code !== "invalid-catalog")
      throw error;
    const name = file === "-" ? "stdin" : file;
    const lines = (errors as FileFault[]).map(
      ({ line, column, path, message }) =>
        `${name}:${line}:${column}: ${path === "" ? "" : `${visible(path)}: `}${visible(message)}`,
    );
    const { errors: _errors, ...problem } = error.problem;
    const detail = `${error.problem.detail}\n${lines.join("\n")}`;
    throw new WeirError({
      ...problem,
      type: problem.type,
      title: problem.title,
      status: problem.status,
      detail,
    });
  }
}

const marks: Readonly<Record<CatalogChange["action"], string>> = {
  create: "+",
  new_version: "~",
  change: "~",
  archive: "-",
  none: " ",
};

function printReport(context: CliContext, report: CatalogReport): void {
  if (context.json) return printJson(context, report);
  const changes = report.changes.filter(({ action }) => action !== "none");
  for (const change of changes) {
    const version = change.version === undefined ? "" : ` version ${change.version}`;
    const from = change.effectiveFrom === undefined ? "" : ` from ${change.effectiveFrom}`;
    const action = change.action.replace("_", " ");
    context.out.write(
      `${marks[change.action]} ${change.section} ${visible(change.key)}: ${action}${change.action === "create" ? "" : version}${from}\n`,
    );
    for (const { path, before, after } of change.differences)
      context.out.write(`    ${visible(path)}: ${visible(before ?? "–")} → ${visible(after ?? "–")}\n`);
  }
  const same = report.changes.length - changes.length;
  const did = report.dryRun ? "would change" : "changed";
  context.out.write(`${changes.length} ${did}, ${same} stay as they are.\n`);
}
