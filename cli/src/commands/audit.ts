import type { Command } from "commander";
import { nodesOf } from "../all-nodes.js";
import { contextOf } from "../context.js";
import { readCount } from "../options.js";
import { printJson, printTable } from "../print.js";

interface AuditEntry {
  readonly id: string;
  readonly at: string;
  readonly actor: string;
  readonly action: string;
  readonly target: string;
  readonly before: unknown;
  readonly after: unknown;
}

interface AuditOptions {
  readonly action?: string;
  readonly actor?: string;
  readonly target?: string;
  readonly limit: number;
}

export function addAuditCommand(program: Command): void {
  program
    .command("audit")
    .description("who changed what, newest first; --json shows before and after")
    .option("--action <action>", "such as meter.create")
    .option("--actor <key>", "a key's id")
    .option("--target <id>", "what was changed")
    .option("--limit <count>", "at most this many", readCount, 50)
    .action(async (options: AuditOptions, command: Command) => {
      const context = contextOf(command);
      const { limit, ...filter } = options;
      const found = await nodesOf<AuditEntry>(
        context,
        `query ($first: Int, $after: String, $action: String, $actor: String, $target: String) {
          connection: auditLog(first: $first, after: $after, action: $action, actor: $actor, target: $target) {
            nodes { id at actor action target before after }
            pageInfo { hasNextPage endCursor }
          }
        }`,
        filter,
        limit,
      );
      if (context.json) return printJson(context, found);
      printTable(
        context,
        ["AT", "ACTION", "TARGET", "ACTOR"],
        found.map(({ at, action, target, actor }) => [at, action, target, actor]),
        "Nothing was changed yet.",
      );
    });
}
