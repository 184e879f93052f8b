import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { buildSchema, getOperationAST, getVariableValues, parse, validate } from "graphql";

const schema = buildSchema(
  readFileSync(fileURLToPath(new URL("../../schema.graphql", import.meta.url)), "utf8"),
);

/** What the committed schema has against an operation and its variables; empty for one that it understands. */
export function schemaFaults(query: string, variables: Readonly<Record<string, unknown>>): string[] {
  const document = parse(query);
  const faults = validate(schema, document).map(({ message }) => message);
  if (faults.length > 0) return faults;
  const operation = getOperationAST(document);
  const { errors = [] } = getVariableValues(schema, operation?.variableDefinitions ?? [], variables);
  return errors.map(({ message }) => message);
}
