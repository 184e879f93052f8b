import type { CliContext } from "./context.js";

interface Connection<T> {
  readonly nodes: readonly T[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

const page_size = 100;

/** Up to `limit` nodes of a connection, page by page. The query takes $first and $after. */
export async function nodesOf<T>(
  context: CliContext,
  query: string,
  variables: object,
  limit: number,
): Promise<T[]> {
  const nodes: T[] = [];
  let after: string | null = null;
  while (nodes.length < limit) {
    const first = Math.min(page_size, limit - nodes.length);
    const answer: { readonly connection: Connection<T> } = await context.weir.graphql.run(query, {
      ...variables,
      first,
      after,
    });
    nodes.push(...answer.connection.nodes);
    const { hasNextPage, endCursor } = answer.connection.pageInfo;
    if (!hasNextPage) break;
    after = endCursor;
  }
  return nodes;
}

/** The first so many of a list that comes page by page. */
export async function take<T>(items: AsyncIterable<T>, limit: number): Promise<T[]> {
  const taken: T[] = [];
  for await (const item of items) {
    taken.push(item);
    if (taken.length === limit) break;
  }
  return taken;
}
