import { expect } from "vitest";
import { schemaFaults } from "../../../server/test/support/schema-faults.js";
import { json, serverOf } from "./answering-server.js";

interface Operation {
  readonly query: string;
  readonly variables: Record<string, unknown>;
}

/** A client of a server that answers each operation with this data, and what it was asked: all of it fits the schema. */
export async function weirOf(...data: unknown[]) {
  const { weir, asked } = await serverOf(...data.map((one) => json(200, { data: one })));
  const operations = () =>
    asked.map(({ body }) => {
      const operation = JSON.parse(body) as Operation;
      expect(schemaFaults(operation.query, operation.variables)).toEqual([]);
      return operation;
    });
  return { weir, asked, operations };
}

/** All of a list. */
export const all = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
};
/** A page of a list, and where the next begins. */
export const page = (nodes: unknown[], endCursor: string | null) => ({
  connection: { nodes, pageInfo: { hasNextPage: endCursor !== null, endCursor } },
});
/** What a mutation answers. */
export const success = (data: unknown) => ({ result: { __typename: "Success", data } });
export const refused = (code: string, details: unknown = null) => ({
  result: { __typename: "RefusalError", code, title: "No", message: "no", details },
});
