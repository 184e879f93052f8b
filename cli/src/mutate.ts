import { randomUUID } from "node:crypto";
import type { MutationArgument } from "@weir/sdk";
import type { CliContext } from "./context.js";

/** Runs a mutation once, under a key of its own. @throws WeirError for a refusal */
export function mutate<T>(
  context: CliContext,
  field: string,
  args: Readonly<Record<string, MutationArgument>>,
  selection: string,
): Promise<T> {
  return context.weir.graphql.mutate<T>(field, args, selection, { idempotencyKey: randomUUID() });
}
