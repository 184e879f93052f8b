import type { Command } from "commander";
import { contextOf } from "../context.js";
import { printFields, printJson } from "../print.js";

export function addConfigCommand(program: Command): void {
  program
    .command("config")
    .description("the server's configuration, without secrets")
    .action(async (_options: object, command: Command) => {
      const context = contextOf(command);
      const config = await context.weir.config();
      if (context.json) printJson(context, config);
      else printFields(context, flatten(config));
    });
}

function flatten(value: object, prefix = ""): (readonly [string, string])[] {
  return Object.entries(value).flatMap(([name, each]: [string, unknown]) =>
    each !== null && typeof each === "object"
      ? flatten(each, `${prefix}${name}.`)
      : [[`${prefix}${name}`, String(each)] as const],
  );
}
