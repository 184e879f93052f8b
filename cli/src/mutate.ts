import { randomUUID } from "node:crypto";
import { WeirError } from "@weir/sdk";
import type { CliContext } from "./context.js";

interface RefusalData {
  readonly __typename: "RefusalError";
  readonly code: string;
  readonly title: string;
  readonly message: string;
  readonly details: unknown;
}

/** One argument of a mutation: its GraphQL type and value; undefined leaves it out. */
export type MutationArgument = readonly [type: string, value: unknown];

/** Runs a mutation and unwraps its result union. @throws WeirError for a refusal */
export async function mutate<T>(
  context: CliContext,
  field: string,
  args: Readonly<Record<string, MutationArgument>>,
  selection: string,
): Promise<T> {
  const given = Object.entries(args).filter(([, [, value]]) => value !== undefined);
  const declared = given.map(([name, [type]]) => `$${name}: ${type}`).join(", ");
  const passed = given.map(([name]) => `${name}: $${name}`).join(", ");
  const success = `${field.slice(0, 1).toUpperCase()}${field.slice(1)}Success`;
  const query = `mutation(${declared}) { result: ${field}(${passed}) { __typename ... on ${success} { data ${selection} } ... on RefusalError { code title message details } } }`;
  const variables = Object.fromEntries(given.map(([name, [, value]]) => [name, value]));
  const { result } = await context.weir.graphql.run<{
    result: { __typename: string; data: T } | RefusalData;
  }>(query, variables, {
    idempotencyKey: randomUUID(),
  });
  if (isRefusal(result)) {
    const { code, title, message } = result;
    throw new WeirError({
      type: `https://weir.dev/problems/${code}`,
      title,
      status: 400,
      detail: message,
      details: result.details,
    });
  }
  return result.data;
}

function isRefusal(result: { __typename: string } | RefusalData): result is RefusalData {
  return result.__typename === "RefusalError";
}
